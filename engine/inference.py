"""A trained network made ready to colour: fewer steps, shorter numbers, its answer looked at."""

from __future__ import annotations

import copy
import logging
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.networks import ColorizationNetwork

NOT_FINITE, FLAT = "not finite", "flat"
FLAT_AB = 1e-4  # of AB_SCALE: an answer whose ab varies less than this is the same everywhere
FLAT_LIGHTNESS = 0.02  # L / 100: a photo that varies less may well have one colour

log = logging.getLogger(__name__)


def fused(network: ColorizationNetwork) -> ColorizationNetwork:
    """A copy in eval mode whose batch normalisations are part of the convolutions before them."""
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        children = list(module.named_children())
        for (name, first), (norm_name, second) in pairwise(children):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, norm_name, nn.Identity())
    return network


def in_bfloat16(network: ColorizationNetwork) -> ColorizationNetwork:
    """A copy with weights of 16 bits; quicker than autocast, which shortens them for every run."""
    return copy.deepcopy(network).to(torch.bfloat16)


def best_device() -> str:
    """ "cuda" where this build of torch can compute on the GPU, else "cpu".

    A driver that is found does not tell: older GPUs are left out of newer builds.
    """
    if not torch.cuda.is_available():
        return "cpu"
    try:
        torch.ones(1, device="cuda").add_(1).cpu()
    except RuntimeError as error:
        log.warning("the GPU is not used: %s", error)
        return "cpu"
    return "cuda"


def has_fast_bfloat16(device: str) -> bool:
    """Does the device compute with bfloat16 faster than with 32-bit floats?"""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def fault(ab: Tensor, lightness: Tensor) -> str:
    """What is wrong with a network's answer: NOT_FINITE, FLAT, or "" for nothing.

    ab: (1, 2, H, W), a and b / AB_SCALE; lightness: (1, 1, H, W), L / 100.
    """
    if not torch.isfinite(ab).all():
        return NOT_FINITE
    spread = ab.amax((2, 3)) - ab.amin((2, 3))
    if bool((spread < FLAT_AB).all()) and bool(lightness.max() - lightness.min() > FLAT_LIGHTNESS):
        return FLAT
    return ""
