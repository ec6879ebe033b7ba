"""What a result layer remembers of how it was made, so that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

from gimp_plugin.plan import USUAL, Settings
from server.protocol import VERSION
from server.protocol.messages import QUALITIES, DotReport


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
    """Read a memory; what is missing or wrong in it gets its usual value."""
    try:
        values = json.loads(data)
    except ValueError:
        values = {}
    if not isinstance(values, dict):
        values = {}
    try:
        theme = tuple(str(color) for color in values.get("theme", ()))
        shares = tuple(float(share) for share in values.get("shares", ()))
        settings = Settings(
            theme=theme,
            shares=shares if len(shares) == len(theme) and sum(shares) > 0 else (),
            strength=float(values.get("strength", 1.0)),
            saturation=float(values.get("saturation", 1.0)),
            color_only=bool(values.get("color_only", True)),
            quality=values["quality"] if values.get("quality") in QUALITIES else USUAL.quality,
            locked=tuple((float(x), float(y)) for x, y in values.get("locked", ())),
        )
        dots = tuple((float(x), float(y), str(color)) for x, y, color in values.get("dots", ()))
        photo = int(values.get("photo", 0))
    except (TypeError, ValueError):
        return Memory(0)
    words = {f.name: str(values.get(f.name, "")) for f in fields(Memory) if f.type == "str"}
    return Memory(photo, settings, dots, **words)


def asked_dots(reports: Sequence[DotReport]) -> tuple[tuple[float, float, str], ...]:
    return tuple((round(r.x, 2), round(r.y, 2), r.asked) for r in reports)
