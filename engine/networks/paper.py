"""`paper`: the network of Xiao, Zhou and Zheng, section 3.3, as written.

Choices that the text leaves open, and ours:
- Section 3.3.1 gives conv2 to conv7, six layers, three halvings and a growth from 32 to 512
  channels, where a layer "only" halves or "only" doubles; that needs seven. Conv2 to conv5
  alternate (halve, double, halve, double), conv6 halves and doubles, conv7 doubles.
- Batch normalisation and the activation are not named: ReLU after each layer, with batch
  normalisation as in the network of reference 17.
- The three fully connected layers are 256 wide; the last one gives the 256 channels of the
  fusion. The mask of absent colours is 0 and so are their ab, after equation 7 as well.
- The two learned interpolation weights are scalars, kept in 0..1 by a sigmoid, started at 0.5.
- Without a theme the fusion still takes place, with the features of the all-zero theme.
- Skips: the drawing calls it a U-net; the features at H/4 and H/2 are added after a 1x1
  convolution to the reconstruction at the same size. There is none at H: no layer of the
  reconstruction works at that size.
- The points of training (3.2) are squares of 1 pixel to 3.5 % of the picture's shorter side, each
  of one colour: the mean of the true ab over the 3x3 pixels around its upper left corner.
- The text names no optimizer, learning rate, size or cut of the photos, and no number of points.
  `engine.train` does with `paper` as with `default`: AdamW, Muon for the inner 3x3 convolutions;
  1 % of the length for the warm-up, then a cosine; an average of the weights with decay 0.999,
  which is what is kept; square cuts that show 60 to 100 % of the photo's shorter side, mirrored at
  random; 1 to 100 points, each order of magnitude as likely as the others.
- Reconstruction: "convolution layers reduce dimensions by half and upsampling layers double the
  size": 256, 128, 64, 32. Upsampling is nearest. Conv17 with the sigmoid works at H/2 and is
  "followed by an upsampling layer", bilinear.

Departures in training: section 4 has photos of Places, in batches of 50 for 40,000 iterations. Ours
are those that one has, by default in batches of 64, 32 and 24 at 64, 96 and 128 pixels (`--stages`)
for an hour (`--minutes`). Each combination of inputs has its 25 %, as there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.color import AB_SCALE
from engine.networks.base import ColorizationNetwork, Features
from engine.themes import MAX_COLORS


@dataclass(frozen=True)
class PaperDimensions:
    width: int = 32  # channels of the first layer; the paper's is 32


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU; stride 2 halves the size."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


def to_unit(ab: Tensor) -> Tensor:
    """Equation 7: ab / AB_SCALE to the paper's 0..1."""
    return (ab * AB_SCALE + 128) / 255


class PaperNetwork(ColorizationNetwork):
    """U-net with a dot input beside L and a theme fused at H/8 (paper figure 2)."""

    multiple: ClassVar[int] = 8

    def __init__(self, dimensions: PaperDimensions) -> None:
        super().__init__()
        self.dimensions = dimensions
        w = dimensions.width
        self.conv1_lightness = convolution(1, w)
        self.conv1_hints = convolution(3, w)
        self.merge = nn.Parameter(torch.zeros(()))
        self.stage2 = nn.Sequential(convolution(w, w, 2), convolution(w, 2 * w))  # H/2
        self.stage4 = nn.Sequential(convolution(2 * w, 2 * w, 2), convolution(2 * w, 4 * w))  # H/4
        self.stage8 = nn.Sequential(  # conv6 to conv9, H/8
            convolution(4 * w, 8 * w, 2),
            convolution(8 * w, 16 * w),
            convolution(16 * w, 16 * w),
            convolution(16 * w, 8 * w),
        )
        theme_layers: list[nn.Module] = []
        for inputs in (3 * MAX_COLORS, 8 * w, 8 * w):
            theme_layers += [nn.Linear(inputs, 8 * w), nn.ReLU()]
        self.theme = nn.Sequential(*theme_layers)
        self.fuse = nn.Parameter(torch.zeros(()))
        self.up8 = nn.Sequential(convolution(8 * w, 8 * w), convolution(8 * w, 4 * w))
        self.up4 = nn.Sequential(convolution(4 * w, 4 * w), convolution(4 * w, 2 * w))
        self.up2 = nn.Sequential(convolution(2 * w, 2 * w), convolution(2 * w, w))
        self.skip4 = nn.Conv2d(4 * w, 4 * w, 1)
        self.skip2 = nn.Conv2d(2 * w, 2 * w, 1)
        self.conv17 = nn.Conv2d(w, 2, 3, 1, 1)

    def encode(self, lightness: Tensor, hints: Tensor) -> Features:
        share = torch.sigmoid(self.merge)
        unit_hints = torch.cat((to_unit(hints[:, :2]) * hints[:, 2:], hints[:, 2:]), 1)
        lightness, unit_hints = lightness.to(self.number_type), unit_hints.to(self.number_type)
        first = share * self.conv1_lightness(lightness) + (1 - share) * self.conv1_hints(unit_hints)
        half = self.stage2(first)
        quarter = self.stage4(half)
        return half, quarter, self.stage8(quarter)

    def decode(self, features: Features, theme: Tensor) -> Tensor:
        half, quarter, eighth = features
        colors, mask = theme[..., :2], theme[..., 2:3]  # the paper's themes have no shares
        unit_theme = torch.cat((to_unit(colors) * mask, mask), -1)
        fused_theme = self.theme(unit_theme.flatten(1).to(self.number_type))[:, :, None, None]
        share = torch.sigmoid(self.fuse)
        x = self.up8(share * eighth + (1 - share) * fused_theme)
        x = self.up4(F.interpolate(x, scale_factor=2) + self.skip4(quarter))
        x = self.up2(F.interpolate(x, scale_factor=2) + self.skip2(half))
        unit = torch.sigmoid(self.conv17(x).float())
        unit = F.interpolate(unit, scale_factor=2, mode="bilinear", align_corners=False)
        return (unit * 255 - 128) / AB_SCALE
