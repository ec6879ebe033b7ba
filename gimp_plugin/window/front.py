"""Which image is in front?

GIMP's API does not tell, but the titles of its windows do, and screen readers are told those: so is
this, over the accessibility bus of Linux desktops. Where there is none, nothing is known.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Any, Callable, Optional

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

from gimp_plugin.titles import image_id_of  # noqa: E402

LOOK_SECONDS = 0.5  # from one look at the titles to the next
TIMEOUT_MILLISECONDS = 1000  # of an answer; a GIMP that computes answers late
ACTIVE = 1 << 1  # AT-SPI's state of the window that has the focus
REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
ACCESSIBLE = "org.a11y.atspi.Accessible"
Place = tuple[str, str]  # a program's name on the bus, and an object's path


class ImageInFront:
    """Watches GIMP's titles on a thread of its own, for GIMP answers only when it has time."""

    def __init__(self, changed: Callable[[int], None]) -> None:
        """changed: told, on that thread, the ID of the image that came to the front."""
        self._changed = changed
        self._end = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._end.set()

    def _watch(self) -> None:
        try:
            bus = _accessibility_bus()
            gimp = _program(bus, os.getppid())
        except GLib.Error:
            return  # there is no such bus here
        known: Optional[int] = None  # noqa: UP045
        while gimp and not self._end.wait(LOOK_SECONDS):
            with suppress(GLib.Error):  # GIMP has no time, or a window was closed meanwhile
                front = _image_in_front(bus, gimp)
                if front not in (None, known):
                    known = front
                    self._changed(front)


def _accessibility_bus() -> Gio.DBusConnection:
    session = Gio.bus_get_sync(Gio.BusType.SESSION)
    address = _call(session, ("org.a11y.Bus", "/org/a11y/bus"), "org.a11y.Bus", "GetAddress")
    kind = Gio.DBusConnectionFlags
    flags = kind.AUTHENTICATION_CLIENT | kind.MESSAGE_BUS_CONNECTION
    return Gio.DBusConnection.new_for_address_sync(address, flags)


def _program(bus: Gio.DBusConnection, process: int) -> Optional[Place]:  # noqa: UP045
    """The place of the program with this process ID."""
    daemon = ("org.freedesktop.DBus", "/org/freedesktop/DBus")
    for place in _call(bus, REGISTRY, ACCESSIBLE, "GetChildren"):
        name = GLib.Variant("(s)", (place[0],))
        if process == _call(bus, daemon, daemon[0], "GetConnectionUnixProcessID", name):
            return (*place,)
    return None


def _image_in_front(bus: Gio.DBusConnection, gimp: Place) -> Optional[int]:  # noqa: UP045
    """The image of GIMP's only image window, or of the one that has the focus."""
    images = {}
    for window in _call(bus, gimp, ACCESSIBLE, "GetChildren"):
        image_id = image_id_of(_title(bus, window))
        if image_id is not None:
            images[window] = image_id
    if len(images) > 1:
        images = {window: image for window, image in images.items() if _is_active(bus, window)}
    return next(iter(images.values()), None)


def _title(bus: Gio.DBusConnection, window: Place) -> str:
    wanted = GLib.Variant("(ss)", (ACCESSIBLE, "Name"))
    return str(_call(bus, window, "org.freedesktop.DBus.Properties", "Get", wanted))


def _is_active(bus: Gio.DBusConnection, window: Place) -> bool:
    return bool(_call(bus, window, ACCESSIBLE, "GetState")[0] & ACTIVE)


def _call(
    bus: Gio.DBusConnection,
    place: Place,
    interface: str,
    method: str,
    arguments: Optional[GLib.Variant] = None,  # noqa: UP045
) -> Any:
    """What a method returns. Raises GLib.Error."""
    flags = Gio.DBusCallFlags.NO_AUTO_START
    answer = bus.call_sync(
        *place, interface, method, arguments, None, flags, TIMEOUT_MILLISECONDS, None
    )
    return answer.unpack()[0]
