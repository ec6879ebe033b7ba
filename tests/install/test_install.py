"""install.py run for real, with an environment that has the packages already."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import stat
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace

import pytest

import install
from server.protocol import launcher, places
from server.protocol.client import Client, EngineError, EngineMissing, VersionMismatch
from tests.conftest import ROOT

needs_shell = pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Python")


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

    def run(self, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "install.py"), *arguments],
            cwd=cwd,
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
        if not name.startswith(("TINCTURE", "XDG_", "GIMP", "SUDO_"))
    }
    machine = Machine(
        tmp_path, {**keep, "HOME": str(tmp_path), "TINCTURE_HOME": str(tmp_path / "tincture")}
    )
    machine.profile.mkdir(parents=True)
    yield machine
    machine.run("uninstall")


def stand_in(path: Path, script: str) -> Path:
    """A Python that is a shell script; in it, "$PYTHON" is a real one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nPYTHON="{sys.executable}"\n{script}\n')
    path.chmod(0o755)
    return path


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
    assert f"WRONG  engine: {machine.data / 'app'} (differs from this folder" in done.stdout
    assert "install.py repair" in done.stdout


def test_doctor_compares_the_plug_in_with_this_folder(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(machine.data))
    plug_in = install.Profile(machine.profile).plug_in
    window, version = plug_in / "gimp_plugin/dialog.py", plug_in / "server/protocol/__init__.py"
    wrong = f"WRONG  plug-in: {plug_in} (differs from this folder; run {places.INSTALL})"

    install.put_plug_in(install.Profile(machine.profile))
    (plug_in / "gimp_plugin/__pycache__").mkdir()
    assert f"ok   plug-in: {plug_in}\n" in machine.run("doctor").stdout

    window.unlink()
    assert wrong in machine.run("doctor").stdout

    install.put_plug_in(install.Profile(machine.profile))
    version.write_text(version.read_text().replace("PROTOCOL = ", "PROTOCOL = 1"))
    assert wrong in machine.run("doctor").stdout


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


@needs_shell
def test_an_environment_that_lost_its_packages_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade of the system its Python is another one, which looks in another folder."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**8))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    folder = tmp_path / "env"
    whole = stand_in(folder / "bin/python", 'exec "$PYTHON" "$@"')
    (folder / "tincture-packages.json").write_text(json.dumps(project["dependencies"]))
    assert install.make_environment(folder, ()) == whole

    whole.unlink()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)

    with pytest.raises(install.Failed, match="are needed"):
        install.make_environment(folder, ())


def test_packages_that_were_not_all_installed_are_not_taken_for_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = tmp_path / "env/tincture-packages.json"
    stamp.parent.mkdir()
    stamp.write_text('["torch==1"]')
    monkeypatch.setattr(install, "check_space", lambda folder, needed: None)
    monkeypatch.setattr(install, "make_venv", lambda folder, python: None)
    monkeypatch.setattr(install, "pip", lambda *_, **__: False)

    with pytest.raises(install.Failed, match="could not be installed"):
        install.make_environment(stamp.parent, ())

    assert not stamp.exists()


