"""The canvas at a glance, and what happened to it between two looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from gimp_plugin.dots import CELL_COLUMNS, Cell, Thumbnail
from gimp_plugin.plan import HINTS_NAME, STRIP_ROWS


@dataclass(frozen=True)
class Look:
    """What the canvas shows at a glance. Two equal ones: nothing happened in between."""

    photo: bytes  # a small picture of the photo
    photo_place: tuple[int, ...]  # x, y, width, height in the image
    hints: Optional[Thumbnail]  # noqa: UP045  None: there is no hints layer
    hints_place: tuple[int, ...]  # as photo_place
    limits: tuple[int, ...] = ()  # of what is coloured: selection, mask of the photo; empty: none
    # A stroke or a tool's dialog is not finished; None: nobody can tell.
    painting: Optional[bool] = None  # noqa: UP045
    ready: bool = field(default=True, compare=False)  # what is painted now goes to the hints layer
    hints_name: str = field(default=HINTS_NAME, compare=False)  # as the user calls that layer
    seconds: float = field(default=0.0, compare=False)  # that GIMP was about it


def dots_moved(before: Look, look: Look) -> bool:
    """Do the dots lie elsewhere in the photo now: was it cropped, turned, or moved under them?"""
    if before.photo_place[2:] != look.photo_place[2:]:
        return True
    if before.photo != look.photo and before.hints != look.hints:
        return True  # an image that is flipped changes both at once
    moved, hints_moved = (
        [now - then for now, then in zip(new[:2], old[:2])]
        for new, old in (
            (look.photo_place, before.photo_place),
            (look.hints_place, before.hints_place),
        )
    )
    return any(moved) and bool(hints_moved) and moved != hints_moved


def middle_of(cells: Sequence[Cell], look: Look) -> Optional[tuple[float, float]]:  # noqa: UP045
    """The middle of some cells of the hints layer, in photo pixels."""
    if not cells:
        return None
    y, x = (sum(sides) / len(cells) for sides in zip(*cells))
    x += look.hints_place[0] - look.photo_place[0] + CELL_COLUMNS / 2
    y += look.hints_place[1] - look.photo_place[1] + STRIP_ROWS / 2
    return x, y
