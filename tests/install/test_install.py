"""install.py run for real, with an environment that has the packages already."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import install
from tests.conftest import ROOT


@dataclass(frozen=True)
class Machine:
    """A user's home with nothing of Tincture in it."""

    home: Path
    environment: dict[str, str]

    @property
    def data(self) -> Path:
        return self.home / "tincture"

    @property
    def profile(self) -> Path:
        return self.home / ".config/GIMP/3.0"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "install.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def install(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("install", "--python-env", sys.executable, *arguments)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    keep = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TINCTURE", "XDG_", "GIMP"))
    }
    machine = Machine(
        tmp_path, {**keep, "HOME": str(tmp_path), "TINCTURE_HOME": str(tmp_path / "tincture")}
    )
    machine.profile.mkdir(parents=True)
    yield machine
    machine.run("uninstall")


def test_install_proves_itself_and_uninstall_leaves_nothing(machine: Machine) -> None:
    done = machine.install()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "256x256 coloured" in done.stdout
    assert "Filters > Tincture > Colorize" in done.stdout
    assert (machine.data / "sample.png").stat().st_size > 100_000
    entry = machine.profile / "plug-ins/tincture/tincture.py"
    assert os.access(entry, os.X_OK)
    assert (entry.parent / "server/__init__.py").read_text() == ""
    assert not (entry.parent / "server/listener.py").exists()
    assert (machine.profile / "palettes/tincture-autumn.gpl").exists()

    (machine.home / "server.py").write_text("raise SystemExit('not of Tincture')")
    command = subprocess.run(
        [machine.data / "tincture", "--version"],
        cwd=machine.home,
        env=machine.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.stdout == "tincture 0.1.0\n"

    healthy = machine.run("doctor")
    assert healthy.returncode == 0, healthy.stdout
    assert "Everything is in order." in healthy.stdout

    gone = machine.run("uninstall")
    assert gone.returncode == 0
    assert not machine.data.exists()
    assert list((machine.profile / "plug-ins").iterdir()) == []
    assert list((machine.profile / "palettes").iterdir()) == []


def test_doctor_finds_what_is_wrong(machine: Machine) -> None:
    machine.install()
    (machine.profile / "plug-ins/tincture/tincture.py").chmod(0o644)
    weights = machine.data / "app/engine/weights/default.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])

    done = machine.run("doctor")

    assert done.returncode == 1
    assert "not executable" in done.stdout
    assert "damaged" in done.stdout
    assert "install.py repair" in done.stdout


def test_doctor_without_an_environment(machine: Machine) -> None:
    machine.install()
    record = json.loads((machine.data / "install.json").read_text())
    record["python"] = str(machine.data / "env/bin/python")
    (machine.data / "install.json").write_text(json.dumps(record))

    done = machine.run("doctor")

    assert done.returncode == 1
    assert "WRONG  environment" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
@pytest.mark.parametrize(
    ("gpu", "ways"),
    [
        (False, ["torch==9+cpu", "uv>=0.9", "--torch-backend cpu torch==9", "torch==9"]),
        (True, ["uv>=0.9", "--torch-backend auto torch==9", "torch==9"]),
    ],
)
def test_the_build_of_torch_that_fits_is_tried_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: bool, ways: list[str]
) -> None:
    """A Python that can install uv and the plain build, but reaches no other."""
    python, tried = tmp_path / "python", tmp_path / "tried"
    python.write_text(
        f'#!/bin/sh\necho "$@" >> {tried}\n'
        'case "$*" in *"pip install"*uv*|*" torch==9") [ "$3" != pip ] ;; *) false ;; esac\n'
    )
    python.chmod(0o755)
    monkeypatch.setattr(sys, "platform", "linux")

    install.install_torch(python, "torch==9", gpu)

    lines = tried.read_text().splitlines()
    assert [line.endswith(f" {way}") for line, way in zip(lines, ways, strict=True)] == [
        True
    ] * len(ways)


def test_doctor_without_an_installation(machine: Machine) -> None:
    done = machine.run("doctor")

    assert done.returncode == 1
    assert "WRONG  engine installed" in done.stdout


