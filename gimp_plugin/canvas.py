"""Layers and pixels through GIMP's API.

The image is changed in `put_result` and `add_hints_layer` alone, each one undo step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Optional

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from gimp_plugin import memory, plan  # noqa: E402
from gimp_plugin.memory import Memory  # noqa: E402
from gimp_plugin.plan import LayerFacts, Refused, Settings  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol.frames import Buffer  # noqa: E402
from server.protocol.messages import ColorizeResult, HintStrip  # noqa: E402

RESULT_PARASITE = "tincture-result"
HINTS_PARASITE = "tincture-hints"
MASK_PARASITE = "tincture-mask"  # on a mask that stands for selections, not made by the user
PREVIEW_PARASITE = "tincture-preview"


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
    role = "photo"
    if layer.get_parasite(RESULT_PARASITE) or layer.get_parasite(PREVIEW_PARASITE):
        role = "result"
    elif layer.get_parasite(HINTS_PARASITE) or layer.get_name() == plan.HINTS_NAME:
        role = "hints"
    return LayerFacts(kind, role, layer.get_width(), layer.get_height())


def find_photo(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer:
    """The photo's layer. Raises Refused."""
    layers = all_layers(image)
    selected = []
    for drawable in drawables:
        if isinstance(drawable, Gimp.LayerMask):
            drawable = Gimp.Layer.from_mask(drawable)
        if drawable not in layers:
            raise Refused(_("A channel is selected. Select the photograph's layer."))
        selected.append(layers.index(drawable))
    own_first = (*(layers[index] for index in selected), *layers)
    known = [facts(layer) for layer in layers]
    return layers[plan.choose_photo(selected, known, _colored(own_first, layers))]


def _colored(results: Sequence[Gimp.Layer], layers: Sequence[Gimp.Layer]) -> list[int]:
    """Which of the layers are the photos that these results, if they are any, were made for."""
    places = {layer.get_tattoo(): index for index, layer in enumerate(layers)}
    memories = [remembered_by(layer) for layer in results]
    return [places[made.photo] for made in memories if made and made.photo in places]


def find_hints(image: Gimp.Image) -> Optional[Gimp.Layer]:  # noqa: UP045
    return next((layer for layer in all_layers(image) if facts(layer).role == "hints"), None)


def find_result(image: Gimp.Image, photo: Gimp.Layer) -> Optional[Gimp.Layer]:  # noqa: UP045
    """The result layer that an earlier run made for this photo."""
    for layer in all_layers(image):
        remembered = remembered_by(layer)
        if remembered and remembered.photo == photo.get_tattoo():
            return layer
    return None


def remembered_of(image: Gimp.Image, photo: Gimp.Layer) -> Optional[Memory]:  # noqa: UP045
    """How the photo's result was made; None: it has none."""
    result = find_result(image, photo)
    return remembered_by(result) if result else None


def remembered_by(layer: Gimp.Layer) -> Optional[Memory]:  # noqa: UP045
    """How a result layer was made; None: it is none."""
    parasite = layer.get_parasite(RESULT_PARASITE)
    return memory.from_bytes(bytes(parasite.get_data())) if parasite else None


def previews(image: Gimp.Image) -> list[Gimp.Layer]:
    """What windows show while they are open; one left over comes from a saved file or a crash."""
    return [layer for layer in all_layers(image) if layer.get_parasite(PREVIEW_PARASITE)]


def mark_preview(layer: Gimp.Layer) -> None:
    _attach(layer, PREVIEW_PARASITE, b"{}")


def read_photo(image: Gimp.Image, photo: Gimp.Layer) -> Photo:
    format_ = plan.pixel_format(int(image.get_precision()), photo.has_alpha())
    width, height = photo.get_width(), photo.get_height()
    area = Gegl.Rectangle.new(0, 0, width, height)
    return Photo(_read(photo, area, format_.read), width, height, format_)


def read_hints(hints: Gimp.Layer, photo: Gimp.Layer) -> tuple[HintStrip, ...]:
    """The painted rows of the hints layer, in the photo's coordinates."""
    tops = range(0, hints.get_height(), plan.STRIP_ROWS)
    strips = [read_strip(hints, photo, top, 0, hints.get_width()) for top in tops]
    return tuple(strip for strip in strips if plan.is_painted(strip.rgba))


