"""Paints dots and times what the plug-in does about them; runs inside GIMP, after `inside.py`."""

import functools
import random
import time

from gi.repository import GLib

from gimp_plugin import live_canvas
from gimp_plugin.session import LOOK_MILLISECONDS, Session

image = open_image("photo.png")  # noqa: F821
live_canvas._button_is_held = lambda: False  # what a screen would tell; there is none here
canvas = live_canvas.LiveCanvas(image, image.get_layers()[0])
times = {}  # moments of the dot that is being painted
rows = []


def mark(name):
    """Of a dot that is shown in two parts: the first part's moments.

    The second part is asked for before the first one is written.
    """
    if "answered" not in times or (name in ("writing", "first") and "first" not in times):
        times[name] = time.monotonic()


def around(function, before, after):
    @functools.wraps(function)
    def timed(*arguments):
        mark(before)
        try:
            return function(*arguments)
        finally:
            mark(after)

    return timed


def post(act):
    GLib.idle_add(lambda: bool(act()) and False)


session = Session(canvas, post, lambda topic: None)
canvas.read_cells = around(canvas.read_cells, "noticed", "read")
link = session._link


def colorize_live(request, whole, ask=link.colorize_live):
    """Ask for progress as well: it tells when the network was done, and when the pixels were."""
    client = link._client
    if client and not hasattr(client, "plain_colorize"):
        client.plain_colorize = client.colorize

        def colorize(wanted):
            return client.plain_colorize(wanted, progress)

        client.colorize = colorize
    return around(ask, "asked", "answered")(request, whole)


def progress(fraction):
    if fraction <= 0.0:
        mark("begun")
    if fraction <= 0.4:
        mark("network")
    mark("enlarged")


def show(result, *rest, write=canvas.show):
    shown = around(write, "writing", "first")(result, *rest)
    written = time.monotonic()  # a call to GIMP would wait until it has drawn
    whole = canvas.photo.get_width() * canvas.photo.get_height()
    times["share"] = times.get("share", 0.0) + result.width * result.height / whole
    if not result.more:
        times["all"] = written
    return shown


link.colorize_live = colorize_live
canvas.show = show


def until_shown():
    context = GLib.MainContext.default()
    while "all" not in times:
        context.iteration(True)


def tick():
    """Look, and arrange for the next look, as the window does."""
    GLib.timeout_add(session.tick(), tick)
    return False


def wait(seconds):
    """Let the looks go on for a while: a brush is lifted at any moment between two of them."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        GLib.MainContext.default().iteration(False)
        time.sleep(0.001)


def row(lifted):
    moments = ("noticed", "read", "begun", "network", "enlarged", "answered", "first")
    ends = [lifted, *(times[name] for name in moments)]
    steps = ("notice", "read", "send", "network", "enlarge", "receive", "write")
    lasted = {step: b - a for step, a, b in zip(steps, ends, ends[1:], strict=False)}
    shown = {"first": times["first"] - lifted, "all": times["all"] - lifted}
    return {**lasted, **shown, "share": min(times["share"], 1.0)}


session.begin()
until_shown()
GLib.timeout_add(LOOK_MILLISECONDS, tick)
while session.busy:
    GLib.MainContext.default().iteration(True)
draw = random.Random(5)
hints = canvas._hints
side = max(6, hints.get_width() // 150)
for _number in range(DOTS):  # noqa: F821
    x = int(hints.get_width() * (0.1 + 0.8 * draw.random()))
    y = int(hints.get_height() * (0.1 + 0.8 * draw.random()))
    color = [draw.randrange(40, 220) for _ in range(3)]
    wait(draw.uniform(0.1, 0.1 + LOOK_MILLISECONDS / 1000))
    times.clear()
    paint_dot(hints, x, y, side, color)  # noqa: F821
    lifted = time.monotonic()
    until_shown()
    rows.append(row(lifted))
session.cancel()
OUTCOME.update(rows=rows)  # noqa: F821
