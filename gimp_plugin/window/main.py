"""The window itself: its parts put together, the clock that looks at the canvas, and its end."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any, Callable, Optional

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gimp", "3.0")
gi.require_version("GimpUi", "3.0")
gi.require_version("Gtk", "3.0")
gi.require_version("Pango", "1.0")
from gi.repository import Gdk, Gimp, GimpUi, GLib, Gtk, Pango  # noqa: E402

from gimp_plugin import canvas  # noqa: E402
from gimp_plugin.dialog import ask_conversion  # noqa: E402
from gimp_plugin.live_canvas import LiveCanvas  # noqa: E402
from gimp_plugin.memory import Memory  # noqa: E402
from gimp_plugin.plan import Settings, is_kept_by_conversion  # noqa: E402
from gimp_plugin.session import LOOK_MILLISECONDS, Session  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.window.dots_page import DotsPage  # noqa: E402
from gimp_plugin.window.drawing import pixbuf  # noqa: E402
from gimp_plugin.window.front import ImageInFront  # noqa: E402
from gimp_plugin.window.help import show_help  # noqa: E402
from gimp_plugin.window.preview import HEIGHT, WIDTH, Preview  # noqa: E402
from gimp_plugin.window.settings_rows import SettingsRows  # noqa: E402
from gimp_plugin.window.theme_page import ThemePage  # noqa: E402
from server.protocol.messages import DotReport  # noqa: E402

WAITING = ("starting", "restarting")  # states of the engine that pass by themselves
BROKEN = ("missing", "mismatch")  # those that do not
RESET = 1  # a response of the dialog's own
MESSAGE_LINES = 3
MARGIN = 12  # pixels from the window to the screen's edge
ROOM_LINES = 6  # of messages: the engine's, a long one and one of usual length
TITLE_BAR = 26  # pixels, of what the desktop puts around a window
FAILURES = 3  # looks in a row that may fail


def colorize(
    procedure: Gimp.Procedure, image: Gimp.Image, photo: Gimp.Layer, usual: Settings
) -> tuple[Optional[Gimp.Layer], Settings]:  # noqa: UP045
    """Let the user colour a photo. Returns the result layer, if any, and how it was made.

    usual: what to begin with where no earlier result remembers anything. Raises Refused.
    """
    GimpUi.init("tincture")
    if _present_open_window(image) or not _may_convert(image, photo):
        return None, usual
    remembered = canvas.remembered_of(image, photo, image.get_selected_layers())
    window = LiveWindow(image, photo, remembered or Memory(0, usual), _warnings(image, photo))
    plug_in = procedure.get_plug_in()
    present = _present_procedure(plug_in, image, window)
    # The image may be closed in the middle of a look: that is no message for people.
    plug_in.set_pdb_error_handler(Gimp.PDBErrorHandler.PLUGIN)
    plug_in.add_temp_procedure(present)
    plug_in.persistent_enable()
    window.run()
    plug_in.remove_temp_procedure(present.get_name())
    return window.applied, window.settings


class LiveWindow:
    """The window for one image. `run` shows it until the user is done."""

    def __init__(
        self, image: Gimp.Image, photo: Gimp.Layer, begin_with: Memory, notes: Sequence[str]
    ) -> None:
        """begin_with: settings, and dots if there is no hints layer; notes: what to say first."""
        self._canvas = LiveCanvas(image, photo, begin_with.dots)
        self._session = Session(
            self._canvas, _post, self._changed, remembered=begin_with.settings, notes=notes
        )
        self._failures = 0
        self._loop = GLib.MainLoop()
        self._dialog = Gtk.Dialog(title=_("Colorize: {0}").format(image.get_name()))
        self._dialog.set_role("tincture-colorize")
        self._preview = Preview(self._place_chosen)
        self._themes = ThemePage(self._session, image)
        self._dots = DotsPage(self._session, self._dot_chosen)
        self._rows = SettingsRows(self._session)
        self._build()

    @property
    def settings(self) -> Settings:
        return self._session.settings

    @property
    def applied(self) -> Optional[Gimp.Layer]:  # noqa: UP045
        """The result layer, if there is one."""
        return self._canvas.applied

    def run(self) -> None:
        """Show the window until it is closed. Raises Refused."""
        self._session.begin()
        try:
            GimpUi.window_set_transient(self._dialog)
            self._dialog.show_all()
            for topic in ("engine", "picture"):
                self._changed(topic)
            self._beside_the_canvas()
            GLib.timeout_add(LOOK_MILLISECONDS, self._tick)
            front = ImageInFront(lambda image_id: _post(lambda: self._show_other(image_id)))
            self._loop.run()
            front.stop()
        finally:
            self._session.cancel()  # nothing where it is over, as it is unless something failed
            self._dialog.destroy()
        if self._session.end == "gone" and self._canvas.why_gone:
            Gimp.message(self._canvas.why_gone)

    def present(self) -> None:
        """Bring the window to the front."""
        self._dialog.present()

    def _build(self) -> None:
        book = Gtk.Notebook()
        book.append_page(self._themes, Gtk.Label.new_with_mnemonic(_("The_me")))
        book.append_page(self._dots, Gtk.Label.new_with_mnemonic(_("_Dots")))
        box = self._dialog.get_content_area()
        box.set_spacing(6)
        box.set_border_width(8)
        for child in (self._preview, self._status(), book, self._rows):
            box.pack_start(child, child is book, child is book, 0)
        self._buttons()
        self._controls = (book, self._rows, self._reset, self._apply)
        self._dialog.connect("response", self._responded)
        self._dialog.connect("delete-event", lambda *_args: True)  # `response` says it, too
        self._dialog.connect("key-press-event", self._key, True)
        self._dialog.connect("key-release-event", self._key, False)
        # A key that is let go elsewhere is let go here, too.
        self._dialog.connect("focus-out-event", lambda *_args: self._preview.hold_before(False))

    def _buttons(self) -> None:
        dialog = self._dialog
        dialog.add_button(_("_Help"), Gtk.ResponseType.HELP)
        self._reset = dialog.add_button(_("_Reset"), RESET)
        self._reset.set_tooltip_text(_("Back to what the window was opened with"))
        cancel = dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        cancel.set_tooltip_text(_("Leave the image as it was"))
        self._apply = dialog.add_button(_("_Apply"), Gtk.ResponseType.APPLY)
        self._apply.set_tooltip_text(_("Put the colours into the image as a layer; one undo step"))
        dialog.set_default_response(Gtk.ResponseType.APPLY)
        area = dialog.get_action_area()
        area.set_child_secondary(dialog.get_widget_for_response(Gtk.ResponseType.HELP), True)

    def _status(self) -> Gtk.Widget:
        """How it stands with the engine, a bar for what takes its time, and notes."""
        row = Gtk.Box(spacing=6)
        self._words = _message_label(selectable=True)
        self._words.set_can_focus(False)
        self._again = Gtk.Button.new_with_mnemonic(_("_Try again"))
        self._again.set_valign(Gtk.Align.CENTER)
        self._again.connect("clicked", lambda _button: self._session.try_again())
        row.pack_start(self._words, True, True, 0)
        row.pack_end(self._again, False, False, 0)
        self._bar = Gtk.ProgressBar()
        self._notes, self._other = _message_label(), _message_label()
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=3)
        for child in (row, self._bar, self._notes, self._other):
            box.pack_start(child, False, False, 0)
        for child in (self._again, self._bar, self._notes, self._other):
            child.set_no_show_all(True)
        return box

    def _beside_the_canvas(self) -> None:
        """At the screen's right edge, so that the photo is not covered."""
        area = Gdk.Display.get_default().get_monitor(0).get_workarea()
        self._fit_into(area.height)
        width, height = self._dialog.get_size()
        x = area.x + area.width - width - MARGIN
        self._dialog.move(x, area.y + max(0, (area.height - height) // 2))

    def _fit_into(self, height: int) -> None:
        """On a low screen, or with large letters, the picture leaves its room to the buttons."""
        width, own = self._dialog.get_size()
        status = self._words.get_layout()
        lines = status.get_line_count()
        room = (ROOM_LINES - lines) * status.get_pixel_size()[1] // lines
        missing = own + room + TITLE_BAR - height
        if missing > 0:
            self._preview.leave_room(missing)
            self._dialog.resize(width, 1)  # as low as what is in it

    def _tick(self) -> bool:
        """Look at the canvas, and arrange for the next look."""
        if self._session.engine.kind in WAITING:
            self._bar.pulse()
        wait = LOOK_MILLISECONDS
        try:
            wait = self._session.tick()
            self._failures = 0
        except Exception as error:
            # A layer or the image may go in the middle of a look; the next one tells so.
            self._failures += 1
            if self._failures >= FAILURES and not self._canvas.is_gone():
                traceback.print_exc()
                self._notes.set_text(_("Internal error in Tincture: {0}").format(error))
                self._notes.show()
                return False  # it would come again and again
        if wait:
            GLib.timeout_add(wait, self._tick)
        return False

    def _changed(self, topic: str) -> None:
        show: dict[str, Callable[[], None]] = {
            "engine": self._show_engine,
            "picture": self._show_picture,
            "dots": self._show_dots,
            "themes": self._themes.show_themes,
            "theme": self._show_theme,
            "suggestions": self._show_suggestions,
            "places": self._show_places,
            "notes": self._show_notes,
            "progress": self._show_progress,
            "end": self._loop.quit,
        }
        show[topic]()

    def _show_engine(self) -> None:
        state = self._session.engine
        self._words.set_text(state.words)
        self._again.set_visible(state.kind in BROKEN)
        self._show_progress()

    def _show_picture(self) -> None:
        if self._canvas.is_gone():
            return
        before, after = self._canvas.pictures(max(WIDTH, HEIGHT))
        pictures = [
            pixbuf(p.pixels, p.width, p.height, p.channels) if p else None for p in (before, after)
        ]
        self._preview.show_pictures(*pictures)

    def _show_dots(self) -> None:
        session = self._session
        self._dots.show_dots()
        self._preview.show_dots(session.dots, session.size)

    def _show_theme(self) -> None:
        self._themes.show_swatches()
        self._show_notes()
        self._rows.show_settings()

    def _show_places(self) -> None:
        self._preview.show_places([self._in_parts(place) for place in self._session.places])
        self._dots.name_place()  # which may have lost its number

    def _show_suggestions(self) -> None:
        self._dots.show_suggestions()
        self._preview.show_place(self._in_parts(self._session.place))

    def _in_parts(self, place: tuple[float, float]) -> tuple[float, float]:
        width, height = self._session.size
        return place[0] / width, place[1] / height

    def _show_notes(self) -> None:
        words = "\n".join(self._session.notes)
        if words == self._session.engine.words:
            words = ""  # it stands above already
        elif not (words or self._session.dots or self._session.settings.theme):
            words = _("Choose a theme, or paint dots on the photo with any brush.")
        words = "\n".join(filter(None, (self._session.hindrance, words)))
        self._notes.set_text(words)
        self._notes.set_visible(bool(words))

    def _show_other(self, image_id: int) -> None:
        """Say so when the user goes on to another image: what they do there is not followed."""
        if Gimp.Image.id_is_valid(image_id) and image_id != self._canvas.image.get_id():
            words = _("This window does not follow what you do in “{0}”: choose Colorize… there.")
            self._other.set_text(words.format(Gimp.Image.get_by_id(image_id).get_name()))
            self._other.show()
        else:
            self._other.hide()

    def _show_progress(self) -> None:
        fraction, kind = self._session.fraction, self._session.engine.kind
        self._bar.set_visible(fraction is not None or kind in WAITING)
        if fraction is not None:
            self._bar.set_fraction(fraction)
        for control in self._controls:  # what is changed now would not be in the result
            control.set_sensitive(fraction is None)
        self._apply.set_sensitive(fraction is None and kind not in BROKEN)

    def _place_chosen(self, x: float, y: float) -> None:
        width, height = self._session.size
        self._preview.show_place((x, y))
        self._session.ask_colors(x * width, y * height)

    def _dot_chosen(self, dot: DotReport) -> None:
        self._place_chosen(*self._in_parts((dot.x, dot.y)))

    def _responded(self, _dialog: Gtk.Dialog, response: int) -> None:
        if response == Gtk.ResponseType.APPLY:
            self._session.apply()
        elif response == Gtk.ResponseType.HELP:
            show_help(self._dialog)
        elif response == RESET:
            self._session.reset()
        else:
            self._session.cancel()

    def _key(self, _widget: Gtk.Widget, event: Any, pressed: bool) -> bool:
        """B held: the photo as it was."""
        if event.keyval not in (Gdk.KEY_b, Gdk.KEY_B):
            return False
        self._preview.hold_before(pressed)
        return True


def _message_label(selectable: bool = False) -> Gtk.Label:
    """For words of any length: the window keeps its size, and a tooltip has what did not fit."""
    label = Gtk.Label(xalign=0, wrap=True, selectable=selectable, max_width_chars=44)
    label.set_lines(MESSAGE_LINES)
    label.set_ellipsize(Pango.EllipsizeMode.END)
    label.set_has_tooltip(True)
    label.connect("query-tooltip", _whole_message)
    return label


def _whole_message(label: Gtk.Label, _x: int, _y: int, _keys: bool, tip: Gtk.Tooltip) -> bool:
    tip.set_text(label.get_text())
    return bool(label.get_layout().is_ellipsized())


def _may_convert(image: Gimp.Image, photo: Gimp.Layer) -> bool:
    """Is it fine that the image becomes RGB? A plain gray one becomes gray again on Cancel.

    Other conversions lose a palette, a profile or the last of 32 bits: they are an undo step, so
    the user is asked.
    """
    kind = image.get_base_type()
    if kind == Gimp.ImageBaseType.RGB:
        return True
    plain = kind == Gimp.ImageBaseType.GRAY and image.get_color_profile() is None
    if plain and is_kept_by_conversion(int(image.get_precision())):
        return True
    if not ask_conversion():
        return False
    canvas.add_hints_layer(image, photo)
    return True


def _warnings(image: Gimp.Image, photo: Gimp.Layer) -> list[str]:
    """What the user may not expect of the layer that is coloured."""
    others = [layer for layer in canvas.all_layers(image) if canvas.facts(layer).role == "photo"]
    if len(others) < 2 or not canvas.is_mostly_empty(photo):
        return []
    words = _(
        "Only the layer “{0}” is coloured, and most of it is transparent. Select the photograph's "
        "layer, or make one of all you see by Layer > New from Visible, before you choose Colorize."
    )
    return [words.format(photo.get_name())]


def _present_open_window(image: Gimp.Image) -> bool:
    """Is there a window for this image already? Then it comes to the front."""
    procedure = Gimp.get_pdb().lookup_procedure(canvas.window_procedure(image))
    if procedure is None:
        return False
    procedure.run(procedure.create_config())
    return True


def _present_procedure(
    plug_in: Gimp.PlugIn, image: Gimp.Image, window: LiveWindow
) -> Gimp.Procedure:
    """A procedure that lives as long as the window, for a second call on the same image."""

    def run(procedure: Gimp.Procedure, *_rest: Any) -> Gimp.ValueArray:
        window.present()
        return procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())

    temporary = Gimp.PDBProcType.TEMPORARY
    procedure = Gimp.Procedure.new(plug_in, canvas.window_procedure(image), temporary, run, None)
    procedure.set_documentation(_("Bring the window to the front"), None, None)
    return procedure


def _post(act: Callable[[], None]) -> None:
    """Have something run on GTK's thread, soon."""

    def once() -> bool:
        act()
        return False

    GLib.idle_add(once)