@pytest.mark.parametrize("command", ["install", "repair"])
def test_an_update_that_fails_leaves_the_old_version_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """The network that is away is put in by hand."""
    for name in ("HOME", "USERPROFILE", "TINCTURE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("SUDO_USER", raising=False)
    python = tmp_path / "env/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    install.write_record({"python": str(python), "root": str(tmp_path), "version": "0"})
    monkeypatch.setattr(install, "check_space", lambda folder, needed: None)
    monkeypatch.setattr(install, "make_venv", lambda folder, python: folder.mkdir(exist_ok=True))
    monkeypatch.setattr(install, "pip", lambda *_, **__: False)
    monkeypatch.setattr(sys, "argv", ["install.py", command])

    assert install.main() == 1

    assert launcher.installation().python == str(python)
    assert not install.beside(tmp_path / "env")[1].exists()


@needs_shell
def test_a_python_that_does_not_run_is_refused(machine: Machine) -> None:
    broken = stand_in(machine.home / "python", "exit 1")

    done = machine.run("install", "--python-env", str(broken))

    assert "lacks the packages torch, numpy" in done.stderr


@needs_shell
def test_a_proof_that_fails_takes_the_installation_back(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stand_in(
        machine.home / "python",
        'case "$*" in *importlib*) exec "$PYTHON" "$@" ;; esac\nexit 1',
    )

    done = machine.run("install", "--python-env", str(broken))

    assert done.returncode == 1
    assert "the engine does not work" in done.stderr and "Traceback" not in done.stderr
    monkeypatch.setenv("TINCTURE_HOME", str(machine.data))
    with pytest.raises(EngineMissing, match="not installed"):
        launcher.installation()
    assert "WRONG  engine installed" in machine.run("doctor").stdout


@needs_shell
def test_the_proof_makes_its_sample_anew(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "sample.png").write_text("of the last installation")
    wary = stand_in(tmp_path / "python", '[ "$1" = -c ] || [ ! -e ../sample.png ]')

    install.prove(wary, tmp_path)


def test_repair_takes_nothing_away_before_it_knows_the_environment(machine: Machine) -> None:
    (machine.data / "app").mkdir(parents=True)

    done = machine.run("repair", "--python-env", "/nowhere/python")

    assert "/nowhere/python does not exist" in done.stderr
    assert (machine.data / "app").exists()


def test_what_is_named_from_a_folder_is_found_from_others(machine: Machine) -> None:
    python = os.path.relpath(sys.executable, machine.home)
    arguments = ("--python-env", python, "--gimp-folder", "elsewhere")

    done = machine.run("install", *arguments, cwd=machine.home)

    assert done.returncode == 0, done.stdout + done.stderr
    record = json.loads((machine.data / "install.json").read_text())
    assert record["python"] == str(machine.home / python)
    assert str(machine.home / "elsewhere") in record["profiles"]


def test_a_profile_that_gimp_takes_from_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE", "TINCTURE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("GIMP3_DIRECTORY", "gimp")

    assert install.Profile(tmp_path / "gimp") in install.gimp_profiles([])


def test_a_failed_install_remembers_the_named_profiles(machine: Machine, tmp_path: Path) -> None:
    named = tmp_path / "elsewhere"
    (machine.profile / "plug-ins").write_text("a file, not a folder")
    assert machine.install("--gimp-folder", str(named)).returncode == 1
    (machine.profile / "plug-ins").unlink()

    assert f"plug-in: {named / 'plug-ins/tincture'}\n" in machine.run("doctor").stdout

    machine.run("uninstall")
    assert list((named / "plug-ins").iterdir()) == []


def test_a_profile_that_cannot_be_one_is_refused_and_not_remembered(machine: Machine) -> None:
    named = machine.home / "a file"
    named.touch()

    done = machine.install("--gimp-folder", str(named / "3.0"))

    assert done.returncode == 1 and f"{named} is no folder" in done.stderr
    assert not machine.data.exists()


def test_a_remembered_profile_that_is_gone_is_not_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE", "TINCTURE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    (tmp_path / "there").mkdir()
    install.write_record({"profiles": [str(tmp_path / "there"), str(tmp_path / "gone")]})

    folders = [profile.folder for profile in install.gimp_profiles(())]

    assert tmp_path / "there" in folders and tmp_path / "gone" not in folders


@needs_shell
def test_a_flatpak_gimp_that_is_named_before_its_first_start_is_known_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "TINCTURE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    stand_in(tmp_path / "bin/flatpak", "echo 'Version: 3.0.4'")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    folder = tmp_path / ".var/app/org.gimp.GIMP/config/GIMP/3.0"

    assert install.Profile(folder, "flatpak") in install.gimp_profiles([folder])


def test_a_home_that_was_set_for_the_installation_only_is_found_again(machine: Machine) -> None:
    machine.install()
    without = {k: v for k, v in machine.environment.items() if k != "TINCTURE_HOME"}

    gone = replace(machine, environment=without).run("uninstall")

    assert gone.returncode == 0 and not machine.data.exists()


def test_a_command_of_the_users_own_is_kept(machine: Machine) -> None:
    machine.data.mkdir()
    own = machine.data / "tincture"
    own.write_text("#!/bin/sh\necho my own way to tincture\n")

    done = machine.install()
    machine.run("uninstall")

    assert done.returncode == 1 and "tincture is not Tincture's; move it away" in done.stderr
    assert "my own" in own.read_text()


@needs_shell
def test_the_command_works_from_a_folder_of_any_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / 'a $HOME `of` "Mary\'s"'
    monkeypatch.setenv("TINCTURE_HOME", str(home))
    python = stand_in(home / "python", 'echo "$PYTHONPATH"')

    command = install.put_command(python, home / "app")

    assert subprocess.check_output([command], text=True) == f"{home / 'app'}\n"


def test_copies_of_read_only_files_can_be_renewed(tmp_path: Path) -> None:
    source, folder = tmp_path / "disc", tmp_path / "app"
    (source / "inner").mkdir(parents=True)
    (source / "inner/file.py").touch(0o444)
    (source / "inner").chmod(0o555)
    try:
        install.lay_out(folder, {"code": source})
    finally:
        (source / "inner").chmod(0o755)

    assert all(path.stat().st_mode & stat.S_IWUSR for path in folder.rglob("*"))
    install.remove(folder)
    assert not folder.exists()


def test_whatever_is_there_is_removed(tmp_path: Path) -> None:
    folder, file, link = tmp_path / "folder", tmp_path / "file", tmp_path / "link"
    folder.mkdir()
    file.touch()
    link.symlink_to(folder)

    for path in (link, file, tmp_path / "nothing"):
        install.remove(path)

    assert list(tmp_path.iterdir()) == [folder]


def test_uninstall_removes_what_a_killed_install_left(machine: Machine) -> None:
    plug_in = machine.profile / "plug-ins/tincture"
    for folder in (machine.data / "app", machine.data / "env", plug_in):
        for left in install.beside(folder):
            (left / "inside").mkdir(parents=True)
    plug_in.symlink_to(machine.home)
    (machine.data / "run").mkdir()
    (machine.data / "run/engine.json.0badcafe").touch()

    machine.run("uninstall")

    assert not machine.data.exists()
    assert list((machine.profile / "plug-ins").iterdir()) == []


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, replace = tmp_path / "app", Path.replace
    folder.mkdir()
    (folder / "old").touch()

    def refuse(self: Path, target: Path) -> Path:
        if self.name == "app.partial":
            raise PermissionError("in use")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError):
        install.lay_out(folder, {"new": ROOT / "install.py"})

    assert list(tmp_path.rglob("*")) == [folder, folder / "old"]


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot hold a process")
@pytest.mark.parametrize("refusal", [VersionMismatch("older"), EngineError("16 use it already")])
def test_an_engine_that_lets_nobody_in_is_waited_for(
    engine: Client, monkeypatch: pytest.MonkeyPatch, refusal: EngineError
) -> None:
    def refuse() -> Client:
        raise refusal

    os.kill(engine.info.pid, signal.SIGSTOP)
    late = threading.Timer(0.5, os.kill, (engine.info.pid, signal.SIGCONT))
    late.start()
    with monkeypatch.context() as patch:
        patch.setattr(launcher, "running", refuse)
        launcher.stop()

    assert not places.rendezvous_file().exists()
    late.join()


@pytest.mark.parametrize("command", ["install", "repair"])
@pytest.mark.parametrize(
    ("prefix", "user", "advice"),
    [
        ("C:/Program Files/WindowsApps/Python.3.13", "root", "python.org"),
        ("/usr", "somebody", "without sudo"),
    ],
)
def test_an_installation_that_nobody_would_see_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    prefix: str,
    user: str,
    advice: str,
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path / "tincture"))
    monkeypatch.setenv("SUDO_USER", user)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    monkeypatch.setattr(sys, "argv", ["install.py", command, "--python-env", "/nowhere/python"])

    assert install.main() == 1

    assert advice in capsys.readouterr().err
    assert not (tmp_path / "tincture").exists()


