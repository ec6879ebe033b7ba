"""Editing a theme."""

from __future__ import annotations

import pytest

from gimp_plugin.swatches import Swatches
from server.protocol.messages import MAX_THEME_COLORS

RED, GREEN, BLUE, GRAY = "#c00000", "#00c000", "#0000c0", "#808080"
THREE = Swatches().taking((RED, GREEN, BLUE))


def test_another_theme_takes_the_place_of_the_first() -> None:
    assert THREE.taking((GRAY,)).colors == (GRAY,)


def test_locked_swatches_stay_where_they_are() -> None:
    assert THREE.toggled(1).taking((GRAY, BLUE, RED)).colors == (GRAY, GREEN, BLUE, RED)


def test_a_locked_colour_is_not_taken_twice() -> None:
    assert THREE.toggled(0).taking((RED, GRAY)).colors == (RED, GRAY)


def test_beside_locked_swatches_seven_are_all_that_a_theme_fills() -> None:
    other = tuple(f"#{n:06x}" for n in range(MAX_THEME_COLORS))

    assert THREE.toggled(0).toggled(2).taking(other).colors == (RED, other[0], BLUE, *other[1:5])


def test_no_theme_leaves_the_locked_ones() -> None:
    assert THREE.toggled(2).taking(()).colors == (BLUE,)


def test_a_lock_can_be_opened() -> None:
    assert THREE.toggled(0).toggled(0) == THREE


@pytest.mark.parametrize(
    ("index", "steps", "colors"),
    [
        (0, 1, (GREEN, RED, BLUE)),
        (2, -2, (BLUE, RED, GREEN)),
        (0, -1, (RED, GREEN, BLUE)),
        (1, 9, (RED, BLUE, GREEN)),
    ],
)
def test_moving(index: int, steps: int, colors: tuple[str, ...]) -> None:
    assert THREE.moved(index, steps).colors == colors


def test_adding_changing_removing() -> None:
    assert THREE.added(GRAY).with_color(0, GRAY).without(1).colors == (GRAY, BLUE, GRAY)


def test_a_theme_holds_seven_colours() -> None:
    full = Swatches().taking((GRAY,) * MAX_THEME_COLORS)

    assert full.added(RED) == full


SHARED = Swatches().taking((RED, GREEN, BLUE), (0.5, 0.3, 0.2))


def test_shares_are_left_open_until_somebody_says_them() -> None:
    assert THREE.shares == ()
    assert THREE.share_of(1) == pytest.approx(1 / 3)
    assert SHARED.with_any_shares() == THREE


def test_what_a_color_gains_the_others_give_in_proportion() -> None:
    assert SHARED.with_share(2, 0.6).shares == pytest.approx((0.25, 0.15, 0.6))
    assert THREE.with_share(0, 0.5).shares == pytest.approx((0.5, 0.25, 0.25))


def test_a_color_alone_keeps_the_whole_picture() -> None:
    alone = THREE.without(0).without(0)

    assert alone.with_share(0, 0.5) == alone


def test_the_largest_share_leaves_the_others_something_to_come_back_with() -> None:
    most = SHARED.with_share(0, 1.0)

    assert most.shares[0] < 1 and min(most.shares) > 0
    assert most.with_share(0, 0.5).shares == pytest.approx(SHARED.shares, abs=1e-3)


def test_shares_move_with_their_colors() -> None:
    assert SHARED.moved(0, 2).shares == (0.3, 0.2, 0.5)
    assert SHARED.without(0).shares == (0.3, 0.2)
    assert SHARED.added(GRAY).shares == pytest.approx((0.5, 0.3, 0.2, 0.3333))


def test_a_locked_color_has_a_share_beside_a_theme_that_has_shares() -> None:
    locked = THREE.toggled(1).taking((GRAY, BLUE), (0.6, 0.4))

    assert locked.shares == (0.6, 0.5, 0.4)
    assert SHARED.toggled(1).taking((GRAY, BLUE)).shares == ()
