"""Palettes from files: GIMP (.gpl), Adobe (.ase, .aco) and plain lists of hexadecimal colours.

Written from the formats' public descriptions, because the packages that read them (`swatch`,
`adobecolor`) know one or two of them each and have not been kept for years. A file's content
decides what it is, not its name.
"""

from __future__ import annotations

import colorsys
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.themes import Color, colors_of_lab

MAX_BYTES = 4 << 20
MAX_COLORS = 65_536
_GPL = "GIMP Palette"
_ASE = b"ASEF"
_ASE_COLOR = 0x0001
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_ACO_RGB, _ACO_HSB, _ACO_CMYK, _ACO_LAB, _ACO_GRAY = 0, 1, 2, 7, 8


class PaletteError(ValueError):
    """The file is not a palette that can be used; the message says why."""


@dataclass(frozen=True)
class Palette:
    name: str
    colors: tuple[Color, ...]  # in the file's order


def read_palette(path: Path) -> Palette:
    """Read a palette file. Raises PaletteError with a sentence for people."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PaletteError(f"{path} is too large for a palette")
        data = path.read_bytes()
    except OSError as error:
        raise PaletteError(f"{path} cannot be read: {error.strerror}") from error
    return parse_palette(data, path.stem, str(path))


def parse_palette(data: bytes, name: str, source: str = "the file") -> Palette:
    """Read a palette file's content.

    name: of the palette if the file gives none; source: how errors call the file. Raises
    PaletteError.
    """
    try:
        own_name, colors = _parse(data)
        if len(colors) > MAX_COLORS:
            raise ValueError(f"it holds more than {MAX_COLORS} colours")
    except (struct.error, ValueError, IndexError) as error:
        raise PaletteError(
            f"{source} is not a palette that Tincture knows (.gpl, .ase, .aco or a list of colours "
            f"like #7a3b12): {error}"
        ) from error
    if not colors:
        raise PaletteError(f"{source} holds no colours")
    return Palette(own_name or name, colors)


def parse_hex(text: str) -> Color:
    """A colour written #rrggbb or #rgb. Raises PaletteError."""
    found = _HEX.fullmatch(text.strip())
    if not found:
        raise PaletteError(f"“{text.strip()[:40]}” is not a colour; write it like #7a3b12")
    digits = found.group(1)
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    r, g, b = bytes.fromhex(digits)
    return r, g, b


def written_hex(color: Color) -> str:
    """The same the other way round: #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def _parse(data: bytes) -> tuple[str, tuple[Color, ...]]:
    if data.startswith(_ASE):
        return "", tuple(_ase(data))
    if data[:2] in (b"\0\1", b"\0\2"):
        return "", tuple(_aco(data))
    text = data.decode("utf-8-sig", errors="replace")
    if text.lstrip().startswith(_GPL):
        return _gpl(text)
    if "\0" in text:
        raise ValueError("it is neither text nor a known kind of palette")
    return "", tuple(_hex_list(text))


def _gpl(text: str) -> tuple[str, tuple[Color, ...]]:
    name, colors = "", []
    for line in text.splitlines()[1:]:
        words = line.split()
        if line.startswith("Name:"):
            name = line[5:].strip()
        elif len(words) >= 3 and all(word.isdecimal() for word in words[:3]):
            colors.append(_checked(*(int(word) for word in words[:3])))
    return name, tuple(colors)


def _hex_list(text: str) -> Iterator[Color]:
    for line in text.splitlines():
        for word in re.split(r"[\s,;]+", line.split("//")[0].strip()):
            if word:
                yield parse_hex(word)


def _ase(data: bytes) -> Iterator[Color]:
    """Adobe Swatch Exchange: blocks of type, length and content, big endian."""
    (blocks,) = struct.unpack_from(">I", data, 8)
    place = 12
    for _ in range(min(blocks, MAX_COLORS)):
        kind, length = struct.unpack_from(">HI", data, place)
        place += 6
        if kind == _ASE_COLOR:
            (characters,) = struct.unpack_from(">H", data, place)
            yield _ase_color(data, place + 2 + 2 * characters)
        place += length


def _ase_color(data: bytes, place: int) -> Color:
    model = data[place : place + 4]
    count = {b"RGB ": 3, b"CMYK": 4, b"LAB ": 3, b"Gray": 1}.get(model)
    if count is None:
        raise ValueError("a colour of an unknown kind is in it")
    values = struct.unpack_from(f">{count}f", data, place + 4)
    if not np.isfinite(values).all():
        raise ValueError("a colour in it is not a number")
    if model == b"RGB ":
        return _from_unit(values)
    if model == b"CMYK":
        return _from_cmyk(values)
    if model == b"LAB ":
        return _from_lab(100 * values[0], values[1], values[2])
    return _from_unit(values * 3)


def _aco(data: bytes) -> Iterator[Color]:
    """Adobe Color: version 1 has all that counts here; version 2 repeats it with names."""
    _version, count = struct.unpack_from(">HH", data, 0)
    named = _version == 2
    place = 4
    for _ in range(count):
        space, *values = struct.unpack_from(">HHHHH", data, place)
        place += 10
        if named:
            (characters,) = struct.unpack_from(">I", data, place)
            place += 4 + 2 * characters
        yield _aco_color(space, values)


def _aco_color(space: int, values: Sequence[int]) -> Color:
    unit = [value / 65535 for value in values]
    if space == _ACO_RGB:
        return _from_unit(unit[:3])
    if space == _ACO_HSB:
        return _from_unit(colorsys.hsv_to_rgb(*unit[:3]))
    if space == _ACO_CMYK:
        return _from_cmyk([1 - value for value in unit])
    if space == _ACO_LAB:
        a, b = ((value ^ 0x8000) - 0x8000 for value in values[1:3])
        return _from_lab(values[0] / 100, a / 100, b / 100)
    if space == _ACO_GRAY:
        return _from_unit([1 - min(values[0], 10_000) / 10_000] * 3)
    raise ValueError("a colour of an unknown kind is in it")


def _from_unit(values: Sequence[float]) -> Color:
    r, g, b = (round(255 * min(max(value, 0.0), 1.0)) for value in values)
    return r, g, b


def _from_cmyk(values: Sequence[float]) -> Color:
    c, m, y, k = values
    return _from_unit([(1 - ink) * (1 - k) for ink in (c, m, y)])


def _from_lab(lightness: float, a: float, b: float) -> Color:
    lab = np.clip((lightness, a, b), (0, -128, -128), (100, 127, 127))
    return colors_of_lab(lab[None])[0]


def _checked(r: int, g: int, b: int) -> Color:
    if max(r, g, b) > 255:
        raise ValueError("a colour has a number above 255")
    return r, g, b
