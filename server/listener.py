"""The socket: who may come in, what they ask, and exactly one answer to each request."""

from __future__ import annotations

import logging
import math
import socket
import struct
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from engine.gpu import GpuBroken, GpuFull, on_gpu
from engine.progress import Cancelled, Tick, no_tick
from server.handlers import Handler, Handlers, Refused, Reply
from server.jobs import Job, Lane, LaneFull
from server.protocol import frames, handshake, messages, places
from server.protocol.frames import Array, ConnectionEnded, Frame, ProtocolError
from server.protocol.messages import InvalidParams

MAX_CONNECTIONS = 16  # of clients that have proved themselves
MAX_STRANGERS = 64  # have not yet: so many that in a crowd a client still has the time to do it
SEND_SECONDS = 5.0  # that pass without a byte going out before a connection is given up
COMPLAINT_SECONDS = 1.0  # between two lines on what strangers can cause as often as they like
# Progress is told when so much time has passed or so much has been done since the last time.
PROGRESS_SECONDS, PROGRESS_STEP = 0.05, 0.1
RETRY_SECONDS = 0.1  # after a connection that could not be taken
log = logging.getLogger(__name__)


class Listener:
    """Accepts connections on a loopback port until it is closed."""

    def __init__(self, handlers: Handlers, token: str) -> None:
        self.handlers = handlers
        self.token = token
        self.lane = Lane()
        self.ended = threading.Event()
        self.last_busy = time.monotonic()
        self.connections: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}  # the oldest first
        self._turn = threading.Lock()
        self._complained = -math.inf
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, name="tincture-listener", daemon=True).start()

    def idle_seconds(self) -> float:
        """For how long nobody has been connected and nothing was to do."""
        if self.connections or self.lane.busy:
            self.last_busy = time.monotonic()
        return time.monotonic() - self.last_busy

    def close(self) -> None:
        self.ended.set()
        self._socket.close()
        self.lane.close()
        with self._turn:
            everybody = [*self.connections, *self._strangers]
        for connection in everybody:
            connection.hang_up()

    def admit(self, connection: Connection) -> bool:
        """Count a stranger that has proved itself among the clients, if there is a place."""
        with self._turn:
            if len(self.connections) >= MAX_CONNECTIONS:
                return False
            self._strangers.pop(connection, None)
            self.connections.add(connection)
            return True

    def leave(self, connection: Connection) -> None:
        with self._turn:
            self._strangers.pop(connection, None)
            if connection in self.connections:
                self.connections.remove(connection)
                self.last_busy = time.monotonic()

    def complain(self, words: str, *details: object) -> None:
        """Log what must not fill the disk, however often it happens."""
        now = time.monotonic()
        if now - self._complained >= COMPLAINT_SECONDS:
            self._complained = now
            log.warning(words, *details)

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                sock, _ = self._socket.accept()
                self._welcome(sock)
            except (OSError, RuntimeError) as error:
                # No file or no thread is to be had at the moment; or this socket was closed.
                if not self.ended.wait(RETRY_SECONDS):
                    self.complain("could not take a connection: %s", error)

    def _welcome(self, sock: socket.socket) -> None:
        self._make_room()
        connection = Connection(self, sock)
        with self._turn:
            self._strangers[connection] = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _limit_sending(sock)
            threading.Thread(target=connection.serve, daemon=True).start()
        except BaseException:
            self.leave(connection)
            sock.close()
            raise

    def _make_room(self) -> None:
        """Drop the stranger that has had the most time to prove itself, if there are too many."""
        with self._turn:
            if len(self._strangers) < MAX_STRANGERS:
                return
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
        oldest.hang_up()
        self.complain("%d connections have not proved themselves; one was dropped", MAX_STRANGERS)


