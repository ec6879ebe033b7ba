"""The engine's part of a colorization, on a thread of its own while GIMP's thread stays awake.

No call to GIMP here: the main thread polls `Work` and shows its state.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Callable, Optional

from gimp_plugin.memory import Memory, asked_dots
from gimp_plugin.plan import PixelFormat, Refused, Settings
from server.protocol import launcher
from server.protocol.client import Client, EngineError
from server.protocol.messages import ColorizeRequest, ColorizeResult, EngineInfo, HintStrip

Connect = Callable[[Callable[[str], None]], Client]


@dataclass(frozen=True)
class Photo:
    """A layer's pixels as read from GIMP."""

    pixels: bytes
    width: int
    height: int
    format: PixelFormat


def request_of(
    settings: Settings, strips: tuple[HintStrip, ...], picture: str = ""
) -> ColorizeRequest:
    """What the engine is asked for, by the window and without it; picture: its key."""
    return ColorizeRequest(
        picture=picture,
        hint_strips=strips,
        theme=settings.theme,
        shares=settings.shares,
        strength=settings.strength,
        saturation=settings.saturation,
        quality=settings.quality,
        locked=settings.locked,
    )


class Work:
    """One colorization: start it, poll it, take its result."""

    def __init__(
        self,
        photo: Photo,
        strips: tuple[HintStrip, ...],
        settings: Settings,
        connect: Connect = launcher.connect_or_start,
    ) -> None:
        self.fraction = 0.0
        self.state = ""
        self._photo, self._strips, self._settings = photo, strips, settings
        self._connect = connect
        self._result: Optional[ColorizeResult] = None  # noqa: UP045
        self._info: Optional[EngineInfo] = None  # noqa: UP045
        self._error: Optional[EngineError] = None  # noqa: UP045
        self._thread = threading.Thread(target=self._run, name="tincture-work", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait a little; is it done?"""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> ColorizeResult:
        """What the engine made. Raises Refused with the engine's sentence."""
        if self._error is not None:
            raise Refused(str(self._error)) from self._error
        if self._result is None:
            raise Refused("the engine gave no answer")
        return self._result

    def memory(self) -> Memory:
        """What the result layer shall remember. Raises Refused."""
        return memory_of(self.result(), self._settings, self._info)

    def _run(self) -> None:
        try:
            with self._connect(self._say) as client:
                self._say("")
                self._info = client.info
                self._result = self._ask(client)
        except EngineError as error:
            self._error = error

    def _ask(self, client: Client) -> ColorizeResult:
        photo, settings = self._photo, self._settings
        key = client.open_picture(
            photo.pixels, photo.width, photo.height, photo.format.channels, photo.format.dtype
        )
        return client.colorize(request_of(settings, self._strips, key), self._progress)

    def _progress(self, fraction: float) -> None:
        self.fraction = fraction

    def _say(self, words: str) -> None:
        self.state = words


def memory_of(
    result: ColorizeResult,
    settings: Settings,
    info: Optional[EngineInfo],  # noqa: UP045
) -> Memory:
    """How a result was made; the photo is filled in where it is put."""
    network, weights = (info.network, info.weights_sha256) if info else ("", "")
    return Memory(0, settings, asked_dots(result.dots), network, weights)


def theme_of(
    rgb: bytes,
    width: int,
    height: int,
    count: int,
    connect: Connect = launcher.connect_or_start,
) -> tuple[str, ...]:
    """The theme of a colour picture (8-bit RGB); count: 3..7 or 0. Raises Refused."""
    try:
        with connect(lambda words: None) as client:
            return client.theme_of(rgb, width, height, count).colors
    except EngineError as error:
        raise Refused(str(error)) from error
