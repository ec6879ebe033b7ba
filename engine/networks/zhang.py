"""The network of Zhang et al., "Real-Time User-Guided Image Colorization" (2017): shape only.

Written from its published description, for comparing speed on the same machine in the same run. It
has random weights, is not trained here and does not colour anything. Of its two outputs only the
regression is built; the classification, which steers their training, is not run when colouring.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def block(inputs: int, outputs: int, layers: int, dilation: int = 1) -> nn.Sequential:
    """3x3 convolutions with ReLU, and one batch normalisation at the end."""
    parts: list[nn.Module] = []
    for layer in range(layers):
        width = inputs if layer == 0 else outputs
        parts += [nn.Conv2d(width, outputs, 3, padding=dilation, dilation=dilation), nn.ReLU()]
    return nn.Sequential(*parts, nn.BatchNorm2d(outputs))


class Rise(nn.Module):
    """Double the size, add the encoder's features of that size, and go on convolving."""

    def __init__(self, inputs: int, outputs: int, skip: int, rest: nn.Module) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1)
        self.skip = nn.Conv2d(skip, outputs, 3, padding=1)
        self.rest = rest

    def forward(self, x: Tensor, skipped: Tensor) -> Tensor:
        x = torch.relu(self.up(x) + self.skip(skipped))
        return torch.as_tensor(self.rest(x))


class ZhangNetwork(nn.Module):
    """Ten blocks: four going down to 1/8, two dilated ones there, and three back up."""

    multiple = 8

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = block(4, 64, 2)
        self.conv2 = block(64, 128, 2)
        self.conv3 = block(128, 256, 3)
        self.conv4 = block(256, 512, 3)
        self.conv5 = block(512, 512, 3, dilation=2)
        self.conv6 = block(512, 512, 3, dilation=2)
        self.conv7 = block(512, 512, 3)
        self.conv8 = Rise(512, 256, 256, block(256, 256, 2))
        self.conv9 = Rise(256, 128, 128, block(128, 128, 1))
        last = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1), nn.LeakyReLU(0.2))
        self.conv10 = Rise(128, 128, 64, last)
        self.out = nn.Conv2d(128, 2, 1)

    def forward(self, lightness: Tensor, hints: Tensor) -> Tensor:
        """lightness: (N, 1, H, W); hints: (N, 3, H, W). Returns (N, 2, H, W), -1..1."""
        full = self.conv1(torch.cat((lightness, hints), 1))
        half = self.conv2(full[:, :, ::2, ::2])
        quarter = self.conv3(half[:, :, ::2, ::2])
        x = self.conv4(quarter[:, :, ::2, ::2])
        x = self.conv7(self.conv6(self.conv5(x)))
        x = self.conv10(self.conv9(self.conv8(x, quarter), half), full)
        return torch.tanh(self.out(x))
