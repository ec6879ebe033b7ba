"""The photos that the engine holds, by content hash, within a bound of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from engine.picture import Picture
from engine.possibilities import Possibilities
from engine.result import Result
from server.protocol.messages import ColorizeRequest

MAX_PICTURES = 8
MAX_BYTES = 1 << 30  # of photos' own pixels; the newest one is held whatever its size


@dataclass
class Held:
    """A photo and what was made of it that later requests build on."""

    picture: Picture
    result: Result | None = None  # the last one at full size
    result_name: str = ""
    color_only: bool = False  # that result was for a layer that leaves lightness to the photo
    unfinished: ColorizeRequest | None = None  # whose result the client has a part of
    possibilities: Possibilities | None = None


class Pictures:
    """Least recently used goes first.

    Photos are not tied to a connection: GIMP runs a plug-in as a short process for each call, and
    the next call on the same photo shall find it here.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._turn = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: str) -> Held | None:
        with self._turn:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: str, picture: Picture) -> Held:
        held = Held(picture)
        with self._turn:
            self._held[key] = held
            self._held.move_to_end(key)
            while len(self._held) > 1 and self._too_much():
                self._held.popitem(last=False)
        return held

    def drop(self, key: str) -> None:
        with self._turn:
            self._held.pop(key, None)

    def _too_much(self) -> bool:
        size = sum(held.picture.gray.nbytes for held in self._held.values())
        return len(self._held) > MAX_PICTURES or size > MAX_BYTES
