"""Measurements of Tincture's engine: `python -m engine.benchmark [KIND]`, by default the first.

    networks   milliseconds and GFLOP of the networks beside that of Zhang et al. (2017)
    pipeline   from a photo of 1 to 100 megapixels to its colours, step by step
    sizes      quality and time at different working sizes
    scans      framed and faded photos, seen as they are and as for a user
    enlarge    ways of enlarging colour, against the truth
    dots       how near dots come to the asked colour at full size
    speedups   ways of making the network faster
    gamut      colours brought into the gamut, sought or looked up
    themes     six thumbnails in one batch beside single runs

Every kind has its own --help. `python -m server.benchmark` measures the whole way, with the socket.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from engine.command import parser_of, told_in_a_line

KINDS = ("networks", "pipeline", "sizes", "scans", "enlarge", "dots", "speedups", "gamut", "themes")


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = parser_of("engine.benchmark", __doc__)
    parser.add_argument("kind", nargs="?", choices=KINDS, default="networks")
    kind = parser.parse_args(arguments[:1]).kind
    with told_in_a_line("engine.benchmark"):
        importlib.import_module(f"engine.benchmark_{kind}").main(arguments[1:])


if __name__ == "__main__":
    main()
