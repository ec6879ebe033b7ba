"""What a result layer remembers."""

from __future__ import annotations

import pytest

from gimp_plugin.memory import Memory, from_bytes
from gimp_plugin.plan import USUAL, Refused, Settings, parse_places, written_places

MEMORY = Memory(
    7,
    Settings(("#102030",), (0.25,), 0.5, 1.5, False, ((12.25, 3.5),), "fine"),
    ((1.0, 2.0, "#ff0000"),),
    "default",
    "0" * 64,
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
    ],
)
def test_a_damaged_memory_is_an_empty_one(data: bytes) -> None:
    assert from_bytes(data).settings == USUAL


def test_places_are_written_and_read() -> None:
    places = ((120.5, 80.0), (3.0, 41.25))

    assert parse_places(written_places(places)) == places
    assert parse_places("") == ()


@pytest.mark.parametrize("text", ["12", "1,2,3", "a,b", "1,nan", "1;2"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="are not places"):
        parse_places(text)
