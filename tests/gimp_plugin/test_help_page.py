"""The help page, for where there is no browser."""

from __future__ import annotations

from gimp_plugin.help_page import Part, parts_of
from tests.conftest import ROOT

PAGE = ROOT / "gimp_plugin/help/index.html"


def test_a_page_is_taken_apart() -> None:
    html = (
        "<h1>Dots</h1><p>Paint a <b>dot</b>\n  here.</p>"
        "<img src='dot.png' alt=''><ul><li>one</li></ul>"
    )

    assert parts_of(html) == [
        Part("heading", "Dots"),
        Part("text", "Paint a dot here."),
        Part("picture", "dot.png"),
        Part("text", "• one"),
    ]


def test_the_page_that_is_shipped_has_its_pictures() -> None:
    parts = parts_of(PAGE.read_text(encoding="utf-8"))
    pictures = [part.words for part in parts if part.kind == "picture"]

    assert pictures
    for picture in pictures:
        assert (PAGE.parent / picture).is_file()