def read_strip(
    hints: Gimp.Layer, photo: Gimp.Layer, top: int, left: int, columns: int
) -> HintStrip:
    """Some rows of the hints layer from `top` on, in the photo's coordinates."""
    _ok, hints_x, hints_y = hints.get_offsets()
    _ok, photo_x, photo_y = photo.get_offsets()
    rows = min(plan.STRIP_ROWS, hints.get_height() - top)
    rgba = _read(hints, Gegl.Rectangle.new(left, top, columns, rows), "R'G'B'A u8")
    place = (hints_x - photo_x + left, hints_y - photo_y + top)
    return HintStrip(*place, columns, rows, rgba)


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


def is_gray(image: Gimp.Image) -> bool:
    """Do all layers hold greys alone, so that a conversion to grayscale loses nothing?"""
    return all(_is_gray(layer) for layer in all_layers(image) if not layer.is_group())


def _is_gray(layer: Gimp.Layer) -> bool:
    width, height = layer.get_width(), layer.get_height()
    for top in range(0, height, plan.STRIP_ROWS):
        rows = min(plan.STRIP_ROWS, height - top)
        rgb = _read(layer, Gegl.Rectangle.new(0, top, width, rows), "R'G'B' u8")
        if not rgb[0::3] == rgb[1::3] == rgb[2::3]:
            return False
    return True


def read_colors(layer: Gimp.Layer) -> tuple[bytes, int, int]:
    """A layer in 8-bit RGB, reduced to at most a megapixel: pixels, width, height."""
    width, height = layer.get_width(), layer.get_height()
    scale = min(1.0, (1e6 / (width * height)) ** 0.5)
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    area = Gegl.Rectangle.new(0, 0, width, height)
    pixels = layer.get_buffer().get(area, scale, "R'G'B' u8", Gegl.AbyssPolicy.NONE)
    return pixels, width, height


def add_hints_layer(image: Gimp.Image, photo: Gimp.Layer) -> Gimp.Layer:
    """An empty hints layer over the photo, selected; the one that is there, if there is one."""
    layer = find_hints(image)
    if layer is None:
        with undo_group(image):
            make_rgb(image)
            layer = insert_hints(image, photo)
    layer.set_visible(True)
    image.set_selected_layers([layer])
    Gimp.displays_flush()
    return layer


def insert_hints(image: Gimp.Image, photo: Gimp.Layer) -> Gimp.Layer:
    """A new empty hints layer on top of an RGB image, of the photo's size and place."""
    size = (photo.get_width(), photo.get_height())
    kind, mode = Gimp.ImageType.RGBA_IMAGE, Gimp.LayerMode.NORMAL
    layer = Gimp.Layer.new(image, plan.HINTS_NAME, *size, kind, 100.0, mode)
    _attach(layer, HINTS_PARASITE, b"{}")
    image.insert_layer(layer, None, 0)
    _ok, x, y = photo.get_offsets()
    layer.set_offsets(x, y)
    return layer


def put_result(
    image: Gimp.Image,
    photo: Gimp.Layer,
    photo_read: Photo,
    result: ColorizeResult,
    made: Memory,
    hidden: Sequence[Gimp.Layer] = (),
) -> Gimp.Layer:
    """Show the result as a layer above the photo: a new one, or the earlier one brought up to date.

    result: of the whole photo; made: what the layer shall remember; hidden: layers that are hidden
    in the same undo step. Outside a selection nothing moves: what an earlier run showed there
    stays. Raises Refused.
    """
    if (photo.get_width(), photo.get_height()) != (result.width, result.height):
        raise Refused(_("The photograph's size changed meanwhile. Run Colorize again."))
    selected = image.get_selected_layers()
    old = find_result(image, photo)
    locked = _locked(photo.get_parent() if old is None else old)
    if locked is not None:
        raise Refused(
            _("The layer “{0}” is locked. Unlock its pixels first.").format(locked.get_name())
        )
    with undo_group(image):
        make_rgb(image)
        layer = _result_layer(image, photo, old, photo_read, made.settings)
        _write(layer, result, is_new=layer != old)
        _mask_by_selection(image, layer, is_new=layer != old)
        settings = replace(made.settings, theme=result.theme, shares=result.shares)
        remembered = replace(made, photo=photo.get_tattoo(), settings=settings)
        _attach(layer, RESULT_PARASITE, remembered.to_bytes())
        for each in hidden:
            each.set_visible(False)
    select(image, selected)
    Gimp.displays_flush()
    return layer


