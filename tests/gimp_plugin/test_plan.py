"""The plug-in's decisions, without GIMP."""

from __future__ import annotations

import pytest

from gimp_plugin.plan import (
    LayerFacts,
    Refused,
    choose_photo,
    is_painted,
    parse_colors,
    pixel_format,
)

PHOTO = LayerFacts("pixels", "photo", 60, 40)
HINTS = LayerFacts("pixels", "hints", 60, 40)
RESULT = LayerFacts("pixels", "result", 60, 40)
GROUP = LayerFacts("group", "photo", 60, 40)
TEXT = LayerFacts("text", "photo", 60, 40)


@pytest.mark.parametrize(
    ("selected", "layers", "chosen"),
    [
        ([0], [PHOTO], 0),
        ([1], [PHOTO, PHOTO], 1),
        ([0], [HINTS, PHOTO], 1),
        ([1], [HINTS, RESULT, PHOTO], 2),
        ([0, 1], [HINTS, PHOTO], 1),
        ([], [TEXT, PHOTO], 1),
        ([0], [HINTS, GROUP, PHOTO], 2),
    ],
)
def test_the_photo_is_found_whatever_is_selected(
    selected: list[int], layers: list[LayerFacts], chosen: int
) -> None:
    assert choose_photo(selected, layers) == chosen


@pytest.mark.parametrize(
    ("selected", "layers", "words"),
    [
        ([0, 1], [PHOTO, PHOTO], "Several layers"),
        ([0], [GROUP, PHOTO], "layer group"),
        ([0], [TEXT, PHOTO], "text layer"),
        ([0], [HINTS], "no layer with a photograph"),
        ([0], [LayerFacts("pixels", "photo", 30_000, 30_000)], "900 megapixels"),
        ([0], [LayerFacts("other", "photo", 3, 3)], "cannot be coloured"),
    ],
)
def test_what_cannot_be_coloured_is_refused_in_words(
    selected: list[int], layers: list[LayerFacts], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        choose_photo(selected, layers)


@pytest.mark.parametrize(
    ("precision", "alpha", "read", "write", "dtype"),
    [
        (150, False, "Y' u8", "R'G'B' u8", "U8"),
        (100, True, "Y'A u8", "R'G'B'A u8", "U8"),
        (250, False, "Y' u16", "R'G'B' u16", "U16"),
        (350, False, "Y' float", "R'G'B' float", "F32"),
        (550, True, "Y'A float", "R'G'B'A float", "F32"),
        (600, False, "Y' float", "R'G'B' float", "F32"),
    ],
)
def test_no_precision_is_lost(
    precision: int, alpha: bool, read: str, write: str, dtype: str
) -> None:
    chosen = pixel_format(precision, alpha)

    assert (chosen.read, chosen.write, chosen.dtype) == (read, write, dtype)
    assert chosen.channels == 1 + alpha


def test_only_opacity_makes_paint() -> None:
    assert not is_painted(bytes((255, 255, 255, 0)) * 50)
    assert is_painted(bytes((0, 0, 0, 0)) * 50 + bytes((0, 0, 0, 1)))


def test_written_colours() -> None:
    assert parse_colors(" #7A3B12, 203050;#000000 ") == ("#7a3b12", "#203050", "#000000")
    assert parse_colors("") == ()
    with pytest.raises(Refused, match="“red” is not a colour"):
        parse_colors("red")
