"""The plug-in's decisions, without GIMP."""

from __future__ import annotations

import pytest

from gimp_plugin.plan import (
    LayerFacts,
    Refused,
    choose_photo,
    is_kept_by_conversion,
    parse_theme,
    pixel_format,
    result_format,
)
from server.protocol.messages import ColorizeResult

PHOTO = LayerFacts("pixels", "photo", 60, 40)
HINTS = LayerFacts("pixels", "hints", 60, 40)
RESULT = LayerFacts("pixels", "result", 60, 40)
GROUP = LayerFacts("group", "photo", 60, 40)
TEXT = LayerFacts("text", "photo", 60, 40)
FLOATING = LayerFacts("floating", "photo", 60, 40)


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
        ([0], [HINTS, FLOATING, PHOTO], 2),
    ],
)
def test_the_photo_is_found_whatever_is_selected(
    selected: list[int], layers: list[LayerFacts], chosen: int
) -> None:
    assert choose_photo(selected, layers) == chosen


def test_of_several_layers_it_is_the_one_that_was_coloured_before() -> None:
    layers = [HINTS, PHOTO, RESULT, PHOTO]

    assert choose_photo([0], layers, colored=[3]) == 3
    assert choose_photo([2], layers, colored=[3]) == 3
    assert choose_photo([1], layers, colored=[3]) == 1  # it was chosen


@pytest.mark.parametrize(
    ("selected", "layers", "words"),
    [
        ([0, 1], [PHOTO, PHOTO], "Several layers"),
        ([0], [GROUP, PHOTO], "layer group"),
        ([0], [TEXT, PHOTO], "text layer"),
        ([0], [FLOATING, PHOTO], "floating selection"),
        ([0], [HINTS], "no layer with a photograph"),
        ([0], [LayerFacts("pixels", "photo", 30_000, 30_000)], "900 megapixels"),
    ],
)
def test_what_cannot_be_coloured_is_refused_in_words(
    selected: list[int], layers: list[LayerFacts], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        choose_photo(selected, layers)


@pytest.mark.parametrize(
    ("precision", "alpha", "read", "dtype"),
    [
        (150, False, "Y' u8", "U8"),
        (100, True, "Y'A u8", "U8"),
        (250, False, "Y' u16", "U16"),
        (350, False, "Y' float", "F32"),
        (550, True, "Y'A float", "F32"),
        (600, False, "Y' float", "F32"),
    ],
)
def test_no_precision_is_lost(precision: int, alpha: bool, read: str, dtype: str) -> None:
    chosen = pixel_format(precision, alpha)

    assert (chosen.read, chosen.dtype) == (read, dtype)
    assert chosen.channels == 1 + alpha


@pytest.mark.parametrize(
    ("dtype", "channels", "name"),
    [("U8", 3, "R'G'B' u8"), ("U16", 4, "R'G'B'A u16"), ("F32", 3, "R'G'B' float")],
)
def test_a_result_is_written_as_it_came(dtype: str, channels: int, name: str) -> None:
    place = ("", 0, 0, 1, 1)
    result = ColorizeResult(*place, channels, dtype, memoryview(b""), (), (), (), ())

    assert result_format(result) == name


def test_written_colours() -> None:
    three = ("#7a3b12", "#203050", "#000000")
    assert parse_theme(" #7A3B12, 203050;#000000 ") == (three, ())
    assert parse_theme("") == ((), ())
    with pytest.raises(Refused, match="“red” is not a colour of a theme"):
        parse_theme("red")


@pytest.mark.parametrize(
    ("precision", "kept"),
    [(100, True), (150, True), (250, True), (300, False), (350, False), (550, True), (600, False),
     (650, False), (750, False)],
)  # fmt: skip
def test_gray_comes_back_from_rgb_as_it_was(precision: int, kept: bool) -> None:
    assert is_kept_by_conversion(precision) == kept
