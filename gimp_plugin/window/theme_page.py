"""The page where a colour theme is chosen and edited."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Callable

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gimp, GimpUi, Gio, GLib, Gtk  # noqa: E402

from gimp_plugin import canvas  # noqa: E402
from gimp_plugin.session import Session  # noqa: E402
from gimp_plugin.swatches import LARGEST_SHARE, Swatches  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.window.drawing import (  # noqa: E402
    empty,
    explain,
    icon_button,
    pixbuf,
    rgba,
    swatch_bar,
    to_hex,
)  # fmt: skip
from server.protocol.messages import MAX_THEME_COLORS  # noqa: E402

FIRST_COLOR = "#b08050"  # of a theme that is begun anew
PALETTES = "*.gpl *.ase *.aco *.hex *.txt"
NO_THEME_SIDE = 64
SHARE_WIDTH = 72  # pixels of the slider, at least; with fewer it can hardly be moved


class ThemePage(Gtk.Box):  # type: ignore[misc]
    """Recommended themes, GIMP's palettes, files, other images; and the swatches to edit."""

    def __init__(self, session: Session, image: Gimp.Image) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6, border_width=6)
        self._session = session
        self._image = image
        self._chosen = 0  # the swatch that the buttons below the row are about
        self._telling = False  # the page is being set, nobody clicked
        self._strip = Gtk.Box(spacing=4)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.AUTOMATIC)
        scrolled.set_policy(Gtk.PolicyType.AUTOMATIC, Gtk.PolicyType.NEVER)
        scrolled.add(self._strip)
        # A theme that the keyboard comes to is scrolled to.
        self._strip.set_focus_hadjustment(scrolled.get_hadjustment())
        self._swatches = Gtk.Box(spacing=2, homogeneous=True)
        self._tools = self._make_tools()
        for child in (scrolled, self._sources(), self._swatches, self._tools):
            self.pack_start(child, False, False, 0)
        self.show_themes()
        self.show_swatches()

    def show_themes(self) -> None:
        """The recommended themes, each with this photo in it."""
        empty(self._strip)
        none = Gtk.Label(label=_("No\ntheme"), justify=Gtk.Justification.CENTER)
        none.set_size_request(NO_THEME_SIDE, NO_THEME_SIDE)
        words = _("The colours that are natural for this photograph")
        self._add_theme(none, words, partial(self._session.use_theme, ()))
        session = self._session
        for number, theme in enumerate(session.themes, 1):
            box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2)
            if theme.pixels is not None:
                picture = pixbuf(bytes(theme.pixels), theme.width, theme.height, 3)
                box.pack_start(Gtk.Image.new_from_pixbuf(picture), False, False, 0)
            bar = swatch_bar(theme.colors, theme.width, 12, theme.shares)
            box.pack_start(bar, False, False, 0)
            words = theme.name or _("Recommended theme {0}").format(number)
            self._add_theme(box, words, partial(session.use_theme, theme.colors, theme.shares))
        if not self._session.themes:
            words = _("Recommended themes will appear here")
            self._strip.pack_start(Gtk.Label(label=words, sensitive=False), True, True, 12)
        self._strip.show_all()

    def show_swatches(self) -> None:
        """The theme as it is now."""
        empty(self._swatches)
        row = self._session.swatches.row
        self._chosen = min(self._chosen, max(0, len(row) - 1))
        group = None
        for index, swatch in enumerate(row):
            button = Gtk.RadioButton.new_from_widget(group)
            group = group or button
            button.set_mode(False)  # a button, not a circle with a label
            box = Gtk.Overlay()
            box.add(swatch_bar((swatch.color,), 30, 22))
            if swatch.locked:
                icon = Gtk.Image.new_from_icon_name(GimpUi.ICON_LOCK, Gtk.IconSize.MENU)
                box.add_overlay(icon)
            button.add(box)
            words = _("Colour {0} of the theme: {1}").format(index + 1, swatch.color)
            explain(button, words)
            button.set_active(index == self._chosen)
            button.connect("toggled", self._choose, index)
            self._swatches.pack_start(button, True, True, 0)
        if not row:
            words = _("No theme: press + to begin one")
            self._swatches.pack_start(Gtk.Label(label=words, sensitive=False), True, True, 3)
        self._swatches.show_all()
        self._show_tools()

    def _add_theme(self, child: Gtk.Widget, words: str, take: Callable[[], None]) -> None:
        button = Gtk.Button()
        button.add(child)
        explain(button, words)
        button.connect("clicked", lambda _button: take())
        self._strip.pack_start(button, False, False, 0)

    def _sources(self) -> Gtk.Widget:
        box = Gtk.Box(spacing=6)
        chooser = GimpUi.PaletteChooser.new(_("Choose a palette"), _("_Palette"), None)
        chooser.set_tooltip_text(_("Take one of GIMP's palettes as the theme"))
        chooser.connect("resource-set", self._palette_chosen)
        from_file = Gtk.Button.new_with_mnemonic(_("_File…"))
        from_file.set_tooltip_text(_("Take the theme from a palette file (.gpl, .ase, .aco)"))
        from_file.connect("clicked", lambda _button: self._choose_file())
        from_image = Gtk.Button.new_with_mnemonic(_("_Image…"))
        from_image.set_tooltip_text(_("Take the theme from another open image"))
        from_image.connect("clicked", self._choose_image)
        box.pack_start(chooser, True, True, 0)
        box.pack_start(from_file, False, False, 0)
        box.pack_start(from_image, False, False, 0)
        return box

    def _make_tools(self) -> Gtk.Widget:
        box = Gtk.Box(spacing=2)
        self._color = Gtk.ColorButton(title=_("Colour of the theme"))
        explain(self._color, _("Change the chosen colour"))
        self._color.connect("color-set", self._color_set)
        self._lock = Gtk.ToggleButton()
        words = _("Keep the chosen colour when another theme is taken")
        icon_button(GimpUi.ICON_LOCK, words, self._lock_clicked, self._lock)

        def edit(change: Callable[[Swatches, int], Swatches], steps: int = 0) -> None:
            swatches = change(self._session.swatches, self._chosen)
            self._chosen = min(max(self._chosen + steps, 0), max(0, len(swatches.row) - 1))
            self._session.edit(swatches)

        self._left = icon_button(
            "go-previous", _("Move the colour left"), lambda: edit(lambda s, i: s.moved(i, -1), -1)
        )
        self._right = icon_button(
            "go-next", _("Move the colour right"), lambda: edit(lambda s, i: s.moved(i, 1), 1)
        )
        self._remove = icon_button(
            "list-remove", _("Remove the colour"), lambda: edit(lambda s, i: s.without(i))
        )
        self._add = icon_button(
            "list-add", _("Add a colour"),
            lambda: edit(
                lambda s, i: s.added(s.colors[i] if s.row else FIRST_COLOR), MAX_THEME_COLORS
            ),
        )  # fmt: skip
        self._save = icon_button(
            "document-save", _("Save the theme as one of GIMP's palettes"), self._save_palette
        )
        self._share = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0.0, LARGEST_SHARE, 0.05)
        self._share.set_draw_value(False)
        self._share.set_size_request(SHARE_WIDTH, -1)
        explain(self._share, _("How much of the picture the chosen colour gets"))
        self._share.connect("value-changed", self._share_moved)
        self._any_shares = icon_button(
            "edit-clear", _("Leave open how much of the picture each colour gets"),
            lambda: self._session.edit(self._session.swatches.with_any_shares()),
        )  # fmt: skip
        of_chosen = (self._color, self._lock, self._left, self._right, self._remove)
        for button in (*of_chosen, self._add):
            box.pack_start(button, False, False, 0)
        box.pack_start(self._share, True, True, 4)
        box.pack_start(self._any_shares, False, False, 0)
        box.pack_end(self._save, False, False, 0)
        self._of_chosen = of_chosen
        return box

    def _show_tools(self) -> None:
        row = self._session.swatches.row
        for button in (*self._of_chosen, self._save):
            button.set_sensitive(bool(row))
        self._add.set_sensitive(len(row) < MAX_THEME_COLORS)
        self._share.set_sensitive(len(row) > 1)
        self._any_shares.set_sensitive(bool(self._session.swatches.shares))
        if not row:
            return
        self._telling = True
        self._color.set_rgba(rgba(row[self._chosen].color))
        self._lock.set_active(row[self._chosen].locked)
        self._share.set_value(self._session.swatches.share_of(self._chosen))
        self._telling = False
        self._left.set_sensitive(self._chosen > 0)
        self._right.set_sensitive(self._chosen < len(row) - 1)

    def _choose(self, button: Gtk.RadioButton, index: int) -> None:
        if button.get_active():
            self._chosen = index
            self._show_tools()

    def _color_set(self, button: Gtk.ColorButton) -> None:
        color = to_hex(button.get_rgba())
        self._session.edit(self._session.swatches.with_color(self._chosen, color))

    def _share_moved(self, scale: Gtk.Scale) -> None:
        if not self._telling:
            swatches = self._session.swatches.with_share(self._chosen, scale.get_value())
            self._session.edit(swatches)

    def _lock_clicked(self) -> None:
        if not self._telling:
            self._session.edit(self._session.swatches.toggled(self._chosen))

    def _save_palette(self) -> None:
        canvas.make_palette(self._image.get_name(), self._session.swatches.colors)

    def _palette_chosen(self, _chooser: Any, palette: Gimp.Palette, _closing: bool) -> None:
        colors = canvas.palette_colors(palette)
        if not colors:
            words = _("The palette “{0}” has no colours; none was used.")
            self._session.say(words.format(palette.get_name()))
        elif len(colors) > MAX_THEME_COLORS:  # the engine finds the main ones
            self._session.take_file("\n".join(colors).encode(), palette.get_name())
        else:
            self._session.use_theme(colors)

    def _choose_file(self) -> None:
        dialog = Gtk.FileChooserNative.new(
            _("Open a palette"), self.get_toplevel(), Gtk.FileChooserAction.OPEN, None, None
        )
        palettes = Gtk.FileFilter()
        palettes.set_name(_("Palettes"))
        for pattern in PALETTES.split():
            palettes.add_pattern(pattern)
        dialog.add_filter(palettes)
        if dialog.run() == Gtk.ResponseType.ACCEPT:
            self._take_file(dialog.get_file())
        dialog.destroy()

    def _take_file(self, file: Gio.File) -> None:
        try:
            _ok, palette, _etag = file.load_contents(None)
        except GLib.Error as error:
            self._session.say(error.message)
        else:
            self._session.take_file(bytes(palette), Path(file.get_basename()).stem)

    def _choose_image(self, button: Gtk.Button) -> None:
        """A menu of the other open images."""
        menu = Gtk.Menu()
        others = [image for image in Gimp.get_images() if image != self._image]
        for image in others:
            item = Gtk.MenuItem(label=image.get_name())
            item.connect("activate", lambda _item, image=image: self._take_image(image))
            menu.append(item)
        if not others:
            menu.append(Gtk.MenuItem(label=_("No other image is open"), sensitive=False))
        menu.show_all()
        menu.attach_to_widget(button, None)
        menu.popup_at_widget(button, 7, 1, None)  # Gdk.Gravity.SOUTH_WEST to NORTH_WEST

    def _take_image(self, image: Gimp.Image) -> None:
        if image.is_valid() and image.get_layers():
            self._session.take_picture(*canvas.visible_colors(image))
