"""The plug-in on a screen: through the menu, with a mouse's and a keyboard's means only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from server.protocol.client import Client
from tests.gimp.conftest import Studio
from tests.gimp.screen import Screen, wait_for

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
        screen.focus(main)
        screen.keys("alt+r", "Up", "Right", "h")
        screen.window("^Add Hints Layer$")
        screen.screenshot(shots["question"])
        screen.keys("Return")
        screen.window("RGB color.*2 layers")  # GIMP's title tells the mode and the layers
        screen.screenshot(shots["hints"])

        screen.focus(main)
        screen.keys("n")  # the pencil
        screen.do("xdotool", "mousemove", "450", "300", "click", "1")
        screen.screenshot(shots["painted"])
        screen.keys("alt+r", "Up", "Right", "c")
        window = screen.window("^Colorize: ")
        screen.window("RGB color.*3 layers")  # the preview
        wait_for_colour(screen, shots["painted"], shots["dotted"])
        screen.focus(window)
        screen.keys("alt+a")
        wait_for(lambda: not screen.windows("^Colorize: "), "the end of the window")

        screen.focus(main)
        screen.keys("ctrl+z", "ctrl+z", "ctrl+z")  # the colours, the dot, the layer with the mode
        screen.window("Grayscale.*1 layer")
