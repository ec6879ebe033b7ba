"""The file by which a client finds the running engine. Its being there means: ready."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Optional

from server.protocol.replacing import replace


@dataclass(frozen=True)
class Rendezvous:
    pid: int
    port: int
    token: str  # 64 hexadecimal digits; new for every run of the engine, and only in this file
    protocol: int
    version: str


def write(path: Path, rendezvous: Rendezvous) -> None:
    """Write the file, readable by its owner only, in one step. Raises OSError."""
    make_private_folder(path.parent)
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(rendezvous), file)
        replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def read(path: Path) -> Optional[Rendezvous]:  # noqa: UP045  (GIMP's Python may be 3.9)
    """The running engine's file; None when there is none or it makes no sense."""
    try:
        values = json.loads(path.read_text())
        found = Rendezvous(**{field.name: values[field.name] for field in fields(Rendezvous)})
        bytes.fromhex(found.token)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    whole = all(isinstance(number, int) for number in (found.pid, found.port, found.protocol))
    return found if whole and 0 < found.port < 65536 and len(found.token) == 64 else None


def remove(path: Path, token: str) -> None:
    """Remove the file if it is still the one with this token."""
    found = read(path)
    if found and found.token == token:
        with suppress(OSError):
            path.unlink()


def make_private_folder(folder: Path) -> None:
    """Make a folder that only its owner can look into. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)
