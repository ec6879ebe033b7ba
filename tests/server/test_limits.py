"""The protocol and the engine may not know each other, and yet have the same limits."""

from __future__ import annotations

from engine import colorizer, gray, palettes, themes
from server.protocol import messages


def test_the_engine_takes_what_the_protocol_lets_through() -> None:
    assert messages.MAX_PIXELS == gray.MAX_PIXELS
    assert messages.MAX_PALETTE_BYTES == palettes.MAX_BYTES
    assert messages.MAX_PALETTE_COLORS == palettes.MAX_COLORS
    assert messages.MAX_THEME_COLORS == themes.MAX_COLORS
    assert messages.QUALITIES == colorizer.QUALITIES
