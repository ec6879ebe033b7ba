#!/usr/bin/env python3
"""Install Tincture, look after it, remove it. Needs Python 3.11 to 3.14, and the internet.

python3 install.py              install, or finish or renew an installation
python3 install.py doctor       say what is there and whether it works
python3 install.py repair       install everything anew
python3 install.py uninstall    remove everything that was installed
python3 install.py test         prepare and run the whole test suite (options go to pytest)
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.exit("Tincture: Python 3.11 or newer is needed; this is " + sys.version.split()[0])

import argparse
import errno
import filecmp
import json
import os
import platform
import plistlib
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import tomllib  # from Python 3.11 on

from server.protocol import VERSION, launcher, places
from server.protocol.replacing import replace

SOURCE = Path(__file__).resolve().parent
# What is copied: name inside the installed folder -> where it lies here.
ENGINE = {name: SOURCE / name for name in ("engine", "server", "gimp_plugin")}
PLUG_IN = {
    **{name: SOURCE / name for name in ("gimp_plugin", "server/__init__.py", "server/protocol")},
    "tincture.py": SOURCE / "gimp_plugin/tincture.py",
}
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.partial")
GIGABYTE = 1 << 30
SPACE_CPU, SPACE_GPU = 2 * GIGABYTE, 9 * GIGABYTE
PYTHON_TOO_NEW = (3, 15)  # for the PyTorch that pyproject.toml names
APP = "org.gimp.GIMP"
PALETTE_PREFIX = "tincture-"
MARK = "# Tincture"  # by which the files are known that lie among others
DIFFERS = f" (differs from this folder; run {places.INSTALL})"
ALWAYS = ("--idle-minutes", "1000000")  # for an engine that nobody could start again


class Failed(Exception):
    """The installation cannot go on; the message says what to do."""


@dataclass(frozen=True)
class Profile:
    """A GIMP's own folder of one user."""

    folder: Path
    sandbox: str = ""  # "flatpak" or "snap": such a GIMP may not start the engine itself

    @property
    def plug_in(self) -> Path:
        return self.folder / "plug-ins" / "tincture"

    @property
    def palettes(self) -> Path:
        return self.folder / "palettes"


def main() -> int:
    options, rest = _parse()
    if options.run is not test:  # whose homes are its own
        find_home_again()
    try:
        return int(options.run(options, rest))
    except Failed as error:
        print(f"\nTincture: {error}", file=sys.stderr)
    except OSError as error:
        if not is_disk_full(error):
            print(f"\nTincture: {error}. Put that right and run this again.", file=sys.stderr)
            return 1
        print(f"\nTincture: the disk is full ({error.filename or places.data_folder()}). Make room "
              "and run this again; it goes on where it stopped.", file=sys.stderr)  # fmt: skip
    except KeyboardInterrupt:
        print("\nTincture: stopped. Run this again and it goes on.", file=sys.stderr)
    return 1


def find_home_again() -> None:
    """Take TINCTURE_HOME from an installed plug-in, when it was set for the installation only."""
    if os.environ.get("TINCTURE_HOME") or places.install_record().exists():
        return
    for profile in gimp_profiles(()):
        with suppress(OSError, UnicodeDecodeError):
            note = profile.plug_in / places.HOME_NOTE
            os.environ["TINCTURE_HOME"] = note.read_text("utf-8").strip()
            say(f"Tincture is in {places.data_folder()}")
            return


# --- the commands -------------------------------------------------------------------------------


def install(options: argparse.Namespace, rest: Sequence[str]) -> int:
    refuse_what_cannot_work(options)
    data = places.data_folder()
    say(f"Installing Tincture {VERSION} into {data}")
    launcher.stop()
    data.mkdir(parents=True, exist_ok=True)
    profiles = gimp_profiles(options.gimp_folder)
    # While the record names nothing else, everybody knows that the installation is not whole.
    before, unfinished = _record(), {"profiles": [str(profile.folder) for profile in profiles]}
    write_record(unfinished)
    try:
        python = options.python_env or make_environment(data / "env", ())
    except BaseException:
        write_record({**before, **unfinished})  # perhaps there is no network: the old one serves on
        raise
    copy_engine(data / "app")
    for profile in profiles:
        put_plug_in(profile)
    command = put_command(python, data / "app")
    if any(profile.sandbox for profile in profiles):
        start_with_session(python, data / "app")
    # The proof finds the engine by the record, as everybody does.
    write_record({"python": str(python), "root": str(data / "app"), "version": VERSION,
                  **unfinished})  # fmt: skip
    try:
        prove(python, data)
    except BaseException:
        write_record(unfinished)
        raise
    keep_engine_for(profiles)
    say_what_next(profiles, command)
    return 0


