"""A client of the engine: blocking calls, safe to use from several threads.

One thread reads the socket and hands every answer to the call that waits for it.
"""

from __future__ import annotations

import hashlib
import itertools
import queue
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any, Callable, Optional, TypeVar, Union

from server.protocol import PROTOCOL, VERSION, frames, handshake, messages, places
from server.protocol.frames import Array, Buffer, ConnectionEnded, ProtocolError
from server.protocol.messages import (
    ColorizeRequest,
    ColorizeResult,
    ColorSuggestion,
    DotReport,
    EngineInfo,
    ThemeResult,
)
from server.protocol.rendezvous import Rendezvous

CONNECT_SECONDS = 3.0
POLL_SECONDS = 0.05  # how often a waiting call asks whether it is still wanted
_GONE = "the Tincture engine stopped in the middle of the work; the image is as it was. Try again."

Progress = Callable[[float], None]
Made = TypeVar("Made")
Answer = Union[frames.Frame, "EngineError"]


class EngineError(Exception):
    """The engine could not do it; the message is a sentence for people."""

    def __init__(self, message: str, code: int = messages.INTERNAL_ERROR) -> None:
        super().__init__(message)
        self.code = code


class EngineMissing(EngineError):
    """There is no engine and none can be started."""


class EngineGone(EngineError):
    """The engine ended in the middle of a call."""


class VersionMismatch(EngineError):
    """Plug-in and engine are of different versions."""


class JobCancelled(EngineError):
    """The call was cancelled, or a newer one took its place."""


def connect(rendezvous: Rendezvous) -> Client:
    """Connect to a running engine and prove to each other who is who.

    Raises OSError, ConnectionEnded or ProtocolError when nobody, or a stranger, answers there,
    EngineGone when it ends just then, VersionMismatch, and EngineError when it lets nobody in.
    """
    sock = socket.create_connection(("127.0.0.1", rendezvous.port), CONNECT_SECONDS)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handshake.prove_to_server(sock, rendezvous.token)
    except BaseException:
        sock.close()
        raise
    client = Client(sock)
    try:
        client.info = client.hello()
    except BaseException:
        client.close()
        raise
    return client


