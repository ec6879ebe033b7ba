"""What a photo's file tells beside its pixels: when, where, what and by whom, and its resolution.

A result carries it on as EXIF, each value in the bytes it was written in. Left out is what holds
for the photo's own file alone: how it is turned, its thumbnail, its size and colours, and the
maker's note, which counts from the place where it stood.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from PIL.ExifTags import IFD, Base

Order = Literal["<", ">"]  # of bytes, as struct writes it

_HEADS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}  # what EXIF and TIFF begin with
# Bytes of a value of each of TIFF's types.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_SHORT, _LONG, _RATIONAL = 3, 4, 5
_LONGEST = 65_000  # bytes; a JPEG has room for few more
_INCH, _CENTIMETRE = 2, 3  # units of resolution
_LEAST_DPI, _MOST_DPI = 1, 100_000  # others are taken for unknown

_KEPT = {Base.ImageDescription, Base.Make, Base.Model, Base.Software, Base.DateTime, Base.Artist,
         Base.Copyright, Base.XPTitle, Base.XPComment, Base.XPAuthor, Base.XPKeywords,
         Base.XPSubject}  # fmt: skip
_PARTS: tuple[int, ...] = (IFD.Exif, IFD.GPSInfo)
_LEFT_OUT = {Base.MakerNote, Base.ExifImageWidth, Base.ExifImageHeight, Base.ColorSpace,
             Base.ExifInteroperabilityOffset}  # fmt: skip
_FOR_PROGRAMS = (b"{", b"<", b"ImageJ=")  # such descriptions tell how the old file is laid out

_PNG_HEAD = 33  # bytes of a PNG before its second chunk
_METRE = Fraction(10_000, 254)  # inches


@dataclass(frozen=True)
class Value:
    kind: int  # TIFF's number of its type
    raw: bytes  # in the file's order


Tags = Mapping[int, Value]
Dpi = tuple[Fraction, Fraction]  # across and down


@dataclass(frozen=True)
class Exif:
    """What a result carries on of its photo."""

    order: Order = "<"
    tags: Tags = field(default_factory=dict)
    parts: Mapping[int, Tags] = field(default_factory=dict)  # camera and place, by the tag of each
    dpi: Dpi | None = None

    def turned(self) -> Exif:
        """For pixels whose rows have become columns."""
        return replace(self, dpi=self.dpi and self.dpi[::-1])

    def block(self) -> bytes:
        """As PNG, JPEG and WebP hold it; b"" of nothing."""
        tags = self.all_tags()
        if not tags and not self.parts:
            return b""
        head = next(head for head, order in _HEADS.items() if order == self.order)
        block = head + struct.pack(self.order + "I", 8) + _directories(tags, self, 8)
        return block if len(block) <= _LONGEST else Exif(self.order, dpi=self.dpi).block()

    def all_tags(self) -> Tags:
        """The tags, and the resolution as tags."""
        if self.dpi is None:
            return self.tags
        x, y = (
            Value(_RATIONAL, struct.pack(self.order + "II", dots.numerator, dots.denominator))
            for dots in self.dpi
        )
        unit = Value(_SHORT, struct.pack(self.order + "H", _INCH))
        return {**self.tags, Base.XResolution: x, Base.YResolution: y, Base.ResolutionUnit: unit}


NO_EXIF = Exif()


def read_exif(
    data: bytes, start: int | None = None, dpi: tuple[float, float] | None = None
) -> Exif:
    """Read an EXIF block, or a TIFF file. What is damaged, and BigTIFF, counts as nothing.

    start: where the page's directory is, by default the first one; dpi: what else is known of it.
    """
    data = data.removeprefix(b"Exif\0\0")
    order = _HEADS.get(data[:4])
    if order is None or len(data) < 8:
        return Exif(dpi=_checked(dpi))
    if start is None:
        (start,) = struct.unpack_from(order + "I", data, 4)
    found = _read_directory(data, order, start)
    tags = {tag: value for tag, value in found.items() if tag in _KEPT}
    if Base.ImageDescription in tags and tags[Base.ImageDescription].raw.startswith(_FOR_PROGRAMS):
        del tags[Base.ImageDescription]
    parts = {tag: _part(data, order, found[tag]) for tag in _PARTS if tag in found}
    written = {tag: part for tag, part in parts.items() if part}
    return Exif(order, tags, written, _checked(_resolution(found, order) or dpi))


def _part(data: bytes, order: Order, pointer: Value) -> Tags:
    (start,) = struct.unpack(order + "I", pointer.raw.ljust(4, b"\0")[:4])
    found = _read_directory(data, order, start)
    return {tag: value for tag, value in found.items() if tag not in _LEFT_OUT}


def _read_directory(
    data: bytes | memoryview, order: Order, start: int, longest: int = _LONGEST
) -> dict[int, Value]:
    tags = {}
    with suppress(struct.error):  # a damaged one counts as far as it can be read
        (count,) = struct.unpack_from(order + "H", data, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values = struct.unpack_from(order + "HHI", data, place)
            size = values * _SIZES.get(kind, 0)
            at = place + 8 if size <= 4 else struct.unpack_from(order + "I", data, place + 8)[0]
            raw = bytes(data[at : at + min(size, longest)])
            if 0 < len(raw) == size:
                tags[tag] = Value(kind, raw)
    return tags


def _resolution(tags: Tags, order: Order) -> tuple[float, float] | None:
    """Dots an inch."""
    inches = {_INCH: Fraction(1), _CENTIMETRE: Fraction(254, 100)}
    try:
        x, y = (
            Fraction(*struct.unpack(order + "II", tags[tag].raw))
            for tag in (Base.XResolution, Base.YResolution)
        )
        unit = tags.get(Base.ResolutionUnit, Value(_SHORT, struct.pack(order + "H", _INCH)))
        inch = inches[struct.unpack(order + "H", unit.raw)[0]]
    except (KeyError, ZeroDivisionError, struct.error):
        return None
    return float(x * inch), float(y * inch)


def _checked(dpi: tuple[float, float] | None) -> Dpi | None:
    if dpi is None or not all(_LEAST_DPI <= dots <= _MOST_DPI for dots in dpi):
        return None
    x, y = (Fraction(dots).limit_denominator(1000) for dots in dpi)
    return x, y


def _directories(tags: Tags, exif: Exif, start: int) -> bytes:
    """A directory that stands at `start` in its file, and behind it the parts it points to."""
    pointers = dict.fromkeys(exif.parts, Value(_LONG, bytes(4)))
    end = start + len(_directory({**tags, **pointers}, exif.order, start))
    parts = b""
    for tag, part in exif.parts.items():
        pointers[tag] = Value(_LONG, struct.pack(exif.order + "I", end + len(parts)))
        parts += _directory(part, exif.order, end + len(parts))
    return _directory({**tags, **pointers}, exif.order, start) + parts


def _directory(tags: Tags, order: Order, start: int) -> bytes:
    entries, values = b"", b""
    free = start + 2 + 12 * len(tags) + 4  # behind the entries and the place of a next directory
    for tag, value in sorted(tags.items()):
        held = value.raw.ljust(4, b"\0")
        if len(value.raw) > 4:
            held = struct.pack(order + "I", free + len(values))
            values += value.raw + bytes(len(value.raw) % 2)  # each begins at an even place
        count = len(value.raw) // _SIZES[value.kind]
        entries += struct.pack(order + "HHI", tag, value.kind, count) + held
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values


def add_to_tiff(file: io.BytesIO, exif: Exif) -> None:
    """Put it into a TIFF file of one page and of exif's order; BigTIFF stays as it is.

    A directory with the old values and the new ones at the file's end takes the old one's place.
    """
    with file.getbuffer() as data:
        if bytes(data[:4]) not in _HEADS:
            return
        (start,) = struct.unpack_from(exif.order + "I", data, 4)
        old = _read_directory(data, exif.order, start, longest=len(data))
        end = len(data) + len(data) % 2  # directories begin at even places
    file.seek(4)
    file.write(struct.pack(exif.order + "I", end))
    file.seek(end)
    file.write(_directories({**old, **exif.all_tags()}, exif, end))


def png_with_dpi(png: bytes, dpi: Dpi) -> bytes:
    """A PNG with its resolution where programs look for it that read no EXIF."""
    x, y = (round(dots * _METRE) for dots in dpi)
    chunk = b"pHYs" + struct.pack(">IIB", x, y, 1)  # 1: dots for each metre
    crc = struct.pack(">I", zlib.crc32(chunk))
    return png[:_PNG_HEAD] + struct.pack(">I", len(chunk) - 4) + chunk + crc + png[_PNG_HEAD:]
