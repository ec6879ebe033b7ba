"""Simulated people: what is drawn for training is what the photo holds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.simulate import Example, Mix, draw_dots, simulate


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.fixture
def patches(generator: torch.Generator) -> Tensor:
    """ab (16, 2, 32, 32) of four flat quarters in four different colours."""
    colors = torch.tensor(((0.5, 0.0), (-0.5, 0.1), (0.0, 0.6), (0.1, -0.6)))
    rows = torch.arange(32) // 16
    quarter = rows[:, None] * 2 + rows[None, :]
    return colors[quarter].permute(2, 0, 1).repeat(16, 1, 1, 1)


def drawn(ab: Tensor, mix: Mix, generator: torch.Generator) -> Example:
    lightness = torch.full_like(ab[:, :1], 0.5)
    return simulate(lightness, ab, mix, generator, quarter_numbers(ab))


def quarter_numbers(ab: Tensor) -> Tensor:
    """Segments (N, 1, H, W): each quarter is one."""
    height, width = (torch.arange(length) * 2 // length for length in ab.shape[2:])
    numbers = (height[:, None] * 2 + width).to(torch.uint8)
    return numbers.expand(len(ab), 1, -1, -1)


def test_the_four_combinations_are_drawn_as_asked(
    patches: Tensor, generator: torch.Generator
) -> None:
    many = patches.repeat(64, 1, 1, 1)

    example = drawn(many, Mix(0.1, 0.2, 0.3, 0.4), generator)

    theme, dots = example.theme[..., 2].any(1), example.hints[:, 2].flatten(1).any(1)
    counts = torch.stack((~theme & ~dots, theme & ~dots, ~theme & dots, theme & dots)).float()
    assert torch.allclose(counts.mean(1), torch.tensor((0.1, 0.2, 0.3, 0.4)), atol=0.06)


def test_dots_have_the_targets_colour(patches: Tensor, generator: torch.Generator) -> None:
    example = drawn(patches, Mix(0, 0, 1, 0, recolored=1.0), generator)
    mask = example.hints[:, 2:].bool().expand(-1, 2, -1, -1)

    miss = (example.hints[:, :2] - example.target)[mask].abs()
    # dots on the border of two patches take the mean of both
    assert miss.median() < 1e-5


def test_without_a_theme_the_theme_map_is_the_truth(
    patches: Tensor, generator: torch.Generator
) -> None:
    example = drawn(patches, Mix(0.5, 0, 0.5, 0), generator)

    assert torch.equal(example.theme_map, example.target)


def test_six_of_ten_themes_tell_the_shares_of_their_colours(
    patches: Tensor, generator: torch.Generator
) -> None:
    theme = drawn(patches.repeat(64, 1, 1, 1), Mix(0, 1, 0, 0), generator).theme

    told = theme[..., 3].sum(1)
    assert torch.allclose(told[told > 0], torch.tensor(1.0))
    assert 0.55 < (told > 0).float().mean() < 0.65


def test_the_shares_told_are_those_of_the_photo(
    patches: Tensor, generator: torch.Generator
) -> None:
    patches[..., :24, :] = patches[..., :1, :1]  # one colour has three quarters, two an eighth

    example = drawn(patches, Mix(0, 1, 0, 0), generator)

    told = example.theme[example.theme[..., 3].any(1)]
    by_share = told.gather(1, told[..., 3:].argsort(1, descending=True).expand_as(told))
    usual = by_share.median(0).values  # K-means may miss a colour now and then
    assert torch.allclose(usual[:3, 3], torch.tensor((0.75, 0.125, 0.125)))
    assert torch.allclose(usual[0, :2], patches[0, :, 0, 0], atol=1e-4)


def test_recolouring_changes_theme_and_target_together(
    patches: Tensor, generator: torch.Generator
) -> None:
    example = drawn(patches, Mix(0, 1, 0, 0, recolored=1.0), generator)

    assert not torch.equal(example.target, patches)
    distance = (example.target[:, None] - example.theme[..., :2, None, None]).norm(dim=2)
    absent = 9 * (1 - example.theme[..., 2, None, None])
    assert (distance + absent).amin(1).median() < 0.05


def test_an_object_in_another_colour_has_a_dot_and_is_not_in_the_theme(
    patches: Tensor, generator: torch.Generator
) -> None:
    example = drawn(patches, Mix(0, 0, 0, 1, objects=1.0), generator)

    changed = (example.target != patches).any(1, keepdim=True)
    dotted = (changed & example.hints[:, 2:].bool()).flatten(1).any(1)
    with_object = changed.flatten(1).any(1)
    assert with_object.any() and torch.equal(dotted, with_object)
    everywhere = changed.expand_as(example.target)
    assert torch.equal(example.theme_map[everywhere], example.target[everywhere])
    theme = example.theme[..., :2] * example.theme[..., 2:]
    assert theme.norm(dim=-1).max() < 0.62  # the photos' most vivid colour has 0.61


def test_fewer_objects_change_beside_a_theme(patches: Tensor, generator: torch.Generator) -> None:
    def with_object(mix: Mix) -> Tensor:
        ab = patches.repeat(25, 1, 1, 1)
        return (drawn(ab, mix, generator).target != ab).flatten(1).any(1).float().mean()

    assert with_object(Mix(0, 0, 1, 0, objects=1.0)) == 1
    assert 0.5 < with_object(Mix(0, 0, 0, 1, objects=1.0)) < 0.7


def test_most_objects_have_a_single_dot(generator: torch.Generator) -> None:
    ab = torch.zeros(400, 2, 32, 32)
    objects = torch.zeros(400, 1, 32, 32, dtype=torch.bool)
    objects[..., :16] = True

    hints = draw_dots(ab, torch.full((400,), 12), generator, objects)

    dots_inside = (hints[:, 2:] * objects).flatten(1).sum(1)
    assert (dots_inside >= 1).all()
    assert 0.6 < (dots_inside == 1).float().mean() < 0.8
    assert ((hints[:, 2:] * ~objects).flatten(1).sum(1) > 0).float().mean() > 0.9


def test_as_many_dots_are_drawn_as_wanted(patches: Tensor, generator: torch.Generator) -> None:
    wanted = torch.arange(16)

    hints = draw_dots(patches, wanted, generator)

    painted = (hints[:, 2] > 0).flatten(1).sum(1)
    assert painted[0] == 0
    assert (painted[1:] >= 1).all() and (painted <= wanted).all()
