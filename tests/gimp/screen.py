"""A screen without a monitor, with a window manager, a keyboard and a mouse: Xvfb and xdotool."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tests.gimp.real_gimp import RealGimp

SIZE = "1366x768x24"
Found = TypeVar("Found")
AGAIN_SECONDS = 20.0  # until a key or a click is given once more
PATIENCE = 120.0  # seconds for a window; a loaded machine is slow


class Screen:
    """Programs of a chroot on a display of its own. Use as a `with` block."""

    def __init__(self, gimp: RealGimp, display: str, environment: Mapping[str, str]) -> None:
        self._gimp = gimp
        # One of this process: what an interrupted run left on the display must not answer.
        bus = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:abstract=tincture-{os.getpid()}-{display[1:]}",
            "NO_AT_BRIDGE": "0",
        }
        self._environment = {**bus, **environment, "DISPLAY": display}
        self._display = display
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Screen:
        # Without -noreset the display starts anew when its last program leaves, which xdpyinfo is,
        # and can throw out a window manager that comes in that moment.
        self.start("Xvfb", self._display, "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset")
        wait_for(lambda: self.do("xdpyinfo").returncode == 0, "the display")
        until(lambda: self.start("openbox"), self._is_managed, "the window manager")
        address = self._environment["DBUS_SESSION_BUS_ADDRESS"]
        self.start("dbus-daemon", "--session", "--nofork", "--address", address)
        return self

    def __exit__(self, *_: object) -> None:
        # The programs before the display: a GIMP that loses its display may stay for ever.
        for process in reversed(self._running):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()

    def _is_managed(self) -> bool:
        """Whether a window manager is there; without one, windows get neither frame nor focus."""
        return self.do("xdotool", "get_num_desktops").returncode == 0

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        full = self._gimp.command(command, self._environment)
        null = subprocess.DEVNULL
        process = subprocess.Popen(full, stdin=null, stdout=null, stderr=null)
        self._running.append(process)
        return process

    def do(self, *command: str) -> subprocess.CompletedProcess[str]:
        return self._gimp.run(command, self._environment)

    def window(self, title: str) -> str:
        """The id of a visible window whose title matches; waits for it."""
        return wait_for(lambda: self.windows(title)[-1:], f"a window “{title}”")[0]

    def windows(self, title: str) -> list[str]:
        found = self.do("xdotool", "search", "--onlyvisible", "--name", title).stdout
        return found.split()

    def keys(self, *names: str) -> None:
        for name in names:
            self.do("xdotool", "key", "--clearmodifiers", name)
            time.sleep(0.2)  # GTK drops keys that come while a menu still opens

    def focus(self, window: str) -> None:
        self.do("xdotool", "windowactivate", "--sync", window)

    def press(self, name: str, *value: str) -> None:
        """Click a widget of the plug-in, or set its value, by its accessible name; waits for it."""
        command = ("python3", "/share/press.py", name, *value)
        wait_for(lambda: self.do(*command).returncode == 0, f"a widget “{name}”")

    def give_focus(self, name: str) -> None:
        """Give a widget of the plug-in the keyboard's focus."""
        self.press("--focus", name)

    def focused(self) -> str:
        """The accessible name of the plug-in's widget that has the focus."""
        return self.do("python3", "/share/press.py", "--focused").stdout.strip()

    def names(self) -> list[str]:
        """The accessible names of the plug-in's widgets that are to be seen and can be used."""
        return self.do("python3", "/share/press.py", "--names").stdout.splitlines()

    def screenshot(self, path: Path, window: str = "root") -> None:
        """Write what is on the screen, or in a window of it, as PNG; path: below the chroot's root."""
        inside = self._gimp.inside(path)
        done = self.do("import", "-window", window, inside)
        assert done.returncode == 0, done.stderr


def until(act: Callable[[], object], done: Callable[[], Found], what: str) -> Found:
    """Do something and wait for what comes of it; do it again when nothing does.

    A loaded machine loses keys and clicks, and people repeat them. Raises TimeoutError.
    """

    def acted() -> Found:
        act()
        with suppress(TimeoutError):
            return wait_for(done, what, AGAIN_SECONDS)
        return done()

    return wait_for(acted, what)


def wait_for(look: Callable[[], Found], what: str, seconds: float = PATIENCE) -> Found:
    """Look again and again until there is something. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"{what} did not come within {seconds:.0f} seconds")