def repair(options: argparse.Namespace, rest: Sequence[str]) -> int:
    refuse_what_cannot_work(options)  # before anything is taken away
    launcher.stop()
    with set_aside(places.data_folder() / "env"):
        return install(options, rest)


def uninstall(options: argparse.Namespace, rest: Sequence[str]) -> int:
    launcher.stop()
    for profile in gimp_profiles(options.gimp_folder):
        for folder in (profile.plug_in, *beside(profile.plug_in)):
            if os.path.lexists(folder):
                remove(folder)
                say(f"Removed {folder}")
        for palette in profile.palettes.glob(f"{PALETTE_PREFIX}*.gpl"):
            palette.unlink()
    for file in (command_path(), autostart_file()):
        if is_ours(file):
            file.unlink()
            say(f"Removed {file}")
    # Only what the installer itself made: the folder may be one the user chose.
    for folder in (places.data_folder() / "env", places.data_folder() / "app"):
        for path in (folder, *beside(folder)):
            with suppress(OSError):
                remove(path)
    for name in ("install.json", "install.partial", "sample.png"):
        (places.data_folder() / name).unlink(missing_ok=True)
    for place in places.rendezvous_files():
        for file in place.parent.glob(f"{place.name}*"):  # also what an engine left half written
            file.unlink()
    for file in (places.log_file(), places.lock_file()):
        file.unlink(missing_ok=True)
    for folder in (places.state_folder(), places.data_folder()):
        with suppress(OSError):
            folder.rmdir()  # stays if the user keeps something of theirs in it
    say("Tincture is removed. Your images were not touched.")
    return 0


def doctor(options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Print what a helper would ask. Exit status 1 when something is wrong."""
    wrong = [not fine for fine in _doctor_lines(options)]
    say(f"Put right what is marked WRONG; {places.INSTALL} repair installs everything anew."
        if any(wrong) else "Everything is in order.")  # fmt: skip
    return int(any(wrong))


def test(options: argparse.Namespace, rest: Sequence[str]) -> int:
    python = make_environment(SOURCE / ".tincture" / "test-env", ("test", "lint"))
    steps = [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-m", "pytest", *rest],
    ]
    for step in steps:
        say("$ python " + " ".join(step))
        done = subprocess.run([str(python), *step], cwd=SOURCE, check=False)
        if done.returncode:
            return done.returncode
    return 0


def refuse_what_cannot_work(options: argparse.Namespace) -> None:
    """Raises Failed for an installation that GIMP would not see, or that lacks packages."""
    if "WindowsApps" in sys.base_prefix:
        raise Failed(
            "Windows hides from GIMP what a Python of the Microsoft Store installs. "
            "Get Python from https://www.python.org/downloads and run this with it."
        )
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if as_root and os.environ.get("SUDO_USER", "root") != "root":
        raise Failed("with sudo this would install for root, not for you. Run it without sudo.")
    for folder in options.gimp_folder:  # before it is remembered
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not (there.is_dir() and os.access(there, os.W_OK)):
            raise Failed(
                f"{folder} cannot be a GIMP profile: {there} is no folder that can be written. "
                "GIMP shows its own under Edit > Preferences > Folders."
            )
    command = command_path()
    if os.path.lexists(command) and not is_ours(command):
        raise Failed(f"{command} is not Tincture's; move it away and run this again.")
    if options.python_env:
        check_python(options.python_env)


# --- the engine ---------------------------------------------------------------------------------


def make_environment(folder: Path, groups: Sequence[str]) -> Path:
    """An environment with all packages; one that is whole already is left as it is."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    for group in groups:
        wanted += project["dependency-groups"][group]
    stamp = folder / "tincture-packages.json"
    with suppress(OSError, ValueError):
        # When the system gets a newer Python, the environment stays, but its packages are lost.
        if json.loads(stamp.read_text()) == wanted and not missing_modules(python):
            say(f"Packages: {folder} has them all")
            return python
    gpu = has_gpu()
    check_space(folder, SPACE_GPU if gpu else SPACE_CPU)
    stamp.unlink(missing_ok=True)
    make_venv(folder, python)
    torch = next(name for name in wanted if name.startswith("torch=="))
    wanted_beside = [name for name in wanted if name != torch]
    say(f"Packages: {torch} for the {'GPU' if gpu else 'processor'} (this is the largest part)")
    install_torch(python, torch, gpu)
    say("Packages: " + ", ".join(re.split(r"[<>=]", name)[0] for name in wanted_beside))
    if not pip(python, wanted_beside):
        raise Failed("the packages could not be installed; the lines above say why. Is this "
                     "computer online? Run the same command again and it goes on.")  # fmt: skip
    stamp.write_text(json.dumps(wanted))
    return python


def check_python(python: Path) -> None:
    """Raises Failed for a Python that is not there or lacks a package."""
    if not python.exists():
        raise Failed(f"{python} does not exist; --python-env wants a Python with the packages")
    missing = missing_modules(python)
    if missing:
        raise Failed(f"{python} lacks the packages {', '.join(missing)}")


def missing_modules(python: Path) -> list[str]:
    """What a Python lacks of the packages' modules: all of them when it does not run."""
    modules = ["torch", "numpy", "cv2", "skimage", "sklearn", "safetensors", "PIL", "tifffile"]
    modules += ["imagecodecs", "tqdm"]
    code = f"import importlib.util as u; print(*[m for m in {modules} if u.find_spec(m)])"
    found = _output([str(python), "-c", code]).split()
    return [module for module in modules if module not in found]


def make_venv(folder: Path, python: Path) -> None:
    if python.exists() and "pip" in _output([str(python), "-m", "pip", "--version"]):
        return
    refuse_what_pytorch_is_not_made_for()
    shutil.rmtree(folder, ignore_errors=True)
    say(f"Environment: {folder}")
    command = [sys.executable, "-m", "venv", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    # Debian keeps a part of Python's standard library in a package of its own.
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"Environment: this Python lacks {package}; installing it")
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False)
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"this Python cannot make environments. On Debian or Ubuntu run: "
                     f"sudo apt install {package}\n{done.stdout}{done.stderr}")  # fmt: skip


