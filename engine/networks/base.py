"""What every colorization network offers, and the shapes of what goes in and out."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.themes import MAX_COLORS

HINT_CHANNELS = 3  # a, b and the mask
THEME_NUMBERS = 4  # of each colour: a, b, the mask and its share of the picture
Features = tuple[Tensor, ...]


class ColorizationNetwork(nn.Module):
    """Lightness, hints and a theme in; ab out.

    lightness: (N, 1, H, W), L / 100, so 0..1.
    hints: (N, 3, H, W), a and b / AB_SCALE and the mask (1 where a hint is, else 0); all zero
        where there is none.
    theme: (N, 7, 4), a and b / AB_SCALE, the mask and the colour's share of the picture, 0..1, zero
        where nobody knows it; a row of zeros is an absent colour.
    Result: (N, 2, H, W), a and b / AB_SCALE.
    H and W are multiples of `multiple`. Everything comes in and goes out in 32 bits; in between the
    numbers have the weights' type.
    """

    multiple: ClassVar[int] = 8
    dimensions: Any  # the frozen dataclass it was built from; saved with the weights

    @property
    def number_type(self) -> torch.dtype:
        """The type of the weights."""
        return next(self.parameters()).dtype

    def encode(self, lightness: Tensor, hints: Tensor) -> Features:
        """Run everything that does not depend on the theme: the heavy part."""
        raise NotImplementedError

    def decode(self, features: Features, theme: Tensor) -> Tensor:
        """Finish a picture in a theme: the light part, run again for each new theme."""
        raise NotImplementedError

    def forward(self, lightness: Tensor, hints: Tensor, theme: Tensor) -> Tensor:
        return self.decode(self.encode(lightness, hints), theme)


def no_hints(lightness: Tensor) -> Tensor:
    """The hints tensor (N, 3, H, W) that says: none."""
    return lightness.new_zeros(lightness.shape[0], HINT_CHANNELS, *lightness.shape[2:])


def no_theme(lightness: Tensor) -> Tensor:
    """The theme tensor (N, 7, 4) that says: none."""
    return lightness.new_zeros(lightness.shape[0], MAX_COLORS, THEME_NUMBERS)


def half_hints(hints: Tensor) -> Tensor:
    """Halve the hints (N, 3, H, W); a lone pixel keeps its colour and counts as a whole one."""
    ab, mask = hints[:, :2] * hints[:, 2:], hints[:, 2:]
    share = F.avg_pool2d(mask, 2)
    half = F.avg_pool2d(ab, 2) / share.clamp(min=1e-4)
    return torch.cat((half, (share > 0).to(hints.dtype)), 1)
