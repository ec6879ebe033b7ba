"""A person at a GIMP with a photo open: paints, presses, looks; and an eye on what is in the image."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.gimp.conftest import Studio
from tests.gimp.screen import Screen, until, wait_for

HELPERS = ("inside", "eye", "press")
START = (
    "[exec(compile(open(f'/share/{name}.py').read(), name, 'exec'), globals())"
    " for name in ('inside', 'eye')]"
)
PREVIEW = "Tincture preview"
SETTLED_SECONDS = 0.5


class Desk:
    """Use `at_desk`."""

    def __init__(self, studio: Studio, screen: Screen, photo: np.ndarray) -> None:
        self.screen = screen
        self._share = studio.gimp.share
        self._main = screen.window("GIMP$")
        self.ask("")  # answered once the image is open
        screen.do("xdotool", "windowsize", self._main, "1000", "740")
        screen.do("xdotool", "windowmove", self._main, "0", "0")
        found = wait_for(lambda: self._settled(photo), "the photo on the canvas")
        assert found is not None
        self._origin: tuple[int, int] = found

    def ask(self, body: str) -> dict[str, Any]:
        """Run Python inside GIMP, with `image` at hand. Returns what it put into OUTCOME."""
        folder = self._share / "eye"
        question, answer = folder / "question.part", folder / "answer.json"
        answer.unlink(missing_ok=True)
        question.write_text("image = next(iter(Gimp.get_images()), None)\n" + body)
        question.rename(folder / "question.py")
        wait_for(answer.exists, "an answer of GIMP")
        outcome: dict[str, Any] = json.loads(answer.read_text())
        assert "traceback" not in outcome, outcome["traceback"]
        return outcome

    def found(self) -> dict[str, Any]:
        """All that a cancelled window must leave as it was."""
        return self.ask("OUTCOME.update(all=fingerprint(image), dirty=image.is_dirty())")

    def names(self) -> list[str]:
        names: list[str] = self.ask("OUTCOME.update(names=names(image))")["names"]
        return names

    def color_at(self, x: int, y: int, layer: str = PREVIEW) -> list[int]:
        """A pixel of a layer, as R, G, B."""
        rgb: list[int] = self.ask(
            f"OUTCOME.update(rgb=pixel(image.get_layer_by_name({layer!r}), {x}, {y}))"
        )["rgb"]
        return rgb

    def open_window(self) -> None:
        """By the menu, until the preview is on the canvas."""
        self.call_window()
        wait_for(lambda: PREVIEW in self.names(), "the preview")

    def call_window(self) -> None:
        """By the menu, until it is there."""
        until(
            lambda: self.keys("Escape", "alt+r", "Up", "Right", "c"),
            self.window_is_open,
            "the window, by the menu",
        )

    def window_is_open(self) -> bool:
        return bool(self.screen.windows("^Colorize: "))

    def wait_until_closed(self) -> None:
        wait_for(lambda: not self.window_is_open(), "the end of the window")

    def focus(self) -> None:
        """Turn to GIMP's own window."""
        self.screen.focus(self._main)

    def keys(self, *names: str) -> None:
        """Press keys in GIMP's own window."""
        self.focus()
        self.screen.keys(*names)

    def paint(self, x: int, y: int, color: str) -> None:
        """A dot of the pencil on the selected layer, which lies at the photo's place."""
        self.ask(f"Gimp.context_set_foreground(Gegl.Color.new({color!r}))")
        left, top = self._origin
        at = ("mousemove", str(left + x), str(top + y))
        painted = f"pixel(image.get_selected_layers()[0], {x}, {y}, \"R'G'B'A u8\")[3]"

        def click() -> None:
            self.keys("n")
            self.screen.do("xdotool", *at, "click", "1")

        until(click, lambda: self.ask(f"OUTCOME.update(alpha={painted})")["alpha"], "the dot")

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the mouse button at a place of the photo and let it go at another one."""
        left, top = self._origin
        first, last = ((str(left + x), str(top + y)) for x, y in (start, end))
        press = ("mousemove", *first, "mousedown", "1")
        self.screen.do("xdotool", *press, "mousemove", *last, "mouseup", "1")

    def _settled(self, photo: np.ndarray) -> tuple[int, int] | None:
        """The same for a while: on a busy machine GIMP is long about its new size."""
        first = self._find(photo)
        time.sleep(SETTLED_SECONDS)
        return first if first == self._find(photo) else None

    def _find(self, photo: np.ndarray) -> tuple[int, int] | None:
        """Where on the screen the photo's corner is, once it is all to be seen."""
        path = self._share / "look.png"
        self.screen.screenshot(path)
        seen = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        inner = photo[8:-8, 8:-8]  # the canvas draws a dashed line around it
        match = cv2.matchTemplate(np.asarray(seen), inner, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(match)
        return (x - 8, y - 8) if best > 0.95 else None


@contextmanager
def at_desk(studio: Studio, display: str, photo: np.ndarray, **environment: str) -> Iterator[Desk]:
    """A GIMP on a screen with the photo (H, W) uint8 open in it; environment: more for GIMP."""
    share = studio.gimp.share
    for name in HELPERS:
        shutil.copy(Path(__file__).parent / f"{name}.py", share / f"{name}.py")
    shutil.rmtree(share / "eye", ignore_errors=True)
    (share / "eye").mkdir()
    cv2.imwrite(str(share / "photo.png"), photo)
    batch = ("--batch-interpreter", "python-fu-eval", "-b", START)
    with Screen(studio.gimp, display, {**studio.environment, **environment}) as screen:
        screen.start("gimp", "-n", "-s", "--no-fonts", *batch, "/share/photo.png")
        yield Desk(studio, screen, photo)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def asleep(pid: int) -> Iterator[None]:
    """A process does nothing for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
