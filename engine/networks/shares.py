"""Keep to the shares that a theme tells: how much of the picture each of its colours has.

A place cannot know what the others chose, so the network alone hardly keeps to them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.color import AB_SCALE

BALANCING_STEPS = 4
LEAST_SHARE = 1e-3  # of a picture; less is not worth balancing
UNLIKE = 12.0  # CIE units; a dot further from all of the theme's colours begins to be none of them
_LEAST_DOUBT = 2e-3  # (ab / AB_SCALE) squared; no place is quite sure
_FAR = 9.0  # (ab / AB_SCALE) squared; further than any colour


def balance(by_theme: Tensor, shares: Tensor) -> Tensor:
    """What to add to the theme's logits so that every colour gets its share of the picture.

    by_theme: (N, K, h, w) logits; shares: (N, K), all zero where a theme's shares are not known.
    Returns (N, K). Each step compares what the colours have with what they shall have.
    """
    known = (shares.sum(1, keepdim=True) > 0).to(shares.dtype)
    wanted = torch.log(shares + LEAST_SHARE)
    bias = torch.zeros_like(shares)
    for _ in range(BALANCING_STEPS):
        now = torch.softmax(by_theme + bias[..., None, None], 1).mean((2, 3))
        bias = bias + known * (wanted - torch.log(now + LEAST_SHARE))
    return bias


def keep_mean(ab: Tensor, parts: Tensor, colors: Tensor, theme: Tensor) -> Tensor:
    """Shift a mixture of colours so that the picture's mean is the theme's.

    The photo that a theme was made of has this very mean. What is missing is added where the
    mixture is undecided, in proportion to its variance, as in a Kalman filter's update. Dots in
    colours that the theme lacks are left alone: of their things it says nothing.

    ab: (N, 2, h, w) / AB_SCALE, the mixture; parts: (N, 3 + K, h, w), which sum to 1: own guess,
    spread dots, matched dots, theme; colors: (N, 3 + K, 2, h, w), theirs; theme: (N, K, 4).
    Returns ab; as it was where the theme tells no shares.
    """
    shares = theme[..., 3]
    told = (shares.sum(1) > 0).to(ab.dtype)[:, None, None, None]
    bound = 1 - (parts[:, 1:3] * _unlike(colors[:, 1:3].detach(), theme)).sum(1, keepdim=True)
    bound = bound / bound.mean((2, 3), keepdim=True).clamp(min=LEAST_SHARE)
    mean = (shares[..., None] * theme[..., :2]).sum(1)[..., None, None]
    missing = told * (mean - (bound * ab).mean((2, 3), keepdim=True))
    doubt = (parts[:, :, None] * (colors - ab[:, None]).square()).sum((1, 2))[:, None]
    weight = bound * (doubt + _LEAST_DOUBT)
    return ab + missing * weight / (bound * weight).mean((2, 3), keepdim=True)


def _unlike(colors: Tensor, theme: Tensor) -> Tensor:
    """How little colours (N, P, 2, h, w) belong to a theme: (N, P, h, w), 0 (do) .. 1 (do not)."""
    absent = _FAR * (1 - theme[:, None, :, 2, None, None])
    apart = colors[:, :, None] - theme[:, None, :, :2, None, None]  # (N, P, K, 2, h, w)
    nearest = (apart.square().sum(3) + absent).amin(2).sqrt()
    return (nearest * (AB_SCALE / UNLIKE) - 1).clamp(0, 1)
