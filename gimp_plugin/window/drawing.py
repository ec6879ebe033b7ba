"""Small things that several parts of the window draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk  # noqa: E402


def pixbuf(pixels: bytes, width: int, height: int, channels: int) -> GdkPixbuf.Pixbuf:
    """A picture of 8-bit grey, RGB or RGBA pixels."""
    if channels < 3:
        # Grey to RGB: each of the three components is the same byte.
        rgb = bytearray(3 * width * height)
        for component in range(3):
            rgb[component::3] = pixels[::channels]
        pixels, channels = bytes(rgb), 3
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(pixels), GdkPixbuf.Colorspace.RGB, channels == 4, 8,
        width, height, width * channels,
    )  # fmt: skip


def rgb(color: str) -> tuple[float, float, float]:
    """ "#rrggbb" as cairo wants it."""
    r, g, b = bytes.fromhex(color[1:])
    return r / 255, g / 255, b / 255


def rgba(color: str) -> Gdk.RGBA:
    return Gdk.RGBA(*rgb(color), 1.0)


def to_hex(color: Gdk.RGBA) -> str:
    parts = (round(255 * part) for part in (color.red, color.green, color.blue))
    return "#{:02x}{:02x}{:02x}".format(*parts)


def swatch_bar(
    colors: Sequence[str], width: int, height: int, shares: Sequence[float] = ()
) -> Gtk.DrawingArea:
    """Colours side by side, each as wide as its share; without shares all are alike."""
    area = Gtk.DrawingArea()
    area.set_size_request(width, height)
    area.set_valign(Gtk.Align.CENTER)

    def draw(widget: Gtk.Widget, context: Any) -> bool:
        parts = shares or [1.0] * len(colors)
        whole, left = widget.get_allocated_width(), 0.0
        for color, part in zip(colors, parts):
            width = whole * part / sum(parts)
            context.set_source_rgb(*rgb(color))
            context.rectangle(left, 0, width + 1, height)
            context.fill()
            left += width
        return False

    area.connect("draw", draw)
    return area


def icon_button(
    icon: str,
    tooltip: str,
    clicked: Callable[[], None],
    button: Optional[Gtk.Button] = None,  # noqa: UP045
) -> Gtk.Button:
    """A small button with an icon, or `button` made into one."""
    button = button or Gtk.Button()
    button.set_image(Gtk.Image.new_from_icon_name(icon, Gtk.IconSize.MENU))
    explain(button, tooltip)
    button.connect("clicked", lambda _button: clicked())
    return button


def color_button(color: str, tooltip: str, clicked: Callable[[], None]) -> Gtk.Button:
    """A small button that shows a colour."""
    button = Gtk.Button()
    button.add(swatch_bar((color,), 22, 18))
    explain(button, tooltip)
    button.connect("clicked", lambda _button: clicked())
    return button


def explain(widget: Gtk.Widget, words: str) -> None:
    """Give a widget without words a tooltip, which is its name for screen readers, too."""
    widget.set_tooltip_text(words)
    widget.get_accessible().set_name(words)


def empty(container: Gtk.Container) -> None:
    for child in container.get_children():
        container.remove(child)
