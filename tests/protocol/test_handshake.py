"""Both sides prove that they know the token."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from server.protocol import frames, handshake
from server.protocol.frames import ConnectionEnded, ProtocolError
from server.protocol.handshake import NotTrusted, new_token


def meet(client_token: str, server: Callable[[socket.socket], None]) -> list[Exception]:
    """Run both sides; the errors of server and client, in this order."""
    left, right = socket.socketpair()
    errors: list[Exception] = []

    def serve() -> None:
        with right:
            try:
                server(right)
            except (ProtocolError, ConnectionEnded, OSError) as error:
                errors.insert(0, error)

    thread = threading.Thread(target=serve)
    thread.start()
    with left:
        try:
            handshake.prove_to_server(left, client_token)
        except (ProtocolError, ConnectionEnded, OSError) as error:
            errors.append(error)
    thread.join()
    return errors


def test_the_same_token_opens_and_from_then_on_there_is_no_hurry() -> None:
    token, waits = new_token(), list[float | None]()

    def server(sock: socket.socket) -> None:
        handshake.prove_to_client(sock, token)
        waits.append(sock.gettimeout())

    assert meet(token, server) == []
    assert waits == [None]


def test_a_server_with_another_token_gets_no_proof() -> None:
    errors = meet(new_token(), lambda sock: handshake.prove_to_client(sock, new_token()))

    assert isinstance(errors[-1], NotTrusted)
    assert len(errors) == 2


def test_a_client_with_another_token_is_refused() -> None:
    token = new_token()
    left, right = socket.socketpair()
    with left, right:
        frames.send(left, {"hello": "0" * 64})
        frames.send(left, {"proof": "0" * 64})
        with pytest.raises(NotTrusted):
            handshake.prove_to_client(right, token)


def test_what_an_engine_proves_to_a_stranger_does_not_prove_the_stranger() -> None:
    """The role word: else a second connection would give the proof that the first one asks for."""
    token, refused = new_token(), list[bool]()

    def serve(sock: socket.socket) -> None:
        try:
            handshake.prove_to_client(sock, token)
        except (NotTrusted, ConnectionEnded) as error:
            refused.append(isinstance(error, NotTrusted))

    with ExitStack() as stack:
        pairs = [[stack.enter_context(sock) for sock in socket.socketpair()] for _ in range(2)]
        threads = [threading.Thread(target=serve, args=(server,)) for _, server in pairs]
        for thread in threads:
            thread.start()
        (first, _), (second, _) = pairs
        frames.send(first, {"hello": "0" * 64})
        frames.send(second, {"hello": frames.receive(first).header["nonce"]})
        frames.send(first, {"proof": frames.receive(second).header["proof"]})
        threads[0].join()
        second.shutdown(socket.SHUT_RDWR)
        threads[1].join()

    assert refused == [True, False]


@pytest.mark.parametrize(("header", "payload"), [(5000, 0), (20, 1)])
def test_much_is_not_read_before_the_proof(header: int, payload: int) -> None:
    left, right = socket.socketpair()
    with left, right:
        left.sendall(frames.PREFIX.pack(frames.MAGIC, header, payload))
        with pytest.raises(ProtocolError, match="too large"):
            handshake.prove_to_client(right, new_token())


def test_silence_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "SECONDS", 0.1)
    left, right = socket.socketpair()
    with left, right, pytest.raises(TimeoutError):
        handshake.prove_to_client(right, new_token())


def test_drips_do_not_stretch_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "SECONDS", 0.3)
    left, right = socket.socketpair()

    def drip() -> None:
        """A frame that takes longer than is waited, though no byte of it does."""
        with suppress(OSError):
            for byte in frames.PREFIX.pack(frames.MAGIC, 100, 0) + b"{}" * 50:
                left.sendall(bytes([byte]))
                time.sleep(0.01)

    thread = threading.Thread(target=drip)
    with left:
        with right:
            thread.start()
            with pytest.raises(TimeoutError):
                handshake.prove_to_client(right, new_token())
        thread.join()


@pytest.mark.parametrize("nonce", ["\ud800" * 64, "x" * 64, 64 * ["a"], None])
def test_a_nonce_that_is_none_is_refused_on_both_sides(nonce: object) -> None:
    token = new_token()
    left, right = socket.socketpair()
    with left, right:
        frames.send(left, {"hello": nonce})
        with pytest.raises(ProtocolError, match="lacks a nonce"):
            handshake.prove_to_client(right, token)

    def server(sock: socket.socket) -> None:
        hello = frames.receive(sock).header["hello"]
        frames.send(sock, {"nonce": nonce, "proof": handshake._proof(token, "server", hello)})

    (error,) = meet(token, server)
    assert isinstance(error, ProtocolError)


@pytest.mark.parametrize("proof", ["\ud800", "ä", 7, None])
def test_a_proof_of_any_kind_is_compared(proof: object) -> None:
    left, right = socket.socketpair()
    with left, right:
        frames.send(left, {"hello": "0" * 64})
        frames.send(left, {"proof": proof})
        with pytest.raises(NotTrusted):
            handshake.prove_to_client(right, new_token())
