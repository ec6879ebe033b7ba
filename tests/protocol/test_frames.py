"""Frames survive any cut and refuse anything that is not one, before allocating."""

from __future__ import annotations

import json
import socket
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.protocol import frames
from server.protocol.frames import (
    MAGIC,
    MAX_PAYLOAD,
    PIECE,
    PREFIX,
    ROOM,
    Array,
    ConnectionEnded,
    ProtocolError,
)

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


class Bytes:
    """A source of bytes that ends, in pieces of any size."""

    def __init__(self, data: bytes, piece: int) -> None:
        self.data, self.piece = data, piece

    def recv_into(self, buffer: memoryview) -> int:
        part, self.data = self.data[: self.piece][: len(buffer)], self.data
        self.data = self.data[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def packed(header: object, payload: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return PREFIX.pack(MAGIC, len(text), len(payload)) + text + payload


def test_a_large_frame_arrives_whole(pair: Pair) -> None:
    payload = bytes(range(251)) * (5 * ROOM // 2 // 251)
    sender = threading.Thread(target=frames.send, args=(pair[0], {"id": 1}, [payload]))
    sender.start()

    frame = frames.receive(pair[1])
    sender.join()

    assert frame.header == {"id": 1}
    assert frame.payload == payload


def test_a_large_payload_goes_out_in_pieces() -> None:
    """A limit of a socket's for the time of a send holds for each of them."""
    sizes: list[int] = []

    class Sizes(socket.socket):
        def sendall(self, data: frames.Buffer, flags: int = 0) -> None:  # type: ignore[override]
            sizes.append(len(data))

    with Sizes() as sock:
        frames.send(sock, {"id": 1}, [bytes(5 * PIECE // 2)])

    assert sizes[1:] == [PIECE, PIECE, PIECE // 2]


@pytest.mark.parametrize("piece", [1, 3, 17])
def test_frames_may_come_in_drips_back_to_back(piece: int) -> None:
    source = Bytes(packed({"a": 1}, b"xyz") + packed({"b": 2}), piece)

    assert bytes(frames.receive(source).payload) == b"xyz"
    assert frames.receive(source).header == {"b": 2}


def test_http_is_refused_at_the_first_bytes() -> None:
    with pytest.raises(ProtocolError, match="not a Tincture connection"):
        frames.receive(Bytes(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 64))


@pytest.mark.parametrize(("header", "payload"), [(2**31, 0), (2, 2**60)])
def test_lengths_are_refused_before_anything_is_allocated(header: int, payload: int) -> None:
    with pytest.raises(ProtocolError, match="too large"):
        frames.receive(Bytes(PREFIX.pack(MAGIC, header, payload), 64))


def test_a_length_that_is_only_announced_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ConnectionEnded):
            frames.receive(Bytes(PREFIX.pack(MAGIC, 2, MAX_PAYLOAD) + b"{}" + bytes(100), 64))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_the_end_of_the_stream_is_told_apart() -> None:
    with pytest.raises(ConnectionEnded):
        frames.receive(Bytes(packed({"a": 1})[:-1], 64))


@pytest.mark.parametrize("text", [b"not json", b"[1, 2]", b'"text"', b"\xff\xfe", b"[" * 5000])
def test_a_header_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        frames.receive(Bytes(PREFIX.pack(MAGIC, len(text), 0) + text, 64))


@given(st.binary(max_size=200))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    with pytest.raises((ProtocolError, ConnectionEnded)):
        while True:
            frames.receive(Bytes(data, 50), max_payload=1000)


def test_arrays_come_back_as_they_went() -> None:
    arrays = {
        "gray": Array("U16", (2, 3), memoryview(b"abcdefghijkl")),
        "empty": Array("U8", (0, 4), memoryview(b"")),
        "one": Array("F32", (), memoryview(b"1234")),
    }
    table, parts = frames.pack_arrays(arrays)

    back = frames.unpack_arrays(json.loads(json.dumps(table)), memoryview(b"".join(parts)))

    assert back == arrays


@pytest.mark.parametrize(
    "entry",
    [
        None,
        {},
        {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        {"dtype": "U8", "shape": [9], "data_offsets": [0, 9]},
        {"dtype": "U8", "shape": [4], "data_offsets": [0, 5]},
        {"dtype": "U8", "shape": [-4], "data_offsets": [4, 0]},
        {"dtype": "U8", "shape": [2**62, 2**62], "data_offsets": [0, 4]},
        {"dtype": "U8", "shape": [True], "data_offsets": [0, 1]},
        {"dtype": "U8", "shape": "4", "data_offsets": [0, 4]},
        {"dtype": "U8", "shape": [4], "data_offsets": [0, 4, 8]},
        {"dtype": ["U8"], "shape": [4], "data_offsets": [0, 4]},
    ],
)
def test_a_table_that_lies_is_refused(entry: object) -> None:
    with pytest.raises(ProtocolError):
        frames.unpack_arrays({"x": entry}, memoryview(b"12345"))
