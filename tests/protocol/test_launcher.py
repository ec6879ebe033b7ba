"""Finding and ending an engine that comes or goes just now, and the log of one that is started."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from server.protocol import PROTOCOL, VERSION, handshake, launcher, places, rendezvous
from server.protocol.launcher import MAX_LOG_BYTES, Installation


def test_an_engine_that_ends_just_now_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path))
    token = handshake.new_token()

    def prove_and_end() -> None:
        sock, _ = server.accept()
        with sock:
            handshake.prove_to_client(sock, token)

    with socket.create_server(("127.0.0.1", 0)) as server:
        meeting = rendezvous.Rendezvous(1, server.getsockname()[1], token, PROTOCOL, VERSION)
        rendezvous.write(places.rendezvous_file(), meeting)
        engine = threading.Thread(target=prove_and_end)
        engine.start()

        assert launcher.running() is None
        engine.join()


@pytest.mark.parametrize(("size", "kept"), [(MAX_LOG_BYTES, True), (MAX_LOG_BYTES + 1, False)])
def test_a_long_log_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, kept: bool
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # a person's own; it would hide the engine
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__main__.py").write_text("raise SystemExit('new')")
    rendezvous.make_private_folder(places.state_folder())
    old = b"o" * size
    places.log_file().write_bytes(old)

    process = launcher.start(Installation(sys.executable, str(tmp_path), VERSION))
    process.wait(60)
    launcher._started.remove(process)

    assert places.log_file().read_bytes().split() == ([old + b"new"] if kept else [b"new"])


def test_where_no_engine_was_there_is_nothing_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path / "tincture"))

    assert not launcher.stop()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="a lock is seen in /proc only")
def test_an_engine_that_is_starting_is_stopped(home: Path) -> None:
    process, lock = launcher.start(launcher.installation()), places.lock_file()
    while not (lock.exists() and f":{lock.stat().st_ino} " in Path("/proc/locks").read_text()):
        assert process.poll() is None

    assert launcher.stop()
    assert process.wait(60) == 0
