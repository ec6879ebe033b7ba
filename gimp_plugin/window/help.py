"""The help page: in the browser, or in a window of its own where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gio", "2.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, Gio, GLib, Gtk  # noqa: E402

from gimp_plugin.help_page import Part, parts_of  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402

PAGE = Path(__file__).resolve().parent.parent / "help/index.html"
WIDTH, HEIGHT = 560, 600


def show_help(parent: Gtk.Window) -> None:
    if Gio.AppInfo.get_default_for_type("text/html", False) is not None:
        try:
            Gio.AppInfo.launch_default_for_uri(PAGE.as_uri(), None)
            return
        except GLib.Error:
            pass  # the browser that is named does not start: show it here
    _own_window(parent).show_all()


def _own_window(parent: Gtk.Window) -> Gtk.Window:
    window = Gtk.Window(title=_("Tincture Help"), transient_for=parent)
    window.set_default_size(WIDTH, HEIGHT)
    window.connect("key-press-event", _close_by_escape)
    box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=8, border_width=12)
    for part in parts_of(PAGE.read_text(encoding="utf-8")):
        box.pack_start(_widget(part), False, False, 0)
    scrolled = Gtk.ScrolledWindow()
    scrolled.add(box)
    window.add(scrolled)
    return window


def _close_by_escape(window: Gtk.Window, event: Any) -> bool:
    if event.keyval != Gdk.KEY_Escape:
        return False
    window.destroy()
    return True


def _widget(part: Part) -> Gtk.Widget:
    if part.kind == "picture":
        path = str(PAGE.parent / part.words)
        return Gtk.Image(file=path, halign=Gtk.Align.START)
    words = GLib.markup_escape_text(part.words)
    label = Gtk.Label(xalign=0, wrap=True)
    label.set_markup(f"<b>{words}</b>" if part.kind == "heading" else words)
    return label
