"""The listener over real sockets, with work that lasts as long as a test wants."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np
import pytest
import torch

from engine.colorizer import Colorizer
from engine.progress import Tick
from server import listener as listening
from server.arrays import from_numpy
from server.handlers import Arrays, Handlers, Params, Reply
from server.jobs import MAX_WAITING
from server.listener import MAX_CONNECTIONS, Listener
from server.protocol import PROTOCOL, VERSION, frames, handshake, messages, places
from server.protocol.client import Client, EngineError, EngineGone, VersionMismatch, connect
from server.protocol.frames import ConnectionEnded
from server.protocol.rendezvous import Rendezvous

SECONDS = 30  # after which a test gives up on what ought to happen


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load()


@pytest.fixture
def listener(colorizer: Colorizer) -> Iterator[Listener]:
    listener = Listener(Handlers(colorizer), handshake.new_token())
    yield listener
    listener.close()


def join(listener: Listener) -> Client:
    return connect(Rendezvous(os.getpid(), listener.port, listener.token, PROTOCOL, VERSION))


def knock(listener: Listener) -> socket.socket:
    return socket.create_connection(("127.0.0.1", listener.port), SECONDS)


def proved(listener: Listener) -> socket.socket:
    sock = knock(listener)
    handshake.prove_to_server(sock, listener.token)
    sock.settimeout(SECONDS)
    return sock


def put_in(listener: Listener, work: Callable[[Params, Arrays, Tick], Reply]) -> None:
    """Have requests for the theme of a photo answered by some work of the test's."""
    handlers = listener.handlers
    handlers.in_lane = {**handlers.in_lane, messages.THEME_OF: work}


