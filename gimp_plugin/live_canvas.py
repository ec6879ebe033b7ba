"""The image as the live window sees and changes it, through GIMP's API.

What the window needs on the canvas (RGB mode, a hints layer, the preview) is put there and taken
away with GIMP's undo frozen: no step of the history is made, and none, not even of redo, is lost.
Each freeze lasts for a few calls only, so the user's own strokes are recorded as ever.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Optional
from zlib import crc32

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gdk, Gegl, Gimp  # noqa: E402

from gimp_plugin import canvas  # noqa: E402
from gimp_plugin.dots import CELL_COLUMNS, Cell, ReadCell, Thumbnail, trimmed  # noqa: E402
from gimp_plugin.look import Look  # noqa: E402
from gimp_plugin.memory import Memory, RememberedDot  # noqa: E402
from gimp_plugin.plan import HINTS_NAME, Refused, result_format  # noqa: E402
from gimp_plugin.result_layer import add_mask, put_result  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol.messages import ColorizeResult, HintStrip  # noqa: E402

HINTS_LOOK_SIDE = 256  # pixels of the small picture that tells what was painted
PHOTO_LOOK_SIDE = 64
LIMITS_LOOK_SIDE = 64


class LiveCanvas:
    """An image with a photo in it, while the window is open. Implements `session.Canvas`."""

    def __init__(
        self, image: Gimp.Image, photo: Gimp.Layer, dots: Sequence[RememberedDot] = ()
    ) -> None:
        """dots: of the result that is taken up again, for where its hints layer is gone."""
        self.image = image
        self.photo = photo
        self._was_gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
        self._selected = image.get_selected_layers()
        hints = canvas.find_hints(image)
        self._own_hints = hints is None  # made by this window
        self._hints_hidden = hints is not None and not hints.get_visible()
        self._hints_seen: Optional[tuple[tuple[int, ...], Thumbnail]] = None  # noqa: UP045
        self._hints_touched = False  # the history has steps that belong to the hints layer
        self._dots = dots
        self._painted_by_window: tuple[HintStrip, ...] = ()
        self._places_found: dict[int, tuple[int, ...]] = {}
        self._pictures_found: dict[int, Thumbnail] = {}
        self._rebuilt = False  # the history may have steps that hold whole layers in colour
        self._file_found = _file_of(image)
        self._lasting_filters: set[tuple[int, ...]] = set()
        self._preview: Optional[Gimp.Layer] = None  # noqa: UP045
        self._preview_is_new = True
        self._limits: Optional[tuple[int, ...]] = None  # noqa: UP045
        self.applied: Optional[Gimp.Layer] = None  # noqa: UP045  the result layer
        self.why_gone = ""  # why `look` found nothing, in words; empty where the image was closed

    def open(self) -> None:
        """Make what the user paints on. Raises Refused."""
        self._refuse_locked()
        with self._unseen():
            for left_over in canvas.previews(self.image):
                self.image.remove_layer(left_over)
            canvas.make_rgb(self.image)
            self._hints = canvas.find_hints(self.image) or self._new_hints()
            self._hints.set_visible(True)  # GIMP's tools refuse to paint on what nobody sees
        if self._was_gray and not self._places_found:
            self._places_found, self._pictures_found = self._places(), self._pictures()
        self.image.set_selected_layers([self._hints])
        Gimp.displays_flush()

    def look(self) -> Optional[Look]:  # noqa: UP045
        """What can be seen at a glance; None: it cannot be followed any more, see `why_gone`."""
        began = time.monotonic()
        self.why_gone = self._why_gone()
        if self.why_gone or not self.image.is_valid():
            return None
        there = self._find_hints()
        place, seen = self._see_hints() if there else ((), None)
        photo = canvas.thumbnail(self.photo, PHOTO_LOOK_SIDE)
        tried = self._is_tried_on(self.photo) or (there and self._is_tried_on(self._hints))
        self._see_layers({self.photo.get_id(): photo})  # of all layers they would take too long
        return Look(
            photo=photo.pixels,
            photo_place=_rectangle(self.photo),
            hints=seen,
            hints_place=place,
            limits=_limits(self.image, self.photo),
            painting=tried or _button_is_held(),
            ready=there and self.image.get_selected_layers() == [self._hints],
            hints_name=self._hints.get_name() if there else HINTS_NAME,
            seconds=time.monotonic() - began,
        )

    def _why_gone(self) -> str:
        if not self.image.is_valid():
            return ""
        if not self.photo.is_valid():
            return _("The photograph's layer is gone, so Tincture's window closed.")
        if self.image.get_base_type() != Gimp.ImageBaseType.RGB:
            return _("The image is not in RGB mode any more, so Tincture's window closed.")
        if self._was_gray and canvas.has_gray_layers(self.image):
            return _(
                "A step from before Tincture's window opened was undone, and the photo is gray "
                "again, so the window closed. Choose Colorize… again."
            )
        return ""

    def is_gone(self) -> bool:
        return not (self.image.is_valid() and self.photo.is_valid())

    def read_photo(self) -> Photo:
        return canvas.read_photo(self.image, self.photo)

    def read_cells(self, cells: Sequence[Cell]) -> list[ReadCell]:
        """These parts of the hints layer."""
        width = self._hints.get_width()
        places = ((top, left, min(CELL_COLUMNS, width - left)) for top, left in cells)
        strips = canvas.read_strips(self._hints, self.photo, places)
        return [(cell, trimmed(strip)) for strip, cell in zip(strips, cells)]

    def show(self, result: ColorizeResult, photo: Photo, color_only: bool) -> bool:
        """Write a result, or the rectangle that changed, into the preview on the canvas.

        Returns False where it is a rectangle of a preview that is gone. Raises Refused.
        """
        if self.is_gone():
            return True  # GIMP would show an error; the next look tells
        self._refuse_locked()
        shown = self._preview if self._preview and self._preview.is_valid() else None
        if shown is None or canvas.previews(self.image) != [shown]:
            self.hide()  # also one that an undo brought back above it
            if (result.width, result.height) != (photo.width, photo.height):
                return False
            self._preview = self._insert_preview(photo)
        preview = self._preview
        self._set_mode(preview, color_only)
        self._follow_limits(preview)
        if result.width:
            self._write(preview, result)
        Gimp.displays_flush()
        return True

    def hide(self) -> None:
        """Take the preview off the canvas, also one that was deleted and came back by an undo."""
        if self._preview is not None and not self._preview.is_valid():
            self._rebuilt = True  # somebody deleted it: a step of the history holds it, in colour
        self._preview, self._limits = None, None
        for preview in canvas.previews(self.image):
            with self._unseen():
                self.image.remove_layer(preview)

    def pictures(self, side: int) -> tuple[Thumbnail, Optional[Thumbnail]]:  # noqa: UP045
        """The photo and, if there is one, the preview, at most `side` pixels long."""
        before = canvas.thumbnail(self.photo, side)
        shown = self._preview is not None and self._preview.is_valid()
        return before, canvas.thumbnail(self._preview, side) if shown else None

    def apply(self, photo: Photo, result: ColorizeResult, memory: Memory) -> None:
        """Put the result into the image, one undo step, with the dots hidden. Raises Refused."""
        self._refuse_locked()
        self._take_back()
        there = self._hints.is_valid()
        hidden = [self._hints] if there and result.dots else []
        if not there or (hidden and self.image.get_selected_layers() == hidden):
            others = [layer for layer in self._selected if layer not in hidden]
            canvas.select(self.image, others or [self.photo])
        try:
            self.applied = put_result(
                self.image, self.photo, photo, result, memory, hidden, self._selected
            )
        except Refused:
            self.open()  # the window stays
            raise

    def cancel(self) -> None:
        """Leave the image as it was found.

        A hints layer that the user has painted on is removed in an undo step of its own: it holds
        the only copy of their dots, and the steps of their strokes belong to it. So is the return
        to gray where the history may hold layers in colour: brought back by an undo into a gray
        image, they would make its file unreadable.
        """
        if not self.image.is_valid():
            return
        self._take_back()
        there = self._hints.is_valid()
        if there and self._own_hints:
            with canvas.undo_group(self.image):
                self.image.remove_layer(self._hints)
                self._make_gray_again()
        else:
            if there and self._hints_hidden:
                with self._unseen():
                    self._hints.set_visible(False)
            self._make_gray_again()
        canvas.select(self.image, self._selected)
        Gimp.displays_flush()

    def _new_hints(self) -> Gimp.Layer:
        hints = canvas.insert_hints(self.image, self.photo)
        canvas.paint_dots(hints, self._dots, self.photo)
        if self._dots:
            self._painted_by_window = canvas.read_hints(hints, self.photo)
        return hints

    def _find_hints(self) -> bool:
        """Is there a hints layer? One that the user made is theirs."""
        if self._hints.is_valid():
            return True
        found = canvas.find_hints(self.image)
        if found is None:
            return False
        self._own_hints = self._own_hints and found.get_id() == self._hints.get_id()
        self._hints = found
        return True

    def _is_tried_on(self, layer: Gimp.Layer) -> bool:
        """As `canvas.is_tried_on`, which takes its time: filters that stay are asked about once."""
        filters = tuple(filter_.get_id() for filter_ in layer.get_filters())
        if filters in self._lasting_filters:
            return False
        tried = canvas.is_tried_on(layer)
        if not tried:
            self._lasting_filters.add(filters)
        return tried

    def _refuse_locked(self) -> None:
        """GIMP ends a plug-in that writes into a locked group."""
        locked = canvas.locked_around(self.photo.get_parent())
        if locked is not None:
            raise Refused(
                _("The layer group “{0}” is locked. Unlock its pixels first.").format(
                    locked.get_name()
                )
            )

    def _take_back(self) -> None:
        """Remove, without a trace in the history, what nobody but the window has touched."""
        self.hide()
        self._see_layers(self._pictures() if self._was_gray else {})
        there = self._hints.is_valid()
        if there:
            self._see_hints()  # what was painted since the last look
        if there and self._own_hints and not self._hints_touched:
            # A dot of a few pixels is too small for the picture that tells of others.
            painted = canvas.read_hints(self._hints, self.photo)
            self._hints_touched = painted != self._painted_by_window
        if there and self._own_hints and (not self._hints_touched or self._is_stranded()):
            with self._unseen():
                self.image.remove_layer(self._hints)
        if not (self._hints_touched or self._rebuilt) and self._gray_is_due():
            with self._unseen():
                self.image.convert_grayscale()

    def _is_stranded(self) -> bool:
        """Did an undo make the image gray behind the hints layer's back? A file cannot hold both.

        Every stroke on the layer is undone by then. A step that removes it could bring it back.
        """
        is_rgb = self.image.get_base_type() == Gimp.ImageBaseType.RGB
        return not is_rgb and bool(self._hints.is_rgb())

    def _see_hints(self) -> tuple[tuple[int, ...], Thumbnail]:
        """Where the hints layer is, and how it looks; once painted on, the layer is the user's."""
        place, seen = _rectangle(self._hints), canvas.thumbnail(self._hints, HINTS_LOOK_SIDE)
        # A crop of the image changes the layer, too, but needs it no more when it is undone.
        if self._hints_seen and place == self._hints_seen[0] and seen != self._hints_seen[1]:
            self._hints_touched = True
        self._hints_seen = place, seen
        return place, seen

    def _see_layers(self, pictures: dict[int, Thumbnail]) -> None:
        """A step that crops, turns, adds or removes layers holds them whole, in colour by now.

        pictures: of some layers, by their ids.
        """
        if self._was_gray and not self._rebuilt:
            self._rebuilt = not (
                self._hints.is_valid()
                and self._places() == self._places_found
                and pictures.items() <= self._pictures_found.items()
            )

    def _places(self) -> dict[int, tuple[int, ...]]:
        """Where each layer is."""
        return {layer.get_id(): _rectangle(layer) for layer in self._layers()}

    def _pictures(self) -> dict[int, Thumbnail]:
        """How each layer looks from afar."""
        return {
            layer.get_id(): canvas.thumbnail(layer, PHOTO_LOOK_SIDE) for layer in self._layers()
        }

    def _layers(self) -> list[Gimp.Layer]:
        """All but groups and the window's own."""
        own = [self._hints, *canvas.previews(self.image)]
        return [
            layer
            for layer in canvas.all_layers(self.image)
            if layer not in own and not layer.is_group()
        ]

    def _make_gray_again(self) -> None:
        if self._gray_is_due():
            self.image.convert_grayscale()

    def _gray_is_due(self) -> bool:
        """Was it gray, and can it be again? Something coloured may be beside the photo by now."""
        was_converted = self._was_gray and self.image.get_base_type() == Gimp.ImageBaseType.RGB
        if not (was_converted and self.photo.is_valid()):
            return False
        return canvas.is_gray(self.image, but=self._untouched_texts())

    def _untouched_texts(self) -> list[Gimp.Layer]:
        """A text keeps a colour that shows in RGB alone: in gray it looks as it did before."""
        found = self._pictures_found
        return [
            layer
            for layer in self._layers()
            if isinstance(layer, Gimp.TextLayer)
            and canvas.thumbnail(layer, PHOTO_LOOK_SIDE) == found.get(layer.get_id())
        ]

    def _insert_preview(self, photo: Photo) -> Gimp.Layer:
        kind = Gimp.ImageType.RGBA_IMAGE if photo.format.channels == 2 else Gimp.ImageType.RGB_IMAGE
        size = (photo.width, photo.height)
        mode = Gimp.LayerMode.LCH_COLOR
        selected = self.image.get_selected_layers()
        with self._unseen():
            preview = Gimp.Layer.new(self.image, _("Tincture preview"), *size, kind, 100.0, mode)
            position = self.image.get_item_position(self.photo)
            result = canvas.find_result(self.image, self.photo)
            if result and result.get_parent() == self.photo.get_parent():
                position = min(position, self.image.get_item_position(result))
            canvas.move_to(self.photo, preview)  # before it is in a group that may be locked
            self.image.insert_layer(preview, self.photo.get_parent(), position)
            _lock(preview)
            preview.set_visible(False)  # until there is something to see
            canvas.mark_preview(preview)
        canvas.select(self.image, selected)
        self._preview_is_new = True
        return preview

    def _set_mode(self, preview: Gimp.Layer, color_only: bool) -> None:
        mode = Gimp.LayerMode.LCH_COLOR if color_only else Gimp.LayerMode.NORMAL
        if preview.get_mode() != mode:
            with self._unseen():
                preview.set_mode(mode)

    def _follow_limits(self, preview: Gimp.Layer) -> None:
        """Only what is selected, and shown of the photo, shows the preview, as in the result."""
        limits = _limits(self.image, self.photo)
        if limits == self._limits:
            return
        self._limits = limits
        with self._unseen():
            if preview.get_mask():
                preview.remove_mask(Gimp.MaskApplyMode.DISCARD)
            add_mask(self.image, self.photo, preview)

    def _write(self, preview: Gimp.Layer, result: ColorizeResult) -> None:
        """Write the pixels with the history awake: the user may paint on while it lasts."""
        with self._unseen():
            preview.set_lock_content(False)  # GIMP ends a plug-in that writes to a locked layer
        area = Gegl.Rectangle.new(result.x, result.y, result.width, result.height)
        try:
            canvas.write_pixels(preview, area, result_format(result), result.pixels)
        finally:
            with self._unseen():
                _lock(preview)
                if self._preview_is_new:
                    preview.set_visible(True)  # afterwards whoever hides it sees the photo
        self._preview_is_new = False

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        """Neither the history nor the mark “changed since it was saved” notices.

        But what is saved while the window is open holds the window's layers: without them the
        image is another one.
        """
        clean = not self.image.is_dirty() and _file_of(self.image) == self._file_found
        with frozen(self.image):
            yield
        if clean:
            self.image.clean_all()


