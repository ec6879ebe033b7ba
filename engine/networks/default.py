"""`default`: the network that ships.

Where it departs from `paper`, and why:
- The dots arrive twice: as they are and already spread along edges (`propagation`), so that the
  network starts where the classical method ends and learns where to differ.
- The theme's colours are tokens, read by cross-attention: any number, no order.
- The last layer mixes colours instead of inventing them: every pixel's colour is a convex mixture
  of the network's own guess, the theme's colours, the spread dots and the matched dots, shifted by
  `keep_mean` where a theme tells shares. A theme or a dot in a colour that no photo of the corpus
  had is thereby obeyed as well as a common one.
- A theme may say how much of the picture each colour shall have, and the mixture keeps to it
  (`shares`).
- A second way of spreading dots is learned: every place looks at all dots and takes the colours of
  those that lie on something like itself, however far away (`DotMatching`).
- Strided stages down to 1/32 and self-attention at 1/16 let every pixel see the whole photo.
- Nothing runs at full working size; the result is made at half of it, since colour is smoother than
  lightness, and doubled along the edges of L (`doubling`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.networks.base import ColorizationNetwork, Features, half_hints
from engine.networks.doubling import doubled
from engine.networks.propagation import propagate
from engine.networks.shares import balance, keep_mean

NEVER = -1e4  # logit of a mixture part that is absent
# with dots that `DotMatching` looks at; further ones are only spread
MOST_CELLS = 1024
MOST_CELLS_COMPILED = 128  # where every picture costs as much as the one with most dots


@dataclass(frozen=True)
class DefaultDimensions:
    width2: int = 32  # channels at 1/2 of the working size
    width4: int = 64
    width8: int = 128
    width16: int = 192
    width32: int = 256
    heads: int = 6
    query: int = 32  # length of the vectors that compare pixels with theme colours and with dots


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(x)))
        return F.relu(x + self.norm2(self.conv2(inner)))


class Attention(nn.Module):
    """Every place of a feature map asks `others` (by default all places of the map itself)."""

    def __init__(self, width: int, others: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(others, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self, x: Tensor, others: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """x: (N, C, H, W); others: (N, T, D); mask: (N, T), False for absent ones."""
        n, c, h, w = x.shape
        tokens = self.norm(x.flatten(2).transpose(1, 2))  # (N, H*W, C)
        q = self._split(self.query(tokens))
        k, v = self.key_value(tokens if others is None else others).chunk(2, -1)
        where = None if mask is None else mask[:, None, None, :]
        mixed = F.scaled_dot_product_attention(q, self._split(k), self._split(v), where)
        mixed = self.out(mixed.transpose(1, 2).reshape(n, h * w, c))
        return x + mixed.transpose(1, 2).reshape(n, c, h, w)

    def _split(self, tokens: Tensor) -> Tensor:
        n, t, c = tokens.shape
        return tokens.view(n, t, self.heads, c // self.heads).transpose(1, 2)


def down(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class Up(nn.Module):
    """Double the size and add the encoder's features of that size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        # Reducing first and enlarging after gives the same numbers for a quarter of the work.
        x = self.norm(self.reduce(x))
        return skip + F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ThemeTokens(nn.Module):
    """Turn theme colours into tokens; one more token stands for 'no theme'."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width))
        self.none = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, theme: Tensor) -> tuple[Tensor, Tensor]:
        """theme: (N, K, 4). Returns the tokens (N, K + 1, width) and the mask (N, K + 1)."""
        present = theme[..., 2] > 0.5
        chroma = theme[..., :2].norm(dim=-1, keepdim=True)
        tokens = self.layers(torch.cat((theme[..., :2], chroma, theme[..., 3:]), -1))
        count = theme.shape[0]
        always = torch.ones(count, 1, dtype=torch.bool, device=theme.device)
        none = self.none.expand(count, 1, -1).to(tokens.dtype)
        return torch.cat((none, tokens), 1), torch.cat((always, present), 1)


class DotMatching(nn.Module):
    """Every place takes the colours of the dots that lie on something like itself.

    Attention from places to dots; likeness of features counts for a dot, distance against it. The
    colours themselves go through unchanged, so an unusual one is matched as well as a common one.
    Attention alone would give every place the colour of a dot that has no rival: so a place also
    relies the less on matching, the less like it the dots are that it takes from.
    """

    def __init__(self, width: int, query: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(width, query, 1)
        self.fading = nn.Parameter(torch.tensor(4.0))  # with distance, in sides of the picture
        self.logit = nn.Conv2d(width, 1, 1)  # how much a place relies on matching
        self.doubt = nn.Parameter(torch.tensor(0.1))  # how much unlikeness counts against it
        nn.init.constant_(self.logit.bias, -2.0)  # type: ignore[arg-type]

    def forward(self, x: Tensor, dots: Tensor) -> Tensor:
        """x: (N, C, h, w) features; dots: (N, 3, 2h, 2w), ab and mask.

        Returns the matched ab and the logit, (N, 3, h, w); the logit is NEVER where no dots are.
        """
        queries, logit = self.project(x).float(), self.logit(x).float()
        with single_precision(x):
            return self._match(queries, logit, dots)

    def _match(self, queries: Tensor, logit: Tensor, dots: Tensor) -> Tensor:
        cells = half_hints(half_hints(dots))  # a cell's colour is the mean of its dots'
        size = queries.shape[2:]
        place = 2**0.5 * self.fading.float() * _places(queries)
        # Of a squared distance only what differs between dots counts, so one product does for all.
        queries = torch.cat((queries / queries.shape[1] ** 0.25, place), 1)
        keys = F.avg_pool2d(queries, 2)
        dotted = cells[:, 2].flatten(1)
        present, where = dotted.topk(_most_cells(dotted))
        chosen = torch.cat((keys, cells[:, :2]), 1).flatten(2)
        chosen = chosen.gather(2, where[:, None].expand(-1, chosen.shape[1], -1))
        key, color = chosen[:, :-2], chosen[:, -2:]
        handicap = key[:, -2:].square().sum(1) / 2 + NEVER * (present - 1)
        likeness = torch.einsum("nqp,nqk->npk", queries.flatten(2), key)
        shares = torch.softmax(likeness - handicap[:, None], -1)
        matched = torch.einsum("npk,nck->ncp", shares, color).unflatten(2, size)
        # half the mean squared distance between a place and the dots that it takes from
        unlike = queries.flatten(2).square().sum(1) / 2 - (shares * likeness).sum(-1)
        unlike = unlike + torch.einsum("npk,nk->np", shares, key.square().sum(1) / 2)
        logit = logit - self.doubt.float() * unlike.view_as(logit)
        none = 1 - present.amax(1)[:, None, None, None]
        return torch.cat((matched, logit + NEVER * none), 1)


def single_precision(x: Tensor) -> torch.autocast:
    """A block without the bfloat16 of training: that has too few bits for what is compared."""
    return torch.autocast(x.device.type, enabled=False)


def _most_cells(dotted: Tensor) -> int:
    """How many cells to look at. dotted: (N, cells), 1 where a cell holds dots, else 0."""
    # A compiled graph needs one size; elsewhere few dots are to cost little.
    if torch.compiler.is_compiling():
        return min(MOST_CELLS_COMPILED, dotted.shape[1])
    return min(MOST_CELLS, dotted.shape[1], max(1, int(dotted.sum(1).max())))


def _places(x: Tensor) -> Tensor:
    """The centres of the places of (N, C, h, w), in sides of the longer side: (N, 2, h, w)."""
    height, width = x.shape[2:]
    axes = [(torch.arange(n, device=x.device) + 0.5) / max(height, width) for n in (height, width)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij")).expand(x.shape[0], -1, -1, -1)


class DefaultNetwork(ColorizationNetwork):
    """Encoder with attention, theme by cross-attention, colour by mixture."""

    multiple: ClassVar[int] = 32

    def __init__(self, dimensions: DefaultDimensions) -> None:
        super().__init__()
        self.dimensions = d = dimensions
        self.stem = nn.Sequential(
            nn.Conv2d(4 + 3 + 3, d.width2, 3, padding=1, bias=False),
            nn.BatchNorm2d(d.width2),
            nn.ReLU(),
        )
        self.stage4 = nn.Sequential(down(d.width2, d.width4), Residual(d.width4))
        self.stage8 = nn.Sequential(down(d.width4, d.width8), Residual(d.width8))
        self.stage16 = nn.Sequential(
            down(d.width8, d.width16),
            Residual(d.width16),
            Attention(d.width16, d.width16, d.heads),
            Residual(d.width16),
        )
        self.stage32 = nn.Sequential(
            down(d.width16, d.width32), Residual(d.width32), Attention(d.width32, d.width32, 8)
        )
        self.theme = ThemeTokens(d.width16)
        self.ask32 = Attention(d.width32, d.width16, 8)
        self.block32 = Residual(d.width32)
        self.up16, self.block16 = Up(d.width32, d.width16), Residual(d.width16)
        self.ask16 = Attention(d.width16, d.width16, d.heads)
        self.up8, self.block8 = Up(d.width16, d.width8), Residual(d.width8)
        self.up4, self.block4 = Up(d.width8, d.width4), Residual(d.width4)
        self.match = DotMatching(d.width4, d.query)
        self.up2 = Up(d.width4, d.width2)
        self.block2 = nn.Sequential(
            nn.Conv2d(d.width2, d.width2, 3, padding=1, bias=False),
            nn.BatchNorm2d(d.width2),
            nn.ReLU(),
        )
        self.theme_key = nn.Linear(d.width16, d.query)
        # the pixel's query, its own guess (a, b), and the logits of "own guess" and "spread dots"
        self.head = nn.Conv2d(d.width2, d.query + 4, 1)
        self.caution = nn.Parameter(torch.tensor(2.0))  # with spread dots that are far, along edges

    def _spread(self, lightness: Tensor, dots: Tensor) -> Tensor:
        """The dots (N, 3, H / 2, W / 2) spread along edges, in single precision."""
        # To ask for any would break a compiled graph in two; training always spreads.
        if not torch.compiler.is_compiling() and not dots[:, 2].any():
            return torch.zeros_like(dots, dtype=torch.float32)
        with single_precision(lightness):
            return propagate(F.avg_pool2d(lightness.float(), 2), dots.float())

    def encode(self, lightness: Tensor, hints: Tensor) -> Features:
        dots = half_hints(hints)
        spread = self._spread(lightness, dots)
        inputs = torch.cat((F.pixel_unshuffle(lightness, 2) - 0.5, dots, spread), 1)
        half = self.stem(inputs.to(self.number_type))
        quarter = self.stage4(half)
        eighth = self.stage8(quarter)
        sixteenth = self.stage16(eighth)
        deepest = self.stage32(sixteenth)
        return half, quarter, eighth, sixteenth, deepest, spread, dots, lightness

    def decode(self, features: Features, theme: Tensor) -> Tensor:
        half, quarter, eighth, sixteenth, x, spread, dots, lightness = features
        tokens, present = self.theme(theme.to(self.number_type))
        x = self.block32(self.ask32(x, tokens, present))
        x = self.ask16(self.block16(self.up16(x, sixteenth)), tokens, present)
        x = self.block8(self.up8(x, eighth))
        x = self.block4(self.up4(x, quarter))
        given = torch.cat((spread, self._matched(x, dots)), 1)
        x = self.block2(self.up2(x, half))
        head, keys = self.head(x).float(), self.theme_key(tokens[:, 1:]).float()
        with single_precision(x):
            ab = self._mix(head, keys, theme.float(), given)
            return doubled(ab, lightness.float())

    def _matched(self, x: Tensor, dots: Tensor) -> Tensor:
        """Matched ab and logit, (N, 3, H / 2, W / 2)."""
        found = self.match(x, dots)
        return F.interpolate(found, scale_factor=2, mode="bilinear", align_corners=False)

    def _mix(self, head: Tensor, keys: Tensor, theme: Tensor, given: Tensor) -> Tensor:
        """Mix the colours.

        keys: (N, K, query), of the theme's colours; given: (N, 6, H / 2, W / 2), spread ab and
        confidence, matched ab and logit.
        """
        query, guess, own, dots = head.split((self.dimensions.query, 2, 1, 1), 1)
        spread, confidence, matched, by_match = given.float().split((2, 1, 2, 1), 1)
        by_theme = torch.einsum("nkq,nqhw->nkhw", keys, query)
        by_theme = by_theme + NEVER * (1 - theme[..., 2, None, None])
        keeps_shares = self._keeps_shares(theme)
        if keeps_shares:
            by_theme = by_theme + balance(by_theme.detach(), theme[..., 3])[..., None, None]
        by_spread = dots + self.caution.float() * torch.log(confidence + 1e-6)
        parts = torch.softmax(torch.cat((own, by_spread, by_match, by_theme), 1), 1)
        of_theme = theme[..., :2, None, None].expand(-1, -1, -1, *guess.shape[2:])
        colors = torch.cat((torch.stack((torch.tanh(guess), spread, matched), 1), of_theme), 1)
        ab = (parts[:, :, None] * colors).sum(1)
        return keep_mean(ab, parts, colors, theme) if keeps_shares else ab

    def _keeps_shares(self, theme: Tensor) -> bool:
        # As in `_spread`: a compiled graph must not ask.
        return torch.compiler.is_compiling() or bool(theme[..., 3].any())