class Client:
    """An open connection. Use it as a `with` block."""

    info: EngineInfo

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._ids = itertools.count(1)
        self._send_turn = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[Answer]] = {}
        self._progress: dict[int, Progress] = {}
        self._ended = False
        self._state = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="tincture-reader", daemon=True)
        self._reader.start()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the engine cancels what this connection still had running."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        if self._reader is not threading.current_thread():
            self._reader.join()

    def hello(self) -> EngineInfo:
        """Who is there? Raises VersionMismatch."""
        answer = self.call(messages.HELLO, {"protocol": PROTOCOL, "version": VERSION})
        info = _known(EngineInfo, answer)
        if info.protocol != PROTOCOL:
            older = (
                "plug-in"
                if isinstance(info.protocol, int) and info.protocol > PROTOCOL
                else "engine"
            )
            raise VersionMismatch(
                f"the Tincture {older} is out of date (plug-in {VERSION}, protocol {PROTOCOL}; "
                f"engine {info.version}, protocol {info.protocol}). In Tincture's folder run: "
                f"{places.INSTALL}, then restart GIMP"
            )
        return info

    def open_picture(self, gray: Buffer, width: int, height: int, channels: int, dtype: str) -> str:
        """Show the engine a photo; its pixels travel only if the engine does not hold them.

        gray: height * width * channels numbers of dtype ("U8", "U16" or "F32"), rows from the top;
        channels: 1 (sRGB-encoded luminance) or 2 (and alpha). Returns the picture's key.
        """
        data = memoryview(gray).cast("B")
        shape = (height, width) if channels == 1 else (height, width, channels)
        key = picture_key(data, dtype, shape)
        params = {"picture": key}
        if not self.call(messages.OPEN_PICTURE, params)["known"]:
            self.call(messages.OPEN_PICTURE, params, {"gray": Array(dtype, shape, data)})
        return key

    def close_picture(self, key: str) -> None:
        """Let the engine forget the picture, for every connection that has opened it."""
        self.call(messages.CLOSE_PICTURE, {"picture": key})

    def colorize(
        self,
        request: ColorizeRequest,
        progress: Optional[Progress] = None,  # noqa: UP045
        cancelled: Optional[Callable[[], bool]] = None,  # noqa: UP045
    ) -> ColorizeResult:
        """Colour an open picture.

        progress: called on the reader's thread with the fraction done. cancelled: asked now and
        then; the call ends with JobCancelled once it says yes. Raises EngineError and its kinds.
        """
        params, arrays = request.to_params()
        frame = self._call(messages.COLORIZE, params, arrays, progress, cancelled)
        result = frame.header["result"]
        pixels = frames.unpack_arrays(result["arrays"], frame.payload)["rgb"]
        height, width, channels = pixels.shape
        x, y = result["place"]
        return ColorizeResult(
            name=result["name"],
            x=x,
            y=y,
            width=width,
            height=height,
            channels=channels,
            dtype=pixels.dtype,
            pixels=pixels.data,
            dots=tuple(_known(DotReport, report) for report in result["dots"]),
            notes=tuple(result["notes"]),
            theme=tuple(result["theme"]),
            shares=tuple(result["shares"]),
            more=bool(result["more"]),
        )

    def recommend_themes(self, key: str, count: int = 6, side: int = 0) -> list[ThemeResult]:
        """Themes that suit a picture, best first; side: of the thumbnails, 0 for none."""
        params = {"picture": key, "count": count, "side": side}
        return _themes(self._call(messages.RECOMMEND_THEMES, params))

    def theme_of(self, rgb: Buffer, width: int, height: int, count: int = 0) -> ThemeResult:
        """The theme of a colour photo (8-bit RGB); count: 3..7, or 0 to let the photo decide."""
        array = Array("U8", (height, width, 3), memoryview(rgb).cast("B"))
        (theme,) = _themes(self._call(messages.THEME_OF, {"count": count}, {"rgb": array}))
        return theme

    def suggest_colors(self, key: str, x: float, y: float) -> tuple[ColorSuggestion, ...]:
        """Up to nine colours that are likely at a place of the picture, the likeliest first."""
        answer = self.call(messages.SUGGEST_COLORS, {"picture": key, "x": x, "y": y})
        return tuple(_known(ColorSuggestion, each) for each in answer["colors"])

    def suggest_places(self, request: ColorizeRequest) -> tuple[tuple[float, float], ...]:
        """Up to three places where a dot would help most, in photo pixels; most useful first.

        Of the request the picture, the dots and the hint strips count.
        """
        params, arrays = request.to_params()
        answer = self.call(messages.SUGGEST_PLACES, params, arrays)
        return tuple((float(x), float(y)) for x, y in answer["places"])

    def read_theme(self, file: bytes, name: str) -> tuple[ThemeResult, tuple[str, ...]]:
        """The theme in a palette file (.gpl, .ase, .aco, hexadecimal colours), and notes on it.

        name: of the theme, where the file gives none. Raises EngineError.
        """
        array = Array("U8", (len(file),), memoryview(file))
        frame = self._call(messages.READ_THEME, {"name": name}, {"file": array})
        (theme,) = _themes(frame)
        return theme, tuple(frame.header["result"]["notes"])

    def status(self) -> Mapping[str, Any]:
        """What the engine is doing; see docs/protocol.md."""
        return self.call(messages.STATUS, {})

    def shutdown(self) -> None:
        """Ask the engine to end."""
        self.call(messages.SHUTDOWN, {})

    def call(
        self,
        method: str,
        params: Mapping[str, Any],
        arrays: Optional[Mapping[str, Array]] = None,  # noqa: UP045
    ) -> dict[str, Any]:
        """One request, one result. Raises EngineError and its kinds."""
        result = self._call(method, params, arrays).header.get("result")
        return result if isinstance(result, dict) else {}

    def _call(
        self,
        method: str,
        params: Mapping[str, Any],
        arrays: Optional[Mapping[str, Array]] = None,  # noqa: UP045
        progress: Optional[Progress] = None,  # noqa: UP045
        cancelled: Optional[Callable[[], bool]] = None,  # noqa: UP045
    ) -> frames.Frame:
        table, payload = frames.pack_arrays(arrays or {})
        number = next(self._ids)
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        with self._state:
            if self._ended:
                raise EngineGone(_GONE)
            self._waiting[number] = answers
            if progress:
                self._progress[number] = progress
        header = {"jsonrpc": "2.0", "id": number, "method": method,
                  "params": {**params, "arrays": table}}  # fmt: skip
        try:
            self._send(header, payload)
            answer = self._wait(number, answers, cancelled)
        finally:
            with self._state:
                self._waiting.pop(number, None)
                self._progress.pop(number, None)
        if isinstance(answer, EngineError):
            raise answer
        return answer

    def _send(self, header: Mapping[str, Any], payload: list[memoryview]) -> None:
        try:
            with self._send_turn:
                frames.send(self._socket, header, payload)
        except OSError as error:
            raise EngineGone(_GONE) from error

    def _wait(
        self,
        number: int,
        answers: queue.SimpleQueue[Answer],
        cancelled: Optional[Callable[[], bool]],  # noqa: UP045
    ) -> Answer:
        if cancelled is None:
            return answers.get()
        asked = False
        while True:
            with suppress(queue.Empty):
                return answers.get(timeout=POLL_SECONDS)
            if not asked and cancelled():
                self._send(
                    {"jsonrpc": "2.0", "method": messages.CANCEL, "params": {"id": number}}, []
                )
                asked = True

    def _read(self) -> None:
        try:
            while True:
                self._take(frames.receive(self._socket))
        except (ConnectionEnded, ProtocolError, OSError):
            pass
        finally:  # whatever ended the reading, nobody may wait for ever
            with self._state:
                self._ended = True
                waiting = list(self._waiting.values())
            for answers in waiting:
                answers.put(EngineGone(_GONE))

    def _take(self, frame: frames.Frame) -> None:
        header = frame.header
        if header.get("method") == messages.PROGRESS:
            params = header.get("params", {})
            with self._state:
                progress = self._progress.get(params.get("id"))
            if progress:
                progress(float(params.get("fraction", 0.0)))
            return
        with self._state:
            answers = self._waiting.get(header.get("id", 0))
        if answers:
            answers.put(_error(header["error"]) if "error" in header else frame)