def test_an_aborted_install_is_finished_by_the_next_run(machine: Machine) -> None:
    machine.install()
    (machine.data / "install.json").unlink()
    shutil.rmtree(machine.data / "app")
    (machine.data / "app.partial").mkdir()

    assert machine.install().returncode == 0
    assert json.loads((machine.data / "install.json").read_text())["version"] == "0.1.0"
    assert not (machine.data / "app.partial").exists()


def test_without_gimp_the_engine_is_installed_and_that_is_said(machine: Machine) -> None:
    machine.profile.rmdir()

    done = machine.install()

    assert done.returncode == 0
    assert "no GIMP 3 was found" in done.stdout


def test_a_profile_can_be_named(machine: Machine, tmp_path: Path) -> None:
    named = tmp_path / "elsewhere"

    machine.install("--gimp-folder", str(named))

    assert (named / "plug-ins/tincture/tincture.py").exists()


def test_a_flatpak_gimp_gets_an_engine_that_starts_with_the_desktop(machine: Machine) -> None:
    sandboxed = machine.home / ".var/app/org.gimp.GIMP/config/GIMP/3.0"
    sandboxed.mkdir(parents=True)

    machine.install()

    desktop = machine.home / ".config/autostart/tincture.desktop"
    assert "-m server" in desktop.read_text()
    engine = json.loads((machine.data / "run/engine.json").read_text())["pid"]
    assert b"--idle-minutes" in Path(f"/proc/{engine}/cmdline").read_bytes()  # it stays till then
    assert (sandboxed / "plug-ins/tincture/tincture.py").exists()


def test_an_environment_that_is_not_there_is_named(machine: Machine) -> None:
    done = machine.run("install", "--python-env", "/nowhere/python")

    assert done.returncode == 1
    assert "/nowhere/python does not exist" in done.stderr


def test_a_wrong_environment_leaves_the_installation_as_it_was(machine: Machine) -> None:
    machine.install()

    assert machine.run("install", "--python-env", "/nowhere/python").returncode == 1
    assert (machine.data / "install.json").exists()


def test_a_python_without_the_packages_is_refused(machine: Machine, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)

    done = machine.run("install", "--python-env", str(bare / "bin/python"))

    assert done.returncode == 1
    assert "lacks the packages torch, numpy" in done.stderr


def test_a_plug_in_folder_that_cannot_be_written_is_named(machine: Machine) -> None:
    (machine.profile / "plug-ins").write_text("a file, not a folder")

    done = machine.install()

    assert done.returncode == 1
    assert "plug-ins" in done.stderr and "Traceback" not in done.stderr
    (machine.profile / "plug-ins").unlink()


def test_a_named_profile_is_remembered_and_a_home_found_again(
    machine: Machine, tmp_path: Path
) -> None:
    named = tmp_path / "elsewhere"
    machine.install("--gimp-folder", str(named))
    entry = named / "plug-ins/tincture/tincture.py"
    entry.unlink()
    machine.install()
    assert entry.exists()

    code = "from server.protocol import places; print(places.install_record())"
    without = {k: v for k, v in machine.environment.items() if k != "TINCTURE_HOME"}
    seen = subprocess.run(
        [sys.executable, "-c", code],
        cwd=entry.parent,
        env=without,
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.strip() == str(machine.data / "install.json")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a small disk needs root"
)
def test_a_full_disk_is_said_and_leaves_no_half_engine(machine: Machine) -> None:
    machine.data.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(machine.data)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not allow to mount a small disk")
    try:
        done = machine.install()

        assert done.returncode == 1
        assert "disk is full" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (machine.data / "app").exists()
        assert not (machine.data / "app.partial").exists()
    finally:
        subprocess.run(["umount", str(machine.data)], check=True)

    assert machine.install().returncode == 0


def test_too_little_space_is_said_before_anything_is_downloaded(machine: Machine) -> None:
    code = (
        "import install, shutil, pathlib, collections;"
        "shutil.disk_usage = lambda path: collections.namedtuple('U', 'free')(10**8);"
        "install.make_environment(pathlib.Path.home() / 'x' / 'env', ())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=machine.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "0.1 GB free and" in done.stderr
    assert not (machine.home / "x").exists()
