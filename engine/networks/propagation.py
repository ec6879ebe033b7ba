"""Dots spread over the photograph along its lightness, as Levin et al. (2004) do, in milliseconds.

Levin's system makes a pixel's colour the average of its neighbours' colours, weighted by how alike
their lightness is, with the dots held fixed. Here the same averaging runs coarse to fine: each
level of a pyramid starts from the solution below it, so a few sweeps reach across the photo.
Alongside the colour its confidence spreads, with a leak: it tells how far away, along edges, the
nearest dots are.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

REACH = 0.625  # averaging steps at each level, in squares of the coarsest one's shorter side
EDGE = 0.05  # difference of L / 100 at which two neighbours hardly share their colour any more
LEAK = 0.1  # confidence lost at each level
COARSEST = 4  # pixels of the shorter side at which the pyramid ends
_SHIFTS = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


def propagate(lightness: Tensor, hints: Tensor) -> Tensor:
    """Spread the hints' colours edge-aware.

    lightness: (N, 1, H, W), L / 100. hints: (N, 3, H, W), ab and mask (0..1, the share of the
    pixel that is covered), ab zero where the mask is. Returns (N, 3, H, W): ab in the hints' unit
    and the confidence 0..1. All zero where a picture has no hints.
    """
    mask = hints[:, 2:]
    premultiplied = torch.cat((hints[:, :2] * mask, mask), 1)
    levels = [(lightness, premultiplied)]
    while min(levels[-1][0].shape[2:]) >= 2 * COARSEST:
        levels.append((F.avg_pool2d(levels[-1][0], 2), F.avg_pool2d(levels[-1][1], 2)))
    state = levels[-1][1]
    # Colour wanders as far as the root of the steps. So it goes the same share of the way across
    # pictures of all sizes.
    sweeps = round(REACH * min(int(side) for side in state.shape[2:]) ** 2)  # int: where traced
    for level_lightness, level_hints in reversed(levels):
        if state.shape != level_hints.shape:
            state = F.interpolate(
                state, level_hints.shape[2:], mode="bilinear", align_corners=False
            )
        state = _sweep(state, level_lightness, level_hints, sweeps)
    confidence = state[:, 2:]
    ab = state[:, :2] / confidence.clamp(min=1e-4)
    return torch.cat((ab * (confidence > 1e-4), confidence.clamp(0, 1)), 1)


def _sweep(state: Tensor, lightness: Tensor, hints: Tensor, sweeps: int) -> Tensor:
    padded = F.pad(lightness, (1, 1, 1, 1), value=-10.0)  # the outside is unlike everything
    neighbours = torch.stack([_shifted(padded, shift) for shift in _SHIFTS])
    weights = torch.exp(-(((neighbours - lightness) / EDGE) ** 2)) + 1e-4
    # Where a pixel holds a hint, it keeps it, also one that is covered in part.
    held = hints[:, 2:]
    present = (held > 0).to(held.dtype)
    fixed = present * hints / held.clamp(min=1e-4)
    weights *= (1 - LEAK / sweeps) * (1 - present) / weights.sum(0)
    # The shifted views and the middle share one tensor, so that a sweep allocates next to nothing.
    around = F.pad(state, (1, 1, 1, 1))
    middle = _shifted(around, (0, 0))
    views = [_shifted(around, shift) for shift in _SHIFTS]
    for _ in range(sweeps):
        average = fixed.clone()
        for weight, view in zip(weights, views, strict=True):
            average.addcmul_(weight, view)
        middle.copy_(average)
    return middle


def _shifted(padded: Tensor, shift: tuple[int, int]) -> Tensor:
    height, width = padded.shape[2] - 2, padded.shape[3] - 2
    return padded[:, :, 1 + shift[0] : 1 + shift[0] + height, 1 + shift[1] : 1 + shift[1] + width]
