"""Simulated people: themes and dots taken from true colours, in batches on the device.

Paper 3.2: a theme is the K-means centres of the photo's ab, K in 3..7, and dots are points of the
true ab. Beyond the paper, photos can be recoloured first ("obedience"): every K-means cluster, or
the whole photo, is turned to another hue, and theme and dots are taken from the changed photo, so
that a network learns to obey colours that nature would not choose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.networks.base import MAX_THEME_COLORS, no_hints, no_theme

MIN_THEME_COLORS = 3
_KMEANS_GRID = 32  # the photo is sampled on a grid of at most this side
_KMEANS_STEPS = 8
_MAX_DOT_SIDE = 0.035  # of the picture's side
_FAR = 1e6


@dataclass(frozen=True)
class Mix:
    """How often each combination of inputs is drawn; sums to 1 (paper section 4: 25 % each)."""

    nothing: float = 0.25
    theme: float = 0.25
    dots: float = 0.25
    both: float = 0.25
    recolored: float = 0.0  # share of the pictures with inputs whose colours are changed first
    max_dots: int = 100


@dataclass(frozen=True)
class Example:
    """One batch. Shapes as in `ColorizationNetwork`; target and theme_map are (N, 2, H, W)."""

    lightness: Tensor
    hints: Tensor
    theme: Tensor
    target: Tensor  # true ab / AB_SCALE
    theme_map: Tensor  # the target decoded with the theme (paper figure 3); the target without one


def simulate(lightness: Tensor, ab: Tensor, mix: Mix, generator: torch.Generator) -> Example:
    """Draw inputs for a batch. lightness: (N, 1, H, W) L / 100; ab: (N, 2, H, W) / AB_SCALE."""
    count = ab.shape[0]
    draw = torch.rand(count, device=ab.device, generator=generator)
    has_theme = (draw >= mix.nothing) & (draw < mix.nothing + mix.theme + mix.both)
    has_dots = draw >= mix.nothing + mix.theme
    centres, present, cluster = kmeans(ab, generator)
    dots = _dot_counts(count, mix.max_dots, generator, ab.device)
    # A few dots cannot tell a recoloured photo from a natural one; a theme or many dots can.
    may_recolor = has_theme | (has_dots & (dots >= 4))
    recolor = may_recolor & (
        torch.rand(count, device=ab.device, generator=generator) < mix.recolored
    )
    ab, centres = _recolor(ab, centres, cluster, recolor, generator)
    theme = torch.cat((centres * present[..., None], present[..., None].to(ab.dtype)), -1)
    theme = theme * has_theme[:, None, None]
    with_theme = has_theme.view(-1, 1, 1, 1)
    theme_map = torch.where(with_theme, _decode(centres, cluster), ab)
    return Example(
        lightness,
        draw_dots(ab, dots * has_dots, generator),
        torch.where(has_theme[:, None, None], theme, no_theme(lightness)),
        ab,
        theme_map,
    )


def kmeans(ab: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """K-means in ab for each picture, K drawn from 3..7.

    ab: (N, 2, H, W). Returns centres (N, 7, 2), present (N, 7) bool, cluster (N, H, W) int.
    """
    count = ab.shape[0]
    step = max(1, min(ab.shape[2:]) // _KMEANS_GRID)
    points = ab[:, :, ::step, ::step].flatten(2).transpose(1, 2)  # (N, P, 2)
    wanted = torch.randint(
        MIN_THEME_COLORS, MAX_THEME_COLORS + 1, (count, 1), device=ab.device, generator=generator
    )
    present = torch.arange(MAX_THEME_COLORS, device=ab.device) < wanted
    start = torch.rand(count, points.shape[1], device=ab.device, generator=generator)
    chosen = start.topk(MAX_THEME_COLORS).indices
    centres = points.gather(1, chosen[..., None].expand(-1, -1, 2))
    absent = _FAR * (~present)[:, None, :]
    for _ in range(_KMEANS_STEPS):
        nearest = (torch.cdist(points, centres) + absent).argmin(-1)
        member = F.one_hot(nearest, MAX_THEME_COLORS).to(ab.dtype)  # (N, P, 7)
        size = member.sum(1)
        moved = torch.einsum("npk,npc->nkc", member, points) / size.clamp(min=1)[..., None]
        centres = torch.where(size[..., None] > 0, moved, centres)
    pixels = ab.flatten(2).transpose(1, 2)
    cluster = (torch.cdist(pixels, centres) + absent).argmin(-1)
    return centres, present, cluster.view(count, *ab.shape[2:])


def draw_dots(ab: Tensor, counts: Tensor, generator: torch.Generator) -> Tensor:
    """Square dots of the true colour at random places: the hints tensor (N, 3, H, W).

    counts: (N,) dots wanted in each picture. A picture's dots are of one size, from 1 pixel up.
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
    smooth = F.avg_pool2d(ab, 3, 1, 1, count_include_pad=False)
    color = smooth.flatten(2).gather(2, (y * width + x)[:, None].expand(-1, 2, -1))
    values = torch.cat((color, torch.ones_like(color[:, :1])), 1)  # (N, 3, most)
    wanted = torch.arange(most, device=ab.device) < counts[:, None]
    flat = F.pad(hints.flatten(2), (0, 1))  # the last place takes what is not wanted
    for dy in range(largest):
        for dx in range(largest):
            inside = wanted & (dy < side) & (dx < side) & (y + dy < height) & (x + dx < width)
            place = torch.where(inside, (y + dy) * width + x + dx, height * width)
            flat = flat.scatter(2, place[:, None].expand(-1, 3, -1), values)
    return flat[..., :-1].view(n, 3, height, width)


def _dot_counts(count: int, most: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """1..most, each order of magnitude as likely as the others: people place few."""
    u = torch.rand(count, device=device, generator=generator)
    return torch.exp(u * math.log(most + 1)).long().clamp(1, most)


def _recolor(
    ab: Tensor, centres: Tensor, cluster: Tensor, which: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    count = ab.shape[0]

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand(*shape, device=ab.device, generator=generator, dtype=ab.dtype)
        return low + (high - low) * drawn

    whole = uniform(0, 2 * math.pi, count, 1)
    single = uniform(0, 2 * math.pi, count, MAX_THEME_COLORS)
    # Half of the changed pictures turn as a whole, half cluster by cluster (each with even odds).
    together = uniform(0, 1, count, 1) < 0.5
    touched = uniform(0, 1, count, MAX_THEME_COLORS) < 0.5
    angle = torch.where(together, whole, torch.where(touched, single, 0.0)) * which[:, None]
    scale = torch.where(which[:, None], uniform(0.7, 1.3, count, 1), 1.0)
    turn_x, turn_y = torch.cos(angle) * scale, torch.sin(angle) * scale  # (N, 7)
    pixel = cluster.flatten(1)
    cos, sin = (t.gather(1, pixel).view(cluster.shape) for t in (turn_x, turn_y))
    a, b = ab.unbind(1)
    turned = torch.stack((a * cos - b * sin, a * sin + b * cos), 1)
    ca, cb = centres.unbind(-1)
    turned_centres = torch.stack((ca * turn_x - cb * turn_y, ca * turn_y + cb * turn_x), -1)
    return turned.clamp(-1, 1), turned_centres.clamp(-1, 1)


def _decode(centres: Tensor, cluster: Tensor) -> Tensor:
    """The K-colour map (paper figure 3): every pixel in the nearest colour of the theme."""
    n, height, width = cluster.shape
    index = cluster.flatten(1)[..., None].expand(-1, -1, 2)
    return centres.gather(1, index).transpose(1, 2).reshape(n, 2, height, width)
