"""The layer with the colours: put above its photo, or brought up to date, in one undo step.

What the user did to it by hand, a mask that was changed or a part that was erased, stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional
from zlib import crc32

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp  # noqa: E402

from gimp_plugin import canvas, plan  # noqa: E402
from gimp_plugin.memory import Memory  # noqa: E402
from gimp_plugin.plan import Refused, Settings  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from gimp_plugin.work import Photo  # noqa: E402
from server.protocol.messages import ColorizeResult  # noqa: E402

# On what we made and the user may change by hand: the checksum of its pixels as we left them.
MASK_PARASITE, ALPHA_PARASITE = "tincture-mask", "tincture-alpha"
_SIGNED = {MASK_PARASITE: "Y u8", ALPHA_PARASITE: "A u8"}


def put_result(
    image: Gimp.Image,
    photo: Gimp.Layer,
    photo_read: Photo,
    result: ColorizeResult,
    made: Memory,
    hidden: Sequence[Gimp.Layer] = (),
    preferred: Sequence[Gimp.Drawable] = (),
) -> Gimp.Layer:
    """Show the result as a layer above the photo: a new one, or the earlier one brought up to date.

    result: of the whole photo; made: what the layer shall remember; hidden: layers that are hidden
    in the same undo step; preferred: which earlier result is meant, besides a selected one. Outside
    a selection nothing moves: what an earlier run showed there stays. Raises Refused.
    """
    if (photo.get_width(), photo.get_height()) != (result.width, result.height):
        raise Refused(_("The photograph's size changed meanwhile. Run Colorize again."))
    selected = image.get_selected_layers()
    old = canvas.find_result(image, photo, (*preferred, *selected))
    locked = canvas.locked_around(photo.get_parent() if old is None else old)
    if locked is not None:
        raise Refused(
            _("The layer “{0}” is locked. Unlock its pixels first.").format(locked.get_name())
        )
    with canvas.undo_group(image):
        for left_over in canvas.previews(image):
            image.remove_layer(left_over)  # it would hide the result
        canvas.make_rgb(image)
        layer = _result_layer(image, photo, old, photo_read, made.settings)
        _write(layer, result, is_new=layer != old)
        _mask_result(image, photo, layer, is_new=layer != old)
        settings = replace(made.settings, theme=result.theme, shares=result.shares)
        canvas.remember(image, photo, layer, replace(made, settings=settings))
        for each in hidden:
            each.set_visible(False)
    canvas.select(image, selected)
    Gimp.displays_flush()
    return layer


def _result_layer(
    image: Gimp.Image,
    photo: Gimp.Layer,
    old: Optional[Gimp.Layer],  # noqa: UP045
    photo_read: Photo,
    settings: Settings,
) -> Gimp.Layer:
    mode = Gimp.LayerMode.LCH_COLOR if settings.color_only else Gimp.LayerMode.NORMAL
    size = (photo_read.width, photo_read.height)
    if old is not None and (old.get_width(), old.get_height()) == size:
        old.set_mode(mode)
        old.set_visible(True)
        canvas.move_to(photo, old)
        return old
    beside, name, opacity = photo, plan.RESULT_NAME, 100.0
    if old is not None:
        beside, name, opacity = old, old.get_name(), old.get_opacity()
    parent, position = beside.get_parent(), image.get_item_position(beside)
    if old is not None:
        image.remove_layer(old)  # its pixels and its mask are of another size
    has_alpha = photo_read.format.channels == 2
    kind = Gimp.ImageType.RGBA_IMAGE if has_alpha else Gimp.ImageType.RGB_IMAGE
    layer = Gimp.Layer.new(image, name, *size, kind, opacity, mode)
    canvas.move_to(photo, layer)  # before it is in a group, whose position may be locked
    if not image.insert_layer(layer, parent, position):
        raise Refused(_("GIMP does not allow a new layer here; is the group locked?"))
    return layer


def _write(layer: Gimp.Layer, result: ColorizeResult, is_new: bool) -> None:
    """Write the colours, and the photo's alpha unless the user has erased some of the layer."""
    is_erased = not is_new and layer.has_alpha() and not _is_as_signed(layer, ALPHA_PARASITE)
    if result.channels == 4 and not layer.has_alpha():
        layer.add_alpha()
    format_ = plan.result_format(result)
    area = Gegl.Rectangle.new(0, 0, result.width, result.height)
    if is_new:
        canvas.write_pixels(layer, area, format_, result.pixels)
    else:
        # Only what goes through the shadow buffer can be undone; it is limited to the selection.
        shadow = layer.get_shadow_buffer()
        shadow.set(area, format_, bytes(result.pixels))
        shadow.flush()
        was_locked = layer.get_lock_alpha()
        layer.set_lock_alpha(was_locked or is_erased)
        layer.merge_shadow(True)
        layer.set_lock_alpha(was_locked)
        layer.update(0, 0, result.width, result.height)
    if layer.has_alpha() and not is_erased:
        _sign(layer, ALPHA_PARASITE)


