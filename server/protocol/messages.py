"""Every message: its method, its fields, their limits, and the error codes.

A request's fields are checked when it is read (`from_params`), so what reaches the engine is of the
right type and within its bounds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from server.protocol.frames import Array

HELLO = "hello"
OPEN_PICTURE = "open_picture"
CLOSE_PICTURE = "close_picture"
COLORIZE = "colorize"
RECOMMEND_THEMES = "recommend_themes"
THEME_OF = "theme_of"
SUGGEST_COLORS = "suggest_colors"
SUGGEST_PLACES = "suggest_places"
READ_THEME = "read_theme"
STATUS = "status"
SHUTDOWN = "shutdown"
METHODS = (
    *(HELLO, OPEN_PICTURE, CLOSE_PICTURE, COLORIZE, RECOMMEND_THEMES, THEME_OF, SUGGEST_COLORS),
    *(SUGGEST_PLACES, READ_THEME, STATUS, SHUTDOWN),
)
PROGRESS = "progress"  # notification of the engine: {id, fraction}
CANCEL = "cancel"  # notification of the client: {id}

METHOD_NOT_FOUND, INVALID_PARAMS = -32601, -32602
INTERNAL_ERROR = -32603
CANCELLED = -32800  # as in the Language Server Protocol
UNKNOWN_PICTURE = 1  # the engine does not hold that picture (any more): open it again
BAD_PICTURE = 2  # the picture cannot be coloured; the message says why
BUSY = 3  # too many jobs wait

QUALITIES = ("draft", "normal", "fine")  # finer ones take longer
MAX_PIXELS = 200_000_000
MAX_DOTS = 10_000
MAX_PALETTE_COLORS = 65_536  # that a theme may come with; the engine reduces them
MAX_THEME_COLORS = 7  # that it then has at most
MAX_STRIPS = 4096
MAX_THEMES = 24
MAX_THUMBNAIL_SIDE = 512
MAX_PREVIEW_SIDE = 4096
MAX_SUGGESTIONS = 9
MAX_PLACES = 3
MAX_PALETTE_BYTES = 4 << 20
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")


class InvalidParams(ValueError):
    """A request's field is missing, of the wrong type or out of bounds."""


@dataclass(frozen=True)
class Dot:
    """A dot in photo pixels; the centre of the first pixel is at 0.5, 0.5."""

    x: float
    y: float
    radius: float
    color: str  # "#rrggbb", sRGB

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Dot:
        x, y = (number(params, name, -1e6, 1e6) for name in ("x", "y"))
        return cls(x, y, number(params, "radius", 1e-3, 1e6), _color(params.get("color")))


@dataclass(frozen=True)
class HintStrip:
    """A rectangle of the hints layer, in photo coordinates. Strips that touch belong together."""

    x: int
    y: int
    width: int
    height: int
    rgba: bytes  # 8-bit sRGB with straight alpha, width * height * 4 bytes


