"""What a result layer remembers of how it was made, so that it can be made again."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from gimp_plugin.plan import USUAL, Settings
from server.protocol import VERSION
from server.protocol.messages import ColorizeRequest, Dot, DotReport, InvalidParams

SIDE = 8  # pixels of the small picture in what `seen` writes
ALIKE = 0.8  # least correlation of two small pictures of one photo, perhaps retouched in between

RememberedDot = tuple[float, float, str]  # x and y in the photo, and the asked colour "#rrggbb"


@dataclass(frozen=True)
class Memory:
    photo: int  # the photo layer's tattoo, which GIMP keeps in the file
    settings: Settings = USUAL
    dots: tuple[RememberedDot, ...] = ()
    network: str = ""
    weights: str = ""  # SHA-256
    version: str = VERSION
    image: str = ""  # a name that the coloured image was given; empty: any image
    seen: str = ""  # the photo at a glance, as `seen` writes it; empty: nothing is known of it

    def fitting(self, now: str) -> Memory:
        """Without dots and locks where they lie elsewhere now: the photo was turned or cropped."""
        if is_same_photo(self.seen, now):
            return self
        return replace(self, dots=(), settings=replace(self.settings, locked=()))

    def to_bytes(self) -> bytes:
        values = asdict(self)
        settings = values.pop("settings")
        return json.dumps({**values, **settings}).encode()


def from_bytes(data: bytes) -> Memory:
    """Read a memory; what is missing or wrong in it gets its usual value.

    Right is what the engine would take: anybody may have written the file that it comes from.
    """
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        values = {}
    if not isinstance(values, dict):
        values = {}
    settings = Settings(
        theme=_checked(values, "theme"),
        shares=_checked(values, "shares", "theme"),
        strength=_checked(values, "strength"),
        saturation=_checked(values, "saturation"),
        color_only=values.get("color_only") is not False,
        locked=_checked(values, "locked"),
        quality=_checked(values, "quality"),
    )
    photo = values.get("photo")
    texts = {f.name: values.get(f.name) for f in fields(Memory) if f.type == "str"}
    words = {name: text if isinstance(text, str) else "" for name, text in texts.items()}
    return Memory(photo if type(photo) is int else 0, settings, _dots(values), **words)


def seen(width: int, height: int, gray: bytes) -> str:
    """A photo at a glance, in words: its size and a small picture of it."""
    return f"{width}x{height}:{gray.hex()}"


def is_same_photo(before: str, now: str) -> bool:
    """Was the photo neither turned nor cropped in between? True where nothing is known of it."""
    if not before:
        return True
    (size, _, picture), (size_now, _, picture_now) = before.partition(":"), now.partition(":")
    try:
        pictures = bytes.fromhex(picture), bytes.fromhex(picture_now)
    except ValueError:
        return False
    return size == size_now and _correlation(*pictures) >= ALIKE


def _correlation(first: bytes, second: bytes) -> float:
    """Of two pictures, -1..1; 1 for two that are of one shade each, 0 where sizes differ."""
    if len(first) != len(second) or not first:
        return 0.0
    a, b = ([value - sum(each) / len(each) for value in each] for each in (first, second))
    products = [sum(x * y for x, y in zip(*pair)) for pair in ((a, b), (a, a), (b, b))]
    both = math.sqrt(products[1] * products[2])
    return products[0] / both if both else float(products[1] == products[2])


def _checked(values: dict[str, Any], name: str, *others: str) -> Any:
    """A setting as a request for a result has it; others: the fields that it must go with."""
    try:
        params = {each: values[each] for each in (name, *others)}
        return getattr(ColorizeRequest.from_params({"picture": "", **params}, {}), name)
    except (KeyError, InvalidParams):
        return getattr(USUAL, name)


def _dots(values: dict[str, Any]) -> tuple[RememberedDot, ...]:
    try:
        params = [{"x": x, "y": y, "color": color, "radius": 1} for x, y, color in values["dots"]]
        dots = [Dot.from_params(each) for each in params]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple((dot.x, dot.y, dot.color) for dot in dots)


def asked_dots(reports: Sequence[DotReport]) -> tuple[RememberedDot, ...]:
    return tuple((round(r.x, 2), round(r.y, 2), r.asked) for r in reports)
