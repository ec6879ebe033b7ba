"""The protocol's arrays, and numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from server.protocol.frames import Array

DTYPES = {"U8": np.uint8, "U16": np.uint16, "F32": np.float32}
NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}


def to_numpy(array: Array) -> NDArray[Any]:
    """The same numbers; nothing is copied."""
    return np.frombuffer(array.data, DTYPES[array.dtype]).reshape(array.shape)


def from_numpy(values: NDArray[Any]) -> Array:
    """values: uint8, uint16 or float32."""
    data = np.ascontiguousarray(values)
    content = data.data.cast("B") if data.size else memoryview(b"")
    return Array(NAMES[data.dtype], data.shape, content)
