"""A question that GIMP's user is asked."""

from __future__ import annotations

import gi

gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import GimpUi, Gtk  # noqa: E402

from gimp_plugin.texts import _  # noqa: E402


def ask_conversion() -> bool:
    """A grayscale image cannot hold coloured dots: may it become RGB? False: no."""
    GimpUi.init("tincture")
    dialog = Gtk.MessageDialog(
        title=_("Add Hints Layer"),
        message_type=Gtk.MessageType.QUESTION,
        buttons=Gtk.ButtonsType.CANCEL,
        text=_("Convert this image to RGB?"),
        secondary_text=_(
            "It is in grayscale or indexed mode and cannot hold coloured dots. The conversion does "
            "not change how it looks, and Undo takes it back."
        ),
    )
    dialog.add_button(_("_Convert"), Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    answer = dialog.run()
    dialog.destroy()
    return bool(answer == Gtk.ResponseType.OK)
