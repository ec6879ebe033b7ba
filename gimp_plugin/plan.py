"""Decisions that need no GIMP: which layer is the photo, how to read it, what to refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gimp_plugin.texts import _
from server.protocol import written_theme
from server.protocol.messages import MAX_PIXELS, ColorizeResult

HINTS_NAME = "hints"
RESULT_NAME = "Tincture"
STRIP_ROWS = 64  # of the hints layer, read at a time
MOSTLY_EMPTY = 0.1  # opacity of a whole layer, below which hardly a photo is in it
_BITS = {"U8": "u8", "U16": "u16", "F32": "float"}  # the wire's types, in GIMP's names


class Refused(Exception):
    """It cannot be done; the message says why and what to do."""


@dataclass(frozen=True)
class LayerFacts:
    """What the plan needs to know of a layer."""

    kind: str  # "pixels", "text", "group" or "floating"
    role: str  # "photo", "hints" or "result"
    width: int
    height: int


@dataclass(frozen=True)
class PixelFormat:
    """How to read the photo, in GIMP's names, and the wire's type."""

    read: str
    dtype: str  # "U8", "U16" or "F32"
    channels: int  # read: 1, or 2 with alpha


@dataclass(frozen=True)
class Settings:
    """What the user chose."""

    theme: tuple[str, ...] = ()  # "#rrggbb"
    shares: tuple[float, ...] = ()  # of the picture, for each colour of the theme; none: any
    strength: float = 1.0
    saturation: float = 1.0
    color_only: bool = True  # a layer in LCh-colour mode; else a normal layer
    locked: tuple[tuple[float, float], ...] = ()  # places of dots whose region takes their colour
    quality: str = "normal"  # one of the protocol's QUALITIES


USUAL = Settings()


def choose_photo(
    selected: Sequence[int], layers: Sequence[LayerFacts], colored: Sequence[int] = ()
) -> int:
    """The index of the layer to colour.

    selected: indices of the selected layers; layers: all of the image's from top to bottom;
    colored: those that were coloured before. While somebody paints dots the hints layer is the
    selected one, so ours are passed over: then it is the photo that was coloured before, else the
    uppermost one. Raises Refused.
    """
    photos = [index for index in selected if layers[index].role == "photo"]
    if len(photos) > 1:
        raise Refused(_("Several layers are selected. Select only the photograph's layer."))
    if not photos:
        likely = [
            index
            for index, layer in enumerate(layers)
            if layer.role == "photo" and layer.kind == "pixels"
        ]
        photos = [*colored, *likely]
    if not photos:
        raise Refused(_("There is no layer with a photograph in this image."))
    check_photo(layers[photos[0]])
    return photos[0]


def check_photo(layer: LayerFacts) -> None:
    """Raises Refused for a layer that cannot be coloured."""
    if layer.kind == "group":
        raise Refused(
            _("A layer group is selected. Select the photograph's layer inside it, or merge it.")
        )
    if layer.kind == "text":
        raise Refused(_("A text layer is selected. Select the photograph's layer."))
    if layer.kind == "floating":
        raise Refused(_("A floating selection is in the image. Anchor it, or make it a layer."))
    if layer.width * layer.height > MAX_PIXELS:
        raise Refused(
            _("The photograph has {0:.0f} megapixels; at most {1:.0f} can be coloured.").format(
                layer.width * layer.height / 1e6, MAX_PIXELS / 1e6
            )
        )


def pixel_format(precision: int, has_alpha: bool) -> PixelFormat:
    """precision: the number of a Gimp.Precision; 8-bit below 200, 16-bit below 300, then more.

    32-bit integers and half floats travel as 32-bit floats, which hold all a photo has of them.
    """
    dtype = "U8" if precision < 200 else "U16" if precision < 300 else "F32"
    bits = _BITS[dtype]
    if has_alpha:
        return PixelFormat(f"Y'A {bits}", dtype, 2)
    return PixelFormat(f"Y' {bits}", dtype, 1)


def is_kept_by_conversion(precision: int) -> bool:
    """Does a gray photo come back from RGB as it was? GIMP rounds the last of 32 bits on the way.

    precision: as for `pixel_format`.
    """
    return precision < 300 or 500 <= precision < 600  # 8 and 16 bits, and half floats


def result_format(result: ColorizeResult) -> str:
    """What a result's pixels are, in GIMP's names."""
    components = "R'G'B'A" if result.channels == 4 else "R'G'B'"
    return f"{components} {_BITS[result.dtype]}"


def parse_theme(text: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The colours of a written theme, "#rrggbb", and their shares, or none. Raises Refused."""
    try:
        return written_theme.parse_theme(text)
    except written_theme.NotATheme as error:
        raise Refused(
            _(
                "“{0}” is not a colour of a theme; write all of them like #7a3b12, or all with "
                "their shares, like #7a3b12:70%."
            ).format(error)
        ) from error


def parse_places(text: str) -> tuple[tuple[float, float], ...]:
    """Places written like "120.5,80 300,41". Raises Refused."""
    try:
        pairs = [tuple(float(number) for number in word.split(",")) for word in text.split()]
        places = tuple((x, y) for x, y in pairs)
        if all(math.isfinite(number) for place in places for number in place):
            return places
    except ValueError:
        pass  # said below
    raise Refused(_("“{0}” are not places; write them like 120,80 300,41.").format(text))


def written_places(places: Sequence[tuple[float, float]]) -> str:
    """The same the other way round."""
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in places)
