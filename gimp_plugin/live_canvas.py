"""The image as the live window sees and changes it, through GIMP's API.

What the window needs on the canvas (RGB mode, a hints layer, the preview) is put there and taken
away with GIMP's undo frozen: no step of the history is made, and none, not even of redo, is lost.
Each freeze lasts for a few calls only, so the user's own strokes are recorded as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Optional
from zlib import crc32

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gdk, Gegl, Gimp  # noqa: E402

from gimp_plugin import canvas  # noqa: E402
from gimp_plugin.dots import CELL_COLUMNS, Cell, ReadCell, Thumbnail, trimmed  # noqa: E402
from gimp_plugin.memory import Memory  # noqa: E402
from gimp_plugin.plan import Refused, result_format  # noqa: E402
from gimp_plugin.session import Look  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol.messages import ColorizeResult, HintStrip  # noqa: E402

HINTS_LOOK_SIDE = 256  # pixels of the small picture that tells what was painted
PHOTO_LOOK_SIDE = 64
SELECTION_LOOK_SIDE = 64


class LiveCanvas:
    """An image with a photo in it, while the window is open. Implements `session.Canvas`."""

    def __init__(self, image: Gimp.Image, photo: Gimp.Layer) -> None:
        self.image = image
        self.photo = photo
        self._was_gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
        self._selected = image.get_selected_layers()
        hints = canvas.find_hints(image)
        self._own_hints = hints is None  # made by this window
        self._hints_hidden = hints is not None and not hints.get_visible()
        self._hints_seen: Optional[tuple[tuple[int, ...], Thumbnail]] = None  # noqa: UP045
        self._hints_touched = False  # the history has steps that belong to the hints layer
        self._preview: Optional[Gimp.Layer] = None  # noqa: UP045
        self._selection: Optional[tuple[int, ...]] = None  # noqa: UP045
        self.applied: Optional[Gimp.Layer] = None  # noqa: UP045  the result layer

    def open(self) -> None:
        """Make what the user paints on."""
        with self._unseen():
            for left_over in canvas.previews(self.image):
                self.image.remove_layer(left_over)
            canvas.make_rgb(self.image)
            self._hints = canvas.find_hints(self.image) or canvas.insert_hints(
                self.image, self.photo
            )
            self._hints.set_visible(True)  # GIMP's tools refuse to paint on what nobody sees
        self.image.set_selected_layers([self._hints])
        Gimp.displays_flush()

    def look(self) -> Optional[Look]:  # noqa: UP045
        """What can be seen at a glance; None: the image or the photo is gone."""
        if self.is_gone():
            return None
        if self.image.get_base_type() != Gimp.ImageBaseType.RGB:
            return None
        hints = self._hints if self._hints.is_valid() else canvas.find_hints(self.image)
        place: tuple[int, ...] = ()
        seen: Optional[Thumbnail] = None  # noqa: UP045
        if hints:
            self._hints = hints
            place, seen = self._see_hints()
        return Look(
            photo=_thumbnail(self.photo, PHOTO_LOOK_SIDE).pixels,
            photo_place=_rectangle(self.photo),
            hints=seen,
            hints_place=place,
            selection=_selection(self.image),
            painting=_button_is_held(),
        )

    def is_gone(self) -> bool:
        return not (self.image.is_valid() and self.photo.is_valid())

    def read_photo(self) -> Photo:
        return canvas.read_photo(self.image, self.photo)

    def read_cells(self, cells: Sequence[Cell]) -> list[ReadCell]:
        """These parts of the hints layer."""
        return [(cell, trimmed(self._read_cell(*cell))) for cell in cells]

    def show(self, result: ColorizeResult, photo: Photo, color_only: bool) -> None:
        """Write a result, or the rectangle that changed, into the preview on the canvas."""
        if self.is_gone():
            return  # GIMP would show an error; the next look tells
        if self._preview is None or not self._preview.is_valid():
            self._preview = self._insert_preview(photo)
        preview = self._preview
        self._set_mode(preview, color_only)
        self._follow_selection(preview)
        if result.width:
            self._write(preview, result)
        Gimp.displays_flush()

    def hide(self) -> None:
        """Take the preview off the canvas."""
        preview, self._preview, self._selection = self._preview, None, None
        if preview is not None and preview.is_valid():
            with self._unseen():
                self.image.remove_layer(preview)

    def pictures(self, side: int) -> tuple[Thumbnail, Optional[Thumbnail]]:  # noqa: UP045
        """The photo and, if there is one, the preview, at most `side` pixels long."""
        before = _thumbnail(self.photo, side)
        shown = self._preview is not None and self._preview.is_valid()
        return before, _thumbnail(self._preview, side) if shown else None

    def apply(self, photo: Photo, result: ColorizeResult, memory: Memory) -> None:
        """Put the result into the image, one undo step, with the dots hidden. Raises Refused."""
        self._take_back()
        there = self._hints.is_valid()
        hidden = [self._hints] if there and result.dots else []
        if not there or (hidden and self.image.get_selected_layers() == hidden):
            others = [layer for layer in self._selected if layer not in hidden]
            canvas.select(self.image, others or [self.photo])
        try:
            self.applied = canvas.put_result(self.image, self.photo, photo, result, memory, hidden)
        except Refused:
            self.open()  # the window stays
            raise

    def cancel(self) -> None:
        """Leave the image as it was found.

        A hints layer that the user has painted on is removed in an undo step of its own: it holds
        the only copy of their dots, and the steps of their strokes belong to it.
        """
        if not self.image.is_valid():
            return
        self._take_back()
        there = self._hints.is_valid()
        if self._own_hints and self._hints_touched and (there or self._was_gray):
            with canvas.undo_group(self.image):
                if there:
                    self.image.remove_layer(self._hints)
                self._make_gray_again()
        elif there and self._hints_hidden:
            with self._unseen():
                self._hints.set_visible(False)
        canvas.select(self.image, self._selected)
        Gimp.displays_flush()

    def _read_cell(self, top: int, left: int) -> HintStrip:
        columns = min(CELL_COLUMNS, self._hints.get_width() - left)
        return canvas.read_strip(self._hints, self.photo, top, left, columns)

    def _take_back(self) -> None:
        """Remove, without a trace in the history, what nobody but the window has touched."""
        self.hide()
        if self._hints.is_valid():
            self._see_hints()  # what was painted since the last look
        if self._own_hints and not self._hints_touched:
            with self._unseen():
                if self._hints.is_valid():
                    self.image.remove_layer(self._hints)
                self._make_gray_again()

    def _see_hints(self) -> tuple[tuple[int, ...], Thumbnail]:
        """Where the hints layer is, and how it looks; once painted on, the layer is the user's."""
        place, seen = _rectangle(self._hints), _thumbnail(self._hints, HINTS_LOOK_SIDE)
        # A crop of the image changes the layer, too, but needs it no more when it is undone.
        if self._hints_seen and place == self._hints_seen[0] and seen != self._hints_seen[1]:
            self._hints_touched = True
        self._hints_seen = place, seen
        return place, seen

    def _make_gray_again(self) -> None:
        was_converted = self._was_gray and self.image.get_base_type() == Gimp.ImageBaseType.RGB
        # The user may have put something coloured beside the photo meanwhile.
        if was_converted and canvas.is_gray(self.image):
            self.image.convert_grayscale()

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
            self.image.insert_layer(preview, self.photo.get_parent(), position)
            _ok, x, y = self.photo.get_offsets()
            preview.set_offsets(x, y)
            preview.set_lock_content(True)  # a step of a tool on it would be lost with it
            preview.set_lock_position(True)
            preview.set_visible(False)  # until there is something to see
            canvas.mark_preview(preview)
        canvas.select(self.image, selected)
        return preview

    def _set_mode(self, preview: Gimp.Layer, color_only: bool) -> None:
        mode = Gimp.LayerMode.LCH_COLOR if color_only else Gimp.LayerMode.NORMAL
        if preview.get_mode() != mode:
            with self._unseen():
                preview.set_mode(mode)

    def _follow_selection(self, preview: Gimp.Layer) -> None:
        """Only what is selected shows the preview, as it will be with the result."""
        selection = _selection(self.image)
        if selection == self._selection:
            return
        self._selection = selection
        with self._unseen():
            if preview.get_mask():
                preview.remove_mask(Gimp.MaskApplyMode.DISCARD)
            if not Gimp.Selection.is_empty(self.image):
                mask = preview.create_mask(Gimp.AddMaskType.SELECTION)
                preview.add_mask(mask)
                preview.set_edit_mask(False)

    def _write(self, preview: Gimp.Layer, result: ColorizeResult) -> None:
        """Write the pixels with the history awake: the user may paint on while it lasts."""
        with self._unseen():
            preview.set_lock_content(False)  # GIMP ends a plug-in that writes to a locked layer
        area = Gegl.Rectangle.new(result.x, result.y, result.width, result.height)
        try:
            canvas.write_pixels(preview, area, result_format(result), result.pixels)
        finally:
            with self._unseen():
                preview.set_lock_content(True)
                preview.set_visible(True)

    @contextmanager
    def _unseen(self) -> Iterator[None]:
        """Neither the history nor the mark “changed since it was saved” notices."""
        clean = not self.image.is_dirty()
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


def _selection(image: Gimp.Image) -> tuple[int, ...]:
    """Its bounds and a number that its shape gives; empty where nothing is selected."""
    if Gimp.Selection.is_empty(image):
        return ()
    _ok, _any, *bounds = (int(number) for number in Gimp.Selection.bounds(image))
    return (*bounds, crc32(_thumbnail(image.get_selection(), SELECTION_LOOK_SIDE).pixels))


def _rectangle(layer: Gimp.Layer) -> tuple[int, int, int, int]:
    _ok, x, y = layer.get_offsets()
    return int(x), int(y), int(layer.get_width()), int(layer.get_height())


def _thumbnail(layer: Gimp.Drawable, side: int) -> Thumbnail:
    pixels, width, height, channels = layer.get_thumbnail_data(side, side)
    return Thumbnail(bytes(pixels.get_data()), width, height, channels)


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
