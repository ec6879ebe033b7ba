"""Themes taken from photos, and palettes made into themes."""

from __future__ import annotations

import numpy as np
import pytest

from engine.themes import Color, Theme, ThemeError, reduce_theme, theme_from_photo


def quarters(*colors: tuple[int, int, int]) -> np.ndarray:
    """A photo of stripes; the first colour has half of it."""
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:] = colors[0]
    height = 32 // max(1, len(colors) - 1)
    for index, color in enumerate(colors[1:]):
        photo[index * height : (index + 1) * height] = color
    return photo


RED, GREEN, BLUE = (200, 40, 40), (40, 160, 60), (40, 60, 200)


@pytest.mark.parametrize(
    ("photo", "theme"),
    [
        ((RED, GREEN, BLUE), (RED, BLUE, GREEN)),  # of equal shares the darker one comes first
        ((GREEN, RED, BLUE), (GREEN, BLUE, RED)),
        ((BLUE, GREEN, RED), (BLUE, RED, GREEN)),
    ],
)
def test_the_colours_of_a_photo_come_with_their_shares(
    photo: tuple[Color, ...], theme: tuple[Color, ...]
) -> None:
    found = theme_from_photo(quarters(*photo), 3)

    assert found.colors == theme
    assert found.shares == pytest.approx((0.5, 0.25, 0.25), abs=0.02)


def test_the_same_photo_gives_the_same_theme(coffee: np.ndarray) -> None:
    assert theme_from_photo(coffee) == theme_from_photo(coffee.copy())


@pytest.mark.parametrize("count", [3, 5, 7])
def test_as_many_colours_as_asked(coffee: np.ndarray, count: int) -> None:
    assert len(theme_from_photo(coffee, count).colors) == count


def test_the_photo_decides_how_many_colours_it_has() -> None:
    photo = np.repeat([RED, GREEN, BLUE, (220, 200, 60), (150, 60, 170)], 200, 0)
    grain = np.random.default_rng(0).normal(0, 3, photo.shape)

    theme = theme_from_photo((photo + grain).astype(np.uint8).reshape(40, 25, 3))

    assert len(theme.colors) == 5


@pytest.mark.parametrize("shape", [(8, 8, 3), (1, 1, 3), (300, 200, 3)])
def test_one_flat_tone_gives_one_colour(shape: tuple[int, int, int]) -> None:
    for count in (None, 5):
        assert theme_from_photo(np.full(shape, 90, np.uint8), count).colors == ((90, 90, 90),)


@pytest.mark.parametrize("count", [0, 2, 8])
def test_other_counts_are_refused(coffee: np.ndarray, count: int) -> None:
    with pytest.raises(ThemeError, match="3 to 7"):
        theme_from_photo(coffee, count)


def test_no_photo_is_refused() -> None:
    with pytest.raises(ThemeError, match="colour photo"):
        theme_from_photo(np.zeros((5, 5), np.uint8))


def test_a_small_palette_is_kept_in_its_order() -> None:
    colors = [(9, 9, 9), (200, 0, 0), (9, 9, 9), (0, 0, 200)]

    theme = reduce_theme(colors)

    assert theme.colors == ((9, 9, 9), (200, 0, 0), (0, 0, 200))
    assert theme.shares == ()  # how often a palette has a colour tells nothing of a photo


def test_a_large_palette_is_clustered_to_seven() -> None:
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 256, (7, 3))
    colors = [
        tuple(int(v) for v in np.clip(c + rng.integers(-3, 4, 3), 0, 255))
        for c in centres
        for _ in range(30)
    ]

    theme = reduce_theme(colors)  # type: ignore[arg-type]

    distance = np.abs(np.array(theme.colors)[:, None] - centres).max(-1).min(1)
    assert len(theme.colors) == 7
    assert distance.max() <= 6


def test_an_empty_palette_is_refused() -> None:
    with pytest.raises(ThemeError, match="no colours"):
        reduce_theme([])


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5), (-1.0, 2, 1), (0.0, 0, 0), (0.5, np.nan, 0.5), (0.5, 0.5, np.inf)]
)
def test_shares_must_fit_the_colours(shares: tuple[float, ...]) -> None:
    with pytest.raises(ThemeError):
        Theme(((0, 0, 0), (90, 60, 30), (200, 180, 160)), shares)
