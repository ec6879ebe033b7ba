"""K-means over the pixels of a batch of pictures, on the device."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_GRID = 32  # a picture is sampled on a grid of at most this side
_STEPS = 8
_FAR = 1e6


@dataclass(frozen=True)
class Clusters:
    """What K-means found in each of N pictures."""

    centres: Tensor  # (N, K, C)
    present: Tensor  # (N, K) bool; pictures may have fewer than K
    index: Tensor  # (N, H, W), the cluster of every pixel

    def where(self, which: Tensor, others: Clusters) -> Clusters:
        """The others' in the pictures `which` (N,) bool, these in the rest."""
        return Clusters(
            torch.where(which[:, None, None], others.centres, self.centres),
            torch.where(which[:, None], others.present, self.present),
            torch.where(which[:, None, None], others.index, self.index),
        )

    def shares(self) -> Tensor:
        """The share of the picture that each cluster has: (N, K)."""
        count = self.centres.shape[1]
        return F.one_hot(self.index, count).to(self.centres.dtype).mean((1, 2))

    def decoded(self) -> Tensor:
        """Every pixel as the centre of its cluster: (N, C, H, W)."""
        return pick(self.centres, self.index)


def kmeans(values: Tensor, counts: Tensor, most: int, generator: torch.Generator) -> Clusters:
    """K-means in each picture from random places.

    values: (N, C, H, W); counts: (N,) clusters wanted in each picture, 1..most.
    """
    step = max(1, min(values.shape[2:]) // _GRID)
    points = values[:, :, ::step, ::step].flatten(2).transpose(1, 2)  # (N, P, C)
    present = torch.arange(most, device=values.device) < counts[:, None]
    draw = torch.rand(points.shape[:2], device=values.device, generator=generator)
    start = draw.topk(most).indices
    centres = points.gather(1, start[..., None].expand(-1, -1, points.shape[2]))
    absent = _FAR * (~present)[:, None, :]
    for _ in range(_STEPS):
        nearest = (torch.cdist(points, centres) + absent).argmin(-1)
        member = F.one_hot(nearest, most).to(values.dtype)  # (N, P, K)
        size = member.sum(1)
        moved = torch.einsum("npk,npc->nkc", member, points) / size.clamp(min=1)[..., None]
        centres = torch.where(size[..., None] > 0, moved, centres)
    pixels = values.flatten(2).transpose(1, 2)
    nearest = (torch.cdist(pixels, centres) + absent).argmin(-1)
    return Clusters(centres, present, nearest.view(len(values), *values.shape[2:]))


def pick(of_cluster: Tensor, index: Tensor) -> Tensor:
    """Give every pixel what belongs to its cluster. (N, K, C), (N, H, W); returns (N, C, H, W)."""
    flat = index.flatten(1)[..., None].expand(-1, -1, of_cluster.shape[2])
    return of_cluster.gather(1, flat).transpose(1, 2).unflatten(2, index.shape[1:])
