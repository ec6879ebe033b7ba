"""The rendezvous file: private, whole or not there."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from server.protocol import places, rendezvous
from server.protocol.rendezvous import Rendezvous

MEETING = Rendezvous(pid=4, port=5000, token="ab" * 32, protocol=1, version="0.1.0")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "run" / "engine.json"

    rendezvous.write(file, MEETING)

    assert rendezvous.read(file) == MEETING
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_be_put_in_place_is_not_left(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    file.mkdir()

    with pytest.raises(OSError):
        rendezvous.write(file, MEETING)

    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", json.dumps({"pid": 1}), '{"pid": 1, "port": 2, "token": "zz"}',
     json.dumps({**MEETING.__dict__, "port": 99999}), json.dumps({**MEETING.__dict__, "token": 7})],
)  # fmt: skip
def test_a_file_without_sense_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "engine.json"
    file.write_text(text)

    assert rendezvous.read(file) is None


def test_a_field_of_a_newer_engine_is_ignored(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    file.write_text(json.dumps({**MEETING.__dict__, "mood": "good"}))

    assert rendezvous.read(file) == MEETING


def test_an_engine_removes_only_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    rendezvous.write(file, MEETING)

    rendezvous.remove(file, "cd" * 32)
    assert file.exists()
    rendezvous.remove(file, MEETING.token)
    assert not file.exists()


def test_everything_lies_in_tincture_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path))

    assert places.install_record() == tmp_path / "install.json"
    assert places.rendezvous_file() == tmp_path / "run" / "engine.json"


def test_a_relative_tincture_home_counts_from_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINCTURE_HOME", "here")

    assert places.data_folder() == tmp_path / "here"


def test_a_relative_xdg_folder_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TINCTURE_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", "relative")

    assert places.data_folder().is_absolute()


def test_a_snap_finds_the_engine_where_it_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = tmp_path / "snap/gimp/common"
    common.mkdir(parents=True)
    monkeypatch.delenv("TINCTURE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    written = places.rendezvous_files()

    monkeypatch.setenv("SNAP_NAME", "gimp")
    monkeypatch.setenv("SNAP_USER_COMMON", str(common))
    monkeypatch.setenv("HOME", str(tmp_path / "snap/gimp/7"))

    assert places.rendezvous_file() in written


def test_a_terminal_of_another_snap_is_no_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAP_NAME", "editor")

    assert not places.in_snap()


def test_a_file_that_is_read_again_and_again_is_replaced(tmp_path: Path) -> None:
    """Clients that wait for an engine read what the last one left; Windows locks it for that."""
    file = tmp_path / "engine.json"
    rendezvous.write(file, MEETING)
    done = threading.Event()

    def read_on() -> None:
        while not done.wait(0.01):
            rendezvous.read(file)

    reader = threading.Thread(target=read_on)
    reader.start()
    try:
        for port in range(5001, 5051):
            rendezvous.write(file, replace(MEETING, port=port))
    finally:
        done.set()
        reader.join()

    assert rendezvous.read(file) == replace(MEETING, port=5050)
    assert list(tmp_path.iterdir()) == [file]
