#!/usr/bin/env python3
"""Tincture in GIMP: declares the procedures and runs them. GIMP starts this file as a process."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gi

gi.require_version("Gimp", "3.0")
from gi.repository import Gimp, GLib, GObject  # noqa: E402

from gimp_plugin import canvas, plan  # noqa: E402
from gimp_plugin.plan import Refused, Settings  # noqa: E402
from gimp_plugin.result_layer import put_result  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Work, theme_of  # noqa: E402
from server.protocol.written_theme import written_theme  # noqa: E402

COLORIZE = "tincture-colorize"
RECOLORIZE = "tincture-recolorize"
ADD_HINTS = "tincture-add-hints-layer"
THEME_FROM_LAYER = "tincture-theme-from-layer"
SAVE_THEME = "tincture-save-theme"
MENU = "<Image>/Filters/Tincture"
COLOR_LAYER, NORMAL_LAYER = "color-layer", "normal-layer"
POLL_SECONDS = 0.05
READ_WRITE = GObject.ParamFlags.READWRITE


class Cancelled(Exception):
    """The user closed the dialog."""


class Tincture(Gimp.PlugIn):  # type: ignore[misc]
    def do_query_procedures(self) -> list[str]:
        return list(_PROCEDURES)

    def do_set_i18n(self, name: str) -> bool:
        return False  # `gimp_plugin.texts` does it

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        describe, action, kind = _PROCEDURES[name]

        def run(procedure: Gimp.Procedure, *rest: Any) -> Gimp.ValueArray:
            return _answer(action, kind, Call(procedure, *rest[:4]))

        procedure = Gimp.ImageProcedure.new(self, name, Gimp.PDBProcType.PLUGIN, run, None)
        procedure.set_image_types("*")
        procedure.set_sensitivity_mask(
            Gimp.ProcedureSensitivityMask.DRAWABLE | Gimp.ProcedureSensitivityMask.DRAWABLES
        )
        procedure.set_attribution("The Tincture developers", "The Tincture developers", "2026")
        describe(procedure)
        procedure.add_menu_path(MENU)  # after the label, else there is no entry
        return procedure


def _describe_colorize(procedure: Gimp.Procedure) -> None:
    procedure.set_menu_label(_("_Colorize…"))
    procedure.set_documentation(
        _("Bring a black-and-white photograph to colour"),
        _(
            "Opens a window that stays while you choose a theme and paint dots of colour on the "
            "layer named “hints”. The result is a layer above the photograph; run again, it is "
            "brought up to date."
        ),
        COLORIZE,
    )
    procedure.add_boolean_argument(
        "use-palette",
        _("_Use a palette as the colour theme"),
        _("Colour the photograph in the colours of the palette below"),
        False,
        READ_WRITE,
    )
    procedure.add_palette_argument(
        "palette",
        _("_Palette"),
        _("The colour theme; more than 7 colours are merged to the 7 main ones"),
        True,
        None,
        True,
        READ_WRITE,
    )
    procedure.add_string_argument(
        "theme-colors",
        _("Theme colours"),
        _(
            "The colour theme written out, like “#7a3b12 #203050” or, with how much of the "
            "picture each colour gets, “#7a3b12:70% #203050:30%”; goes before the palette"
        ),
        "",
        READ_WRITE,
    )
    procedure.add_double_argument(
        "strength",
        _("_Theme strength"),
        _("0: ignore the theme, 1: as it suits the photograph, 2: only these colours"),
        0.0,
        2.0,
        1.0,
        READ_WRITE,
    )
    procedure.add_double_argument(
        "saturation",
        _("Sat_uration"),
        _("0: grey, 1: natural, 2: twice as vivid"),
        0.0,
        2.0,
        1.0,
        READ_WRITE,
    )
    output = Gimp.Choice.new()
    output.add(COLOR_LAYER, 0, _("Colour only: the photograph keeps its lightness"), "")
    output.add(NORMAL_LAYER, 1, _("Normal layer"), "")
    procedure.add_choice_argument(
        "output",
        _("Resul_t"),
        _("A layer that carries colour alone, or one that covers the photograph"),
        output,
        COLOR_LAYER,
        READ_WRITE,
    )
    quality = Gimp.Choice.new()
    quality.add("draft", 0, _("Draft"), "")
    quality.add("normal", 1, _("Normal"), "")
    quality.add("fine", 2, _("Fine"), "")
    procedure.add_choice_argument(
        "quality",
        _("_Quality"),
        _("How closely the engine looks at the photograph; finer takes longer"),
        quality,
        "normal",
        READ_WRITE,
    )
    procedure.add_string_argument(
        "locked-dots",
        _("Locked dots"),
        _("Places of dots whose whole region takes their colour, like “120.5,80 300,41”"),
        "",
        READ_WRITE,
    )
    procedure.add_layer_return_value(
        "layer", _("Result"), _("The layer with the colours"), False, READ_WRITE
    )


def _describe_recolorize(procedure: Gimp.Procedure) -> None:
    procedure.set_menu_label(_("_Recolorize"))
    procedure.set_documentation(
        _("Bring the colours up to date with the dots, without the window"),
        _("Colours the photograph again with the theme and the settings of its last result."),
        RECOLORIZE,
    )
    procedure.add_layer_return_value(
        "layer", _("Result"), _("The layer with the colours"), False, READ_WRITE
    )


def _describe_add_hints(procedure: Gimp.Procedure) -> None:
    procedure.set_menu_label(_("Add _Hints Layer"))
    procedure.set_documentation(
        _("Add a transparent layer to paint dots of colour on"),
        _(
            "Paint a dot in the colour that a place should have, then choose Colorize. A grayscale "
            "image is converted to RGB first, because it cannot hold coloured dots."
        ),
        ADD_HINTS,
    )
    procedure.add_layer_return_value(
        "layer", _("Hints"), _("The layer to paint on"), False, READ_WRITE
    )


def _describe_theme_from_layer(procedure: Gimp.Procedure) -> None:
    procedure.set_menu_label(_("_Theme from Layer"))
    procedure.set_documentation(
        _("Make a palette of the main colours of this layer"),
        _("The palette can be chosen as the colour theme of any photograph."),
        THEME_FROM_LAYER,
    )
    procedure.add_int_argument(
        "count", _("_Colours"), _("3 to 7, or 0 to let the layer decide"), 0, 7, 0, READ_WRITE
    )
    procedure.add_palette_return_value("palette", _("Palette"), _("The new palette"), READ_WRITE)


def _describe_save_theme(procedure: Gimp.Procedure) -> None:
    procedure.set_menu_label(_("_Save Theme as Palette"))
    procedure.set_documentation(
        _("Make a palette of the colour theme that this image was coloured with"),
        "",
        SAVE_THEME,
    )
    procedure.add_palette_return_value("palette", _("Palette"), _("The new palette"), READ_WRITE)


@dataclass(frozen=True)
class Call:
    """What GIMP hands to a procedure."""

    procedure: Gimp.Procedure
    run_mode: Gimp.RunMode
    image: Gimp.Image
    drawables: Sequence[Gimp.Drawable]
    config: Gimp.ProcedureConfig

    @property
    def interactive(self) -> bool:
        return bool(self.run_mode == Gimp.RunMode.INTERACTIVE)


def _colorize_call(call: Call) -> Gimp.Layer:
    photo = canvas.find_photo(call.image, call.drawables)
    if call.interactive:
        return _live(call, photo)
    return _colorize(call, photo, _settings(call.config))


def _live(call: Call, photo: Gimp.Layer) -> Gimp.Layer:
    """Show the window until the user is done."""
    from gimp_plugin.window import main

    usual = Settings(
        color_only=call.config.get_property("output") == COLOR_LAYER,
        quality=call.config.get_property("quality"),
    )
    layer, settings = main.colorize(call.procedure, call.image, photo, usual)
    if layer is None:
        raise Cancelled
    _remember(call.config, settings)
    return layer


def _remember(config: Gimp.ProcedureConfig, settings: Settings) -> None:
    """So that Repeat, and a script with these values, does the same."""
    config.set_property("use-palette", False)
    config.set_property("theme-colors", written_theme(settings.theme, settings.shares))
    config.set_property("strength", settings.strength)
    config.set_property("saturation", settings.saturation)
    config.set_property("output", COLOR_LAYER if settings.color_only else NORMAL_LAYER)
    config.set_property("quality", settings.quality)
    config.set_property("locked-dots", plan.written_places(settings.locked))


def _recolorize_call(call: Call) -> Gimp.Layer:
    photo = canvas.find_photo(call.image, call.drawables)
    remembered = canvas.remembered_of(call.image, photo, call.drawables)
    if remembered is None:
        raise Refused(_("This photograph has not been coloured yet. Choose Colorize first."))
    return _colorize(call, photo, remembered.settings)


def _add_hints_call(call: Call) -> Gimp.Layer:
    photo = canvas.find_photo(call.image, call.drawables)
    if call.interactive and call.image.get_base_type() != Gimp.ImageBaseType.RGB:
        from gimp_plugin import dialog

        if not dialog.ask_conversion():
            raise Cancelled
    return canvas.add_hints_layer(call.image, photo)


def _theme_from_layer_call(call: Call) -> Gimp.Palette:
    count = call.config.get_property("count")
    if count in (1, 2):
        raise Refused(_("A theme has 3 to 7 colours."))
    if len(call.drawables) != 1:
        raise Refused(_("Select the one layer that the theme is to be taken from."))
    layer = call.drawables[0]
    return canvas.make_palette(layer.get_name(), theme_of(*canvas.read_colors(layer), count))


def _save_theme_call(call: Call) -> Gimp.Palette:
    colors = canvas.used_theme(call.image)
    if not colors:
        raise Refused(_("This image has not been coloured with a theme."))
    return canvas.make_palette(call.image.get_name(), colors)


def _colorize(call: Call, photo: Gimp.Layer, settings: Settings) -> Gimp.Layer:
    """Read, let the engine work, and only then touch the image."""
    image = call.image
    if Gimp.get_pdb().lookup_procedure(canvas.window_procedure(image)):
        # It holds layers that no step of the history may remove.
        raise Refused(_("Tincture's window is open for this image. Press Apply or Cancel there."))
    Gimp.progress_init(_("Colorizing"))
    read = canvas.read_photo(image, photo)
    hints = canvas.find_hints(image)
    work = Work(read, canvas.read_hints(hints, photo) if hints else (), settings)
    work.start()
    shown = ""
    while not work.wait(POLL_SECONDS):
        if work.state != shown:
            shown = work.state
            Gimp.progress_set_text(shown or _("Colorizing"))
        Gimp.progress_update(work.fraction)
    result = work.result()
    layer = put_result(image, photo, read, result, work.memory(), preferred=call.drawables)
    Gimp.progress_end()
    for note in result.notes:
        Gimp.message(note)
    return layer


def _settings(config: Gimp.ProcedureConfig) -> Settings:
    colors: tuple[str, ...] = ()
    palette = config.get_property("palette")
    if palette and config.get_property("use-palette"):
        colors = canvas.palette_colors(palette)
        if not colors:
            name = palette.get_name()
            Gimp.message(_("The palette “{0}” has no colours; none was used.").format(name))
    written, shares = plan.parse_theme(config.get_property("theme-colors") or "")
    return Settings(
        theme=written or colors,
        shares=shares,
        strength=config.get_property("strength"),
        saturation=config.get_property("saturation"),
        color_only=config.get_property("output") == COLOR_LAYER,
        quality=config.get_property("quality"),
        locked=plan.parse_places(config.get_property("locked-dots") or ""),
    )


def _answer(action: Callable[[Call], Any], kind: Any, call: Call) -> Gimp.ValueArray:
    """Run an action that makes a layer or a palette, and tell GIMP how it went, in words."""
    status, procedure = Gimp.PDBStatusType, call.procedure
    try:
        made = action(call)
    except Cancelled:
        return procedure.new_return_values(status.CANCEL, GLib.Error())
    except Refused as error:
        return procedure.new_return_values(status.EXECUTION_ERROR, _error(str(error)))
    except Exception as error:
        traceback.print_exc()
        words = _("Internal error in Tincture: {0}").format(error)
        return procedure.new_return_values(status.EXECUTION_ERROR, _error(words))
    values = procedure.new_return_values(status.SUCCESS, GLib.Error())
    values.remove(1)
    value = GObject.Value(kind)
    value.set_object(made)
    values.append(value)
    return values


def _error(words: str) -> GLib.Error:
    return GLib.Error.new_literal(Gimp.PlugIn.error_quark(), words[:1].upper() + words[1:], 0)


# name: how it is described, what it does, and what it makes
_PROCEDURES: dict[str, tuple[Callable[[Gimp.Procedure], None], Callable[[Call], Any], Any]] = {
    COLORIZE: (_describe_colorize, _colorize_call, Gimp.Layer),
    RECOLORIZE: (_describe_recolorize, _recolorize_call, Gimp.Layer),
    ADD_HINTS: (_describe_add_hints, _add_hints_call, Gimp.Layer),
    THEME_FROM_LAYER: (_describe_theme_from_layer, _theme_from_layer_call, Gimp.Palette),
    SAVE_THEME: (_describe_save_theme, _save_theme_call, Gimp.Palette),
}

if __name__ == "__main__":
    Gimp.main(Tincture.__gtype__, sys.argv)
