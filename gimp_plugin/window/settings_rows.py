"""The rows below the pages: how strong and vivid the colours are, and what is made of them."""

from __future__ import annotations

from typing import Callable

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402

from gimp_plugin.session import Session  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402


class SettingsRows(Gtk.Box):  # type: ignore[misc]
    """Two sliders, and the kind of result beside the quality."""

    def __init__(self, session: Session) -> None:
        super().__init__(orientation=Gtk.Orientation.VERTICAL, spacing=6)
        self._session = session
        self._sliders = Gtk.Grid(row_spacing=3, column_spacing=6)
        self._strength = self._slider(
            0, "strength", _("_Strength"),
            _("Of the theme. 0: ignore it, 1: as it suits the photograph, 2: only these colours"),
        )  # fmt: skip
        self._saturation = self._slider(
            1, "saturation", _("Sat_uration"), _("0: grey, 1: natural, 2: twice as vivid")
        )
        self._choices = Gtk.Box(spacing=6)
        self._kind = self._choice(
            _("Resu_lt"),
            {"color": _("Colour only"), "normal": _("Normal layer")},
            _("The kind of layer that Apply makes: one that carries colour alone, so that the "
              "photograph keeps its lightness, or one that covers the photograph"),
            lambda chosen: session.adjust(color_only=chosen == "color"),
        )  # fmt: skip
        self._quality = self._choice(
            _("_Quality"),
            {"draft": _("Draft"), "normal": _("Normal"), "fine": _("Fine")},
            _("How closely the engine looks at the photograph; finer takes longer"),
            lambda chosen: session.adjust(quality=chosen),
        )
        self.pack_start(self._sliders, False, False, 0)
        self.pack_start(self._choices, False, False, 0)
        self.show_settings()

    def show_settings(self) -> None:
        """The settings as they are now."""
        settings = self._session.settings
        self._strength.set_value(settings.strength)
        self._saturation.set_value(settings.saturation)
        self._kind.set_active_id("color" if settings.color_only else "normal")
        self._quality.set_active_id(settings.quality)

    def _slider(self, row: int, field: str, words: str, tooltip: str) -> Gtk.Scale:
        """From 0 to 2, for a field of the settings."""
        label = Gtk.Label(label=words, use_underline=True, xalign=0)
        scale = Gtk.Scale.new_with_range(Gtk.Orientation.HORIZONTAL, 0.0, 2.0, 0.05)
        scale.set_value(getattr(self._session.settings, field))  # before anybody is told
        scale.set_value_pos(Gtk.PositionType.RIGHT)
        scale.add_mark(1.0, Gtk.PositionType.BOTTOM, None)
        scale.set_hexpand(True)
        scale.set_tooltip_text(tooltip)
        label.set_mnemonic_widget(scale)
        scale.get_accessible().set_name(words.replace("_", ""))
        scale.connect("value-changed", lambda s: self._session.adjust(**{field: s.get_value()}))
        self._sliders.attach(label, 0, row, 1, 1)
        self._sliders.attach(scale, 1, row, 1, 1)
        return scale

    def _choice(
        self, words: str, choices: dict[str, str], tooltip: str, chosen: Callable[[str], None]
    ) -> Gtk.ComboBoxText:
        """choices: what each one is called, by its name for `chosen`."""
        label = Gtk.Label(label=words, use_underline=True, xalign=0)
        combo = Gtk.ComboBoxText()
        for name, choice in choices.items():
            combo.append(name, choice)
        combo.set_tooltip_text(tooltip)
        label.set_mnemonic_widget(combo)
        combo.connect("changed", lambda c: chosen(c.get_active_id()))
        self._choices.pack_start(label, False, False, 0)
        self._choices.pack_start(combo, True, True, 0)
        return combo
