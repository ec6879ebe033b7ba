"""Where Tincture keeps things of one user. $TINCTURE_HOME moves all of it into one folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SNAP_FILE = "tincture/engine.json"
HOME_NOTE = "tincture-home.txt"  # beside the copied packages; UTF-8, for Pythons of other habits
INSTALL = "py install.py" if sys.platform == "win32" else "python3 install.py"  # what a user types


def data_folder() -> Path:
    """The installed engine, its environment and `install.json`."""
    return _folder("XDG_DATA_HOME", ".local/share", "")


def state_folder() -> Path:
    """What a running engine leaves: the rendezvous file and the log."""
    return _folder("XDG_STATE_HOME", ".local/state", "run")


def rendezvous_file() -> Path:
    """Where a client looks for the engine."""
    if in_snap():
        return Path(os.environ["SNAP_USER_COMMON"]) / _SNAP_FILE
    return state_folder() / "engine.json"


def rendezvous_files() -> list[Path]:
    """Where the engine says how to reach it: GIMP's snap sees no hidden folder of the user's."""
    snap = Path.home() / "snap/gimp/common"
    moved = os.environ.get("TINCTURE_HOME")
    return [rendezvous_file(), *([snap / _SNAP_FILE] if snap.is_dir() and not moved else [])]


def in_snap() -> bool:
    """Is this GIMP's snap? Programs started from other snaps' terminals are in none."""
    return os.environ.get("SNAP_NAME") == "gimp" and "SNAP_USER_COMMON" in os.environ


def log_file() -> Path:
    return state_folder() / "engine.log"


def lock_file() -> Path:
    """Held by the engine from its start to its end."""
    return state_folder() / "engine.lock"


def install_record() -> Path:
    """By install.py: where the engine's Python and its code are.

    While the installation is not whole, it names GIMP's profiles only.
    """
    return data_folder() / "install.json"


def _folder(linux_variable: str, linux_default: str, inside: str) -> Path:
    chosen = os.environ.get("TINCTURE_HOME") or _noted_home()
    if chosen:
        # What the installer writes down is read by programs that start in other folders.
        return Path(chosen).absolute() / inside
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData/Local") / "Tincture" / inside
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Tincture" / inside
    if Path("/.flatpak-info").exists():
        linux_variable = "HOST_" + linux_variable  # its own names lead into the sandbox
    base = os.environ.get(linux_variable)
    # The specification says that a relative path is to be ignored.
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / linux_default
    return folder / "tincture"


def _noted_home() -> str:
    """The home that install.py wrote down beside this copy, when it was not the usual one."""
    try:
        return (Path(__file__).parents[2] / HOME_NOTE).read_text("utf-8").strip()
    except OSError:
        return ""
