"""Bytes on the wire: `prefix | JSON header | payload`.

    4 bytes  magic b"TNC1"      anything else (an HTTP request, say) ends the connection
    u32 LE   header length      at most 4 MiB
    u64 LE   payload length     at most what the receiver allows at that moment
    JSON     a JSON-RPC 2.0 message
    payload  the arrays that the header describes, one after the other

Nothing is allocated before its length has been checked, and then only as it comes.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Union

MAGIC = b"TNC1"
PREFIX = struct.Struct("<4sIQ")
MAX_HEADER = 4 << 20  # the reports of 10,000 dots need 1.2 MB
MAX_PAYLOAD = 4 << 30  # a photo of 200 megapixels in 32-bit RGBA needs 3.2 GB
PIECE = 1 << 20  # bytes that are sent at once
ROOM = 16 << 20  # bytes that are made room for at once
ITEM_SIZES = {"U8": 1, "U16": 2, "F32": 4}

Buffer = Union[bytes, bytearray, memoryview]


class ProtocolError(Exception):
    """The other side does not keep to the protocol; the connection is of no use any more."""


class ConnectionEnded(Exception):
    """The other side has gone."""


@dataclass(frozen=True)
class Array:
    """Numbers in C order, little endian, as they go over the wire."""

    dtype: str  # a key of ITEM_SIZES
    shape: tuple[int, ...]
    data: memoryview  # of bytes


@dataclass(frozen=True)
class Frame:
    header: Mapping[str, Any]
    payload: memoryview


def send(sock: socket.socket, header: Mapping[str, Any], payload: Sequence[Buffer] = ()) -> None:
    """Send one frame. After an OSError the connection is of no use: half a frame may be sent."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > MAX_HEADER:
        raise ProtocolError(f"a header of {len(text)} bytes is too long")
    size = sum(memoryview(part).nbytes for part in payload)
    sock.sendall(PREFIX.pack(MAGIC, len(text), size) + text)
    for part in payload:
        data = memoryview(part).cast("B")
        # Where the socket limits the time of a send, Windows means all of it, not each step ahead.
        for start in range(0, data.nbytes, PIECE):
            sock.sendall(data[start : start + PIECE])


class Readable(Protocol):
    """What a frame can be read from: a socket."""

    def recv_into(self, buffer: memoryview) -> int: ...


def receive(sock: Readable, max_payload: int = MAX_PAYLOAD, max_header: int = MAX_HEADER) -> Frame:
    """Receive one frame. Raises ProtocolError, ConnectionEnded or OSError."""
    magic, header_size, payload_size = PREFIX.unpack(_read(sock, PREFIX.size))
    if magic != MAGIC:
        raise ProtocolError("this is not a Tincture connection")
    if header_size > max_header or payload_size > max_payload:
        raise ProtocolError(f"a frame of {header_size} + {payload_size} bytes is too large")
    try:
        header = json.loads(bytes(_read(sock, header_size)))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the header is not JSON") from error
    if not isinstance(header, dict):
        raise ProtocolError("the header is not a JSON object")
    return Frame(header, _read(sock, payload_size))


def pack_arrays(arrays: Mapping[str, Array]) -> tuple[dict[str, Any], list[memoryview]]:
    """Describe arrays as safetensors does, and list their bytes in the same order."""
    table: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        end = offset + array.data.nbytes
        table[name] = {
            "dtype": array.dtype,
            "shape": list(array.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    return table, [array.data for array in arrays.values()]


def unpack_arrays(table: object, payload: memoryview) -> dict[str, Array]:
    """The arrays of a payload; nothing is copied. Raises ProtocolError for a table that lies."""
    if not isinstance(table, dict):
        raise ProtocolError("the table of arrays is not an object")
    return {str(name): _array(entry, payload) for name, entry in table.items()}


def _array(entry: object, payload: memoryview) -> Array:
    try:
        dtype, shape = entry["dtype"], entry["shape"]  # type: ignore[index]
        start, end = entry["data_offsets"]  # type: ignore[index]
        item = ITEM_SIZES[dtype]
    except (TypeError, KeyError, ValueError) as error:
        raise ProtocolError("an array is not described as it should be") from error
    numbers = [*shape, start, end] if isinstance(shape, list) else [None]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ProtocolError("an array's shape and offsets must be whole numbers")
    size = item
    for side in shape:
        size *= side
    if end - start != size or end > payload.nbytes:
        raise ProtocolError("an array does not fit its description")
    return Array(dtype, tuple(shape), payload[start:end])


def _read(sock: Readable, size: int) -> memoryview:
    data, done = bytearray(), 0
    while done < size:
        if done == len(data):  # room follows what comes: an announced length costs nothing yet
            data.extend(bytes(min(size - done, ROOM)))
        with memoryview(data) as room, room[done:] as rest:
            count = sock.recv_into(rest)
        if not count:
            raise ConnectionEnded("the connection has ended")
        done += count
    return memoryview(data)