def refuse_what_pytorch_is_not_made_for() -> None:
    """Raises Failed where pip would only say that it finds no such version."""
    if sys.version_info >= PYTHON_TOO_NEW:
        command = "py -3.14" if sys.platform == "win32" else "python3.14"
        raise Failed(
            f"PyTorch does not run with Python {platform.python_version()} yet. Install Python "
            f"3.14 beside it (https://www.python.org/downloads) and run: {command} install.py"
        )
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        raise Failed(
            "PyTorch is no longer made for Macs with an Intel processor, nor for a Python of "
            "theirs on a newer Mac."
        )


def install_torch(python: Path, torch: str, gpu: bool) -> None:
    """The build for the processor is a tenth the size; take it where there is no GPU."""
    if sys.platform != "darwin":  # there is but one build for macOS
        if not gpu and pip(python, [f"{torch}+cpu"], quiet=True):
            return
        if torch_by_uv(python, torch, "auto" if gpu else "cpu"):
            return
    if not pip(python, [torch]):
        raise Failed(f"{torch} could not be installed; the lines above say why. Is this computer "
                     "online? Run the same command again and it goes on.")  # fmt: skip


def torch_by_uv(python: Path, torch: str, backend: str) -> bool:
    """uv knows where PyTorch keeps its builds, and which one a graphics card's driver takes."""
    if not pip(python, ["uv>=0.9"], quiet=True):
        return False
    command = [str(python), "-m", "uv", "pip", "install", "--quiet", "--python", str(python)]
    done = subprocess.run([*command, "--torch-backend", backend, torch], capture_output=True,
                          check=False)  # fmt: skip
    return done.returncode == 0


def pip(python: Path, arguments: Sequence[str], quiet: bool = False) -> bool:
    command = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *arguments,
    ]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)  # fmt: skip
    if "No space left on device" in done.stdout:
        raise Failed(f"the disk is full ({python.parent.parent}). Make room and run this again; it "
                     "goes on where it stopped.")  # fmt: skip
    if done.returncode and not quiet:
        print(done.stdout, file=sys.stderr)
    return done.returncode == 0


def copy_engine(folder: Path) -> None:
    say(f"Engine: {folder}")
    lay_out(folder, ENGINE)


