"""Find the running engine, or start one. Standard library only.

The engine outlives the plug-in's short process: it ends by itself when nobody has called for a
while. A rendezvous file that nobody stands behind any more is simply written anew by the engine
that is started.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from server.protocol import client, places, rendezvous
from server.protocol.client import Client, EngineGone, EngineMissing
from server.protocol.frames import ConnectionEnded, ProtocolError

START_SECONDS = 90.0  # a cold start from a slow disk
MAX_LOG_BYTES = 1 << 20
_LOOK_SECONDS = 0.05
_AGAIN_SECONDS = 0.5
# GIMP's bundles set these for their own Python and libraries; the engine's Python would choke.
_FOREIGN = (
    *("PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"),
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
            log.truncate(0)
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
