"""Colours brought into the gamut, sought or looked up: `python -m engine.benchmark gamut`.

A million random colours that do not exist; both ways take turns. "ab lost" is how much chroma the
table gives away against seeking, at most but for one colour in a thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.benchmark_themes import median_times
from engine.command import parser_of
from engine.compose import Plane, reduced, share_inside, share_looked_up, tones

COUNT = 1_000_000
CHROMA = 200.0  # more than any colour has


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark gamut", __doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="colours")
    colors = impossible(parser.parse_args(arguments).count)
    times = median_times(
        {"sought": lambda: share_inside(*colors), "looked up": lambda: reduced(*colors)}
    )
    lost = CHROMA * (share_inside(*colors) - share_looked_up(*colors[1:]))
    for way, seconds in times.items():
        print(f"{way}: {1000 * seconds:.0f} ms")
    print(f"ab lost: {np.quantile(lost, 0.999):.2f}")


def impossible(count: int) -> tuple[Plane, Plane, Plane, Plane]:
    """Luminance, f, a and b of colours of all lightnesses and hues that are too vivid to exist."""
    rng = np.random.default_rng(0)
    hue = rng.uniform(0, 2 * np.pi, count)
    a, b = ((CHROMA * turn).astype(np.float32) for turn in (np.cos(hue), np.sin(hue)))
    return *tones(rng.random(count, np.float32)), a, b


if __name__ == "__main__":
    main()
