"""Muon's steps for convolutions are orthogonal matrices, taken in the weights' own memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.muon import ConvolutionMuon


def convolution() -> nn.Conv2d:
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 8, 3)
    layer(torch.randn(2, 16, 9, 9)).square().mean().backward()
    return layer


def test_a_step_is_an_orthogonal_matrix() -> None:
    layer = convolution().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    before = layer.weight.detach().clone()

    ConvolutionMuon([layer.weight], lr=1.0, weight_decay=0.0).step()

    step = (layer.weight.detach() - before).permute(0, 2, 3, 1).flatten(1)
    sizes = torch.linalg.svdvals(step)
    assert sizes.max() < 1.5 and sizes.min() > 0.5


def test_a_step_goes_downhill() -> None:
    layer = convolution().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    assert layer.weight.grad is not None
    before = layer.weight.detach().clone()

    ConvolutionMuon([layer.weight], lr=0.1, weight_decay=0.0).step()

    assert ((layer.weight.detach() - before) * layer.weight.grad).sum() < 0


def test_weights_that_cannot_be_shared_are_refused() -> None:
    with pytest.raises(RuntimeError):
        ConvolutionMuon([convolution().weight], lr=1.0)
