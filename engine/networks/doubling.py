"""The last doubling of the colours' size, along the edges of L.

Joint bilateral upsampling (Kopf et al., 2007): a place takes the colours of the cells near it, most
from those whose lightness is like its own. So colour ends where lightness does, and what the
network spilled over an edge by a cell goes back.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

NEAR = 1.0  # cells: the distance that counts a cell down to the share exp(-1/2)
ALIKE = 0.07  # of L / 100: the difference that counts a cell down to the share 1 / e
_UNLIKE = 16.0  # at most: a place that is like none of its cells takes from all of them


def doubled(ab: Tensor, lightness: Tensor) -> Tensor:
    """Double the size of the colours, each place from its own cell and the eight around it.

    ab: (N, 2, h, w). lightness: (N, 1, 2h, 2w), L / 100. Returns (N, 2, 2h, 2w).
    """
    height, width = ab.shape[2:]
    places = F.pixel_unshuffle(lightness, 2)[:, :, None]  # (N, 4, 1, h, w): each cell's four
    cells = torch.cat((ab, places.mean(1)), 1)
    cells = F.pad(cells, (1, 1, 1, 1), mode="replicate")
    near = cells.unfold(2, height, 1).unfold(3, width, 1).flatten(2, 3)  # (N, 3, 9, h, w)
    unlike = ((places - near[:, 2:]) / ALIKE).square().clamp(max=_UNLIKE)
    weights = torch.exp(-_far(ab.device) - unlike)  # (N, 4, 9, h, w)
    mixed = (weights[:, None] * near[:, :2, None]).sum(3) / weights.sum(2)[:, None]
    return F.pixel_shuffle(mixed.flatten(1, 2), 2)


def _far(device: torch.device) -> Tensor:
    """From a cell's four places to the nine cells' middles, (4, 9, 1, 1)."""
    place, cell = torch.tensor((-0.25, 0.25)), torch.tensor((-1.0, 0.0, 1.0))
    along = (cell - place[:, None]).square()  # (2, 3)
    squares = along[:, None, :, None] + along[None, :, None, :]  # down, across of both
    return (squares / (2 * NEAR**2)).reshape(4, 9, 1, 1).to(device)
