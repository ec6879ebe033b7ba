"""Layers and pixels through GIMP's API.

`add_hints_layer` is one undo step. The smaller changes leave the history to their caller: the live
window makes them with GIMP's undo frozen.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Optional

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from gimp_plugin import memory, plan  # noqa: E402
from gimp_plugin.dots import Thumbnail, trimmed  # noqa: E402
from gimp_plugin.memory import Memory, RememberedDot  # noqa: E402
from gimp_plugin.plan import LayerFacts, Refused  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol.frames import Buffer  # noqa: E402
from server.protocol.messages import HintStrip  # noqa: E402

RESULT_PARASITE = "tincture-result"
HINTS_PARASITE = "tincture-hints"
PREVIEW_PARASITE = "tincture-preview"
IMAGE_PARASITE = "tincture-image"  # on an image that was coloured: what tells it from others
EMPTY_LOOK_SIDE = 64  # pixels of the small picture that tells whether hardly anything is there
DOT_PART = 100  # a dot that is painted here is one part of so many of the photo's shorter side
SMALLEST_DOT = 3  # pixels


def select(image: Gimp.Image, layers: Sequence[Gimp.Layer]) -> None:
    """Select those of the layers that are still there; GIMP reports an empty list as an error."""
    there = [layer for layer in layers if layer.is_valid()]
    if there:
        image.set_selected_layers(there)


def all_layers(image: Gimp.Image) -> list[Gimp.Layer]:
    """Every layer from top to bottom, those in groups after their group."""
    found: list[Gimp.Layer] = []

    def walk(layers: Sequence[Gimp.Layer]) -> None:
        for layer in layers:
            found.append(layer)
            if layer.is_group():
                walk(layer.get_children())

    walk(image.get_layers())
    return found


def facts(layer: Gimp.Layer) -> LayerFacts:
    kind = "pixels"
    if layer.is_group():
        kind = "group"
    elif isinstance(layer, Gimp.TextLayer):
        kind = "text"
    elif layer.is_floating_sel():
        kind = "floating"
    is_named_hints = layer.get_parasite(HINTS_PARASITE) or layer.get_name() == plan.HINTS_NAME
    role = "photo"
    if layer.get_parasite(RESULT_PARASITE) or layer.get_parasite(PREVIEW_PARASITE):
        role = "result"
    elif kind == "pixels" and is_named_hints:
        role = "hints"
    return LayerFacts(kind, role, layer.get_width(), layer.get_height())


def find_photo(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The photo's layer. Raises Refused."""
    layers = all_layers(image)
    selected = []
    for layer in map(_layer_of, drawables):
        if layer not in layers:
            raise Refused(_("A channel is selected. Select the photograph's layer."))
        selected.append(layers.index(layer))
    own_first = (*(layers[index] for index in selected), *layers)
    known = [facts(layer) for layer in layers]
    return layers[plan.choose_photo(selected, known, _colored(image, own_first, layers))]


def _layer_of(drawable: Gimp.Drawable) -> Gimp.Drawable:
    """The layer, where its mask is meant."""
    return Gimp.Layer.from_mask(drawable) if isinstance(drawable, Gimp.LayerMask) else drawable


def _colored(
    image: Gimp.Image, results: Sequence[Gimp.Layer], layers: Sequence[Gimp.Layer]
) -> list[int]:
    """Which of the layers are the photos that these results, if they are any, were made for."""
    places = {layer.get_tattoo(): index for index, layer in enumerate(layers)}
    memories = [_remembered_here(image, layer) for layer in results]
    return [places[made.photo] for made in memories if made and made.photo in places]


def find_hints(image: Gimp.Image) -> Optional[Gimp.Layer]:  # noqa: UP045
    return next((layer for layer in all_layers(image) if facts(layer).role == "hints"), None)


def find_result(
    image: Gimp.Image, photo: Gimp.Layer, preferred: Sequence[Gimp.Drawable] = ()
) -> Optional[Gimp.Layer]:  # noqa: UP045
    """The result layer that an earlier run made for this photo.

    Of several (people keep backups) it is the first of those preferred, else the uppermost.
    """
    layers = all_layers(image)
    first = [layer for layer in map(_layer_of, preferred) if layer in layers]
    for layer in (*first, *layers):
        remembered = _remembered_here(image, layer)
        if remembered and remembered.photo == photo.get_tattoo():
            return layer
    return None


def _remembered_here(image: Gimp.Image, layer: Gimp.Layer) -> Optional[Memory]:  # noqa: UP045
    """How a result layer was made, if it was for this image: one that was pasted was not."""
    made = remembered_by(layer)
    return made if made and made.image in ("", _name_of(image)) else None