def add_mask(image: Gimp.Image, photo: Gimp.Layer, layer: Gimp.Layer) -> None:
    """Give a layer of the photo's place and size a mask: what is selected of what the photo shows.

    Nothing selected means all. No mask is made where it would hide nothing.
    """
    _put_mask(layer, _new_mask(photo, layer, Gimp.Selection.is_empty(image)))


def _mask_result(image: Gimp.Image, photo: Gimp.Layer, layer: Gimp.Layer, is_new: bool) -> None:
    """Show what is selected besides what showed already, or all of it when nothing is selected.

    What the photo's own mask hides stays hidden. A mask that the user made or changed is only
    added to.
    """
    old = layer.get_mask()
    is_ours = old is None or _is_as_signed(old, MASK_PARASITE)
    nothing_selected = Gimp.Selection.is_empty(image)
    if nothing_selected and not is_ours:
        return
    shows_all = old is None and not is_new
    fresh = _new_mask(photo, layer, nothing_selected or shows_all, old)
    if old:
        layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
    _put_mask(layer, fresh)
    if fresh and is_ours:
        _sign(fresh, MASK_PARASITE)


def _new_mask(
    photo: Gimp.Layer,
    layer: Gimp.Layer,
    whole: bool,
    shown: Optional[Gimp.LayerMask] = None,  # noqa: UP045
) -> Optional[Gimp.LayerMask]:  # noqa: UP045
    """Of what the photo's own mask shows the whole, or what is selected and what `shown` shows.

    None: it would hide nothing.
    """
    own = photo.get_mask()
    if own and not photo.get_apply_mask():
        own = None
    if whole and own is None:
        return None
    mask = layer.create_mask(Gimp.AddMaskType.WHITE if whole else Gimp.AddMaskType.SELECTION)
    if shown:
        mask.combine_masks(shown, Gimp.ChannelOps.ADD, 0, 0)
    if own:
        mask.combine_masks(own, Gimp.ChannelOps.INTERSECT, 0, 0)
    return mask


def _put_mask(layer: Gimp.Layer, mask: Optional[Gimp.LayerMask]) -> None:  # noqa: UP045
    if mask:
        layer.add_mask(mask)
        layer.set_edit_mask(False)  # the user's tools go on working on the layer


def _sign(drawable: Gimp.Drawable, parasite: str) -> None:
    """Note what it looks like, so that a change by hand is noticed."""
    canvas.attach(drawable, parasite, _checksum(drawable, _SIGNED[parasite]))


def _is_as_signed(drawable: Gimp.Drawable, parasite: str) -> bool:
    signed = drawable.get_parasite(parasite)
    return bool(signed) and bytes(signed.get_data()) == _checksum(drawable, _SIGNED[parasite])


def _checksum(drawable: Gimp.Drawable, format_: str) -> bytes:
    area = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return b"%08x" % crc32(canvas.read_pixels(drawable, area, format_))
