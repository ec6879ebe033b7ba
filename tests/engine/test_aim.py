"""Dots are aimed at in the enlarged picture, and where that is in vain nothing gets worse."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.aim import Sight, aim
from engine.colorizer import Colorizer
from engine.hints import NOBODY, Hint, asked_ab

RED, BLUE = (220, 40, 40), (40, 80, 220)


def aimed(
    colorizer: Colorizer, photo: NDArray[np.uint8], hints: list[Hint]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """What was missing at each dot before and after, in CIE units, and by how much cells differ."""
    picture = colorizer.open(photo)
    owner, asked = picture.owners(hints), asked_ab(hints)
    sight, there = Sight(picture, hints, owner), owner != NOBODY
    ab = np.zeros((*picture.size, 2), np.float32) + asked.mean(0) / 2
    ab[there] = asked[owner[there]]
    before = asked - sight.seen(ab)
    aim(ab, sight, owner, asked)
    return before, asked - sight.seen(ab), ab[there] - asked[owner[there]]


def test_a_lone_dot_is_seen_as_it_was_asked(colorizer: Colorizer, gray: NDArray[np.uint8]) -> None:
    large = np.asarray(cv2.resize(gray, (2400, 1600)), np.uint8)

    before, after, _ = aimed(colorizer, large, [Hint(1204, 504, 3, RED)])

    assert np.abs(before).max() > 2 > 0.5 > np.abs(after).max()


def test_dots_too_near_to_each_other_get_no_worse(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    small = np.asarray(cv2.resize(gray, (180, 120), interpolation=cv2.INTER_AREA), np.uint8)
    hints = [
        Hint(54 + 0.8 * i, 36 + 0.8 * j, 0.3, (RED, BLUE)[(i + j) % 2])
        for i in range(8)
        for j in range(8)
    ]

    before, after, moved = aimed(colorizer, small, hints)

    assert np.square(after).mean() <= np.square(before).mean()
    assert np.abs(moved).max() <= 40.001  # CIE units


def test_a_small_dot_does_not_move_the_large_one_that_it_lies_on(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    large = np.asarray(cv2.resize(gray, (2400, 1600)), np.uint8)

    _, after, moved = aimed(
        colorizer, large, [Hint(1200, 500, 150, RED), Hint(1200, 500, 50, BLUE)]
    )

    assert np.abs(after).max() < 0.5 and np.abs(moved).max() < 10  # CIE units