def ask(sock: socket.socket, number: int) -> None:
    frames.send(sock, {"jsonrpc": "2.0", "id": number, "method": messages.THEME_OF})


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_crowd_of_strangers_keeps_no_client_out_and_fills_no_log(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listening, "MAX_STRANGERS", MAX_CONNECTIONS + 2)
    monkeypatch.setattr(handshake, "SECONDS", 10 * SECONDS)  # none leaves by itself
    monkeypatch.setattr(listening, "COMPLAINT_SECONDS", 3600)
    with ExitStack() as stack:
        early = stack.enter_context(join(listener))
        crowd = [stack.enter_context(knock(listener)) for _ in range(3 * MAX_CONNECTIONS)]

        client = stack.enter_context(join(listener))

        assert early.status()["connections"] == client.status()["connections"] == 2
        assert crowd[0].recv(1) == b""  # the oldest had to go
        crowd[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            crowd[-1].recv(1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_failed_proofs_fill_no_log(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listening, "COMPLAINT_SECONDS", 3600)
    for _ in range(5):
        with knock(listener) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n")
            assert stranger.recv(1) == b""

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_client_too_many_is_told_so(listener: Listener) -> None:
    with ExitStack() as clients:
        for _ in range(MAX_CONNECTIONS):
            clients.enter_context(join(listener))
        with pytest.raises(EngineError, match=f"{MAX_CONNECTIONS} windows or programs") as error:
            join(listener)
        assert error.value.code == messages.BUSY
        assert len(listener.connections) == MAX_CONNECTIONS
    until(lambda: not listener.connections)

    with join(listener) as client:
        assert client.status()["connections"] == 1


def test_a_job_too_many_is_refused_and_all_others_are_done(listener: Listener) -> None:
    started, go = threading.Event(), threading.Event()

    def work(*_: object) -> Reply:
        started.set()
        go.wait(SECONDS)
        return Reply({}, {})

    put_in(listener, work)
    with proved(listener) as sock:
        ask(sock, 0)
        assert started.wait(SECONDS)
        for number in range(1, MAX_WAITING + 2):
            ask(sock, number)
        refused = frames.receive(sock).header
        go.set()
        done = [frames.receive(sock).header["id"] for _ in range(MAX_WAITING + 1)]

    assert refused["id"] == MAX_WAITING + 1
    assert refused["error"]["code"] == messages.BUSY
    assert done == [*range(MAX_WAITING + 1)]


def test_a_live_request_takes_the_place_of_a_waiting_one_for_its_photo(listener: Listener) -> None:
    started, go = threading.Event(), threading.Event()

    def work(*_: object) -> Reply:
        started.set()
        go.wait(SECONDS)
        return Reply({}, {})

    handlers = listener.handlers
    handlers.in_lane = {**handlers.in_lane, messages.COLORIZE: work}
    with proved(listener) as sock:
        for number, params in enumerate(
            [
                {"picture": "running"},
                {"picture": "sea", "live": True},
                {"picture": "hill", "live": True},
                {"picture": "sea"},
                {"picture": "sea", "live": True},
                {"picture": "sea", "preview_side": 64},
            ]
        ):
            header = {"jsonrpc": "2.0", "id": number, "method": messages.COLORIZE}
            frames.send(sock, {**header, "params": params})
            assert started.wait(SECONDS)
        replaced = [frames.receive(sock).header for _ in range(2)]
        go.set()
        done = [frames.receive(sock).header["id"] for _ in range(4)]

    assert [(each["id"], each["error"]["code"]) for each in replaced] == [
        (1, messages.CANCELLED),
        (4, messages.CANCELLED),
    ]
    assert done == [0, 2, 3, 5]


def test_with_a_client_the_engine_is_not_idle(listener: Listener) -> None:
    with join(listener):
        listener.last_busy -= 3600
        assert listener.idle_seconds() < SECONDS
    until(lambda: not listener.connections)

    listener.last_busy -= 3600
    assert listener.idle_seconds() > 3600


@pytest.mark.parametrize(("newer", "older"), [(1, "plug-in"), (-1, "engine")])
def test_an_engine_of_another_version_says_which_side_to_update(
    listener: Listener, newer: int, older: str
) -> None:
    hello = listener.handlers.hello

    def other(params: Params, arrays: Arrays, tick: Tick) -> Reply:
        return Reply({**hello(params, arrays, tick).result, "protocol": PROTOCOL + newer}, {})

    listener.handlers.at_once = {**listener.handlers.at_once, messages.HELLO: other}

    with pytest.raises(VersionMismatch, match=f"the Tincture {older} is out of date"):
        join(listener)


def test_after_the_engine_has_gone_no_call_waits(listener: Listener) -> None:
    with join(listener) as client:
        listener.close()
        client._reader.join(SECONDS)

        for _ in range(2):
            with pytest.raises(EngineGone):
                client.status()


def test_answers_to_one_client_do_not_mix(listener: Listener) -> None:
    large = np.zeros((4000, 9000), np.uint8)
    put_in(listener, lambda *_: Reply({}, {"rgb": from_numpy(large)}))
    with join(listener) as client:
        asking = threading.Thread(target=client.call, args=(messages.THEME_OF, {}))
        asking.start()
        while asking.is_alive():
            assert client.status()["connections"] == 1


def test_hanging_up_cancels_a_job_that_would_never_end(listener: Listener) -> None:
    started = threading.Event()

    def endless(params: Params, arrays: Arrays, tick: Tick) -> Reply:
        while True:
            tick(0.5)
            started.set()
            time.sleep(0.001)

    put_in(listener, endless)
    with proved(listener) as leaving:
        ask(leaving, 1)
        assert started.wait(SECONDS)

    until(lambda: not listener.lane.busy)


def test_a_client_that_reads_nothing_holds_nobody_up(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "SEND_SECONDS", 0.2)
    large = np.zeros((4000, 9000), np.uint8)  # of bytes, as many as 12 megapixels have
    put_in(listener, lambda *_: Reply({}, {"rgb": from_numpy(large)}))
    with proved(listener) as still, join(listener) as other:
        ask(still, 1)
        until(lambda: len(listener.connections) == 1)

        assert other.call(messages.OPEN_PICTURE, {"picture": "0" * 40}) == {
            "known": False,
            "arrays": {},
        }
        with pytest.raises((ConnectionEnded, OSError)):
            frames.receive(still)


def failing(*errors: Exception) -> Callable[..., Reply]:
    """Work that fails with each of some errors, and is then done. No GPU is needed for it."""
    left = list(errors)

    def work(*_: object) -> Reply:
        if left:
            raise left.pop(0)
        return Reply({"done": True}, {})

    return work


def test_a_full_gpu_gets_a_second_chance_and_then_is_said(listener: Listener) -> None:
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    with join(listener) as client:
        put_in(listener, failing(full))
        assert client.call(messages.THEME_OF, {})["done"]

        put_in(listener, failing(full, full))
        with pytest.raises(EngineError, match="close other programs that use it"):
            client.call(messages.THEME_OF, {})

    assert not listener.ended.is_set()


def test_a_broken_gpu_is_said_and_ends_the_engine(listener: Listener) -> None:
    put_in(listener, failing(torch.AcceleratorError("CUDA error: unspecified launch failure")))

    with join(listener) as client, pytest.raises(EngineError, match="the GPU failed"):
        client.call(messages.THEME_OF, {})

    assert listener.ended.wait(SECONDS)


def test_an_error_of_its_own_names_the_log(listener: Listener) -> None:
    put_in(listener, failing(RuntimeError("a mistake")))

    with join(listener) as client, pytest.raises(EngineError) as error:
        client.call(messages.THEME_OF, {})

    assert str(places.log_file()) in str(error.value)
    assert not listener.ended.is_set()
