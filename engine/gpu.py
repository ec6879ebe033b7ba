"""What a GPU fails at, in two kinds: its memory is full for now, or it has to be taken up anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import torch

# Only newer failures have a type of their own; the libraries' are told by their words.
_FULL = re.compile(r"out of memory|_ALLOC_FAILED")
_BROKEN = re.compile(r"\b(CUDA|HIP|cuDNN) error|\bCU(BLAS|DNN)_STATUS_")

Made = TypeVar("Made")


class GpuFull(Exception):
    """The GPU's memory does not suffice; the message is a sentence for people."""


class GpuBroken(Exception):
    """This process can use the GPU no more, another one can; the message is for people."""


def on_gpu(work: Callable[[], Made]) -> Made:
    """Do some work; once more with all of the free memory where the GPU's is full.

    Raises GpuFull, GpuBroken and what the work raises.
    """
    try:
        return _told_apart(work)
    except GpuFull:
        pass  # what was made stays in memory for as long as its error is looked at
    torch.cuda.empty_cache()
    return _told_apart(work)


def _told_apart(work: Callable[[], Made]) -> Made:
    try:
        return work()
    except RuntimeError as error:
        of_gpu = isinstance(error, torch.AcceleratorError) or _BROKEN.search(str(error))
        if isinstance(error, torch.OutOfMemoryError) or (of_gpu and _FULL.search(str(error))):
            raise GpuFull(
                "the GPU has too little free memory; close other programs that use it, or choose "
                "the draft quality"
            ) from error
        if of_gpu:
            raise GpuBroken(
                "the GPU failed, as it may after the computer has slept; try again, and the "
                "Tincture engine starts anew"
            ) from error
        raise
