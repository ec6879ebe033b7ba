"""The only file that touches layers and pixels through GIMP's API.

The image is changed in `put_result` and `add_hints_layer` alone, each one undo step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Optional

import gi

gi.require_version("Babl", "0.1")
gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Babl, Gegl, Gimp  # noqa: E402

from gimp_plugin import plan  # noqa: E402
from gimp_plugin.plan import LayerFacts, Refused, Settings  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol import VERSION  # noqa: E402
from server.protocol.messages import ColorizeResult, HintStrip  # noqa: E402

RESULT_PARASITE = "tincture-result"
HINTS_PARASITE = "tincture-hints"
MASK_PARASITE = "tincture-mask"  # on a mask that stands for selections, not made by the user


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
    if layer.get_parasite(RESULT_PARASITE):
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
    return layers[plan.choose_photo(selected, [facts(layer) for layer in layers])]


def find_hints(image: Gimp.Image) -> Optional[Gimp.Layer]:  # noqa: UP045
    return next((layer for layer in all_layers(image) if facts(layer).role == "hints"), None)


def find_result(image: Gimp.Image, photo: Gimp.Layer) -> Optional[Gimp.Layer]:  # noqa: UP045
    """The result layer that an earlier run made for this photo."""
    for layer in all_layers(image):
        parasite = layer.get_parasite(RESULT_PARASITE)
        if parasite and _memory(parasite).get("photo") == photo.get_tattoo():
            return layer
    return None


def read_photo(image: Gimp.Image, photo: Gimp.Layer) -> Photo:
    format_ = plan.pixel_format(int(image.get_precision()), photo.has_alpha())
    width, height = photo.get_width(), photo.get_height()
    return Photo(_read(photo, 0, height, format_.read), width, height, format_)


def read_hints(hints: Gimp.Layer, photo: Gimp.Layer) -> tuple[HintStrip, ...]:
    """The painted rows of the hints layer, in the photo's coordinates."""
    _ok, hints_x, hints_y = hints.get_offsets()
    _ok, photo_x, photo_y = photo.get_offsets()
    width = hints.get_width()
    strips = []
    for top, rows in plan.strip_rows(hints.get_height()):
        rgba = _read(hints, top, rows, "R'G'B'A u8")
        if plan.is_painted(rgba):
            place = (hints_x - photo_x, hints_y - photo_y + top)
            strips.append(HintStrip(*place, width, rows, rgba))
    return tuple(strips)


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
        parasite = layer.get_parasite(RESULT_PARASITE)
        if parasite:
            return tuple(_memory(parasite).get("theme", ()))
    return ()


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
            _make_rgb(image)
            layer = Gimp.Layer.new(
                image,
                plan.HINTS_NAME,
                photo.get_width(),
                photo.get_height(),
                Gimp.ImageType.RGBA_IMAGE,
                100.0,
                Gimp.LayerMode.NORMAL,
            )
            _remember(layer, HINTS_PARASITE, {})
            image.insert_layer(layer, None, 0)
            _ok, x, y = photo.get_offsets()
            layer.set_offsets(x, y)
    image.set_selected_layers([layer])
    Gimp.displays_flush()
    return layer


def put_result(
    image: Gimp.Image,
    photo: Gimp.Layer,
    photo_read: Photo,
    result: ColorizeResult,
    settings: Settings,
) -> Gimp.Layer:
    """Show the result as a layer above the photo: a new one, or the earlier one brought up to date.

    Outside a selection nothing moves: what an earlier run showed there stays. Raises Refused.
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
        _make_rgb(image)
        layer = _result_layer(image, photo, old, photo_read, settings)
        _write(layer, result, photo_read.format.write, is_new=layer != old)
        _mask_by_selection(image, layer, is_new=layer != old)
        memory = {
            "photo": photo.get_tattoo(),
            "theme": list(result.theme),
            "strength": settings.strength,
            "saturation": settings.saturation,
            "version": VERSION,
        }
        _remember(layer, RESULT_PARASITE, memory)
    image.set_selected_layers(selected)
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


def _write(layer: Gimp.Layer, result: ColorizeResult, format_: str, is_new: bool) -> None:
    area = Gegl.Rectangle.new(0, 0, result.width, result.height)
    pixels = bytes(result.pixels)
    if is_new:
        buffer = layer.get_buffer()
        buffer.set(area, format_, pixels)
        buffer.flush()
    else:
        # Only what goes through the shadow buffer can be undone; it is limited to the selection.
        shadow = layer.get_shadow_buffer()
        shadow.set(area, format_, pixels)
        shadow.flush()
        layer.merge_shadow(True)
    layer.update(0, 0, result.width, result.height)


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
        _remember(fresh, MASK_PARASITE, {})


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


def _make_rgb(image: Gimp.Image) -> None:
    if image.get_base_type() != Gimp.ImageBaseType.RGB:
        image.convert_rgb()


def _read(drawable: Gimp.Drawable, top: int, rows: int, format_: str) -> bytes:
    area = Gegl.Rectangle.new(0, top, drawable.get_width(), rows)
    data: bytes = drawable.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE)
    return data


def _remember(layer: Gimp.Drawable, name: str, memory: dict[str, Any]) -> None:
    data = json.dumps(memory).encode()
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    layer.attach_parasite(Gimp.Parasite.new(name, flags, data))


def _memory(parasite: Gimp.Parasite) -> dict[str, Any]:
    try:
        memory = json.loads(bytes(parasite.get_data()))
    except ValueError:
        return {}
    return memory if isinstance(memory, dict) else {}
