"""A GPU's errors, put in by hand: they are told apart where there is no GPU too."""

from __future__ import annotations

import weakref

import pytest
import torch

from engine.gpu import GpuBroken, GpuFull, on_gpu

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Failing:
    """Work that fails with each of some errors, and is then done."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_work_is_tried_again_when_the_memory_is_full() -> None:
    assert on_gpu(Failing(FULL)) == "done"


def test_work_is_tried_no_third_time() -> None:
    with pytest.raises(GpuFull, match="close other programs that use it"):
        on_gpu(Failing(FULL, FULL))


def test_what_the_first_try_made_is_let_go_before_the_second() -> None:
    made: list[weakref.ref[torch.Tensor]] = []

    def work() -> bool:
        if made:
            return made[0]() is None
        tensor = torch.zeros(8)
        made.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("CUDA out of memory.")

    assert on_gpu(work)


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_other_words_for_a_full_memory_are_understood(error: Exception) -> None:
    with pytest.raises(GpuFull):
        on_gpu(Failing(error, error))


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: unspecified launch failure"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
    ],
)
def test_a_broken_context_is_not_tried_again(error: Exception) -> None:
    work = Failing(error)

    with pytest.raises(GpuBroken, match="starts anew"):
        on_gpu(work)
    assert work.errors == []


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Expected all tensors to be on the same device, but found cuda:0 and cpu"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] not enough memory"),
        ValueError("CUDA error"),
    ],
)
def test_errors_of_other_kinds_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as passed:
        on_gpu(Failing(error))
    assert passed.value is error
