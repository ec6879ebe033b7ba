"""docs/protocol.md says what the code does."""

from __future__ import annotations

from dataclasses import fields

import pytest

from server.jobs import MAX_WAITING
from server.listener import MAX_CONNECTIONS, MAX_STRANGERS, SEND_SECONDS
from server.protocol import frames, handshake, messages
from tests.conftest import ROOT

TEXT = " ".join((ROOT / "docs/protocol.md").read_text().split())
CODES = (
    *(messages.METHOD_NOT_FOUND, messages.INVALID_PARAMS, messages.INTERNAL_ERROR),
    *(messages.CANCELLED, messages.UNKNOWN_PICTURE, messages.BAD_PICTURE, messages.BUSY),
)


@pytest.mark.parametrize("method", [*messages.METHODS, messages.PROGRESS, messages.CANCEL])
def test_every_method_is_documented(method: str) -> None:
    assert f"| `{method}` |" in TEXT


@pytest.mark.parametrize(
    "kind",
    [messages.ColorizeRequest, messages.Dot, messages.DotReport, messages.ColorSuggestion,
     messages.EngineInfo],
)  # fmt: skip
def test_every_field_is_documented(kind: type) -> None:
    missing = [field.name for field in fields(kind) if field.name not in TEXT]

    assert missing == []


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_is_documented(code: int) -> None:
    assert f"| {code} |" in TEXT


@pytest.mark.parametrize(
    "words",
    [
        f"at most {frames.MAX_HEADER >> 20} MiB",
        f"at most {frames.MAX_PAYLOAD >> 30} GiB",
        f"{messages.MAX_PIXELS // 1_000_000} megapixels",
        f"{messages.MAX_DOTS:,} dots",
        f"{messages.MAX_PALETTE_COLORS:,} colours",
        f"{messages.MAX_STRIPS:,} strips",
        f"previews of at most {messages.MAX_PREVIEW_SIDE:,} pixels",
        f"{messages.MAX_THEMES} recommended themes",
        f"thumbnails of at most {messages.MAX_THUMBNAIL_SIDE} pixels",
        f"palette files of at most {messages.MAX_PALETTE_BYTES >> 20} MiB",
        f"{MAX_WAITING} waiting jobs",
        f"{MAX_CONNECTIONS} connections",
        f"{MAX_STRANGERS} without proof",
        f"at most {handshake.SECONDS:g} seconds are waited",
        f"nothing of it goes out for {SEND_SECONDS:g} seconds",
    ],
)
def test_every_bound_is_documented(words: str) -> None:
    assert words in TEXT
