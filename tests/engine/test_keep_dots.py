"""The correction that gives dots their colours, on a photo of a dark half and a bright one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.colorizer import keep_dots


@pytest.fixture
def kept() -> Tensor:
    """a of a grey result, (32, 32), after a dot in the dark left half has asked for 0.5."""
    lightness = torch.full((1, 1, 32, 32), 0.2)
    lightness[..., 16:] = 0.8
    planes = torch.zeros(1, 3, 32, 32)
    planes[0, :, 16, 4] = torch.tensor((0.5, 0.0, 1.0))
    return keep_dots(lightness, planes, torch.zeros(1, 2, 32, 32))[0, 0]


def test_a_dot_has_exactly_its_colour(kept: Tensor) -> None:
    assert kept[16, 4] == 0.5


def test_a_dots_neighbourhood_goes_along_and_less_so_further_away(kept: Tensor) -> None:
    near, far = kept[16, 8], kept[0, 14]

    assert 0.3 < near < 0.5 and near > far + 0.05


def test_the_other_side_of_an_edge_stays(kept: Tensor) -> None:
    assert kept[:, 20:].abs().max() < 0.05