def _limit_sending(sock: socket.socket) -> None:
    """Let a send fail when nothing goes out for a while: one still client would block all others.

    A timeout of Python's own would be the reading thread's too, and a client may be silent.
    """
    milliseconds = round(SEND_SECONDS * 1000)
    if sys.platform == "win32":
        limit: int | bytes = milliseconds
    else:
        limit = struct.pack("@ll", milliseconds // 1000, milliseconds % 1000 * 1000)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


class Connection:
    """One client. Its requests are read on its own thread; work is done in the lane."""

    def __init__(self, listener: Listener, sock: socket.socket) -> None:
        self._listener = listener
        self._socket = sock
        self._send_turn = threading.Lock()

    def serve(self) -> None:
        try:
            handshake.prove_to_client(self._socket, self._listener.token)
            if not self._listener.admit(self):
                self._turn_away()
                return
            while True:
                self._take(frames.receive(self._socket))
        except ConnectionEnded:
            pass
        except (ProtocolError, OSError, MemoryError) as error:
            self._listener.complain("a connection was ended: %s", error)
        finally:
            self._listener.lane.cancel(self)
            self._listener.leave(self)
            self.hang_up()
            self._socket.close()

    def hang_up(self) -> None:
        """End the connection from any thread; the reading one notices and cleans up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _turn_away(self) -> None:
        """Say why to a client that has proved itself: it would take silence for no engine."""
        first = frames.receive(self._socket, max_payload=0, max_header=handshake.MAX_BYTES)
        self._send_error(
            first.header.get("id"),
            messages.BUSY,
            f"{MAX_CONNECTIONS} windows or programs use the Tincture engine already; close one",
        )

    def _take(self, frame: Frame) -> None:
        method, number = frame.header.get("method"), frame.header.get("id")
        params = frame.header.get("params", {})
        if not isinstance(method, str) or not isinstance(params, dict):
            raise ProtocolError("a message without method or params")
        if method == messages.CANCEL:
            self._listener.lane.cancel(self, params.get("id"))
            return
        if type(number) is not int:
            raise ProtocolError("a request without a whole number as its id")
        arrays = frames.unpack_arrays(params.get("arrays", {}), frame.payload)
        self._request(method, number, params, arrays)

    def _request(
        self, method: str, number: int, params: Mapping[str, Any], arrays: Mapping[str, Array]
    ) -> None:
        handlers = self._listener.handlers
        if method in handlers.at_once:
            self._answer(number, handlers.at_once[method], params, arrays, no_tick)
        elif method in handlers.in_lane:
            self._queue(method, number, params, arrays)
        elif method == messages.STATUS:
            self._send_result(number, Reply(self._status(), {}))
        elif method == messages.SHUTDOWN:
            self._send_result(number, Reply({}, {}))
            self._listener.ended.set()
        else:
            self._send_error(
                number, messages.METHOD_NOT_FOUND, f"this engine knows no '{method[:40]}'"
            )

    def _queue(
        self, method: str, number: int, params: Mapping[str, Any], arrays: Mapping[str, Array]
    ) -> None:
        handler = self._listener.handlers.in_lane[method]
        live = method == messages.COLORIZE and (
            params.get("live") is True or params.get("preview_side") is not None
        )
        job = Job(
            owner=self,
            number=number,
            live=str(params.get("picture")) if live else "",
            work=lambda tick: self._answer(number, handler, params, arrays, tick),
            report=self._reporter(number),
            cancelled=lambda: self._send_error(number, messages.CANCELLED, "cancelled"),
        )
        try:
            self._listener.lane.submit(job)
        except LaneFull:
            self._send_error(number, messages.BUSY, "the engine has too much to do; try again")

    def _answer(
        self,
        number: int,
        handler: Handler,
        params: Mapping[str, Any],
        arrays: Mapping[str, Array],
        tick: Tick,
    ) -> None:
        """Run a handler and send its result or its error; Cancelled passes through to the lane."""
        try:
            self._send_result(number, on_gpu(lambda: handler(params, arrays, tick)))
        except Cancelled:
            raise
        except Refused as error:
            self._send_error(number, error.code, str(error))
        except InvalidParams as error:
            self._send_error(number, messages.INVALID_PARAMS, str(error))
        except MemoryError:
            self._send_error(
                number, messages.INTERNAL_ERROR, "there is not enough memory for this photo"
            )
        except GpuFull as error:
            log.warning("the GPU's memory is full: %s", error.__cause__)
            self._send_error(number, messages.INTERNAL_ERROR, str(error))
        except GpuBroken as error:
            log.exception("the GPU failed")
            self._send_error(number, messages.INTERNAL_ERROR, str(error))
            self._listener.ended.set()
        except Exception:
            log.exception("a request failed")
            self._send_error(
                number,
                messages.INTERNAL_ERROR,
                f"the engine met an error of its own; its log has the details: {places.log_file()}",
            )

    def _reporter(self, number: int) -> Tick:
        last, told = 0.0, 0.0

        def report(fraction: float) -> None:
            nonlocal last, told
            now = time.monotonic()
            if now - last >= PROGRESS_SECONDS or fraction - told >= PROGRESS_STEP:
                last, told = now, fraction
                params = {"id": number, "fraction": round(fraction, 4)}
                self._send({"jsonrpc": "2.0", "method": messages.PROGRESS, "params": params})

        return report

    def _status(self) -> dict[str, Any]:
        return {
            "connections": len(self._listener.connections),
            "pictures": len(self._listener.handlers.pictures),
            "busy": self._listener.lane.busy,
            "device": self._listener.handlers.colorizer.device,
        }

    def _send_result(self, number: int, reply: Reply) -> None:
        table, payload = frames.pack_arrays(reply.arrays)
        result = {**reply.result, "arrays": table}
        self._send({"jsonrpc": "2.0", "id": number, "result": result}, payload)

    def _send_error(self, number: int | None, code: int, message: str) -> None:
        error = {"code": code, "message": message}
        self._send({"jsonrpc": "2.0", "id": number, "error": error})

    def _send(self, header: Mapping[str, Any], payload: list[memoryview] | None = None) -> None:
        try:
            with self._send_turn:
                frames.send(self._socket, header, payload or [])
        except OSError as error:
            # The client has gone or takes nothing; after half a frame no other one can follow.
            self._listener.complain("an answer could not be sent: %s", error)
            self.hang_up()
