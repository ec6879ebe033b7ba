"""A theme that tells its colours' shares gets them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.networks.shares import balance, keep_mean

OWN, SPREAD, MATCHED, THEME = 0, 1, 2, 3  # the parts of a mixture


def test_every_theme_color_gets_its_share() -> None:
    by_theme = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    shares = torch.tensor(((0.7, 0.2, 0.1), (0.0, 0.0, 0.0)))

    bias = balance(by_theme, shares)

    balanced = torch.softmax(by_theme + bias[..., None, None], 1).mean((2, 3))
    assert torch.allclose(balanced[0], shares[0], atol=0.02)
    assert not bias[1].any()  # nothing is asked where shares are not known


def theme_of(*colors: tuple[float, float], shares: tuple[float, ...]) -> Tensor:
    rows = [(*color, 1.0, share) for color, share in zip(colors, shares, strict=True)]
    return torch.tensor([rows])


def mixture(
    theme: Tensor, dot: tuple[float, float], part: int = SPREAD
) -> tuple[Tensor, Tensor, Tensor]:
    """ab, parts and colours of 8 x 8 places: undecided between own guess and theme, but for the
    two columns at the left, which a dot has, and the two at the right, which the theme has.
    """
    parts = torch.zeros(1, 3 + theme.shape[1], 8, 8)
    parts[:, OWN, :, 2:6] = 0.5
    parts[:, THEME, :, 2:6] = 0.5
    parts[:, part, :, :2] = 1
    parts[:, THEME + 1, :, 6:] = 1
    colors = torch.zeros(1, parts.shape[1], 2, 8, 8)
    colors[:, part] = torch.tensor(dot).view(2, 1, 1)
    colors[:, THEME:] = theme[..., :2, None, None]
    return (parts[:, :, None] * colors).sum(1), parts, colors


def test_the_picture_gets_the_mean_of_the_theme() -> None:
    theme = theme_of((0.3, 0.1), (-0.2, 0.2), shares=(0.8, 0.2))
    ab, parts, colors = mixture(theme, dot=(0.28, 0.1))

    kept = keep_mean(ab, parts, colors, theme)

    assert torch.allclose(kept.mean((2, 3)), torch.tensor(((0.2, 0.12),)), atol=1e-5)


def test_undecided_places_give_way_and_decided_ones_hardly() -> None:
    theme = theme_of((0.3, 0.1), (-0.2, 0.2), shares=(0.8, 0.2))
    ab, parts, colors = mixture(theme, dot=(0.28, 0.1))

    moved = (keep_mean(ab, parts, colors, theme) - ab).norm(dim=1)[0]

    assert moved[:, 2:6].min() > 5 * moved[:, :2].max()
    assert moved[:, 2:6].min() > 5 * moved[:, 6:].max()


def test_a_theme_without_shares_has_no_mean_to_keep() -> None:
    theme = theme_of((0.3, 0.1), (-0.2, 0.2), shares=(0.0, 0.0))
    ab, parts, colors = mixture(theme, dot=(0.28, 0.1))

    assert torch.equal(keep_mean(ab, parts, colors, theme), ab)


@pytest.mark.parametrize("part", [SPREAD, MATCHED])
@pytest.mark.parametrize("dot", [(0.1, -0.6), (0.0, 0.0)], ids=["blue", "grey"])
def test_a_dot_in_a_colour_that_the_theme_lacks_keeps_it_and_the_rest_the_mean(
    dot: tuple[float, float], part: int
) -> None:
    theme = theme_of((0.3, 0.1), (-0.2, 0.2), shares=(0.8, 0.2))
    theme = torch.cat((theme, torch.zeros(1, 1, 4)), 1)  # a theme's absent colours are zeros
    ab, parts, colors = mixture(theme, dot, part)

    kept = keep_mean(ab, parts, colors, theme)

    assert torch.equal(kept[..., :2], ab[..., :2])
    assert torch.allclose(kept[..., 2:].mean((2, 3)), torch.tensor(((0.2, 0.12),)), atol=1e-5)
