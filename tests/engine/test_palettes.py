"""Palettes are read from every format, and nothing breaks the readers."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.palettes import Palette, PaletteError, parse_hex, read_palette

RUST, SEA = (180, 60, 20), (20, 80, 160)


def ase(*blocks: bytes) -> bytes:
    return b"ASEF" + struct.pack(">HHI", 1, 0, len(blocks)) + b"".join(blocks)


def ase_color(model: bytes, *values: float, name: str = "x") -> bytes:
    text = name.encode("utf-16-be") + b"\0\0"
    body = struct.pack(">H", len(text) // 2) + text + model
    body += struct.pack(f">{len(values)}f", *values) + struct.pack(">H", 2)
    return struct.pack(">HI", 1, len(body)) + body


GOOD = (
    b"GIMP Palette\nName: Two tones\n#\n180 60 20\tRust\n 20  80 160\n",
    b"#b43c14, 1450a0\n",
    ase(ase_color(b"RGB ", 0.7, 0.2, 0.1), ase_color(b"CMYK", 0.0, 1.0, 1.0, 0.0),
        ase_color(b"LAB ", 0.5, 30.0, -20.0), ase_color(b"Gray", 0.2)),
    struct.pack(">HH", 1, 2) + struct.pack(">5H5H", 7, 5000, 9000, 200, 0, 8, 300, 0, 0, 0),
    struct.pack(">HH5HI", 2, 1, 2, 65535, 0, 0, 65535, 2) + b"\0x\0\0",
)  # fmt: skip


def read(tmp_path: Path, data: bytes) -> Palette:
    path = tmp_path / "some.palette"
    path.write_bytes(data)
    return read_palette(path)


def test_gimps_palettes(tmp_path: Path) -> None:
    text = "GIMP Palette\nName: Two tones\nColumns: 2\n# words\n180 60 20\tRust\n 20  80 160\n"

    assert read(tmp_path, text.encode()) == Palette("Two tones", (RUST, SEA))


def test_lists_of_hexadecimal_colours(tmp_path: Path) -> None:
    palette = read(tmp_path, b"\xef\xbb\xbf#b43c14, 1450a0\n// a remark\n#fff\n")

    assert palette == Palette("some", (RUST, SEA, (255, 255, 255)))


def test_adobe_swatches(tmp_path: Path) -> None:
    group = struct.pack(">HI", 0xC001, 4) + struct.pack(">HH", 1, 0)
    data = ase(
        group,
        ase_color(b"RGB ", 180 / 255, 60 / 255, 20 / 255),
        ase_color(b"CMYK", 0.0, 1.0, 1.0, 0.0),
        ase_color(b"LAB ", 1.0, 0.0, 0.0),
        ase_color(b"Gray", 0.2),
        struct.pack(">HI", 0xC002, 0),
    )

    colors = read(tmp_path, data).colors

    assert colors == (RUST, (255, 0, 0), (255, 255, 255), (51, 51, 51))


def test_adobe_colors(tmp_path: Path) -> None:
    entries = [
        (0, 180 * 257, 60 * 257, 20 * 257, 0),
        (1, 0, 65535, 65535, 0),
        (2, 65535, 0, 0, 65535),
        (7, 10000, 0, 0, 0),
        (8, 10000, 0, 0, 0),
    ]
    data = struct.pack(">HH", 1, len(entries)) + b"".join(struct.pack(">5H", *e) for e in entries)

    colors = read(tmp_path, data).colors

    assert colors == (RUST, (255, 0, 0), (255, 0, 0), (255, 255, 255), (0, 0, 0))


def test_adobe_colors_with_names(tmp_path: Path) -> None:
    name = "Rust".encode("utf-16-be") + b"\0\0"
    entry = struct.pack(">5H", 0, 180 * 257, 60 * 257, 20 * 257, 0)
    data = struct.pack(">HH", 2, 1) + entry + struct.pack(">I", len(name) // 2) + name

    assert read(tmp_path, data).colors == (RUST,)


@pytest.mark.parametrize(
    "data",
    [b"", b"GIMP Palette\n", b"GIMP Palette\n300 0 0\n", b"hello world", b"ASEF", b"\0\1\0\5ab",
     ase(ase_color(b"RGB ", float("nan"), 0.0, 0.0)), ase(ase_color(b"HSL ", 1.0, 1.0, 1.0)),
     b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "Größe".encode("utf-16")],
)  # fmt: skip
def test_what_is_no_palette_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PaletteError, match=r"some\.palette"):
        read(tmp_path, data)


def test_huge_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.gpl"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(PaletteError, match="too large"):
        read_palette(path)
    with pytest.raises(PaletteError, match="cannot be read"):
        read_palette(tmp_path / "absent.gpl")


def test_names_in_another_encoding_do_not_cost_the_colours(tmp_path: Path) -> None:
    text = "GIMP Palette\r\nName: Grün\r\n#\r\n180 60 20\tGrün\r\n".encode("latin-1")

    assert read(tmp_path, text).colors == (RUST,)


@pytest.mark.parametrize("start", ["GIMP Palette\n", ""])
def test_more_colours_than_a_palette_has_are_refused(tmp_path: Path, start: str) -> None:
    line = "1 2 3\n" if start else "#010203\n"

    with pytest.raises(PaletteError, match="more than 65536"):
        read(tmp_path, (start + line * 65_537).encode())


@pytest.mark.parametrize("text", ["red", "#12", "#12345g", "", "#1234567"])
def test_words_are_no_colours(text: str) -> None:
    with pytest.raises(PaletteError, match="is not a colour"):
        parse_hex(text)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_to_a_good_file_breaks_the_readers(tmp_path: Path, data: st.DataObject) -> None:
    """Cut short, or with some bytes changed: lengths, counts and kinds among them."""
    kept = bytearray(data.draw(st.sampled_from(GOOD)))
    for place in data.draw(st.lists(st.integers(0, len(kept) - 1), max_size=4)):
        kept[place] = data.draw(st.integers(0, 255))
    try:
        palette = read(tmp_path, bytes(kept[: data.draw(st.integers(0, len(kept)))]))
    except PaletteError:
        return
    assert all(0 <= part <= 255 for color in palette.colors for part in color)


@given(
    st.sampled_from((b"", b"GIMP Palette\n", b"ASEF\0\1\0\0\0\0\0\2", b"\0\1\0\3", b"\0\2\0\3")),
    st.binary(max_size=300),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_the_readers(tmp_path: Path, start: bytes, rest: bytes) -> None:
    try:
        palette = read(tmp_path, start + rest)
    except PaletteError:
        return
    assert all(0 <= part <= 255 for color in palette.colors for part in color)
