"""Photos in changed colours, for training to obey.

Beyond the paper: a network that has only seen themes and dots in the photos' own colours learns to
overrule people. Here a photo's colours are changed first, and its theme and dots are taken from the
changed photo. Everything works on batches, on the device; ab is in units of `AB_SCALE`.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.clusters import Clusters, pick

_TURNS = (0.7, 1.3)  # change of chroma that goes with a change of hue
_WARMTH = (0.5, 1.0)  # weights of a and b, along which the colours of two photos are matched
_OBJECT_SHARE = (0.02, 0.4)  # of the picture
_OBJECT_CHROMA = (0.15, 0.45)
_VARIATION = 0.5  # of the own colours that stays about a new one


def recolor(
    ab: Tensor, clusters: Clusters, which: Tensor, generator: torch.Generator
) -> tuple[Tensor, Clusters]:
    """Change the colours of the pictures `which` (N,) bool together with their themes.

    By turns, drawn with even odds, all colours turn their hue by one angle, some clusters turn
    theirs each by its own, or the picture takes the theme of the next one in the batch.

    ab: (N, 2, H, W); clusters: of ab. Returns the new ab, -1..1, and the new clusters.
    """
    way = torch.randint(0, 3, which.shape, device=ab.device, generator=generator)
    turned, turned_clusters = _turn(ab, clusters, way == 0, generator)
    lent, lent_clusters = _lend(ab, clusters)
    turns, borrows = which & (way < 2), which & (way == 2)
    ab = torch.where(turns.view(-1, 1, 1, 1), turned, ab)
    ab = torch.where(borrows.view(-1, 1, 1, 1), lent, ab)
    return ab.clamp(-1, 1), clusters.where(turns, turned_clusters).where(borrows, lent_clusters)


def draw_objects(segments: Tensor, generator: torch.Generator) -> Tensor:
    """One segment of each picture, large ones more often: (N, 1, H, W) bool.

    segments: (N, 1, H, W) uint8, the number of each pixel's. A picture without any that is neither
    tiny nor most of it has no object.
    """
    flat = segments.flatten(1).long()
    size = torch.zeros(len(flat), 256, device=segments.device)
    size.scatter_add_(1, flat, torch.ones_like(flat, dtype=size.dtype))
    share = size / flat.shape[1]
    fits = (share >= _OBJECT_SHARE[0]) & (share <= _OBJECT_SHARE[1])
    # The first arrival among waiting times whose rates are the shares is a draw by share.
    waiting = -torch.log(_uniform(share, 1e-6, 1, share.shape, generator)) / share.clamp(min=1e-9)
    chosen = torch.where(fits, waiting, torch.inf).argmin(1)
    inside = (flat == chosen[:, None]) & fits.any(1, keepdim=True)
    return inside.view(segments.shape)


def recolor_objects(
    lightness: Tensor, ab: Tensor, inside: Tensor, generator: torch.Generator
) -> Tensor:
    """Give each picture's object any one colour. inside: (N, 1, H, W) bool; returns the new ab."""
    size = inside.sum((2, 3), keepdim=True).clamp(min=1)
    mean_lightness = (lightness * inside).sum((2, 3), keepdim=True) / size
    mean = (ab * inside).sum((2, 3), keepdim=True) / size
    hue = _uniform(ab, 0, 2 * math.pi, (len(ab), 1, 1, 1), generator)
    chroma = _uniform(ab, *_OBJECT_CHROMA, (len(ab), 1, 1, 1), generator)
    # What is nearly black or white can show little colour.
    chroma = chroma * (3 * torch.minimum(mean_lightness, 1 - mean_lightness)).clamp(max=1)
    asked = chroma * torch.cat((torch.cos(hue), torch.sin(hue)), 1)
    return torch.where(inside, asked + _VARIATION * (ab - mean), ab).clamp(-1, 1)


def _turn(
    ab: Tensor, clusters: Clusters, together: Tensor, generator: torch.Generator
) -> tuple[Tensor, Clusters]:
    """Turn the hue, of the whole picture where `together` (N,), else of each second cluster."""
    n, k, _ = clusters.centres.shape
    whole = _uniform(ab, 0, 2 * math.pi, (n, 1), generator)
    single = _uniform(ab, 0, 2 * math.pi, (n, k), generator)
    touched = _uniform(ab, 0, 1, (n, k), generator) < 0.5
    angle = torch.where(together[:, None], whole, torch.where(touched, single, 0.0))
    scale = _uniform(ab, *_TURNS, (n, 1), generator)
    turn = scale[..., None] * torch.stack((torch.cos(angle), torch.sin(angle)), -1)  # (N, K, 2)
    turned_centres = _turned(clusters.centres, turn, -1).clamp(-1, 1)
    turned = _turned(ab, pick(turn, clusters.index), 1)
    return turned, Clusters(turned_centres, clusters.present, clusters.index)


def _turned(ab: Tensor, turn: Tensor, dim: int) -> Tensor:
    """The product of complex numbers, whose parts lie along `dim`."""
    (a, b), (cos, sin) = ab.unbind(dim), turn.unbind(dim)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim)


def _lend(ab: Tensor, clusters: Clusters) -> tuple[Tensor, Clusters]:
    """Give every picture the theme of the next one: the coldest for the coldest, and so on.

    What is likely to be warmer stays so; a picture's own theme would leave each cluster its colour.
    """
    theme, present = clusters.centres.roll(1, 0), clusters.present.roll(1, 0)
    rank = _by_warmth(clusters.centres, clusters.present).argsort(1)  # of each cluster
    own_last = clusters.present.sum(1, keepdim=True) - 1
    other_last = present.sum(1, keepdim=True) - 1
    rank = (rank.minimum(own_last) * other_last / own_last).round().long()
    taken = _by_warmth(theme, present).gather(1, rank)  # the colour of each cluster
    colors = theme.gather(1, taken[..., None].expand(-1, -1, 2))
    own = ab - clusters.decoded()
    return (
        pick(colors, clusters.index) + _VARIATION * own,
        Clusters(
            theme, present, taken.gather(1, clusters.index.flatten(1)).view_as(clusters.index)
        ),
    )


def _by_warmth(centres: Tensor, present: Tensor) -> Tensor:
    """Clusters from cold to warm, absent ones last: (N, K)."""
    warmth = centres @ centres.new_tensor(_WARMTH)
    return torch.where(present, warmth, torch.inf).argsort(1)


def _uniform(
    like: Tensor, low: float, high: float, shape: tuple[int, ...], generator: torch.Generator
) -> Tensor:
    draw = torch.rand(shape, device=like.device, generator=generator, dtype=like.dtype)
    return low + (high - low) * draw