def picture_key(data: memoryview, dtype: str, shape: tuple[int, ...]) -> str:
    """The content's hash: the same photo has the same key on both sides."""
    digest = hashlib.blake2b(data, digest_size=20)
    digest.update(f"{dtype}{shape}".encode())
    return digest.hexdigest()


def _known(kind: Callable[..., Made], values: Mapping[str, Any]) -> Made:
    """A message's dataclass; fields of a newer engine are left out, those of an older one None."""
    return kind(**{field.name: values.get(field.name) for field in fields(kind)})  # type: ignore[arg-type]


def _error(error: Mapping[str, Any]) -> EngineError:
    code, message = error.get("code", messages.INTERNAL_ERROR), str(error.get("message", ""))
    kind = JobCancelled if code == messages.CANCELLED else EngineError
    return kind(message, code)


def _themes(frame: frames.Frame) -> list[ThemeResult]:
    result = frame.header["result"]
    arrays = frames.unpack_arrays(result.get("arrays", {}), frame.payload)
    themes = []
    for index, theme in enumerate(result["themes"]):
        array = arrays.get(f"thumbnail{index}")
        height, width = array.shape[:2] if array else (0, 0)
        colors, shares = tuple(theme["colors"]), tuple(theme["shares"])
        pixels = array.data if array else None
        themes.append(ThemeResult(theme["name"], colors, shares, width, height, pixels))
    return themes
