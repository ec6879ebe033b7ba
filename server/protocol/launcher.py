"""Find the running engine, start one, or end it. Standard library only.

The engine outlives the plug-in's short process: it ends by itself when nobody has called for a
while. A rendezvous file that nobody stands behind any more is simply written anew by the engine
that is started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from server.protocol import client, places, rendezvous
from server.protocol.client import Client, EngineError, EngineGone, EngineMissing
from server.protocol.frames import ConnectionEnded, ProtocolError
from server.protocol.lock import NoLocks, only_one

START_SECONDS = 90.0  # a cold start from a slow disk
MAX_LOG_BYTES = 1 << 20
_STOP_SECONDS = 10.0
_SYNCHRONIZE = 0x100000  # the right to wait for a process of Windows
_LOOK_SECONDS = 0.05
_AGAIN_SECONDS = 0.5
# GIMP's bundles set these for their own Python and libraries; the engine's Python would choke.
_FOREIGN = (
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH"),
    "VIRTUAL_ENV",
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES"),
    *("GI_TYPELIB_PATH", "GTK_PATH", "GTK_DATA_PREFIX", "GDK_PIXBUF_MODULE_FILE", "BABL_PATH"),
    *("GEGL_PATH", "GIO_MODULE_DIR", "XDG_DATA_DIRS", "FONTCONFIG_FILE"),
)

# Kept so that Python does not warn of processes left behind: the engine is meant to stay.
_started: list[subprocess.Popen[bytes]] = []

State = Callable[[str], None]


@dataclass(frozen=True)
class Installation:
    """What install.py wrote down."""

    python: str
    root: str  # the folder that holds engine/ and server/
    version: str


def connect_or_start(
    on_state: Optional[State] = None,  # noqa: UP045
    timeout: float = START_SECONDS,
    arguments: Sequence[str] = (),
) -> Client:
    """A connection to the engine, which is started if none runs.

    on_state: told what is happening, in words; timeout: seconds; arguments: for an engine that is
    started. Raises EngineMissing and what `running` raises.
    """
    say = on_state or (lambda words: None)
    found = running()
    if found:
        return found
    _refuse_in_sandbox()
    say("Starting the Tincture engine…")
    installed = installation()
    engine = start(installed, *arguments)
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        found = running()
        if found:
            return found
        code = engine.poll()
        if code == 0:
            # Another engine held the lock: one that is starting, or one on its way out.
            time.sleep(_AGAIN_SECONDS)
            found = running()
            if found:
                return found
            engine = start(installed, *arguments)
        elif code is not None:
            raise EngineMissing(
                f"the Tincture engine ended while starting: {_last_words()} "
                f"In Tincture's folder run: {places.INSTALL} doctor"
            )
        time.sleep(_LOOK_SECONDS)
    raise EngineMissing(
        f"the Tincture engine did not answer within {timeout:.0f} seconds; "
        f"its log is {places.log_file()}"
    )


def running() -> Optional[Client]:  # noqa: UP045
    """A connection to the engine that runs, or None.

    Raises VersionMismatch, and EngineError when it lets nobody in.
    """
    meeting = rendezvous.read(places.rendezvous_file())
    if meeting is None:
        return None
    try:
        return client.connect(meeting)
    except (OSError, ConnectionEnded, ProtocolError, EngineGone):
        return None  # nobody there, one on its way out, or a stranger on the engine's port of once


def installation() -> Installation:
    """Where the engine is installed. Raises EngineMissing."""
    record = places.install_record()
    try:
        values: Mapping[str, Any] = json.loads(record.read_text())
        found = Installation(str(values["python"]), str(values["root"]), str(values["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise EngineMissing(
            "the Tincture engine is not installed for this user. "
            f"In Tincture's folder run: {places.INSTALL}"
        ) from None
    for path in (found.python, found.root):
        if not Path(path).exists():
            raise EngineMissing(
                f"the Tincture engine's files are gone ({path}). "
                f"In Tincture's folder run: {places.INSTALL} repair"
            )
    return found


def start(installed: Installation, *arguments: str) -> subprocess.Popen[bytes]:
    """Start an engine process of its own: no terminal, no window, output to the log.

    Raises EngineMissing.
    """
    try:
        return _start(installed, arguments)
    except OSError as error:
        raise EngineMissing(
            f"the Tincture engine cannot be started: {error}. "
            f"In Tincture's folder run: {places.INSTALL} doctor"
        ) from error


def _start(installed: Installation, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    rendezvous.make_private_folder(places.state_folder())
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {
            "creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        }
    with places.log_file().open("ab") as log:
        if log.tell() > MAX_LOG_BYTES:
            log.seek(0)  # Windows hands the place on to the engine, which would go on from there
            log.truncate()
        process = subprocess.Popen(
            [installed.python, "-m", "server", *arguments],
            cwd=installed.root,
            env=clean_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **options,
        )
    _started.append(process)
    return process


def stop() -> bool:
    """End the engine that runs or is starting, and wait until it has gone. Was there one?"""
    end = time.monotonic() + START_SECONDS
    while not _end_what_answers():
        if not _is_locked() or time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)  # one that is starting does not answer yet
    return True


def _end_what_answers() -> bool:
    meeting = rendezvous.read(places.rendezvous_file())
    if meeting is None:
        return False
    try:
        found = running()
        if found is None:
            return False
        with found:
            found.shutdown()
    except EngineError:  # it lets nobody in, may not understand a request to end, or is ending
        with suppress(OSError):
            os.kill(meeting.pid, signal.SIGTERM)
    _wait_for_end(meeting.pid)
    return True


def _is_locked() -> bool:
    if not places.lock_file().exists():  # it would be made
        return False
    try:
        with only_one(places.lock_file()) as free:
            return not free
    except NoLocks:  # no engine could start there
        return False


def _wait_for_end(pid: int) -> None:
    """Whoever starts an engine next must not meet this one on its way out."""
    if sys.platform == "win32":
        # A killed one leaves its file, and while it lives its folder cannot be replaced.
        from ctypes import windll

        engine = windll.kernel32.OpenProcess(_SYNCHRONIZE, False, pid)
        windll.kernel32.WaitForSingleObject(engine, round(_STOP_SECONDS * 1000))
        windll.kernel32.CloseHandle(engine)
        return
    end = time.monotonic() + _STOP_SECONDS
    while places.rendezvous_file().exists() and time.monotonic() < end:
        time.sleep(_LOOK_SECONDS)


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what GIMP set for itself."""
    return {name: value for name, value in environment.items() if name not in _FOREIGN}


def _refuse_in_sandbox() -> None:
    """A flatpak or snap may connect, but may not start programs of the system."""
    kind = "flatpak" if Path("/.flatpak-info").exists() else "snap" if places.in_snap() else ""
    if kind:
        raise EngineMissing(
            f"the Tincture engine is not running, and this GIMP is a {kind}, which may not start "
            f"it. In a terminal run: tincture start  ({places.INSTALL} sets it to start by itself)"
        )


def _last_words() -> str:
    try:
        lines = places.log_file().read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
