"""Simulated people: themes and dots taken from true colours, in batches on the device.

Paper 3.2: a theme is the K-means centres of the photo's ab, K in 3..7, and dots are points of the
true ab. Beyond the paper, a theme can tell the shares of its colours, and photos can be recoloured
first (`engine.recolor`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.clusters import Clusters, kmeans
from engine.networks.base import no_hints, no_theme
from engine.recolor import draw_objects, recolor, recolor_objects
from engine.themes import MAX_COLORS, MIN_COLORS

SEVERAL_DOTS = 4
SHARES_KNOWN = 0.6  # of the themes; those that people make themselves tell no shares
_BESIDE_THEME = 0.6  # as many objects are recoloured there; a theme is seldom spoken against
_ALONE = 0.7  # of the objects; one dot is what people give a thing
_MAX_DOT_SIDE = 0.035  # of the picture's shorter side


@dataclass(frozen=True)
class Mix:
    """How often each combination of inputs is drawn; sums to 1 (paper section 4: 25 % each)."""

    nothing: float = 0.25
    theme: float = 0.25
    dots: float = 0.25
    both: float = 0.25
    recolored: float = 0.0  # share of those with a theme or several dots whose colours are changed
    objects: float = 0.0  # share of those with dots in which one has any colour; fewer with a theme
    max_dots: int = 100


@dataclass(frozen=True)
class Example:
    """One batch. Shapes as in `ColorizationNetwork`; target and theme_map are (N, 2, H, W)."""

    lightness: Tensor
    hints: Tensor
    theme: Tensor
    target: Tensor  # true ab / AB_SCALE
    theme_map: Tensor  # the target decoded with the theme (paper figure 3); the target without one


def simulate(
    lightness: Tensor,
    ab: Tensor,
    mix: Mix,
    generator: torch.Generator,
    segments: Tensor | None = None,
) -> Example:
    """Draw inputs for a batch. lightness: (N, 1, H, W) L / 100; ab: (N, 2, H, W) / AB_SCALE.

    segments: (N, 1, H, W) uint8, of which the objects are drawn; without them there are none.
    """
    count = ab.shape[0]

    def drawn(share: float | Tensor) -> Tensor:
        return torch.rand(count, device=ab.device, generator=generator) < share

    draw = torch.rand(count, device=ab.device, generator=generator)
    has_theme = (draw >= mix.nothing) & (draw < mix.nothing + mix.theme + mix.both)
    has_dots = draw >= mix.nothing + mix.theme
    dots = _dot_counts(count, mix.max_dots, generator, ab.device) * has_dots
    # A few dots cannot tell a recoloured photo from a natural one; a theme or many dots can.
    several = dots >= SEVERAL_DOTS
    clusters = kmeans(ab, _theme_sizes(count, generator, ab.device), MAX_COLORS, generator)
    changed, clusters = recolor(
        ab, clusters, (has_theme | several) & drawn(mix.recolored), generator
    )
    objects = torch.zeros_like(ab[:, :1], dtype=torch.bool)
    object_share = mix.objects * torch.where(has_theme, _BESIDE_THEME, 1.0)
    with_object = _as_map(has_dots & drawn(object_share))
    if segments is not None:
        objects = with_object & draw_objects(segments, generator)
    target = recolor_objects(lightness, changed, objects, generator)
    # A theme says nothing of the object, which has its colour from the dots alone.
    with_theme = _as_map(has_theme) & ~objects
    return Example(
        lightness,
        draw_dots(target, dots, generator, objects),
        torch.where(
            has_theme[:, None, None],
            _theme(clusters, drawn(SHARES_KNOWN)),
            no_theme(lightness),
        ),
        target,
        torch.where(with_theme, clusters.decoded(), target),
    )


def _as_map(of_picture: Tensor) -> Tensor:
    return of_picture.view(-1, 1, 1, 1)


def _theme_sizes(count: int, generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randint(MIN_COLORS, MAX_COLORS + 1, (count,), device=device, generator=generator)


def _theme(clusters: Clusters, known: Tensor) -> Tensor:
    """The theme tensor (N, K, 4); known: (N,) bool, whether it tells the colours' shares."""
    present = clusters.present[..., None].to(clusters.centres.dtype)
    shares = clusters.shares() * known[:, None]
    return torch.cat((clusters.centres * present, present, shares[..., None]), -1)


