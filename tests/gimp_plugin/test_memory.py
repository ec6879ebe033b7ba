"""What a result layer remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gimp_plugin.memory import Memory, from_bytes, is_same_photo, seen
from gimp_plugin.plan import USUAL, Refused, Settings, parse_places, written_places

MEMORY = Memory(
    7,
    Settings(("#102030",), (0.25,), 0.5, 1.5, False, ((12.25, 3.5),), "fine"),
    ((1.0, 2.0, "#ff0000"),),
    "default",
    "0" * 64,
    image="0123456789abcdef",
    seen="3x2:0a0b0c",
)


def test_a_memory_is_read_as_it_was_written() -> None:
    assert from_bytes(MEMORY.to_bytes()) == MEMORY


def test_a_memory_of_an_older_version_gets_the_usual_values() -> None:
    old = from_bytes(b'{"photo": 3, "theme": ["#102030"], "version": "0.0.9"}')

    assert old == Memory(3, Settings(("#102030",)), version="0.0.9")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"strength": "much"}',
        b'{"dots": 3}',
        b'{"quality": "best"}',
        b'{"shares": [1]}',
        b'{"theme": ["autumn"]}',
        b'{"theme": "#102030"}',
        b'{"theme": ["#102030", 7], "shares": [0.5, 0.5]}',
        b'{"strength": NaN, "saturation": Infinity}',
        b'{"strength": 3, "saturation": -1}',
        b'{"locked": [[NaN, 1]]}',
        b'{"locked": [[1e300, 1]]}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_memory_is_an_empty_one(data: bytes) -> None:
    assert from_bytes(data).settings == USUAL


@pytest.mark.parametrize(
    "dots",
    ["[[NaN, 1, '#ff0000']]", "[[1, 1, 'red']]", "[[1, 1]]", "[[1, 1e300, '#ff0000']]", "7"],
)
def test_dots_that_are_none_are_forgotten(dots: str) -> None:
    assert from_bytes(b'{"dots": %s}' % dots.replace("'", '"').encode()).dots == ()


def test_what_is_wrong_in_a_memory_spoils_nothing_else() -> None:
    data = b"""{"photo": 3, "theme": ["#10203A", "#ff0000"], "shares": [1, NaN], "strength": "much",
        "saturation": 0.5, "quality": "best", "color_only": 0, "network": 7, "weights": "abc",
        "dots": [[1, 2, "#FF0000"]]}"""

    settings = Settings(("#10203a", "#ff0000"), saturation=0.5)
    dots = ((1.0, 2.0, "#ff0000"),)
    assert from_bytes(data) == Memory(3, settings, dots, weights="abc", version="")


@pytest.mark.parametrize("photo", ["true", "1.5", "NaN", '"3"', "[3]"])
def test_only_a_whole_number_tells_a_photo(photo: str) -> None:
    assert from_bytes(b'{"photo": %s}' % photo.encode()).photo == 0


def test_places_are_written_and_read() -> None:
    places = ((120.5, 80.0), (3.0, 41.25))

    assert parse_places(written_places(places)) == places
    assert parse_places("") == ()


@pytest.mark.parametrize("text", ["12", "1,2,3", "a,b", "1,nan", "1;2"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="are not places"):
        parse_places(text)


RAMP, RETOUCHED, TURNED = (bytes(values) for values in ((10, 20, 30), (12, 20, 31), (30, 20, 10)))


@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        ("", seen(3, 1, RAMP), True),  # written before there was such a thing
        (seen(3, 1, RAMP), seen(3, 1, RAMP), True),
        (seen(3, 1, RAMP), seen(3, 1, RETOUCHED), True),
        (seen(3, 1, RAMP), seen(3, 1, TURNED), False),
        (seen(3, 1, RAMP), seen(3, 2, RAMP), False),
        (seen(3, 1, RAMP), seen(3, 1, RAMP[:2]), False),
        (seen(3, 1, bytes(3)), seen(3, 1, bytes((9, 9, 9))), True),
        (seen(3, 1, bytes(3)), seen(3, 1, RAMP), False),
        ("3x1:no hexadecimals", seen(3, 1, RAMP), False),
        ("3x1", "3x1", False),
    ],
)
def test_a_photo_is_known_again_until_it_is_turned_or_cropped(
    before: str, now: str, same: bool
) -> None:
    assert is_same_photo(before, now) == same
    fitting = replace(MEMORY, seen=before).fitting(now)
    assert bool(fitting.dots) == bool(fitting.settings.locked) == same
    assert fitting.settings.theme == MEMORY.settings.theme