def _name_of(image: Gimp.Image) -> str:
    """What tells an image that was coloured from others, also in its file; empty: it was not."""
    parasite = image.get_parasite(IMAGE_PARASITE)
    return bytes(parasite.get_data()).decode("ascii", "replace") if parasite else ""


def _named(image: Gimp.Image) -> str:
    """The same, after a name was given where there was none."""
    if not _name_of(image):
        attach(image, IMAGE_PARASITE, secrets.token_hex(8).encode())
    return _name_of(image)


def remembered_of(
    image: Gimp.Image, photo: Gimp.Layer, preferred: Sequence[Gimp.Drawable] = ()
) -> Optional[Memory]:  # noqa: UP045
    """How the photo's result, as `find_result` finds it, was made; None: it has none."""
    result = find_result(image, photo, preferred)
    made = remembered_by(result) if result else None
    return made and made.fitting(seen_of(photo))


def seen_of(photo: Gimp.Layer) -> str:
    """The photo at a glance, for `memory.is_same_photo`."""
    small = thumbnail(photo, memory.SIDE)
    green = small.pixels[min(1, small.channels // 3) :: small.channels]
    return memory.seen(photo.get_width(), photo.get_height(), green)


def remembered_by(layer: Gimp.Layer) -> Optional[Memory]:  # noqa: UP045
    """How a result layer was made; None: it is none."""
    parasite = layer.get_parasite(RESULT_PARASITE)
    return memory.from_bytes(bytes(parasite.get_data())) if parasite else None


def remember(image: Gimp.Image, photo: Gimp.Layer, layer: Gimp.Layer, made: Memory) -> None:
    """Note on a result layer how it was made for this photo of the image."""
    told = {"photo": photo.get_tattoo(), "image": _named(image), "seen": seen_of(photo)}
    attach(layer, RESULT_PARASITE, replace(made, **told).to_bytes())


def thumbnail(layer: Gimp.Drawable, side: int) -> Thumbnail:
    """A small picture of a layer, at most `side` pixels long."""
    pixels, width, height, channels = layer.get_thumbnail_data(side, side)
    small = Thumbnail(bytes(pixels.get_data()), width, height, channels)
    return small.without_filling(layer.get_width(), layer.get_height())


def is_mostly_empty(layer: Gimp.Layer) -> bool:
    """Is most of a layer transparent, like one that somebody retouches on?"""
    if not layer.has_alpha():
        return False
    small = thumbnail(layer, EMPTY_LOOK_SIDE)
    alpha = small.pixels[small.channels - 1 :: small.channels]
    return sum(alpha) < plan.MOSTLY_EMPTY * 255 * len(alpha)


def is_tried_on(layer: Gimp.Layer) -> bool:
    """Does a tool or dialog show on a layer what it may still discard (a gradient, Levels …)?

    Until then that is a filter of the layer, but of no copy of it, and cannot be read.
    """
    filters = layer.get_filters()
    if not filters:
        return False
    copy = Gimp.Layer.new_from_drawable(layer, layer.get_image())
    try:
        return len(copy.get_filters()) < len(filters)
    finally:
        copy.delete()


def window_procedure(image: Gimp.Image) -> str:
    """The name of the procedure that there is as long as a window is open for the image."""
    return f"tincture-window-{image.get_id()}"


def previews(image: Gimp.Image) -> list[Gimp.Layer]:
    """What windows show while they are open; one left over comes from a saved file or a crash."""
    return [layer for layer in all_layers(image) if layer.get_parasite(PREVIEW_PARASITE)]


def mark_preview(layer: Gimp.Layer) -> None:
    attach(layer, PREVIEW_PARASITE, b"{}")


def read_photo(image: Gimp.Image, photo: Gimp.Layer) -> Photo:
    format_ = plan.pixel_format(int(image.get_precision()), photo.has_alpha())
    width, height = photo.get_width(), photo.get_height()
    with _as_it_shows(photo) as (seen, x, y):
        area = Gegl.Rectangle.new(x, y, width, height)
        return Photo(read_pixels(seen, area, format_.read), width, height, format_)


@contextmanager
def _as_it_shows(layer: Gimp.Layer) -> Iterator[tuple[Gimp.Layer, int, int]]:
    """A layer with its filters (Levels, Curves …) worked in, and where its corner lies in that.

    A layer's own pixels are those without its filters.
    """
    if not layer.get_filters():
        yield layer, 0, 0
        return
    image = layer.get_image()
    kind = Gimp.ImageBaseType.GRAY if layer.is_gray() else Gimp.ImageBaseType.RGB
    size = (layer.get_width(), layer.get_height())
    aside = Gimp.Image.new_with_precision(*size, kind, image.get_precision())
    try:  # in an image of its own: merging is a step of the history, also with a mere copy
        if image.get_color_profile():
            aside.set_color_profile(image.get_color_profile())
        seen = Gimp.Layer.new_from_drawable(layer, aside)
        aside.insert_layer(seen, None, 0)
        seen.set_lock_position(False)  # a copy has the locks, too
        seen.set_lock_content(False)
        seen.set_offsets(0, 0)
        seen.merge_filters()
        _ok, x, y = seen.get_offsets()  # a filter may enlarge the layer
        yield seen, -x, -y
    finally:
        aside.delete()


def read_hints(hints: Gimp.Layer, photo: Gimp.Layer) -> tuple[HintStrip, ...]:
    """The painted parts of the hints layer, in the photo's coordinates."""
    rows = ((top, 0, hints.get_width()) for top in range(0, hints.get_height(), plan.STRIP_ROWS))
    strips = map(trimmed, read_strips(hints, photo, rows))
    return tuple(strip for strip in strips if strip is not None)


def read_strips(
    hints: Gimp.Layer, photo: Gimp.Layer, places: Iterable[tuple[int, int, int]]
) -> Iterator[HintStrip]:
    """Some rows of the hints layer at each place, in the photo's coordinates.

    places: the first row, the first column and the number of columns in the layer.
    """
    _ok, hints_x, hints_y = hints.get_offsets()
    _ok, photo_x, photo_y = photo.get_offsets()
    with _as_it_shows(hints) as (seen, x, y):
        for top, left, columns in places:
            rows = min(plan.STRIP_ROWS, hints.get_height() - top)
            area = Gegl.Rectangle.new(x + left, y + top, columns, rows)
            rgba = read_pixels(seen, area, "R'G'B'A u8")
            place = (hints_x - photo_x + left, hints_y - photo_y + top)
            yield HintStrip(*place, columns, rows, rgba)


def palette_colors(palette: Gimp.Palette) -> tuple[str, ...]:
    """The palette's colours as "#rrggbb"."""
    rgb = Babl.format("R'G'B' u8")  # the getters that give floats give linear light
    return tuple("#" + color.get_bytes(rgb).get_data().hex() for color in palette.get_colors())


def make_palette(name: str, colors: Sequence[str]) -> Gimp.Palette:
    """A new palette of GIMP's with these colours; GIMP makes the name unique and saves it."""
    palette = Gimp.Palette.new(name)
    for color in colors:
        palette.add_entry(color, Gegl.Color.new(color))
    palette.set_columns(len(colors))
    Gimp.context_set_palette(palette)
    return palette


def used_theme(image: Gimp.Image) -> tuple[str, ...]:
    """The theme that the uppermost result layer was made with."""
    for layer in all_layers(image):
        remembered = remembered_by(layer)
        if remembered:
            return remembered.settings.theme
    return ()


def visible_colors(image: Gimp.Image) -> tuple[bytes, int, int]:
    """What an image looks like, as `read_colors` gives it."""
    seen = Gimp.Layer.new_from_visible(image, image, "")
    try:
        return read_colors(seen)
    finally:
        seen.delete()


def is_gray(image: Gimp.Image, but: Sequence[Gimp.Layer] = ()) -> bool:
    """Do all layers but those hold greys alone, so that a conversion to grayscale loses nothing?"""
    layers = (layer for layer in all_layers(image) if layer not in but)
    return all(_is_gray(layer) for layer in layers if not layer.is_group())


def _is_gray(layer: Gimp.Layer) -> bool:
    width, height = layer.get_width(), layer.get_height()
    for top in range(0, height, plan.STRIP_ROWS):
        rows = min(plan.STRIP_ROWS, height - top)
        rgb = read_pixels(layer, Gegl.Rectangle.new(0, top, width, rows), "R'G'B' u8")
        if not rgb[0::3] == rgb[1::3] == rgb[2::3]:
            return False
    return True


def read_colors(layer: Gimp.Layer) -> tuple[bytes, int, int]:
    """A layer in 8-bit RGB, reduced to at most a megapixel: pixels, width, height."""
    width, height = layer.get_width(), layer.get_height()
    scale = min(1.0, (1e6 / (width * height)) ** 0.5)
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    with _as_it_shows(layer) as (seen, x, y):
        area = Gegl.Rectangle.new(int(x * scale), int(y * scale), width, height)
        pixels = seen.get_buffer().get(area, scale, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
    return pixels, width, height


def add_hints_layer(image: Gimp.Image, photo: Gimp.Layer) -> Gimp.Layer:
    """An empty hints layer over the photo, selected; the one that is there, if there is one."""
    layer = find_hints(image)
    if layer is None or image.get_base_type() != Gimp.ImageBaseType.RGB:
        with undo_group(image):
            make_rgb(image)
            layer = layer or insert_hints(image, photo)
    layer.set_visible(True)
    image.set_selected_layers([layer])
    Gimp.displays_flush()
    return layer


def insert_hints(image: Gimp.Image, photo: Gimp.Layer) -> Gimp.Layer:
    """A new empty hints layer on top of an RGB image, of the photo's size and place."""
    size = (photo.get_width(), photo.get_height())
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, plan.HINTS_NAME, *size, kind, 100.0, mode)
    attach(layer, HINTS_PARASITE, b"{}")
    image.insert_layer(layer, None, 0)
    move_to(photo, layer)
    return layer


def paint_dots(hints: Gimp.Layer, dots: Sequence[RememberedDot], photo: Gimp.Layer) -> None:
    """Paint small opaque squares on the hints layer, without an undo step.

    dots: in the photo's coordinates. What lies outside the layer is left out.
    """
    _ok, hints_x, hints_y = hints.get_offsets()
    _ok, photo_x, photo_y = photo.get_offsets()
    width, height = hints.get_width(), hints.get_height()
    side = max(SMALLEST_DOT, min(photo.get_width(), photo.get_height()) // DOT_PART)
    whole = Gegl.Rectangle.new(0, 0, width, height)
    buffer = hints.get_buffer()
    for x, y, color in dots:
        left = round(x - side / 2) + photo_x - hints_x
        top = round(y - side / 2) + photo_y - hints_y
        area = Gegl.Rectangle.new(left, top, side, side)
        if area.intersect(area, whole):  # GIMP ends a plug-in that writes beside a layer
            paint = bytes.fromhex(color[1:] + "ff") * area.width * area.height
            buffer.set(area, "R'G'B'A u8", paint)
    buffer.flush()
    hints.update(0, 0, width, height)


@contextmanager
def undo_group(image: Gimp.Image) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()


def move_to(photo: Gimp.Layer, layer: Gimp.Layer) -> None:
    """Lay a layer where the photo is; what is locked in its place stays so afterwards."""
    _ok, x, y = photo.get_offsets()
    if tuple(layer.get_offsets())[1:] == (x, y):
        return
    locked = [item for item in _with_groups(layer) if item.get_lock_position()]
    for item in locked:
        item.set_lock_position(False)  # else GIMP leaves the layer where it is
    layer.set_offsets(x, y)
    for item in locked:
        item.set_lock_position(True)


def _with_groups(item: Optional[Gimp.Item]) -> Iterator[Gimp.Item]:  # noqa: UP045
    """An item and the groups around it, from inside to outside."""
    while item is not None:
        yield item
        item = item.get_parent()


def write_pixels(layer: Gimp.Layer, area: Gegl.Rectangle, format_: str, pixels: Buffer) -> None:
    """Write a rectangle of a layer, without an undo step."""
    buffer = layer.get_buffer()
    buffer.set(area, format_, bytes(pixels))
    buffer.flush()
    layer.update(area.x, area.y, area.width, area.height)


def locked_around(item: Optional[Gimp.Item]) -> Optional[Gimp.Item]:  # noqa: UP045
    """The item or the group around it whose pixels are locked: GIMP kills who writes there."""
    return next((each for each in _with_groups(item) if each.get_lock_content()), None)


def make_rgb(image: Gimp.Image) -> None:
    if image.get_base_type() != Gimp.ImageBaseType.RGB:
        image.convert_rgb()
    elif has_gray_layers(image) and is_gray(image):
        image.convert_grayscale()  # only then GIMP converts all layers
        image.convert_rgb()


def has_gray_layers(image: Gimp.Image) -> bool:
    """Are there gray layers in an RGB image? An undo brings some that were converted unseen."""
    return any(layer.is_gray() for layer in all_layers(image) if not layer.is_group())


def read_pixels(drawable: Gimp.Drawable, area: Gegl.Rectangle, format_: str) -> bytes:
    """A rectangle of a layer, a mask or a channel."""
    data: bytes = drawable.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE)
    return data


def attach(to: Gimp.Drawable | Gimp.Image, name: str, data: bytes) -> None:
    """Note something that is saved with the image and undone with the step it belongs to."""
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    to.attach_parasite(Gimp.Parasite.new(name, flags, data))
