"""Both sides prove that they know the token, and neither one shows it.

    client -> server   {"hello": nonce}
    server -> client   {"nonce": nonce, "proof": HMAC(token, "server:" + client's nonce)}
    client -> server   {"proof": HMAC(token, "client:" + server's nonce)}

The role word keeps a proof from being sent back. A stranger on a stale port learns neither the
token nor, since pixels follow only after the proof, anything of the photo.
"""

from __future__ import annotations

import hmac
import re
import secrets
import socket
import time
from typing import Any

from server.protocol import frames
from server.protocol.frames import ProtocolError

SECONDS = 5.0  # from the first byte to the proof
MAX_BYTES = 4096
_NONCE_BYTES = 32
_NONCE = re.compile(rf"[0-9a-f]{{{2 * _NONCE_BYTES}}}\Z")


class NotTrusted(ProtocolError):
    """The other side does not know the token."""


def new_token() -> str:
    return secrets.token_hex(32)


def prove_to_server(sock: socket.socket, token: str) -> None:
    """The client's part. Raises NotTrusted, ProtocolError, ConnectionEnded or OSError."""
    nonce = secrets.token_hex(_NONCE_BYTES)
    with _deadline(sock) as limited:
        frames.send(sock, {"hello": nonce})
        answer = limited.receive()
        _check(answer.get("proof"), token, "server", nonce)
        frames.send(sock, {"proof": _proof(token, "client", _nonce(answer.get("nonce")))})


def prove_to_client(sock: socket.socket, token: str) -> None:
    """The server's part. Raises NotTrusted, ProtocolError, ConnectionEnded or OSError."""
    nonce = secrets.token_hex(_NONCE_BYTES)
    with _deadline(sock) as limited:
        client_nonce = _nonce(limited.receive().get("hello"))
        frames.send(sock, {"nonce": nonce, "proof": _proof(token, "server", client_nonce)})
        _check(limited.receive().get("proof"), token, "client", nonce)


class _deadline:
    """One time limit for the whole handshake, also for a peer that drips single bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._end = time.monotonic() + SECONDS

    def __enter__(self) -> _deadline:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.settimeout(None)

    def recv_into(self, buffer: memoryview) -> int:
        self._socket.settimeout(max(0.001, self._end - time.monotonic()))
        return self._socket.recv_into(buffer)

    def receive(self) -> dict[str, Any]:
        frame = frames.receive(self, max_payload=0, max_header=MAX_BYTES)
        return dict(frame.header)


def _nonce(value: object) -> str:
    if not isinstance(value, str) or not _NONCE.match(value):
        raise ProtocolError("the handshake lacks a nonce")
    return value


def _proof(token: str, role: str, nonce: str) -> str:
    return hmac.new(bytes.fromhex(token), f"{role}:{nonce}".encode(), "sha256").hexdigest()


def _check(proof: object, token: str, role: str, nonce: str) -> None:
    expected = _proof(token, role, nonce)
    fits = isinstance(proof, str) and proof.isascii() and hmac.compare_digest(proof, expected)
    if not fits:
        raise NotTrusted("the other side does not know this engine's token")
