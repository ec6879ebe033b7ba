"""Editing a theme."""

from __future__ import annotations

import pytest

from gimp_plugin.swatches import MOST, Swatches

RED, GREEN, BLUE, GRAY = "#c00000", "#00c000", "#0000c0", "#808080"
THREE = Swatches().taking((RED, GREEN, BLUE))


def test_another_theme_takes_the_place_of_the_first() -> None:
    assert THREE.taking((GRAY,)).colors == (GRAY,)


def test_locked_swatches_stay_where_they_are() -> None:
    assert THREE.toggled(1).taking((GRAY, BLUE, RED)).colors == (GRAY, GREEN, BLUE, RED)


def test_a_locked_colour_is_not_taken_twice() -> None:
    assert THREE.toggled(0).taking((RED, GRAY)).colors == (RED, GRAY)


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
    full = Swatches().taking((GRAY,) * MOST)

    assert full.added(RED) == full
