"""The loss of the paper (section 3.4) and the one `default` is trained with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.networks.paper import to_unit
from engine.simulate import Example

HUBER_DELTA = 0.5  # paper 3.4.1
TRUTH_SHARE, THEME_SHARE = 0.7, 0.3  # alpha 1 and alpha 2 of equation 3


def global_loss(output: Tensor, example: Example, delta: float = HUBER_DELTA) -> Tensor:
    """Equation 3: Huber loss to the truth and to the K-colour map, mean over pixels."""
    truth = F.huber_loss(output, example.target, delta=delta)
    theme = F.huber_loss(output, example.theme_map, delta=delta)
    return TRUTH_SHARE * truth + THEME_SHARE * theme


def sobel_loss(output: Tensor, target: Tensor) -> Tensor:
    """Equation 4: mean squared difference of the Sobel gradients in x and y."""
    return F.mse_loss(sobel(output), sobel(target))


def sobel(ab: Tensor) -> Tensor:
    """Sobel gradients of (N, 2, H, W) without the border: (N, 4, H - 2, W - 2)."""
    x = torch.tensor(((-1.0, 0, 1), (-2, 0, 2), (-1, 0, 1)), device=ab.device, dtype=ab.dtype)
    kernel = torch.stack((x, x.T))[:, None].repeat(2, 1, 1, 1)
    return F.conv2d(ab, kernel, groups=2)


def point_loss(output: Tensor, hints: Tensor) -> Tensor:
    """Equation 5: mean squared difference at the dots, over all pixels as the equation says."""
    mask = hints[:, 2:]
    return F.mse_loss(output * mask, hints[:, :2] * mask)


def paper_loss(output: Tensor, example: Example, terms: str = "gsp") -> Tensor:
    """Equation 6 in the units of equation 7. terms: which of L_g, L_s, L_p count (figure 6)."""
    unit = Example(
        example.lightness,
        torch.cat((to_unit(example.hints[:, :2]) * example.hints[:, 2:], example.hints[:, 2:]), 1),
        example.theme,
        to_unit(example.target),
        to_unit(example.theme_map),
    )
    output = to_unit(output)
    loss = output.new_zeros(())
    if "g" in terms:
        loss = loss + global_loss(output, unit)
    if "s" in terms:
        loss = loss + sobel_loss(output, unit.target)
    if "p" in terms:
        loss = loss + point_loss(output, unit.hints)
    return loss


def default_loss(output: Tensor, example: Example) -> Tensor:
    """The paper's terms, with weight on vivid places and a mean over the dots alone.

    Most of a photo is nearly grey; without the weight a network learns to leave it all so. The
    point loss of equation 5 shrinks with the number of dots; here one dot counts like a hundred.
    """
    target, mask = example.target, example.hints[:, 2:]
    vivid = 1 + 2 * target.norm(dim=1, keepdim=True)
    truth = F.huber_loss(output, target, delta=0.2, reduction="none")
    theme = F.huber_loss(output, example.theme_map, delta=0.2, reduction="none")
    pixels = (vivid * (0.85 * truth + 0.15 * theme)).mean()
    edges = sobel_loss(output, target) / 16
    missed = ((output - example.hints[:, :2]).abs() * mask).sum() / (2 * mask.sum()).clamp(min=1)
    return pixels + edges + 0.02 * missed
