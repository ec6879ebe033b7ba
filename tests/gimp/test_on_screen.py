"""The plug-in on a screen: through the menu, with a mouse's and a keyboard's means only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.protocol.client import Client
from tests.gimp.conftest import Studio
from tests.gimp.screen import Screen, until, wait_for

pytestmark = pytest.mark.gimp


def chroma(path: Path) -> float:
    """How colourful the middle of a screenshot is."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    middle = pixels[150:650, 300:1000]
    return float(np.ptp(middle, axis=-1).mean())


def wait_for_colour(screen: Screen, before: Path, after: Path) -> None:
    """Take screenshots until the canvas is more colourful than it was."""

    def colored() -> bool:
        screen.screenshot(after)
        return chroma(after) > chroma(before) + 2

    wait_for(colored, "colour on the canvas")


def test_a_gray_photo_is_converted_painted_on_and_coloured(
    studio: Studio, running: Client, gray: np.ndarray
) -> None:
    share = studio.gimp.share
    Image.fromarray(gray).save(share / "photo.png")
    shots = {name: share / f"{name}.png" for name in ("question", "hints", "painted", "dotted")}

    with Screen(studio.gimp, ":78", studio.environment) as screen:
        screen.start("gimp", "-n", "-s", "--no-fonts", "/share/photo.png")
        main = screen.window("Grayscale.*GIMP")

        def ask_for_hints() -> None:
            screen.focus(main)
            screen.keys("Escape", "alt+r", "Up", "Right", "h")

        def agree() -> None:
            for question in screen.windows("^Add Hints Layer$"):
                screen.focus(question)
                screen.keys("Return")

        until(ask_for_hints, lambda: screen.windows("^Add Hints Layer$"), "the question")
        screen.screenshot(shots["question"])
        # GIMP's title tells the mode and the layers
        until(agree, lambda: screen.windows("RGB color.*2 layers"), "the hints layer")
        screen.screenshot(shots["hints"])

        screen.focus(main)
        screen.keys("n")  # the pencil
        screen.do("xdotool", "mousemove", "450", "300", "click", "1")
        screen.screenshot(shots["painted"])

        def open_window() -> None:
            screen.focus(main)
            screen.keys("Escape", "alt+r", "Up", "Right", "c")

        (window, *_) = until(open_window, lambda: screen.windows("^Colorize: "), "the window")
        screen.window("RGB color.*3 layers")  # the preview
        wait_for_colour(screen, shots["painted"], shots["dotted"])

        def apply() -> None:
            screen.focus(window)
            screen.keys("alt+a")

        until(apply, lambda: not screen.windows("^Colorize: "), "the end of the window")

        screen.focus(main)
        screen.keys("ctrl+z", "ctrl+z", "ctrl+z")  # the colours, the dot, the layer with the mode
        screen.window("Grayscale.*1 layer")
