"""What became of a dot, for people."""

from __future__ import annotations

import math

from gimp_plugin.texts import _
from server.protocol.messages import DotReport

FOLLOWED_ENOUGH = 0.5  # share of a dot's region; below it the dot is offered to be locked
REACHABLE = 24.0  # largest difference of two 8-bit colours (Euclidean) that people call the same


def is_followed(dot: DotReport) -> bool:
    return dot.locked or dot.followed >= FOLLOWED_ENOUGH


def dot_words(dot: DotReport) -> str:
    """What became of a dot, in a few words."""
    if is_out_of_reach(dot):
        return _("not possible at this brightness")
    if dot.locked:
        return _("locked: its whole region has this colour")
    if not is_followed(dot):
        return _("only {0} % of its region followed").format(round(100 * dot.followed))
    return _("followed")


def is_out_of_reach(dot: DotReport) -> bool:
    """Is the nearest colour that exists at the dot's brightness another hue or much paler?"""
    return _chroma_gap(dot.asked, dot.reachable) > REACHABLE


def _chroma_gap(asked: str, reachable: str) -> float:
    """How different two colours are beside their brightness, in 8-bit steps."""
    a, b = (_without_brightness(color) for color in (asked, reachable))
    return math.dist(a, b)


def _without_brightness(color: str) -> tuple[float, float]:
    """Two differences of components (blue and red against luma) of "#rrggbb"."""
    r, g, b = bytes.fromhex(color[1:])
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    return 0.564 * (b - luma), 0.713 * (r - luma)