def lay_out(folder: Path, parts: Mapping[str, Path]) -> None:
    """Copy folders and files into a new folder that is whole or not there at all.

    parts: name inside the folder -> what is copied. Raises OSError; the old folder is then kept.
    """
    fresh, old = beside(folder)
    remove(fresh)
    try:
        for name, source in parts.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, fresh / name, ignore=LEFT_OUT)
            else:
                shutil.copy(source, fresh / name)
        home = os.environ.get("TINCTURE_HOME")
        if home:  # those who start the copies later need not know of the variable
            (fresh / places.HOME_NOTE).write_text(str(Path(home).resolve()), "utf-8")
        make_writable(fresh)
        if folder.exists():
            remove(old)
            replace(folder, old)
        replace(fresh, folder)
    finally:
        if old.exists() and not folder.exists():
            replace(old, folder)
        for left in (fresh, old):
            with suppress(OSError):
                remove(left)


@contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    """Go on without a folder; it comes back where that fails, and is removed where it does not."""
    kept = beside(folder)[1]
    remove(kept)
    if folder.exists():
        replace(folder, kept)
    try:
        yield
    except BaseException:
        if kept.exists():
            remove(folder)
            replace(kept, folder)
        raise
    remove(kept)


def remove(path: Path) -> None:
    """Remove what is there, if anything is: a folder, a file or a link. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        make_writable(path)
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_writable(folder: Path) -> None:
    """Copies of read-only files, from a disc for one, are read-only: nobody could renew them."""
    for path in (folder, *folder.rglob("*")):
        with suppress(OSError):  # of somebody else; whether that matters is seen later
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IWUSR)


def beside(folder: Path) -> tuple[Path, Path]:
    """Where a new folder is made, and where the old one waits until that is in its place."""
    return folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".old")


def is_laid_out(folder: Path, parts: Mapping[str, Path]) -> bool:
    """Is all there as it is here? What Python adds to the copies does not count."""
    return all(_is_copy(folder / name, source) for name, source in parts.items())


def _is_copy(copy: Path, source: Path) -> bool:
    if source.is_file():
        return copy.is_file() and filecmp.cmp(source, copy, shallow=False)
    names = [path.name for path in source.iterdir()]
    return all(_is_copy(copy / name, source / name) for name in {*names} - LEFT_OUT("", names))


def prove(python: Path, data: Path) -> None:
    """Colour a sample photograph with the installed engine."""
    find = "import skimage, pathlib; print(pathlib.Path(skimage.__file__).parent / 'data')"
    photo = Path(_output([str(python), "-c", find]).strip()) / "coffee.png"
    target = data / "sample.png"
    target.unlink(missing_ok=True)  # the command keeps what is there already
    say("Proof: colouring a sample photograph")
    command = [str(python), "-m", "server.command_line"]
    for arguments in (["check"], ["colorize", str(photo), "-o", str(target)]):
        done = subprocess.run([*command, *arguments], cwd=data / "app", check=False,
                              env=launcher.clean_environment(os.environ))  # fmt: skip
        if done.returncode:
            raise Failed(f"the engine does not work; its log is {places.log_file()}. "
                         f"Run: {places.INSTALL} repair")  # fmt: skip


def keep_engine_for(profiles: Sequence[Profile]) -> None:
    """The proof's engine ends when it is idle, and a GIMP in a sandbox could start no other."""
    if any(profile.sandbox for profile in profiles):
        launcher.stop()
        launcher.connect_or_start(arguments=ALWAYS).close()


# --- GIMP ---------------------------------------------------------------------------------------


def gimp_profiles(named: Sequence[Path]) -> list[Profile]:
    """The profile of every GIMP 3 of this user, also of one that has not been started yet.

    Those that were named once are in the record.
    """
    known = [folder for folder in _record().get("profiles", []) if Path(folder).is_dir()]
    found = {Path(folder): "" for folder in (*named, *known)}
    if os.environ.get("GIMP3_DIRECTORY"):  # GIMP takes it from the home folder, if it is relative
        found[Path.home() / os.environ["GIMP3_DIRECTORY"]] = ""
    for base, sandbox in _profile_bases():
        for folder in sorted(base.glob("3.*")):
            if re.fullmatch(r"3\.\d+", folder.name) and folder.is_dir():
                found[folder] = sandbox
    for folder, sandbox in _never_started():
        found[folder] = sandbox or found.get(folder, "")
    return [Profile(folder, sandbox) for folder, sandbox in found.items()]


def put_plug_in(profile: Profile) -> None:
    """Lay the plug-in out as GIMP wants it: a folder and an executable file of the same name."""
    say(f"Plug-in: {profile.plug_in}")
    folder = profile.plug_in
    lay_out(folder, PLUG_IN)
    (folder / "tincture.py").chmod(0o755)
    profile.palettes.mkdir(exist_ok=True)
    for palette in (SOURCE / "gimp_plugin/palettes").glob("*.gpl"):
        copy = profile.palettes / f"{PALETTE_PREFIX}{palette.name}"
        copy.unlink(missing_ok=True)
        shutil.copyfile(palette, copy)


