"""Changed colours for training: themes go with their photos, objects change alone."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.clusters import Clusters, kmeans
from engine.recolor import draw_objects, recolor, recolor_objects
from tests.engine.test_simulate import generator, patches, quarter_numbers

__all__ = ["generator", "patches"]  # fixtures

SIZES = torch.arange(16) % 5 + 3


def clusters_of(ab: Tensor, generator: torch.Generator) -> Clusters:
    return kmeans(ab, SIZES, 7, generator)


def test_kmeans_finds_the_colours_of_flat_patches(
    patches: Tensor, generator: torch.Generator
) -> None:
    clusters = clusters_of(patches, generator)

    error = (clusters.decoded() - patches).abs().amax((1, 2, 3))
    assert (error[SIZES >= 6] < 1e-4).float().mean() > 0.5
    assert torch.equal(clusters.present.sum(1), SIZES)


def test_only_the_pictures_asked_for_change(patches: Tensor, generator: torch.Generator) -> None:
    which = torch.arange(16) % 2 == 0
    clusters = clusters_of(patches, generator)

    ab, changed = recolor(patches, clusters, which, generator)

    assert torch.equal(ab[~which], patches[~which])
    assert torch.equal(changed.centres[~which], clusters.centres[~which])
    assert (ab[which] != patches[which]).flatten(1).any(1).float().mean() > 0.5


def test_a_changed_photo_has_its_new_themes_colours(
    patches: Tensor, generator: torch.Generator
) -> None:
    exact = Clusters(*(x.repeat(8, *[1] * (x.ndim - 1)) for x in quarters()))
    many = patches.repeat(8, 1, 1, 1)

    ab, changed = recolor(many, exact, torch.ones(128, dtype=torch.bool), generator)

    assert torch.allclose(ab, changed.decoded(), atol=1e-5)


def test_a_photo_that_takes_its_own_theme_stays_as_it_is(generator: torch.Generator) -> None:
    exact = Clusters(*quarters())
    ab = exact.decoded()

    lent, _ = recolor(ab, exact, torch.ones(16, dtype=torch.bool), generator)

    # one way in three is to take the next one's theme, which is the same here
    kept = (lent - ab).abs().flatten(1).amax(1) < 1e-5
    assert kept.any() and not kept.all()


def test_an_object_changes_alone_and_as_a_whole(
    patches: Tensor, generator: torch.Generator
) -> None:
    lightness = torch.full_like(patches[:, :1], 0.5)
    inside = draw_objects(quarter_numbers(patches), generator)

    changed = recolor_objects(lightness, patches, inside, generator)

    moved = (changed != patches).any(1, keepdim=True)
    assert torch.equal(moved, inside)
    assert torch.equal(inside.float().mean((1, 2, 3)), torch.full((16,), 0.25))


def test_objects_are_neither_specks_nor_the_whole_picture(generator: torch.Generator) -> None:
    segments = torch.zeros(64, 1, 40, 40, dtype=torch.uint8)
    segments[:32, :, 10:20, 10:30] = 3  # an eighth of the picture
    segments[:, :, 0, :4] = 200  # a speck

    inside = draw_objects(segments, generator)

    assert torch.equal(inside[:32], segments[:32] == 3)
    assert not inside[32:].any()


def test_larger_segments_are_objects_more_often(generator: torch.Generator) -> None:
    segments = torch.zeros(400, 1, 40, 40, dtype=torch.uint8)
    segments[:, :, :10, :8] = 1  # 5 %
    segments[:, :, 20:, 20:30] = 2  # 12.5 %

    share = draw_objects(segments, generator).float().mean((1, 2, 3))

    assert 0.6 < (share > 0.1).float().mean() < 0.83  # five in seven


def test_what_is_black_takes_no_colour(patches: Tensor, generator: torch.Generator) -> None:
    black = torch.zeros_like(patches[:, :1])
    inside = torch.ones_like(black, dtype=torch.bool)

    changed = recolor_objects(black, patches, inside, generator)

    assert changed.mean((2, 3)).abs().max() < 1e-5


def quarters() -> tuple[Tensor, Tensor, Tensor]:
    """16 times the patches' colours, present and where they are."""
    colors = torch.tensor(((0.5, 0.0), (-0.5, 0.1), (0.0, 0.6), (0.1, -0.6)))
    rows = torch.arange(32) // 16
    index = rows[:, None] * 2 + rows[None, :]
    return (
        colors.expand(16, -1, -1),
        torch.ones(16, 4, dtype=torch.bool),
        index.expand(16, -1, -1),
    )
