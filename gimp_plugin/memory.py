"""What a result layer remembers of how it was made, so that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from gimp_plugin.plan import USUAL, Settings
from server.protocol import VERSION
from server.protocol.messages import ColorizeRequest, Dot, DotReport, InvalidParams


@dataclass(frozen=True)
class Memory:
    photo: int  # the photo layer's tattoo, which GIMP keeps in the file
    settings: Settings = USUAL
    dots: tuple[tuple[float, float, str], ...] = ()  # place in the photo, asked colour
    network: str = ""
    weights: str = ""  # SHA-256
    version: str = VERSION

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
    theme = _checked(values, "theme")
    settings = Settings(
        theme=theme,
        shares=_checked({**values, "theme": theme}, "shares", "theme"),
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


def _checked(values: dict[str, Any], name: str, *others: str) -> Any:
    """A setting as a request for a result has it; others: the fields that it must go with."""
    try:
        params = {each: values[each] for each in (name, *others)}
        return getattr(ColorizeRequest.from_params({"picture": "", **params}, {}), name)
    except (KeyError, InvalidParams):
        return getattr(USUAL, name)


def _dots(values: dict[str, Any]) -> tuple[tuple[float, float, str], ...]:
    try:
        params = [{"x": x, "y": y, "color": color, "radius": 1} for x, y, color in values["dots"]]
        dots = [Dot.from_params(each) for each in params]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple((dot.x, dot.y, dot.color) for dot in dots)


def asked_dots(reports: Sequence[DotReport]) -> tuple[tuple[float, float, str], ...]:
    return tuple((round(r.x, 2), round(r.y, 2), r.asked) for r in reports)