def plug_in_fault(folder: Path) -> str:
    """What is wrong with an installed plug-in, in words; nothing when it is as it should be."""
    entry = folder / "tincture.py"
    if not entry.exists():
        return " (tincture.py is missing)"
    if os.name != "nt" and not os.access(entry, os.X_OK):
        return " (tincture.py is not executable)"
    return "" if is_laid_out(folder, PLUG_IN) else DIFFERS


def _profile_bases() -> Iterator[tuple[Path, str]]:
    home = Path.home()
    if os.name == "nt":
        yield Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "GIMP", ""
    elif sys.platform == "darwin":
        yield home / "Library/Application Support/GIMP", ""
    else:
        yield Path(os.environ.get("XDG_CONFIG_HOME", home / ".config")) / "GIMP", ""
        yield home / ".var/app" / APP / "config/GIMP", "flatpak"
        yield home / "snap/gimp/current/.config/GIMP", "snap"


def _never_started() -> Iterator[tuple[Path, str]]:
    """Profile folders of GIMPs that are installed but have made no profile yet."""
    bases = list(_profile_bases())
    for version in _installed_versions():
        yield bases[0][0] / version, ""
    if shutil.which("flatpak"):
        told = _output(["flatpak", "info", APP])
        for version in re.findall(r"Version:\s*(3\.\d+)", told):
            yield bases[1][0] / version, "flatpak"


def _installed_versions() -> set[str]:
    told = ""
    if os.name == "nt":
        programs = Path(os.environ.get("PROGRAMFILES", "C:/Program Files"))
        told = " ".join(str(path) for path in programs.glob("GIMP 3*/bin/gimp-3.*.exe"))
    elif sys.platform == "darwin":
        with suppress(OSError, ValueError, KeyError):
            plist = Path("/Applications/GIMP.app/Contents/Info.plist").read_bytes()
            told = "gimp " + str(plistlib.loads(plist)["CFBundleShortVersionString"])
    else:
        programs_found = (shutil.which(name) for name in ("gimp-console", "gimp", "gimp-3.0"))
        told = " ".join(_output([name, "--version"]) for name in programs_found if name)
    return set(re.findall(r"(?<![\d.])(3\.\d+)\b", told))


def _output(command: Sequence[str]) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


# --- the rest -----------------------------------------------------------------------------------


def command_path() -> Path:
    """Where the command `tincture` goes."""
    if os.environ.get("TINCTURE_HOME") or os.name == "nt":
        return places.data_folder() / ("tincture.cmd" if os.name == "nt" else "tincture")
    return Path.home() / ".local/bin/tincture"


def put_command(python: Path, root: Path) -> Path:
    """Write the command `tincture`; with -P nothing is imported from the folder it is called in."""
    path = command_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        path.write_text(windows_command(path.parent, python, root))
    else:
        path.write_text(f"#!/bin/sh\n{MARK}\nPYTHONPATH={shlex.quote(str(root))} "
                        f"exec {shlex.quote(str(python))} "
                        '-P -m server.command_line "$@"\n')  # fmt: skip
        path.chmod(0o755)
    return path


def windows_command(folder: PurePath, python: PurePath, root: PurePath) -> str:
    """The text of a command that lies in the folder.

    cmd.exe reads another code page than Python writes, which spoils the accents of a user's name:
    what lies in the folder is found from there (%~dp0). setlocal: what is set ends with the
    command, not with its window, where every other Python would look into Tincture first.
    """
    program, packages = (
        f"%~dp0{path.relative_to(folder)}" if path.is_relative_to(folder) else path
        for path in (python, root)
    )
    return (
        f'@rem {MARK}\n@setlocal\n@set "PYTHONPATH={packages}"\n'
        f'@"{program}" -P -m server.command_line %*\n'
    )


def is_ours(path: Path) -> bool:
    """Did the installer write this file? A person may have one of that name."""
    return path.is_file() and not path.is_symlink() and MARK in path.read_text(errors="replace")


def autostart_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "autostart/tincture.desktop"


