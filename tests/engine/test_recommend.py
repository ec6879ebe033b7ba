"""Themes are recommended: different ones, the same ones again, for any photo."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from engine.palettes import read_palette
from engine.recommend import LIBRARY, ThemeRecommender
from engine.texture import bin_of, build_texture_library, describe
from engine.theme_distance import earth_movers_distance, energy_distances
from engine.theme_prediction import DIFFERENT, choose, describe_photos, train_predictor
from engine.themes import Theme
from engine.weights import WeightsMissing, load_network, sha256, weights_path
from tests.conftest import ROOT

RED = Theme(((200, 30, 40),))
BLUE = Theme(((30, 60, 200),))
BOTH = Theme(((200, 30, 40), (30, 60, 200)))


@pytest.fixture(scope="module")
def recommender() -> ThemeRecommender:
    return ThemeRecommender.load(load_network("default"))


def test_six_different_themes_of_three_to_seven_colours(
    recommender: ThemeRecommender, gray: NDArray[np.uint8]
) -> None:
    themes = recommender.recommend(gray.astype(np.float32) / np.float32(255))

    assert len(themes) == 6
    assert all(1 <= len(theme.colors) <= 7 for theme in themes)
    assert min(earth_movers_distance(a, b) for a, b in combinations(themes, 2)) > DIFFERENT - 0.5


def test_the_same_photo_gets_the_same_themes(
    recommender: ThemeRecommender, gray: NDArray[np.uint8]
) -> None:
    lightness = gray.astype(np.float32) / np.float32(255)

    assert recommender.recommend(lightness) == recommender.recommend(lightness.copy())


@pytest.mark.parametrize("shape", [(8, 8), (1, 1), (20, 900), (700, 40)])
def test_flat_tiny_and_long_photos_get_themes_too(
    recommender: ThemeRecommender, shape: tuple[int, int]
) -> None:
    flat = np.full(shape, 0.4, np.float32)

    assert len(recommender.recommend(flat)) == 6
    assert len(recommender.textures.recommend(flat, 2)) == 2


def test_a_missing_library_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"install\.py repair"):
        ThemeRecommender.load(load_network("default"), tmp_path / "none.safetensors")


def test_the_library_was_made_with_the_shipped_network() -> None:
    """If this fails: python -m engine.recommend build --photos DIR."""
    with safe_open(LIBRARY, framework="numpy") as file:
        record = json.loads(file.metadata()["made_from"])

    assert record["weights"] == sha256(weights_path("default"))


def test_the_library_is_small() -> None:
    assert LIBRARY.stat().st_size < 2_000_000


def test_the_earth_movers_distance_is_that_of_moving_paint() -> None:
    whole = earth_movers_distance(RED, BLUE)

    assert earth_movers_distance(RED, RED) == 0
    assert earth_movers_distance(RED, BOTH) == pytest.approx(whole / 2, rel=1e-4)


def test_the_energy_distance_ranks_like_it() -> None:
    ab = np.array([[[50, 0], [50, 0]], [[45, 0], [50, 5]], [[-50, 0], [0, 50]]], np.float32)
    even = np.full((3, 2), 0.5, np.float32)
    distances = energy_distances(ab, even, ab, even)

    assert np.allclose(np.diag(distances), 0, atol=1e-4)
    assert distances[0, 1] < distances[0, 2]


def test_choices_cover_what_is_there() -> None:
    """Two clusters: the first choice is the larger one's middle, the second is in the other."""
    places = np.array([0.0, 1.0, 2.0, 50.0, 51.0])
    distances = np.abs(places[:, None] - places).astype(np.float32)

    chosen = choose(distances, np.ones(5, np.float32), 3)

    assert chosen[0] == 2 and chosen[1] in (3, 4)
    assert len(set(choose(distances, np.ones(5, np.float32), 9))) == 5
    assert len(set(choose(distances, np.ones(5, np.float32), 5, apart=60))) == 5  # none is so far


def test_choices_heed_the_price() -> None:
    distances = np.array([[0, 1, 5], [1, 0, 5], [5, 5, 0]], np.float32)
    weights = np.array([0.5, 0.4, 0.1], np.float32)

    assert choose(distances, weights, 1) == [0]
    assert choose(distances, weights, 1, price=np.array([0.2, 0, 9], np.float32)) == [1]


def test_choices_are_apart() -> None:
    places = np.array([0.0, 1.0, 2.0, 7.0])
    distances = np.abs(places[:, None] - places).astype(np.float32)
    weights = np.array([10, 10, 10, 0.1], np.float32)

    assert 3 not in choose(distances, weights, 3)
    assert 3 in choose(distances, weights, 2, apart=3)


def test_features_tell_photos_apart(gray: NDArray[np.uint8]) -> None:
    network = load_network("default")
    crop = torch.from_numpy(gray[:128, :128].astype(np.float32) / 255)[None, None]
    other = torch.from_numpy(gray[200:328, 300:428].astype(np.float32) / 255)[None, None]

    first, second = describe_photos(network, torch.cat((crop, other)))

    assert first.shape == second.shape
    assert not np.allclose(first, second)


def test_a_predictor_learns_which_photos_have_which_theme() -> None:
    """Two kinds of photos: the first number tells which, the second one is noise."""
    rng = np.random.default_rng(0)
    red = rng.random(600) < 0.3
    features = np.stack((np.where(red, 1.0, -1.0), rng.normal(size=600)), 1).astype(np.float32)

    predictor = train_predictor(features, [RED if kind else BLUE for kind in red])

    (first,), (second,) = (
        predictor.recommend(np.array(photo, np.float32), 1) for photo in ((1, 2), (-1, 2))
    )
    assert first.colors[0][0] > 180 > first.colors[0][2]
    assert second.colors[0][2] > 180 > second.colors[0][0]
    assert predictor.frequency.sum() == pytest.approx(1, abs=1e-4)


def test_textures_are_described_segment_by_segment(gray: NDArray[np.uint8]) -> None:
    segments, features = describe(gray[:128, :128].astype(np.float32) / np.float32(255))

    assert features.shape == (segments.max() + 1, 48)
    assert np.isfinite(features).all()


def test_a_texture_library_knows_what_colour_a_texture_had() -> None:
    """Stripes were red and flat areas blue: so they are again."""
    rng = np.random.default_rng(0)
    photos = []
    for _ in range(60):
        lightness = np.full((128, 128), 0.5, np.float32)
        lightness[:64] += 0.3 * np.sin(np.arange(128) * rng.uniform(1.1, 1.4)).astype(np.float32)
        lightness += rng.normal(0, 0.02, lightness.shape).astype(np.float32)
        ab = np.zeros((128, 128, 2), np.float32)
        ab[:64], ab[64:] = (60, 30), (10, -60)
        photos.append((lightness, ab))
    library = build_texture_library(photos)
    stripes = np.full((128, 128), 0.5, np.float32)
    stripes += 0.3 * np.sin(np.arange(128) * 1.25).astype(np.float32)

    (theme,) = library.recommend(stripes)

    r, _g, b = theme.colors[0]
    assert r > b


def test_bins_are_numbered_row_by_row() -> None:
    ab = np.array([[-110, -110], [-110, 109], [109, 109], [300, -300]], np.float32)

    assert bin_of(ab).tolist() == [0, 9, 99, 90]


def test_the_built_in_themes_can_be_read() -> None:
    files = sorted((ROOT / "gimp_plugin/palettes").glob("*.gpl"))

    assert len(files) >= 20
    for file in files:
        palette = read_palette(file)
        assert palette.name.startswith("Tincture ") and 3 <= len(palette.colors) <= 7
