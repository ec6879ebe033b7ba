"""A help page taken apart, for where there is no browser to show it."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Optional

_KINDS = {"h1": "heading", "h2": "heading", "p": "text", "li": "text"}


@dataclass(frozen=True)
class Part:
    """kind: "heading", "text" or "picture"; words: the text, or the picture's file name."""

    kind: str
    words: str


def parts_of(html: str) -> list[Part]:
    """The headings, paragraphs and pictures of a page, in their order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.parts


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[Part] = []
        self._kind = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Optional[str]]]) -> None:  # noqa: UP045
        if tag == "img":
            self.parts.append(Part("picture", dict(attrs).get("src") or ""))
        elif tag in _KINDS:
            self._kind, self._words = _KINDS[tag], []

    def handle_endtag(self, tag: str) -> None:
        if tag in _KINDS and self._kind:
            words = " ".join("".join(self._words).split())
            mark = "• " if tag == "li" else ""
            self.parts.append(Part(self._kind, mark + words))
            self._kind = ""

    def handle_data(self, data: str) -> None:
        if self._kind:
            self._words.append(data)
