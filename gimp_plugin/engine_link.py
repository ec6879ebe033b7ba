"""The window's line to the engine: connects when needed, shows it the photo, heals a broken line.

Everything here blocks, so it is called on the worker's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Optional, TypeVar

from gimp_plugin.texts import _
from gimp_plugin.work import Connect, Photo
from server.protocol import messages
from server.protocol.client import Client, EngineError, EngineGone, VersionMismatch
from server.protocol.messages import (
    ColorizeRequest,
    ColorizeResult,
    ColorSuggestion,
    EngineInfo,
    ThemeResult,
)

THEMES = 6
THUMBNAIL_SIDE = 96

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class EngineState:
    """How it stands with the engine, for people."""

    kind: str  # "starting", "ready", "restarting", "missing" or "mismatch"
    words: str


STARTING = EngineState("starting", _("Starting the Tincture engine…"))
RESTARTING = EngineState("restarting", _("The engine stopped; restarting it…"))


class EngineLink:
    """One photo's line to the engine. Raises EngineError and its kinds."""

    def __init__(self, connect: Connect, say: Callable[[EngineState], None]) -> None:
        """say: told on the worker's thread how it stands."""
        self._connect = connect
        self._say = say
        self._client: Optional[Client] = None  # noqa: UP045
        self._photo: Optional[Photo] = None  # noqa: UP045
        self._key = ""
        self._shown = ""  # name of the full-size result that the canvas shows
        self._closed = False

    @property
    def info(self) -> Optional[EngineInfo]:  # noqa: UP045
        return self._client.info if self._client else None

    def take(self, photo: Photo) -> None:
        """From now on it is about this photo."""
        if photo is not self._photo:
            self._photo, self._key, self._shown = photo, "", ""

    def colorize_live(self, request: ColorizeRequest, whole: bool) -> ColorizeResult:
        """Colour the photo; all of it, or the rectangle that differs from the last live result.

        The canvas must show each result that this returns.
        """

        def ask(client: Client, key: str) -> ColorizeResult:
            since = "" if whole else self._shown
            return client.colorize(replace(request, picture=key, since=since, live=True))

        result = self._with_photo(ask)
        self._shown = result.name
        return result

    def colorize(
        self, request: ColorizeRequest, progress: Callable[[float], None]
    ) -> ColorizeResult:
        """Colour all of the photo."""
        self._shown = ""  # the engine remembers one result, and this one the canvas never sees
        return self._with_photo(
            lambda client, key: client.colorize(replace(request, picture=key), progress)
        )

    def recommend_themes(self) -> list[ThemeResult]:
        return self._with_photo(
            lambda client, key: client.recommend_themes(key, THEMES, THUMBNAIL_SIDE)
        )

    def suggest_colors(self, x: float, y: float) -> tuple[ColorSuggestion, ...]:
        return self._with_photo(lambda client, key: client.suggest_colors(key, x, y))

    def suggest_places(self, request: ColorizeRequest) -> tuple[tuple[float, float], ...]:
        return self._with_photo(
            lambda client, key: client.suggest_places(replace(request, picture=key))
        )

    def read_theme(self, file: bytes, name: str) -> tuple[ThemeResult, tuple[str, ...]]:
        return self._healing(lambda client: client.read_theme(file, name))

    def theme_of(self, rgb: bytes, width: int, height: int) -> ThemeResult:
        return self._healing(lambda client: client.theme_of(rgb, width, height))

    def close(self) -> None:
        """Hang up; what still runs ends with EngineGone."""
        self._closed = True
        client, self._client = self._client, None
        if client:
            client.close()

    def _with_photo(self, ask: Callable[[Client, str], Answer]) -> Answer:
        """Ask about the photo; the engine may have forgotten it."""

        def ask_once(client: Client) -> Answer:
            return ask(client, self._key or self._open(client))

        try:
            return self._healing(ask_once)
        except EngineError as error:
            if error.code != messages.UNKNOWN_PICTURE:
                raise
            self._key = ""
            return self._healing(ask_once)

    def _open(self, client: Client) -> str:
        photo = self._photo
        if photo is None:
            raise EngineError("no photograph was taken up")
        channels, dtype = photo.format.channels, photo.format.dtype
        self._key = client.open_picture(photo.pixels, photo.width, photo.height, channels, dtype)
        return self._key

    def _healing(self, ask: Callable[[Client], Answer]) -> Answer:
        """Ask; once more with an engine started anew if it ended in the middle."""
        try:
            return ask(self._line(STARTING))
        except EngineGone:
            if self._closed:
                raise
            self._lost()
            return ask(self._line(RESTARTING))

    def _line(self, meanwhile: EngineState) -> Client:
        if self._client is None:
            self._say(meanwhile)
            try:
                self._client = self._connect(lambda words: None)
            except EngineError as error:
                self._say(_trouble(error))
                raise
            self._say(EngineState("ready", _device_words(self._client.info)))
        return self._client

    def _lost(self) -> None:
        if self._client:
            self._client.close()
        self._client, self._key, self._shown = None, "", ""


def _trouble(error: EngineError) -> EngineState:
    words = str(error)
    kind = "mismatch" if isinstance(error, VersionMismatch) else "missing"
    return EngineState(kind, words[:1].upper() + words[1:])


def _device_words(info: EngineInfo) -> str:
    if info.device.startswith("cuda"):
        return _("Ready, using the graphics card")
    return _("Ready, using the processor")