def draw_dots(
    ab: Tensor, counts: Tensor, generator: torch.Generator, objects: Tensor | None = None
) -> Tensor:
    """Square dots of the true colour at random places: the hints tensor (N, 3, H, W).

    ab: (N, 2, H, W). counts: (N,) dots wanted in each picture. A picture's dots are of one size,
    from 1 pixel to 3.5 % of its shorter side; each has the mean of the 3x3 pixels around its upper
    left corner.
    objects: (N, 1, H, W) bool; where a picture has one, its first dot lies in it, and in most
    pictures no other does.
    """
    n, _, height, width = ab.shape
    most = int(counts.max())
    hints = no_hints(ab[:, :1])
    if most == 0:
        return hints
    largest = max(1, round(_MAX_DOT_SIDE * min(height, width)))
    side = torch.randint(1, largest + 1, (n, 1), device=ab.device, generator=generator)
    places = torch.rand(2, n, most, device=ab.device, generator=generator)
    y, x = (places[0] * height).long(), (places[1] * width).long()
    wanted = torch.arange(most, device=ab.device) < counts[:, None]
    if objects is not None:
        _put_first_inside(y, x, objects, generator)
        wanted &= ~_beside_first(y, x, objects, generator)
    smooth = F.avg_pool2d(ab, 3, 1, 1, count_include_pad=False)
    color = smooth.flatten(2).gather(2, (y * width + x)[:, None].expand(-1, 2, -1))
    values = torch.cat((color, torch.ones_like(color[:, :1])), 1)  # (N, 3, most)
    flat = F.pad(hints.flatten(2), (0, 1))  # the last place takes what is not wanted
    for dy in range(largest):
        for dx in range(largest):
            inside = wanted & (dy < side) & (dx < side) & (y + dy < height) & (x + dx < width)
            place = torch.where(inside, (y + dy) * width + x + dx, height * width)
            flat = flat.scatter(2, place[:, None].expand(-1, 3, -1), values)
    return flat[..., :-1].view(n, 3, height, width)


def _put_first_inside(y: Tensor, x: Tensor, objects: Tensor, generator: torch.Generator) -> None:
    """Move each picture's first place (N, most) into its object, if it has one."""
    depth = F.avg_pool2d(objects.to(torch.float32), 5, 1, 2).flatten(1)
    draw = torch.rand(depth.shape, device=depth.device, generator=generator)
    place = (depth + draw * (depth > 0.9)).argmax(1)
    has = objects.flatten(1).any(1)
    y[:, 0] = torch.where(has, place // objects.shape[3], y[:, 0])
    x[:, 0] = torch.where(has, place % objects.shape[3], x[:, 0])


def _beside_first(y: Tensor, x: Tensor, objects: Tensor, generator: torch.Generator) -> Tensor:
    """Which dots (N, most) are too many in an object that shall have one only.

    Were dots strewn over it as over all else, one dot without another near it would tell of a
    small thing.
    """
    n, most = y.shape
    inside = objects.flatten(1).gather(1, y * objects.shape[3] + x)
    alone = torch.rand(n, 1, device=y.device, generator=generator) < _ALONE
    return inside & alone & (torch.arange(most, device=y.device) > 0)


def _dot_counts(count: int, most: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """1..most, each order of magnitude as likely as the others: people place few."""
    u = torch.rand(count, device=device, generator=generator)
    return torch.exp(u * math.log(most + 1)).long().clamp(1, most)