@dataclass(frozen=True)
class ColorizeRequest:
    picture: str
    dots: tuple[Dot, ...] = ()
    hint_strips: tuple[HintStrip, ...] = ()
    theme: tuple[str, ...] = ()  # "#rrggbb"; none = no theme
    shares: tuple[float, ...] = ()  # of the picture, for each colour of the theme; none: any
    strength: float = 1.0  # of the theme: 0 none .. 1 .. 2 only these colours
    saturation: float = 1.0  # 0 grey .. 1 .. 2
    preview_side: Optional[int] = None  # noqa: UP045  longest side; None = the photo's own size
    locked: tuple[tuple[float, float], ...] = ()  # places of dots whose region takes their colour
    since: str = ""  # name of a full-size result: only what differs from it is wanted
    live: bool = False  # a newer live request for the picture takes the place of a waiting one
    quality: str = "normal"  # one of QUALITIES
    near: Optional[tuple[float, float]] = None  # noqa: UP045  with `since`: first what is about here
    color_only: bool = False  # for a layer that leaves lightness to the photo: 8 bits, rough in L

    def to_params(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """The params and the arrays of the request."""
        params = asdict(self)
        params["hint_strips"] = [[s.x, s.y, s.width, s.height] for s in self.hint_strips]
        arrays = {
            f"strip{index}": Array("U8", (s.height, s.width, 4), memoryview(s.rgba))
            for index, s in enumerate(self.hint_strips)
        }
        return params, arrays

    @classmethod
    def from_params(cls, params: Mapping[str, Any], arrays: Mapping[str, Array]) -> ColorizeRequest:
        """Raises InvalidParams."""
        strips = _items(params, "hint_strips", MAX_STRIPS)
        side = params.get("preview_side")
        return cls(
            picture=text(params, "picture"),
            dots=tuple(Dot.from_params(_object(d)) for d in _items(params, "dots", MAX_DOTS)),
            hint_strips=tuple(_strip(s, arrays.get(f"strip{i}")) for i, s in enumerate(strips)),
            theme=tuple(_color(c) for c in _items(params, "theme", MAX_PALETTE_COLORS)),
            shares=_shares(params),
            strength=number(params, "strength", 0, 2, 1.0),
            saturation=number(params, "saturation", 0, 2, 1.0),
            preview_side=None if side is None else whole(params, "preview_side", MAX_PREVIEW_SIDE),
            locked=tuple(_place(p) for p in _items(params, "locked", MAX_DOTS)),
            since=text(params, "since", default=""),
            live=params.get("live") is True,
            quality=_quality(params.get("quality", "normal")),
            near=None if params.get("near") is None else _place(params["near"]),
            color_only=params.get("color_only") is True,
        )


@dataclass(frozen=True)
class DotReport:
    """What became of a dot."""

    x: float
    y: float
    asked: str
    reachable: str  # the nearest colour that exists at this lightness
    reached: str
    delta_e: float  # CIEDE2000 between reachable and reached
    followed: float  # share of the dot's region, 0..1, that has its colour
    locked: bool


@dataclass(frozen=True)
class ColorizeResult:
    """A whole result, or with `since` the rectangle that changed (0 x 0 if nothing did).

    With `near` it is at most a part of that rectangle, and `more` tells that there is a rest.
    """

    name: str  # for `since`; empty for previews
    x: int  # of the first column in the photo
    y: int
    width: int
    height: int
    channels: int  # 3, or 4 with the photo's alpha
    dtype: str  # of the photo; "U8" for previews and where colour alone is wanted
    pixels: memoryview  # of bytes, sRGB-encoded
    dots: tuple[DotReport, ...]
    notes: tuple[str, ...]  # sentences for people
    theme: tuple[str, ...]  # as used
    shares: tuple[float, ...]  # as used; empty when none were asked for
    more: bool = False  # ask again, since this result, for the rest of what changed


@dataclass(frozen=True)
class ThemeResult:
    """A theme; `pixels` is the photo's thumbnail in it where one was asked for."""

    name: str
    colors: tuple[str, ...]
    shares: tuple[float, ...]  # of a picture, for each colour; empty when not known
    width: int = 0
    height: int = 0
    pixels: Optional[memoryview] = None  # noqa: UP045  8-bit RGB


@dataclass(frozen=True)
class ColorSuggestion:
    color: str
    share: float  # how likely, 0..1


@dataclass(frozen=True)
class EngineInfo:
    version: str
    protocol: int
    network: str
    device: str
    weights_sha256: str
    pid: int


def text(
    params: Mapping[str, Any],
    name: str,
    longest: int = 200,
    default: Optional[str] = None,  # noqa: UP045
) -> str:
    value = params.get(name, default)
    if not isinstance(value, str) or len(value) > longest:
        raise InvalidParams(f"'{name}' must be a text of at most {longest} characters")
    return value


def number(
    params: Mapping[str, Any],
    name: str,
    low: float,
    high: float,
    default: Optional[float] = None,  # noqa: UP045
) -> float:
    value = params.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidParams(f"'{name}' must be a number")
    if not low <= value <= high:  # so it is for NaN and for integers that no float can hold
        raise InvalidParams(f"'{name}' must be from {low:g} to {high:g}")
    return float(value)


def whole(params: Mapping[str, Any], name: str, high: int, low: int = 1) -> int:
    value = params.get(name)
    if type(value) is not int or not low <= value <= high:
        raise InvalidParams(f"'{name}' must be a whole number from {low} to {high}")
    return value


def _items(params: Mapping[str, Any], name: str, most: int) -> Sequence[Any]:
    value = params.get(name, ())
    if not isinstance(value, (list, tuple)) or len(value) > most:
        raise InvalidParams(f"'{name}' must be a list of at most {most} entries")
    return value


def _object(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidParams("an entry is not an object")
    return value


def _color(value: object) -> str:
    if not isinstance(value, str) or not _COLOR.match(value):
        raise InvalidParams("a colour must be written #rrggbb")
    return value.lower()


def _shares(params: Mapping[str, Any]) -> tuple[float, ...]:
    """As they come: how they compare counts, not what they sum to."""
    given = _items(params, "shares", MAX_PALETTE_COLORS)
    if given and len(given) != len(_items(params, "theme", MAX_PALETTE_COLORS)):
        raise InvalidParams("'shares' must have one number for each colour of the theme, or none")
    shares = tuple(number({"shares": share}, "shares", 0, 1e6) for share in given)
    if shares and not sum(shares):
        raise InvalidParams("one of the 'shares' must be above 0")
    return shares


def _place(value: object) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise InvalidParams("a place must be [x, y]")
    place = dict(zip("xy", value))
    return number(place, "x", -1e6, 1e6), number(place, "y", -1e6, 1e6)


def _quality(value: object) -> str:
    if value not in QUALITIES:
        raise InvalidParams(f"the quality must be {', '.join(QUALITIES)}")
    return str(value)


def _strip(place: object, array: Optional[Array]) -> HintStrip:  # noqa: UP045
    if not isinstance(place, list) or len(place) != 4:
        raise InvalidParams("a strip's place must be [x, y, width, height]")
    if not all(type(n) is int and abs(n) < 10_000_000 for n in place):
        raise InvalidParams("a strip's place must be four whole numbers")
    x, y, width, height = place
    if width < 1 or height < 1:
        raise InvalidParams("a strip must be at least one pixel wide and high")
    if array is None or array.dtype != "U8" or array.shape != (height, width, 4):
        raise InvalidParams("a strip's pixels do not have the size that it gives")
    return HintStrip(x, y, width, height, bytes(array.data))
