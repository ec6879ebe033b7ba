"""Helpers for scripts that run inside a real GIMP's Python; loaded there, never by pytest."""

import hashlib
import json
import pathlib
import sys
import traceback

import gi

gi.require_version("Gegl", "0.4")
gi.require_version("Gimp", "3.0")
from gi.repository import Gegl, Gimp, Gio  # noqa: E402

sys.path.insert(0, "/share/profile/plug-ins/tincture")  # for scripts that use the plug-in's parts
Gegl.init(None)
OUTCOME = {}  # what a script leaves for its test


def open_image(name):
    """An image from a file in the shared folder."""
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(f"/share/{name}"))


def new_image(width, height, kind="GRAY", precision="U8_NON_LINEAR"):
    return Gimp.Image.new_with_precision(
        width, height, getattr(Gimp.ImageBaseType, kind), getattr(Gimp.Precision, precision)
    )


def new_layer(image, width, height, kind="GRAY_IMAGE", name="photo", parent=None, x=0, y=0):
    """A layer with a ramp of greys, so that there is something to colour."""
    layer = Gimp.Layer.new(
        image, name, width, height, getattr(Gimp.ImageType, kind), 100.0, Gimp.LayerMode.NORMAL
    )
    image.insert_layer(layer, parent, 0)
    layer.set_offsets(x, y)
    ramp = bytes(
        (40 + 150 * (c + r) // (width + height)) for r in range(height) for c in range(width)
    )
    write(layer, "Y' u8", ramp)
    return layer


def write(layer, format_, data, x=0, y=0, width=None, height=None):
    area = Gegl.Rectangle.new(x, y, width or layer.get_width(), height or layer.get_height())
    buffer = layer.get_buffer()
    buffer.set(area, format_, data)
    buffer.flush()
    layer.update(area.x, area.y, area.width, area.height)


def read(drawable, format_="R'G'B' u8"):
    area = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return drawable.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE)


def pixel(drawable, x, y, format_="R'G'B' u8"):
    area = Gegl.Rectangle.new(x, y, 1, 1)
    return list(drawable.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE))


def paint_dot(layer, x, y, side, color):
    """A square dot of an opaque colour with its corner at x, y of the layer."""
    write(layer, "R'G'B'A u8", bytes((*color, 255)) * side * side, x, y, side, side)


def composed(image, format_):
    """The visible picture's pixels."""
    layer = Gimp.Layer.new_from_visible(image, image, "composed")
    image.insert_layer(layer, None, 0)
    data = read(layer, format_)
    image.remove_layer(layer)
    return data


def call(name, image, layers, **arguments):
    """Run one of the plug-in's procedures. Returns (succeeded, error text, returned layer)."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_core_object_array("drawables", layers)
    for key, value in arguments.items():
        config.set_property(key.replace("_", "-"), value)
    values = procedure.run(config)
    succeeded = values.index(0) == Gimp.PDBStatusType.SUCCESS
    error = "" if succeeded else Gimp.get_pdb().get_last_error()
    return succeeded, error, values.index(1) if succeeded else None


def colorize(image, *layers, **arguments):
    return call("tincture-colorize", image, list(layers), **arguments)


def fingerprint(image):
    """Everything that must not change: mode, layers with their state and masks, and all pixels."""
    parts = [str(int(image.get_base_type())), str(int(image.get_precision()))]

    def walk(layers):
        for layer in layers:
            parts.append(f"{layer.get_name()} {list(layer.get_offsets())} {layer.get_mode()}")
            parts.append(f"{int(layer.type())} {layer.get_visible()} {layer.get_opacity()}")
            parts.append(f"{layer.get_lock_content()} {layer.get_lock_alpha()}")
            parts.append(f"{layer.get_lock_position()} {layer.get_lock_visibility()}")
            parts.append(hashlib.sha256(read(layer, "R'G'B'A float")).hexdigest())
            mask = layer.get_mask()
            if mask:
                parts.append(f"{layer.get_apply_mask()} {layer.get_show_mask()}")
                parts.append(hashlib.sha256(read(mask, "Y float")).hexdigest())
            if layer.is_group():
                walk(layer.get_children())

    walk(image.get_layers())
    return "\n".join(parts)


def names(image):
    return [layer.get_name() for layer in image.get_layers()]


def run(path, outcome_path):
    """Run a script and write down what it left, or how it failed."""
    try:
        exec(compile(pathlib.Path(path).read_text(), path, "exec"), globals())
    except BaseException:
        OUTCOME["traceback"] = traceback.format_exc()
    for image in Gimp.get_images():
        image.delete()
    pathlib.Path(outcome_path).write_text(json.dumps(OUTCOME))
    sys.stdout.flush()
