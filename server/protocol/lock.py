"""The lock by which there is but one engine of a user. Standard library only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# What a lock raises that another process holds.
_HELD: type[OSError] = PermissionError if sys.platform == "win32" else BlockingIOError


class NoLocks(Exception):
    """The disk has no locks; the message says what to do."""


@contextmanager
def only_one(path: Path) -> Iterator[bool]:
    """Hold a lock that the operating system takes back when the process ends, however it ends.

    Yields whether it could be had. Makes the file. Raises NoLocks, and OSError.
    """
    with path.open("a+b") as file:
        yield _could_lock(file, path)


def _could_lock(file: BinaryIO, path: Path) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except _HELD:
        return False
    except OSError as error:
        raise NoLocks(
            f"{path} cannot be locked ({error.strerror}). Set TINCTURE_HOME to a folder on a "
            "local disk and install Tincture there."
        ) from error
    return True
