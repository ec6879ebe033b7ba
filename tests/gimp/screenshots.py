"""Make the pictures of docs/window and of the help anew: `python -m tests.gimp.screenshots [TOUR ...]`.

Each tour is a real GIMP with the plug-in, and with the real engine where one is asked for. Where
the engine has to be slow, a program that only waits stands in for it; where it has to be of
another version, the plug-in says that it is of an older one. Look at what comes out.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from server.protocol import launcher
from tests.conftest import ROOT, SAMPLES
from tests.gimp.conftest import Studio, open_studio
from tests.gimp.desk import PREVIEW, Desk, at_desk, kill
from tests.gimp.screen import wait_for

PICTURES = ROOT / "docs/window"
HELP_PICTURES = {("theme", "light"), ("dots", "light")}  # the help shows them, too
HELP_FOLDER = "gimp_plugin/help"
SIZE = (500, 334)
COLORIZE, HELP = "^Colorize: ", "^Tincture Help"
DOTS = ((254, 38, "#b42828"), (404, 80, "#a5552d"), (154, 288, "#2846a0"))
CALM_SECONDS = 1.0
LOOKS = f"""
layer = image.get_layer_by_name({PREVIEW!r})
OUTCOME.update(pixels=hashlib.sha256(read(layer)).hexdigest() if layer else "")
"""


@dataclass(frozen=True)
class Tour:
    """A GIMP of a version in a theme, and what is done and photographed in it."""

    version: str
    theme: str  # "dark" or "light"
    scenes: Callable[[Visit], None]
    engine: bool = True


@dataclass(frozen=True)
class Visit:
    """A tour under way."""

    studio: Studio
    desk: Desk
    theme: str

    def keep(self, name: str, window: str = COLORIZE) -> None:
        """Photograph a window, or the whole screen; the file's name ends with the theme's."""
        screen = self.desk.screen
        path = self.studio.gimp.share / "picture.png"
        screen.screenshot(path, window if window == "root" else screen.window(window))
        with Image.open(path) as picture:
            places = [PICTURES / f"{name}-{self.theme}.png"]
            if (name, self.theme) in HELP_PICTURES:
                plug_in = self.studio.gimp.share / "profile/plug-ins/tincture"
                places += [folder / HELP_FOLDER / f"{name}.png" for folder in (ROOT, plug_in)]
            for place in places:
                picture.convert("RGB").save(place, optimize=True)

    def settle(self) -> None:
        """Wait until nothing moves on the canvas or in the window."""

        def looks() -> tuple[object, list[str]]:
            return self.desk.ask(LOOKS), self.desk.screen.names()

        def calm() -> bool:
            first = looks()
            time.sleep(CALM_SECONDS)
            return looks() == first

        wait_for(calm, "calm")

    def press(self, name: str) -> None:
        self.desk.screen.press(name)
        self.settle()

    def named(self, beginning: str) -> str:
        """The whole name of a widget."""

        def found() -> list[str]:
            return [name for name in self.desk.screen.names() if name.startswith(beginning)]

        return wait_for(found, f"a widget “{beginning}…”")[0]

    def open(self) -> None:
        """The window, with its themes."""
        self.desk.open_window()
        self.named("Recommended theme")
        self.settle()

    def paint(self, x: int, y: int, color: str) -> None:
        self.desk.paint(x, y, color)
        self.settle()

    def install_slow_engine(self) -> None:
        """From now on the engine takes for ever to start."""
        folder = self.studio.gimp.share / "slow"
        (folder / "server").mkdir(parents=True, exist_ok=True)
        (folder / "server/__main__.py").write_text("import time\n\ntime.sleep(600)\n")
        inside = self.studio.gimp.inside(folder)
        record = {"python": "/usr/bin/python3", "root": inside, "version": "slow"}
        self.installed.write_text(json.dumps(record))

    @property
    def installed(self) -> Path:
        return self.studio.home / "install.json"


def with_everything(visit: Visit) -> None:
    """First use, a theme, before and after, dots, the help, another image."""
    desk = visit.desk
    visit.open()
    visit.keep("first-use")
    visit.press("Recommended theme 2")
    if visit.theme == "light":
        visit.press(visit.named("Colour 1 of the theme"))
        visit.press("Keep the chosen colour when another theme is taken")
    visit.keep("theme")
    desk.screen.focus(desk.screen.window(COLORIZE))
    desk.screen.give_focus("Preview")
    desk.screen.keys(*["Right"] * 10)
    visit.keep("before-and-after")
    desk.screen.keys(*["Left"] * 10)
    visit.press("Reset")
    for dot in DOTS:
        visit.paint(*dot)
    visit.press("Dots")
    visit.press("Where would a dot help most?")
    visit.keep("dots")
    visit.keep("beside-the-canvas", "root")
    visit.press("Help")
    visit.keep("help-window", HELP)
    desk.screen.keys("Escape")
    desk.ask("Gimp.Display.new(image.duplicate())")
    desk.focus()
    wait_for(lambda: any("does not follow" in name for name in desk.screen.names()), "the word")
    visit.keep("another-image-in-front")


def with_a_dot_that_is_not_followed(visit: Visit) -> None:
    visit.open()
    visit.press("Dots")
    for x, y, color in (*DOTS, (330, 300, "#7a5a3c"), (60, 200, "#7a5a3c"), (440, 200, "#2e8b57")):
        visit.paint(x, y, color)
        if any(re.search("only .* followed", name) for name in visit.desk.screen.names()):
            break
    visit.keep("dot-not-followed")


def with_an_engine_that_ends(visit: Visit) -> None:
    visit.open()
    visit.install_slow_engine()
    with launcher.connect_or_start() as engine:
        pid = engine.info.pid
    kill(pid)
    visit.desk.screen.press("Recommended theme 2")
    visit.named("The engine stopped")
    visit.keep("engine-restarting")


def with_an_engine_that_starts(visit: Visit) -> None:
    visit.install_slow_engine()
    visit.desk.call_window()
    visit.named("Starting the Tincture engine")
    visit.keep("engine-starting")


def without_engine(visit: Visit) -> None:
    visit.installed.unlink()
    visit.desk.call_window()
    visit.named("Try again")
    visit.keep("engine-missing")


def with_an_older_plug_in(visit: Visit) -> None:
    protocol = "plug-ins/tincture/server/protocol/__init__.py"
    path = visit.studio.gimp.share / "profile" / protocol
    path.write_text(re.sub(r"PROTOCOL = \d+", "PROTOCOL = 1", path.read_text()))
    visit.desk.call_window()
    visit.named("Try again")
    visit.keep("version-mismatch")


TOURS = {
    "light": Tour("3.0", "light", with_everything),  # first: it makes the help's pictures
    "dark": Tour("3.2", "dark", with_everything),
    "not-followed": Tour("3.0", "light", with_a_dot_that_is_not_followed),
    "restarting": Tour("3.0", "light", with_an_engine_that_ends),
    "starting": Tour("3.0", "light", with_an_engine_that_starts, engine=False),
    "missing": Tour("3.2", "dark", without_engine, engine=False),
    "mismatch": Tour("3.2", "dark", with_an_older_plug_in),
}


def take(tour: Tour) -> None:
    photo = cv2.imread(str(SAMPLES / "coffee.png"), cv2.IMREAD_GRAYSCALE)
    small = cv2.resize(np.asarray(photo), SIZE, interpolation=cv2.INTER_AREA)
    with open_studio(tour.version) as studio:
        with (studio.gimp.share / "profile/gimprc").open("a") as settings:
            settings.write(f"(theme-color-scheme {tour.theme})\n")
        if tour.engine:
            launcher.connect_or_start().close()
        with at_desk(studio, ":89", np.asarray(small)) as desk:
            tour.scenes(Visit(studio, desk, tour.theme))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tour", nargs="*", help=f"{', '.join(TOURS)}; all by default")
    for name in parser.parse_args().tour or TOURS:
        take(TOURS[name])
        print(name, flush=True)


if __name__ == "__main__":
    main()