@contextmanager
def frozen(image: Gimp.Image) -> Iterator[None]:
    """Changes in this block make no undo steps, and keep those that there are."""
    image.undo_freeze()
    try:
        yield
    finally:
        image.undo_thaw()


def _lock(preview: Gimp.Layer) -> None:
    """A step of a tool on the preview would be lost with it.

    In a group it stays open: GIMP moves and turns no group with a locked layer in it, and 3.2
    leaves such a group out when the image is cropped.
    """
    alone = preview.get_parent() is None
    preview.set_lock_content(alone)
    preview.set_lock_position(alone)


def _file_of(image: Gimp.Image) -> tuple[str, int]:
    """The image's own file and when it was written; saving changes them."""
    file = image.get_xcf_file()
    path = file.get_path() if file else None
    try:
        return (path, Path(path).stat().st_mtime_ns) if path else ("", 0)
    except OSError:
        return (str(path), 0)


def _limits(image: Gimp.Image, photo: Gimp.Layer) -> tuple[int, ...]:
    """What tells one selection, or mask of the photo, from another; empty where all shows."""
    told: list[int] = []
    if not Gimp.Selection.is_empty(image):
        _ok, _any, *bounds = (int(number) for number in Gimp.Selection.bounds(image))
        told = [*bounds, crc32(canvas.thumbnail(image.get_selection(), LIMITS_LOOK_SIDE).pixels)]
    mask = photo.get_mask()
    if mask and photo.get_apply_mask():
        told.append(crc32(canvas.thumbnail(mask, LIMITS_LOOK_SIDE).pixels))
    return tuple(told)


def _rectangle(layer: Gimp.Layer) -> tuple[int, int, int, int]:
    _ok, x, y = layer.get_offsets()
    return int(x), int(y), int(layer.get_width()), int(layer.get_height())


def _button_is_held() -> Optional[bool]:  # noqa: UP045
    """May a stroke be going on? None where the screen tells programs of their own windows only."""
    screen = Gdk.Display.get_default()
    if screen is None or "Wayland" in screen.__gtype__.name:
        return None
    pointer = screen.get_default_seat().get_pointer()
    _window, _x, _y, state = (
        screen.get_default_screen().get_root_window().get_device_position(pointer)
    )
    return bool(state & Gdk.ModifierType.BUTTON1_MASK)
