"""Muon for convolutions: every step is made orthogonal before it is taken.

Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


class ConvolutionMuon(torch.optim.Muon):
    """`torch.optim.Muon` takes matrices only; here the weights of convolutions are seen as such.

    The matrices, (outputs, height * width * inputs), share the memory of the weights, which
    therefore have to be in the channels-last format and must stay where they are.
    """

    def __init__(self, weights: Iterable[Tensor], **settings: Any) -> None:
        self.weights = list(weights)
        views = [weight.detach().permute(0, 2, 3, 1) for weight in self.weights]
        super().__init__([nn.Parameter(view.view(len(view), -1)) for view in views], **settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        for matrix, weight in zip(self.param_groups[0]["params"], self.weights, strict=True):
            assert weight.grad is not None
            matrix.grad = weight.grad.permute(0, 2, 3, 1).reshape(matrix.shape)
        return super().step(closure)
