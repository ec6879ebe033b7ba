"""The page about the dots that the user paints."""

from __future__ import annotations

from typing import Callable

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Pango", "1.0")
from gi.repository import Gegl, Gimp, GimpUi, Gtk, Pango  # noqa: E402

from gimp_plugin.dot_reports import dot_words, is_followed  # noqa: E402
from gimp_plugin.session import Session  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.window.drawing import color_button, empty, icon_button, swatch_bar  # noqa: E402
from server.protocol.messages import ColorSuggestion, DotReport  # noqa: E402

LIST_HEIGHT = 72


class DotsPage(Gtk.Box):  # type: ignore[misc]
    """What became of each dot, and colours to paint with."""

    def __init__(self, session: Session, look_at: Callable[[DotReport], None]) -> None:
        """look_at: told which dot was chosen in the list."""
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
        self._session = session
        self._look_at = look_at
        self._suggestions = Gtk.Box(spacing=2)
        self._place = Gtk.Label()
        self._place.set_tooltip_text(
            _("Colours that are likely at this place of the picture above")
        )
        likely = Gtk.Box(spacing=2)
        likely.pack_start(self._place, False, False, 0)
        likely.pack_start(self._suggestions, False, False, 0)
        self._list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.SINGLE)
        self._list.connect("row-activated", self._row_chosen)
        scrolled = Gtk.ScrolledWindow(min_content_height=LIST_HEIGHT, shadow_type=Gtk.ShadowType.IN)
        scrolled.set_policy(Gtk.PolicyType.NEVER, Gtk.PolicyType.AUTOMATIC)
        scrolled.add(self._list)
        where = Gtk.Button.new_with_mnemonic(_("_Where would a dot help most?"))
        where.set_tooltip_text(_("Mark up to three places on the preview"))
        where.connect("clicked", lambda _button: self._session.ask_places())
        words = Gtk.Label(
            label=_(
                "Take any brush and paint dots on the photo, in the colour that a place should "
                "have. Each shows as you lift the brush."
            ),
            wrap=True, xalign=0, max_width_chars=42,
        )  # fmt: skip
        self.pack_start(words, False, False, 0)
        self.pack_start(likely, False, False, 0)
        self.pack_start(scrolled, True, True, 0)
        self.pack_start(where, False, False, 0)
        self.show_suggestions()
        self.show_dots()

    def show_dots(self) -> None:
        """The dots of the last preview, from top to bottom of the photo."""
        focused = self._focused_lock()
        empty(self._list)
        for dot in self._session.dots:
            self._list.add(self._row(dot))
        self._list.show_all()
        row = self._list.get_row_at_index(focused)
        if row is not None:
            row.lock.grab_focus()

    def show_suggestions(self) -> None:
        """Colours that are likely at the chosen place, ready to paint with."""
        empty(self._suggestions)
        for suggestion in self._session.suggestions:
            self._suggestions.pack_start(_paint_button(suggestion), False, False, 0)
        self._suggestions.show_all()
        self.name_place()

    def name_place(self) -> None:
        """Say for which place the colours are; the buttons stay, one may be pressed just now."""
        session = self._session
        words = _("Likely at the cross:")
        if session.place in session.places:
            words = _("Likely at {0}:").format(1 + session.places.index(session.place))
        self._place.set_text(words if session.suggestions else "")

    def _row(self, dot: DotReport) -> Gtk.Widget:
        box = Gtk.Box(spacing=6)
        asked = swatch_bar((dot.asked,), 18, 18)
        asked.set_tooltip_text(_("Asked: {0}").format(dot.asked))
        reached = swatch_bar((dot.reached,), 18, 18)
        reached.set_tooltip_text(_("Reached: {0}").format(dot.reached))
        words = Gtk.Label(label=dot_words(dot), xalign=0, ellipsize=Pango.EllipsizeMode.END)
        words.set_tooltip_text(
            _("Asked {0}, possible here {1}, reached {2}").format(
                dot.asked, dot.reachable, dot.reached
            )
        )
        lock = Gtk.ToggleButton(active=dot.locked, relief=Gtk.ReliefStyle.NONE)
        tooltip = _("Lock the dot of {0}: give all of its region this colour").format(dot.asked)
        icon_button(GimpUi.ICON_LOCK, tooltip, lambda: self._session.toggle_lock(dot), lock)
        box.pack_start(asked, False, False, 0)
        box.pack_start(Gtk.Label(label="→"), False, False, 0)
        box.pack_start(reached, False, False, 0)
        if not is_followed(dot):
            icon = Gtk.Image.new_from_icon_name("dialog-warning", Gtk.IconSize.MENU)
            box.pack_start(icon, False, False, 0)
        box.pack_start(words, True, True, 0)
        box.pack_end(lock, False, False, 0)
        row = Gtk.ListBoxRow()
        row.add(box)
        row.dot, row.lock = dot, lock
        return row

    def _focused_lock(self) -> int:
        """The number of the dot whose lock has the focus, which a new list would lose; or -1."""
        for row in self._list.get_children():
            if row.lock.is_focus():
                return int(row.get_index())
        return -1

    def _row_chosen(self, _list: Gtk.ListBox, row: Gtk.ListBoxRow) -> None:
        self._look_at(row.dot)


def _paint_button(suggestion: ColorSuggestion) -> Gtk.Button:
    share = round(100 * suggestion.share)
    tooltip = _("Paint with {0} ({1} % likely)").format(suggestion.color, share)
    return color_button(suggestion.color, tooltip, lambda: paint_with(suggestion.color))


def paint_with(color: str) -> None:
    """Make it GIMP's foreground colour."""
    Gimp.context_set_foreground(Gegl.Color.new(color))
