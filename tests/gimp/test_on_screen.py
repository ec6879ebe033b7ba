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


def test_colorize_from_the_menu_and_take_it_back(
    studio: Studio, running: Client, gray: np.ndarray
) -> None:
    share = studio.gimp.share
    Image.fromarray(gray).save(share / "photo.png")
    shots = {
        name: share / f"{name}.png" for name in ("before", "menu", "dialog", "after", "undone")
    }

    with Screen(studio.gimp, ":77", studio.environment) as screen:
        screen.start("gimp", "-n", "-s", "--no-fonts", "/share/photo.png")
        main = screen.window("photo.*GIMP|GIMP.*photo")
        screen.focus(main)
        screen.screenshot(shots["before"])
        screen.keys("alt+r", "Up", "Right")  # Filters, its last entry, and that one's menu
        screen.screenshot(shots["menu"])
        screen.keys("c")  # the mnemonic of Colorize
        dialog = screen.window("^Colorize$")
        screen.focus(dialog)
        screen.screenshot(shots["dialog"])
        screen.keys("Return")
        wait_for(lambda: not screen.windows("^Colorize$"), "the end of the dialog")

        def colored() -> bool:
            screen.screenshot(shots["after"])
            return chroma(shots["after"]) > chroma(shots["before"]) + 3

        wait_for(colored, "colour on the canvas")
        screen.focus(main)
        screen.keys("ctrl+z")

        def grey_again() -> bool:
            screen.screenshot(shots["undone"])
            return chroma(shots["undone"]) < chroma(shots["before"]) + 1

        wait_for(grey_again, "the photo as it was after one undo")
