"""Put a file or a folder in its place. Standard library only."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.02


def replace(new: Path, place: Path) -> None:
    """Rename a file over another one, or a folder to a name that is free. Raises OSError.

    Windows refuses it while anybody reads the old file, or one in the folder: a client that waits
    for the engine, or a virus scanner, which opens what was just written. Both soon let go. What
    another system refuses, it refuses for good.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while sys.platform == "win32" and time.monotonic() < end:
        with suppress(PermissionError):
            new.replace(place)
            return
        time.sleep(_PAUSE_SECONDS)
    new.replace(place)
