"""What a command cannot go on without is told in a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import ablation, benchmark, contact_sheet, evaluate, recommend, theme_page, train

Command = Callable[[list[str]], None]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (train.main, ["--photos"]),
        (ablation.main, ["--photos"]),
        (evaluate.main, ["--photos"]),
        (recommend.main, ["build", "--photos"]),
        (recommend.main, ["evaluate", "--photos"]),
        (benchmark.main, ["enlarge", "--photos"]),
        (theme_page.main, ["page.jpg", "--photos"]),
    ],
)
def test_a_folder_without_photos(
    command: Command, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SystemExit, match=r"^engine\.\w+: .* holds no photographs"):
        command([*words, str(tmp_path)])


def test_a_photo_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^engine.theme_page: .*none.jpg"):
        theme_page.main([str(tmp_path / "page.jpg"), str(tmp_path / "none.jpg")])


def test_a_network_that_there_is_none_of(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^engine.contact_sheet: there is no network 'best'"):
        contact_sheet.main([str(tmp_path / "sheet.png"), "--network", "best"])