def start_with_session(python: Path, root: Path) -> None:
    """A GIMP in a sandbox may connect but start nothing, so the desktop starts the engine."""
    path = autostart_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"{MARK}\n[Desktop Entry]\nType=Application\nName=Tincture engine\nNoDisplay=true\n"
        f'Path={root}\nExec="{python}" -m server {" ".join(ALWAYS)}\n'
    )
    say(f"Start with the desktop: {path} (a GIMP in a sandbox cannot start the engine)")


def is_disk_full(error: OSError) -> bool:
    """shutil.Error gathers the errors of many files and has no number of its own."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def has_gpu() -> bool:
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


def check_space(folder: Path, needed: int) -> None:
    there = next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise Failed(
            f"{there} has {free / GIGABYTE:.1f} GB free and {needed / GIGABYTE:.0f} GB are needed. "
            "Make room, or set TINCTURE_HOME to a folder on another disk."
        )


def say_what_next(profiles: Sequence[Profile], command: Path) -> None:
    say("")
    if profiles:
        say("Done. (Re)start GIMP, open a photograph and choose Filters > Tincture > Colorize…")
    else:
        say("The engine works, but no GIMP 3 was found. Install GIMP 3.0 or 3.2 and run this")
        say(f"again, or name its profile: {places.INSTALL} --gimp-folder FOLDER")
    call = f'"{command}"' if " " in str(command) else command
    say(f"On the command line: {call} colorize photo.jpg -o coloured.png")


def _doctor_lines(options: argparse.Namespace) -> Iterator[bool]:
    """Print a line for each thing looked at; yield whether it is fine."""

    def line(fine: bool, words: str) -> bool:
        say(f"{'  ok ' if fine else 'WRONG'}  {words}")
        return fine

    record = _record()
    yield line("python" in record, f"engine installed: {places.install_record()}")
    yield line(record.get("version") in (VERSION, None),
               f"versions: engine {record.get('version')}, this folder {VERSION}")  # fmt: skip
    profiles = gimp_profiles(options.gimp_folder)
    where = "" if profiles else " (install GIMP 3, or name its profile with --gimp-folder)"
    yield line(bool(profiles), f"GIMP 3 profiles found: {len(profiles)}{where}")
    for profile in profiles:
        fault = plug_in_fault(profile.plug_in)
        yield line(not fault, f"plug-in: {profile.plug_in}{fault}")
    say(f"  --   GPU: {'found' if has_gpu() else 'none found; the processor is used'}")
    if "python" not in record:
        return
    whole = is_laid_out(Path(record["root"]), ENGINE)
    yield line(whole, f"engine: {record['root']}{'' if whole else DIFFERS}")
    if not Path(record["python"]).exists():
        yield line(False, f"environment: {record['python']} is missing")
    elif Path(record["root"]).exists():
        launcher.stop()  # what is installed is to be tested, not what was loaded some time ago
        done = subprocess.run([record["python"], "-m", "server.command_line", "check"],
                              cwd=record["root"], text=True, capture_output=True, check=False,
                              env=launcher.clean_environment(os.environ))  # fmt: skip
        for words in (done.stdout + done.stderr).strip().splitlines():
            say(f"       {words}")
        if done.returncode == 0:
            keep_engine_for(profiles)
        yield line(done.returncode == 0, "self-test")


def write_record(record: Mapping[str, Any]) -> None:
    partial = places.install_record().with_suffix(".partial")
    partial.write_text(json.dumps(record, indent=1))
    replace(partial, places.install_record())


def _record() -> dict[str, Any]:
    """What the last installation wrote down; only the profiles when it did not come to its end."""
    try:
        record = json.loads(places.install_record().read_text())
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def say(words: str) -> None:
    print(words, flush=True)


def _parse() -> tuple[argparse.Namespace, list[str]]:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    named = (install, doctor, repair, uninstall, test)
    commands = {command.__name__: command for command in named}
    parser.add_argument("command", nargs="?", default="install", choices=commands)
    parser.add_argument(
        "--gimp-folder",
        type=_absolute,
        action="append",
        default=[],
        metavar="FOLDER",
        help="a GIMP profile that is not found by itself",
    )
    parser.add_argument(
        "--python-env",
        type=_absolute,
        metavar="PYTHON",
        help="use this Python, which has the packages, instead of a new environment",
    )
    options, rest = parser.parse_known_args()
    if rest and options.command != "test":
        parser.error(f"unknown: {' '.join(rest)}")
    options.run = commands[options.command]
    return options, rest


def _absolute(text: str) -> Path:
    """A link is not followed: the Python of an environment is one, and would lose its packages."""
    return Path(text).expanduser().absolute()


if __name__ == "__main__":
    sys.exit(main())
