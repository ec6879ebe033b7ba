"""A theme as people write it: "#7a3b12 #203050", or "#7a3b12:70% #203050:30%" with shares."""

from __future__ import annotations

import re
from collections.abc import Sequence

_COLOR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})(?::(\d{1,3}(?:\.\d+)?)%)?\Z")


class NotATheme(ValueError):
    """Its text is the part that cannot be read."""


def parse_theme(text: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Read colours parted by blanks or commas, all of them with shares or none.

    Returns the colours as "#rrggbb" and their shares of the picture, as they compare to each
    other; empty where none are written. Raises NotATheme.
    """
    colors: list[str] = []
    shares: list[float] = []
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            continue
        found = _COLOR.match(word)
        if not found:
            raise NotATheme(word[:40])
        digits = found.group(1).lower()
        colors.append("#" + (digits if len(digits) == 6 else "".join(2 * d for d in digits)))
        if found.group(2):
            shares.append(round(float(found.group(2)) / 100, 4))
        if len(shares) not in (0, len(colors)):
            raise NotATheme(word[:40])
    if shares and not sum(shares):
        raise NotATheme(text.strip()[:40])
    return tuple(colors), tuple(shares)


def written_theme(colors: Sequence[str], shares: Sequence[float]) -> str:
    """The same the other way round. shares: to four decimals, or none."""
    if not shares:
        return " ".join(colors)
    return " ".join(f"{color}:{100 * share:.2f}%" for color, share in zip(colors, shares))
