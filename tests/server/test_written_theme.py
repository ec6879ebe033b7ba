"""Themes written by people."""

from __future__ import annotations

import pytest

from server.protocol.written_theme import NotATheme, parse_theme, written_theme

COLORS = ("#7a3b12", "#203050", "#000000")


def test_colors_in_any_spelling() -> None:
    assert parse_theme(" #7A3B12, 203050;#000 ") == (COLORS, ())
    assert parse_theme("") == ((), ())


def test_a_theme_is_read_as_it_was_written() -> None:
    shares = (0.3333, 0.6, 0.0667)

    assert parse_theme(written_theme(COLORS, shares)) == (COLORS, shares)
    assert parse_theme(written_theme(COLORS, ())) == (COLORS, ())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("#7a3b12 red", "red"),
        ("#7a3b12:70% #203050", "#203050"),
        ("#7a3b12 #203050:30%", "#203050:30%"),
        ("#7a3b12:0%", "#7a3b12:0%"),
        ("#7a3b12:-5%", "#7a3b12:-5%"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, part: str) -> None:
    with pytest.raises(NotATheme) as error:
        parse_theme(text)

    assert str(error.value) == part
