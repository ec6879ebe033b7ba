"""What people are told of their dots."""

from __future__ import annotations

from gimp_plugin.dot_reports import dot_words, is_followed, is_out_of_reach
from server.protocol.messages import DotReport


def report(asked: str, reachable: str, followed: float = 1.0, locked: bool = False) -> DotReport:
    return DotReport(1, 1, asked, reachable, reachable, 0.0, followed, locked)


def test_words_for_dots() -> None:
    assert "not possible" in dot_words(report("#ff0000", "#ffd0d0"))
    assert "20 %" in dot_words(report("#804020", "#905030", 0.2))
    assert "locked" in dot_words(report("#804020", "#905030", locked=True))
    assert dot_words(report("#804020", "#905030")) == "followed"
    assert not is_out_of_reach(report("#808080", "#ffffff"))


def test_a_dot_is_followed_where_most_of_its_region_is_or_where_it_is_locked() -> None:
    assert is_followed(report("#804020", "#905030", 0.6))
    assert is_followed(report("#804020", "#905030", 0.2, locked=True))
    assert not is_followed(report("#804020", "#905030", 0.2))