@contextmanager
def undo_group(image: Gimp.Image) -> Iterator[None]:
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()


def _result_layer(
    image: Gimp.Image,
    photo: Gimp.Layer,
    old: Optional[Gimp.Layer],  # noqa: UP045
    photo_read: Photo,
    settings: Settings,
) -> Gimp.Layer:
    mode = Gimp.LayerMode.LCH_COLOR if settings.color_only else Gimp.LayerMode.NORMAL
    size = (photo_read.width, photo_read.height)
    has_alpha = photo_read.format.channels == 2
    fits = old is not None and (old.get_width(), old.get_height()) == size
    if old is not None and fits and old.has_alpha() == has_alpha:
        old.set_mode(mode)
        _ok, x, y = photo.get_offsets()
        old.set_offsets(x, y)
        return old
    if old is not None:
        image.remove_layer(old)
    kind = Gimp.ImageType.RGBA_IMAGE if has_alpha else Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, plan.RESULT_NAME, *size, kind, 100.0, mode)
    position = image.get_item_position(photo)
    if not image.insert_layer(layer, photo.get_parent(), position):
        raise Refused(_("GIMP does not allow a new layer here; is the group locked?"))
    _ok, x, y = photo.get_offsets()
    layer.set_offsets(x, y)
    return layer


def _write(layer: Gimp.Layer, result: ColorizeResult, is_new: bool) -> None:
    format_ = plan.result_format(result)
    area = Gegl.Rectangle.new(0, 0, result.width, result.height)
    if is_new:
        write_pixels(layer, area, format_, result.pixels)
    else:
        # Only what goes through the shadow buffer can be undone; it is limited to the selection.
        shadow = layer.get_shadow_buffer()
        shadow.set(area, format_, bytes(result.pixels))
        shadow.flush()
        layer.merge_shadow(True)
        layer.update(0, 0, result.width, result.height)


def write_pixels(layer: Gimp.Layer, area: Gegl.Rectangle, format_: str, pixels: Buffer) -> None:
    """Write a rectangle of a layer, without an undo step."""
    buffer = layer.get_buffer()
    buffer.set(area, format_, bytes(pixels))
    buffer.flush()
    layer.update(area.x, area.y, area.width, area.height)


def _mask_by_selection(image: Gimp.Image, layer: Gimp.Layer, is_new: bool) -> None:
    """Show what is selected besides what showed already, or all of it when nothing is selected."""
    mask = layer.get_mask()
    if Gimp.Selection.is_empty(image):
        if mask and mask.get_parasite(MASK_PARASITE):
            layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
        return
    if mask is None and not is_new:
        return  # everything shows already
    with _selection_kept(image):
        if mask:
            image.select_item(Gimp.ChannelOps.ADD, mask)
            layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
        fresh = layer.create_mask(Gimp.AddMaskType.SELECTION)
    layer.add_mask(fresh)
    layer.set_edit_mask(False)
    if is_new or mask.get_parasite(MASK_PARASITE):
        _attach(fresh, MASK_PARASITE, b"{}")


@contextmanager
def _selection_kept(image: Gimp.Image) -> Iterator[None]:
    kept = Gimp.Selection.save(image)
    try:
        yield
    finally:
        image.select_item(Gimp.ChannelOps.REPLACE, kept)
        image.remove_channel(kept)


def _locked(item: Optional[Gimp.Item]) -> Optional[Gimp.Item]:  # noqa: UP045
    """The item or the group around it whose pixels are locked: GIMP kills who writes there."""
    while item is not None and not item.get_lock_content():
        item = item.get_parent()
    return item


def make_rgb(image: Gimp.Image) -> None:
    if image.get_base_type() != Gimp.ImageBaseType.RGB:
        image.convert_rgb()


def _read(drawable: Gimp.Drawable, area: Gegl.Rectangle, format_: str) -> bytes:
    data: bytes = drawable.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE)
    return data


def _attach(layer: Gimp.Drawable, name: str, data: bytes) -> None:
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    layer.attach_parasite(Gimp.Parasite.new(name, flags, data))
