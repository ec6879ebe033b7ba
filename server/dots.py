"""The dots of a request as the engine takes them: written out, or painted on strips of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.gray import MAX_PIXELS
from engine.hints import Hint
from engine.painted import PictureFound, TooManyDots, hints_from_rgba
from engine.palettes import parse_hex
from engine.picture import Picture
from server.protocol import messages
from server.protocol.messages import ColorizeRequest, HintStrip, InvalidParams


def hints_of(request: ColorizeRequest) -> list[Hint]:
    """The dots of a request, locked where it says so. Raises InvalidParams."""
    hints = [*map(_hint, request.dots), *hints_in(request.hint_strips)]
    places = np.array(request.locked, np.float64).reshape(-1, 2)
    return [replace(hint, locked=is_locked(hint, places)) for hint in hints]


def is_locked(hint: Hint, places: NDArray[np.float64]) -> bool:
    """places: (N, 2), x and y of places at which dots are locked."""
    away = np.hypot(places[:, 0] - hint.x, places[:, 1] - hint.y)
    return bool((away <= hint.radius + 1).any())


def outside_note(hints: list[Hint], picture: Picture) -> list[str]:
    outside = sum(
        not (0 <= hint.x < picture.width and 0 <= hint.y < picture.height) for hint in hints
    )
    if not outside:
        return []
    return [f"{outside} of {len(hints)} dots lie outside the photo and were left out."]


def hints_in(strips: tuple[HintStrip, ...]) -> list[Hint]:
    """The dots in strips of a hints layer, from top to bottom.

    Strips that touch are joined first, as dots may cross them; what lies between others is not
    looked at. Raises InvalidParams.
    """
    hints: list[Hint] = []
    try:
        for group in touching(strips):
            hints += hints_from_rgba(*joined(group), messages.MAX_DOTS - len(hints))
    except TooManyDots:
        raise InvalidParams(
            f"the hints layer holds more than {messages.MAX_DOTS:,} dots, which is the most that "
            "can be used; erase some, or paint larger ones"
        ) from None
    except PictureFound:
        raise InvalidParams(
            "the hints layer holds a picture, not dots; paint dots on a transparent layer, erase "
            "the picture, or give that layer another name"
        ) from None
    return hints


def touching(strips: Sequence[HintStrip]) -> list[list[HintStrip]]:
    """Strips in groups between which there are rows without paint."""
    groups: list[list[HintStrip]] = []
    bottom = -(10**9)  # of the last group
    for strip in sorted(strips, key=lambda s: s.y):
        if not groups or strip.y > bottom:
            groups.append([])
        groups[-1].append(strip)
        bottom = max(bottom, strip.y + strip.height)
    return groups


def joined(strips: Sequence[HintStrip]) -> tuple[NDArray[np.uint8], int, int]:
    """Strips laid out in the rectangle around them: (H, W, 4), and its left and top.

    Raises InvalidParams.
    """
    left, top = min(s.x for s in strips), min(s.y for s in strips)
    width = max(s.x + s.width for s in strips) - left
    height = max(s.y + s.height for s in strips) - top
    if width * height > MAX_PIXELS:
        raise InvalidParams("the hints layer is too large")
    rgba = np.zeros((height, width, 4), np.uint8)
    for strip in strips:
        pixels = np.frombuffer(strip.rgba, np.uint8).reshape(strip.height, strip.width, 4)
        y, x = strip.y - top, strip.x - left
        rgba[y : y + strip.height, x : x + strip.width] = pixels
    return rgba, left, top


def _hint(dot: messages.Dot) -> Hint:
    return Hint(dot.x, dot.y, dot.radius, parse_hex(dot.color))