@pytest.mark.parametrize(
    ("too_new", "system", "processor", "advice"),
    [((3, 0), "linux", "x86_64", "3.14"), ((4, 0), "darwin", "x86_64", "Intel")],
)
def test_what_pytorch_is_not_made_for_is_said_before_an_environment_is_made(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    too_new: tuple[int, int],
    system: str,
    processor: str,
    advice: str,
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path / "tincture"))
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr(install, "PYTHON_TOO_NEW", too_new)
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: processor)
    monkeypatch.setattr(sys, "argv", ["install.py"])

    assert install.main() == 1

    assert advice in capsys.readouterr().err
    assert not (tmp_path / "tincture/env").exists()


def test_the_command_for_windows_spells_out_only_what_lies_elsewhere() -> None:
    home = PureWindowsPath(r"C:\Users\Jörg\AppData\Local\Tincture")
    own, other = home / "env/Scripts/python.exe", PureWindowsPath(r"D:\Python\python.exe")

    assert install.windows_command(home, own, home / "app") == (
        '@rem # Tincture\n@setlocal\n@set "PYTHONPATH=%~dp0app"\n'
        r'@"%~dp0env\Scripts\python.exe" -P -m server.command_line %*' + "\n"
    )
    assert r'@"D:\Python\python.exe" -P' in install.windows_command(home, other, home / "app")


def test_gimp_finds_the_home_though_its_python_reads_another_encoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, plug_in = tmp_path / "Jörg", tmp_path / "plug-in"
    monkeypatch.setenv("TINCTURE_HOME", str(home))
    install.lay_out(plug_in, install.PLUG_IN)
    monkeypatch.delenv("TINCTURE_HOME")
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}.items():
        monkeypatch.setenv(name, value)  # such a Python takes a file for ASCII

    code = "from server.protocol import places; print(ascii(str(places.data_folder())))"
    found = subprocess.check_output([sys.executable, "-c", code], cwd=plug_in, text=True)

    assert found.strip() == ascii(str(home))
