"""The plug-in inside a real GIMP, called without a window."""

from __future__ import annotations

import json
import os
import threading

import cv2
import numpy as np
import pytest

from server.protocol import launcher
from server.protocol.client import Client
from tests.gimp.conftest import Studio
from tests.gimp.desk import PREVIEW, at_desk
from tests.gimp.screen import wait_for

pytestmark = pytest.mark.gimp


def test_gimp_knows_the_procedures(studio: Studio) -> None:
    seen = studio.script("""
for name in ("tincture-colorize", "tincture-add-hints-layer"):
    procedure = Gimp.get_pdb().lookup_procedure(name)
    OUTCOME[name] = procedure.get_menu_label()
""")

    assert seen["tincture-colorize"] == "_Colorize…"
    assert seen["tincture-add-hints-layer"] == "Add _Hints Layer"


def test_a_gray_photo_becomes_a_colour_layer_in_one_undo_step(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(120, 90)
photo = new_layer(image, 120, 90)
before = read(photo, "Y' u8")
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, names=names(image), mode=str(layer.get_mode() == Gimp.LayerMode.LCH_COLOR),
    rgb=image.get_base_type() == Gimp.ImageBaseType.RGB, same=read(photo, "Y' u8") == before,
    selected=[l.get_name() for l in image.get_selected_layers()],
    colored=any(max(p) - min(p) > 3 for p in zip(*[iter(read(layer))] * 3)))
""")

    assert seen["ok"], seen["error"]
    assert seen["names"] == ["Tincture", "photo"]
    assert seen["selected"] == ["photo"]
    assert seen["rgb"] and seen["same"] and seen["colored"] and seen["mode"] == "True"


@pytest.mark.parametrize("kind", ["RGB", "GRAY", "INDEXED"])
@pytest.mark.parametrize("alpha", [False, True])
def test_every_kind_of_image_works(studio: Studio, running: Client, kind: str, alpha: bool) -> None:
    seen = studio.script(f"""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGBA_IMAGE" if {alpha} else "RGB_IMAGE")
if {alpha}:
    write(photo, "R'G'B'A u8", bytes((90, 90, 90, 0)) * 20 * 48, 0, 0, 20, 48)
if "{kind}" == "GRAY":
    image.convert_grayscale()
if "{kind}" == "INDEXED":
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, "")
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error)
if ok:
    OUTCOME.update(alpha=[pixel(layer, x, 5, "R'G'B'A u8")[3] for x in (3, 50)], size=[layer.get_width(), layer.get_height()])
""")

    assert seen["ok"], seen["error"]
    assert seen["size"] == [64, 48]
    assert seen["alpha"] == ([0, 255] if alpha else [255, 255])


@pytest.mark.parametrize(
    "precision",
    [
        "U8_LINEAR",
        "U16_NON_LINEAR",
        "U32_LINEAR",
        "HALF_NON_LINEAR",
        "FLOAT_LINEAR",
        "DOUBLE_LINEAR",
    ],
)
def test_every_precision_works(studio: Studio, running: Client, precision: str) -> None:
    seen = studio.script(f"""
image = new_image(64, 48, "RGB", "{precision}")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, precision=int(image.get_precision()) == int(Gimp.Precision.{precision}))
""")

    assert seen["ok"] and seen["precision"], seen["error"]


@pytest.mark.parametrize(
    ("precision", "limit"),
    # CIE L* units. One step of sRGB is at most 0.39 of them at 8 bits and 0.0015 at 16.
    [("U8_NON_LINEAR", 0.6), ("U16_NON_LINEAR", 0.003), ("FLOAT_NON_LINEAR", 0.003)],
)
def test_lightness_is_the_photographs_own(
    studio: Studio, running: Client, precision: str, limit: float
) -> None:
    seen = studio.script(f"""
import array
image = new_image(256, 64, "RGB", "{precision}")
photo = new_layer(image, 256, 64, "RGB_IMAGE")
before = array.array("f", read(photo, "CIE L float"))
ok, error, layer = colorize(image, photo, theme_colors="#d02020 #20a040 #2030d0", strength=2.0, saturation=2.0)
after = array.array("f", composed(image, "CIE L float"))
chroma = array.array("f", composed(image, "CIE Lab float"))
OUTCOME.update(ok=ok, error=error, difference=max(abs(a - b) for a, b in zip(before, after)),
    chroma=max(abs(v) for v in chroma[1::3]))
""")
    print(
        f"largest difference of L* at {precision}, GIMP {studio.gimp.version}: {seen['difference']}"
    )

    assert seen["ok"], seen["error"]
    assert seen["chroma"] > 5
    assert seen["difference"] <= limit


@pytest.mark.parametrize("profile", ["new_rgb_adobe", "new_rgb_srgb_linear", "gray linear"])
def test_a_photo_with_another_profile_gets_the_same_colours(
    studio: Studio, running: Client, profile: str
) -> None:
    """The same picture described in two colour spaces looks the same when it is coloured."""
    seen = studio.script(f"""
import array
lab = []
for profiled in (False, True):
    gray = "{profile}" == "gray linear"
    image = new_image(128, 64, "GRAY" if gray else "RGB", "FLOAT_NON_LINEAR")
    photo = new_layer(image, 128, 64, "GRAY_IMAGE" if gray else "RGB_IMAGE")
    if profiled:
        new = Gimp.ColorProfile.new_d65_gray_linear() if gray else Gimp.ColorProfile.{"new_rgb_adobe" if profile == "gray linear" else profile}()
        assert image.convert_color_profile(new, Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, False)
    before = array.array("f", read(photo, "CIE L float"))
    ok, error, layer = colorize(image, photo, theme_colors="#a05030 #3060a0 #508040")
    assert ok, error
    lab.append(array.array("f", composed(image, "CIE Lab float")))
    OUTCOME[f"lightness {{profiled}}"] = max(abs(a - b) for a, b in zip(before, lab[-1][0::3]))
differences = [abs(a - b) for a, b in zip(*lab)]
OUTCOME.update(mean=sum(differences) / len(differences), most=max(differences), chroma=max(map(abs, lab[0][1::3] + lab[0][2::3])))
""")
    print(profile, seen)

    assert seen["chroma"] > 5
    # A wrong profile moves all colours. What is left comes from the network's 16-bit numbers, which
    # turn a last digit of lightness into nearly half a unit at single pixels.
    assert seen["mean"] < 0.1 and seen["most"] < 0.5
    assert seen["lightness True"] < 0.01 and seen["lightness False"] < 0.01


def test_a_theme_changes_the_whole_picture(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
palette = Gimp.Palette.new("Sea")
for color in ("#103080", "#2060b0", "#60a0e0", "#80b0f0"):
    palette.add_entry(color, Gegl.Color.new(color))
blue = []
for arguments in ({}, {"use_palette": True, "palette": palette}, {"theme_colors": "#b04010, #d07030 #f0a060"}):
    ok, error, layer = colorize(image, photo, **arguments)
    assert ok, error
    data = read(layer)
    blue.append(sum(data[2::3]) / len(data) * 3 - sum(data[0::3]) / len(data) * 3)
OUTCOME.update(blue=blue, names=names(image))
palette.delete()
""")

    plain, sea, earth = seen["blue"]
    assert sea > plain + 5
    assert earth < plain - 5
    assert seen["names"] == ["Tincture", "photo"]


def test_a_dot_changes_its_region_while_its_layer_is_selected(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(200, 150)
photo = new_layer(image, 180, 130, x=10, y=10)
plain = read(colorize(image, photo)[2])
ok, error, hints = call("tincture-add-hints-layer", image, [photo])
paint_dot(hints, 60, 40, 6, (40, 60, 220))
selected = [layer.get_name() for layer in image.get_selected_layers()]
ok, error, layer = colorize(image, hints)
OUTCOME.update(ok=ok, error=error, selected=selected, names=names(image), offsets=list(layer.get_offsets())[1:],
    dot=pixel(layer, 62, 42), changed=read(layer) != plain)
""")

    assert seen["ok"], seen["error"]
    assert seen["selected"] == ["hints"]
    assert seen["names"] == ["hints", "Tincture", "photo"]
    assert seen["offsets"] == [10, 10]
    r, _g, b = seen["dot"]
    assert b > r + 30 and seen["changed"]


def test_a_hints_layer_of_another_size_and_place_is_read_where_it_lies(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(200, 150, "RGB")
photo = new_layer(image, 300, 200, "RGB_IMAGE", x=-50, y=-20)
hints = Gimp.Layer.new(image, "hints", 40, 30, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(hints, None, 0)
hints.set_offsets(100, 60)
paint_dot(hints, 10, 10, 5, (220, 40, 40))
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, dot=pixel(layer, 100 + 50 + 12, 60 + 20 + 12), size=[layer.get_width(), layer.get_height()])
""")

    assert seen["ok"], seen["error"]
    assert seen["size"] == [300, 200]
    r, g, _b = seen["dot"]
    assert r > g + 30


def test_a_selection_limits_the_change_bit_for_bit(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
before = composed(image, "R'G'B' u8")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 30, 20, 40, 30)
for turn in range(2):
    ok, error, layer = colorize(image, photo, output="normal-layer")
after = composed(image, "R'G'B' u8")
moved = [(i // 3 % 120, i // 360) for i in range(0, len(before), 3) if before[i:i+3] != after[i:i+3]]
OUTCOME.update(ok=ok, error=error, x=[min(m[0] for m in moved), max(m[0] for m in moved)],
    y=[min(m[1] for m in moved), max(m[1] for m in moved)], kept=list(Gimp.Selection.bounds(image))[2:], names=names(image))
""")

    assert seen["ok"], seen["error"]
    assert seen["x"][0] >= 30 and seen["x"][1] < 70 and seen["y"][0] >= 20 and seen["y"][1] < 50
    assert seen["kept"] == [30, 20, 70, 50]
    assert seen["names"] == ["Tincture", "photo"]


def test_selections_one_after_the_other_add_up(studio: Studio, running: Client) -> None:
    """What an earlier run coloured elsewhere stays; without a selection all is coloured."""
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
warm, cold = "#b04010 #d07030 #f0a060", "#103080 #2060b0 #60a0e0"

def moved(before, after):
    columns = [i // 3 % 120 for i in range(0, len(before), 3) if before[i:i+3] != after[i:i+3]]
    return [min(columns), max(columns)] if columns else None

pictures = [composed(image, "R'G'B' u8")]
for x in (10, 60, None):
    if x is None:
        Gimp.Selection.none(image)
    else:
        image.select_rectangle(Gimp.ChannelOps.REPLACE, x, 20, 40, 30)
    ok, error, layer = colorize(image, photo, theme_colors=warm if x == 10 else cold)
    pictures.append(composed(image, "R'G'B' u8"))
OUTCOME.update(ok=ok, error=error, moved=[moved(a, b) for a, b in zip(pictures, pictures[1:])], names=names(image))
mask = layer.create_mask(Gimp.AddMaskType.BLACK)
layer.add_mask(mask)
colorize(image, photo)
OUTCOME.update(own_mask=layer.get_mask() == mask)
""")

    assert seen["ok"], seen["error"]
    assert seen["moved"] == [[10, 49], [60, 99], [0, 119]]
    assert seen["names"] == ["Tincture", "photo"]
    assert seen["own_mask"]


def test_a_new_run_keeps_what_was_done_to_the_result(studio: Studio, running: Client) -> None:
    """Opacity, mask, name, place and selection stay; only the colours are new."""
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
ok, error, layer = colorize(image, photo)
before = read(layer)
layer.set_opacity(40)
layer.set_name("My colours")
layer.add_mask(layer.create_mask(Gimp.AddMaskType.BLACK))
top = new_layer(image, 120, 90, "RGB_IMAGE", name="top")
image.set_selected_layers([layer])

ok, error, layer = colorize(image, photo, theme_colors="#b04010 #d07030 #f0a060")
OUTCOME.update(ok=ok, error=error, names=names(image), opacity=layer.get_opacity(),
    mask=layer.get_mask() is not None and max(read(layer.get_mask(), "Y u8")) == 0,
    selected=[one.get_name() for one in image.get_selected_layers()], changed=read(layer) != before)
""")

    assert seen["ok"], seen["error"]
    assert seen["names"] == ["top", "My colours", "photo"]
    assert seen["opacity"] == pytest.approx(40, abs=0.1) and seen["mask"]
    assert seen["selected"] == ["My colours"] and seen["changed"]


OVER_A_WALL = """
image = new_image(120, 90, "RGB")
new_layer(image, 120, 90, "RGB_IMAGE", name="wall")
photo = new_layer(image, 120, 90, "RGB_IMAGE")

def shape():
    photo.add_mask(photo.create_mask(Gimp.AddMaskType.BLACK))
    write(photo.get_mask(), "Y u8", bytes((255,)) * 60 * 90, 0, 0, 60, 90)

def run():
    ok, error, layer = colorize(image, photo, theme_colors="#b04010 #d07030 #f0a060")
    assert ok, error
    data = composed(image, "R'G'B' u8")
    places = [i // 3 for i in range(0, len(data), 3) if max(data[i : i + 3]) > min(data[i : i + 3])]
    columns, rows = {place % 120 for place in places}, {place // 120 for place in places}
    return [min(columns), max(columns), min(rows), max(rows)]
"""


def test_what_a_mask_cuts_out_of_the_photo_is_all_that_is_coloured(
    studio: Studio, running: Client
) -> None:
    """And of that what is selected; so it stays when the result is brought up to date."""
    seen = studio.script(
        OVER_A_WALL
        + """
shape()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 20, 40, 30)
OUTCOME.update(selected=run(), kept=list(Gimp.Selection.bounds(image))[2:])
image.select_rectangle(Gimp.ChannelOps.REPLACE, 30, 30, 70, 40)
OUTCOME.update(both=run())
Gimp.Selection.none(image)
OUTCOME.update(all=run(), again=run(), nothing=bool(Gimp.Selection.is_empty(image)))
photo.set_apply_mask(False)
OUTCOME.update(off=run(), mask=image.get_layers()[0].get_mask() is not None)
"""
    )

    assert seen["selected"] == [40, 59, 20, 49] and seen["kept"] == [40, 20, 80, 50]
    assert seen["both"] == [30, 59, 20, 69]
    assert seen["all"] == seen["again"] == [0, 59, 0, 89] and seen["nothing"]
    assert seen["off"] == [0, 119, 0, 89] and not seen["mask"]


def test_a_photo_that_is_cut_out_later_is_so_in_the_result(studio: Studio, running: Client) -> None:
    seen = studio.script(
        OVER_A_WALL
        + """
OUTCOME.update(before=run())
shape()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 50, 20, 40, 30)
OUTCOME.update(after=run())
"""
    )

    assert seen["before"] == [0, 119, 0, 89]
    assert seen["after"] == [0, 59, 0, 89]


def test_the_mask_that_a_window_shows_what_is_selected_with(studio: Studio) -> None:
    """Also where the photo is larger than the image."""
    seen = studio.script("""
from gimp_plugin.result_layer import add_mask
image = new_image(60, 40, "RGB")
photo = new_layer(image, 100, 80, "RGB_IMAGE", x=-20, y=-20)

def shown():
    layer = new_layer(image, 100, 80, "RGB_IMAGE", x=-20, y=-20)
    add_mask(image, photo, layer)
    mask = layer.get_mask()
    return [pixel(mask, x, 30, "Y u8")[0] for x in (5, 30, 35, 50, 95)] if mask else None

OUTCOME.update(all=shown())
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 20, 40)
OUTCOME.update(selected=shown())
photo.add_mask(photo.create_mask(Gimp.AddMaskType.WHITE))
write(photo.get_mask(), "Y u8", bytes(20 * 80), 0, 0, 20, 80)
write(photo.get_mask(), "Y u8", bytes((99,)) * 3 * 80, 34, 0, 3, 80)
OUTCOME.update(both=shown())
Gimp.Selection.none(image)
OUTCOME.update(photo=shown(), selected_layers=[layer.get_name() for layer in image.get_selected_layers()])
""")

    assert seen["all"] is None
    assert seen["selected"] == [0, 255, 255, 0, 0]
    assert seen["both"] == [0, 255, 99, 0, 0]
    assert seen["photo"] == [0, 255, 99, 255, 255]


def test_a_mask_refined_by_hand_is_kept(studio: Studio, running: Client) -> None:
    """A mask that stands for selections, and was painted on since."""
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")

def corners():
    mask = image.get_layers()[0].get_mask()
    return [pixel(mask, x, 25, "Y u8")[0] for x in (5, 35, 65, 95)] if mask else None

image.select_rectangle(Gimp.ChannelOps.REPLACE, 30, 20, 40, 30)
ok, error, layer = colorize(image, photo)
assert ok, error
write(layer.get_mask(), "Y u8", bytes(10 * 10), 30, 20, 10, 10)
Gimp.Selection.none(image)
ok, error, _same = call("tincture-recolorize", image, [photo])
OUTCOME.update(ok=ok, error=error, refined=corners())
image.select_rectangle(Gimp.ChannelOps.REPLACE, 90, 20, 10, 10)
colorize(image, photo)
OUTCOME.update(added=corners())
Gimp.Selection.none(image)
colorize(image, photo)
OUTCOME.update(kept=corners())
layer.remove_mask(Gimp.MaskApplyMode.DISCARD)
image.remove_layer(layer)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 30, 20, 40, 30)
colorize(image, photo)
Gimp.Selection.none(image)
colorize(image, photo)
OUTCOME.update(untouched=corners())
""")

    assert seen["ok"], seen["error"]
    assert seen["refined"] == [0, 0, 255, 0]
    assert seen["added"] == seen["kept"] == [0, 0, 255, 255]
    assert seen["untouched"] is None


def test_what_was_erased_of_the_result_stays_erased(studio: Studio, running: Client) -> None:
    """The same layer, with all that was done to it; outside a selection not a bit moves."""
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
ok, error, layer = colorize(image, photo)
layer.set_name("My colours")
layer.set_opacity(40)
layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))
layer.add_alpha()
write(layer, "R'G'B'A u8", bytes(30 * 90 * 4), 0, 0, 30, 90)
before = read(layer, "R'G'B'A u8")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 120, 50)

ok, error, after = colorize(image, photo, theme_colors="#b04010 #d07030 #f0a060")
data = read(after, "R'G'B'A u8")
OUTCOME.update(ok=ok, error=error, same=after == layer, names=names(image), opacity=after.get_opacity(),
    mask=after.get_mask() is not None, alpha=data[3::4] == before[3::4], lock=after.get_lock_alpha(),
    changed=data[: 50 * 480] != before[: 50 * 480], outside=data[50 * 480 :] == before[50 * 480 :])
""")

    assert seen["ok"], seen["error"]
    assert seen["same"] and seen["names"] == ["My colours", "photo"] and seen["mask"]
    assert seen["opacity"] == pytest.approx(40, abs=0.1)
    assert seen["alpha"] and not seen["lock"]
    assert seen["changed"] and seen["outside"]


def test_the_result_follows_the_photos_alpha_until_it_is_erased_by_hand(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")

def clear(layer, x, alpha):
    write(layer, "R'G'B'A u8", bytes((90, 90, 90, alpha)) * 10 * 48, x, 0, 10, 48)

def alphas():
    ok, error, layer = colorize(image, photo)
    assert ok, error
    return [pixel(layer, x, 5, "R'G'B'A u8")[3] for x in (5, 25, 45)]

OUTCOME.update(opaque=alphas())
layer = image.get_layers()[0]
photo.add_alpha()
clear(photo, 0, 0)
OUTCOME.update(cut=alphas())
clear(photo, 0, 255)
clear(photo, 20, 0)
OUTCOME.update(other=alphas())
clear(layer, 40, 0)
clear(photo, 20, 255)
OUTCOME.update(erased=alphas(), same=names(image) == ["Tincture", "photo"] and image.get_layers()[0] == layer)
""")

    assert seen["opaque"] == [255, 255, 255]
    assert seen["cut"] == [0, 255, 255]
    assert seen["other"] == [255, 0, 255]
    assert seen["erased"] == [255, 0, 0] and seen["same"]


def test_a_photo_of_another_size_gets_a_result_like_the_old_one(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
ok, error, layer = colorize(image, photo)
new_layer(image, 20, 20, "RGB_IMAGE", name="sign")
image.reorder_item(layer, None, 0)
layer.set_name("My colours")
layer.set_opacity(40)
photo.resize(140, 80, 10, -5)

ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, names=names(image), opacity=layer.get_opacity(), visible=layer.get_visible(),
    place=[layer.get_width(), layer.get_height(), *list(layer.get_offsets())[1:]])
""")

    assert seen["ok"], seen["error"]
    assert seen["names"] == ["My colours", "sign", "photo"]
    assert seen["opacity"] == pytest.approx(40, abs=0.1) and seen["visible"]
    assert seen["place"] == [140, 80, -10, 5]


def test_of_several_results_the_selected_one_is_brought_up_to_date_and_shown(
    studio: Studio, running: Client
) -> None:
    """Another may be a hidden backup."""
    seen = studio.script("""
image = new_image(120, 90, "RGB")
photo = new_layer(image, 120, 90, "RGB_IMAGE")
sea, earth = "#103080 #2060b0 #60a0e0", "#b04010 #d07030 #f0a060"
ok, error, layer = colorize(image, photo, theme_colors=sea)
backup = layer.copy()
image.insert_layer(backup, None, 0)
backup.set_visible(False)
before = read(backup)

def state():
    return [read(backup) != before, read(layer) != before, backup.get_visible(), layer.get_visible()]

layer.set_visible(False)
image.set_selected_layers([layer])
ok, error, _layer = colorize(image, photo, theme_colors=earth)
OUTCOME.update(ok=ok, error=error, selected=state())
image.set_selected_layers([photo])
layer.set_edit_mask(False)
ok, error, _layer = call("tincture-recolorize", image, [layer])
OUTCOME.update(recolorize=ok and read(layer) != before, named=state())
layer.set_visible(False)
ok, error, _layer = colorize(image, photo, theme_colors=earth)
OUTCOME.update(uppermost=state())
""")

    assert seen["ok"], seen["error"]
    assert seen["selected"] == seen["named"] == [False, True, False, True]
    assert seen["recolorize"]
    assert seen["uppermost"] == [True, True, True, False]


def test_a_preview_that_a_saved_file_holds_does_not_hide_the_result(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
from gimp_plugin import canvas
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
preview = new_layer(image, 64, 48, "RGB_IMAGE", name="Tincture preview")
canvas.mark_preview(preview)
preview.set_lock_content(True)
preview.set_lock_position(True)
file = Gio.File.new_for_path("/share/saved.xcf")
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
image = open_image("saved.xcf")
ok, error, layer = colorize(image, image.get_layers()[1])
OUTCOME.update(ok=ok, error=error, names=names(image))
""")

    assert seen["ok"], seen["error"]
    assert seen["names"] == ["Tincture", "photo"]


def test_one_undo_takes_back_all_that_a_run_changed(
    studio: Studio, running: Client, gray: np.ndarray
) -> None:
    """Alpha, mask, name, lock, visibility and a preview that was left over."""
    make = """
from gimp_plugin import canvas
photo = image.get_layers()[0]
ok, error, layer = colorize(image, photo)
canvas.mark_preview(new_layer(image, 420, 280, "RGB_IMAGE", name="Tincture preview"))
"""
    cut_out = """
layer.set_visible(False)
photo.add_alpha()
write(photo, "R'G'B'A u8", bytes(40 * 50 * 4), 0, 0, 40, 50)
photo.add_mask(photo.create_mask(Gimp.AddMaskType.BLACK))
write(photo.get_mask(), "Y u8", bytes((255,)) * 200 * 280, 0, 0, 200, 280)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 20, 200, 130)
"""
    refined = """
layer.add_alpha()
write(layer, "R'G'B'A u8", bytes(40 * 50 * 4), 0, 0, 40, 50)
layer.add_mask(layer.create_mask(Gimp.AddMaskType.WHITE))
write(layer.get_mask(), "Y u8", bytes((9,)) * 100 * 280, 0, 0, 100, 280)
image.select_rectangle(Gimp.ChannelOps.REPLACE, 40, 20, 200, 130)
"""
    resized = """
layer.set_name("My colours")
layer.set_opacity(40)
photo.resize(400, 260, -10, -10)
"""
    run = """
photo = image.get_layers()[2]
ok, error, layer = colorize(image, photo, theme_colors="#b04010 #d07030 #f0a060")
OUTCOME.update(ok=ok, error=error)
"""
    clean = """
Gimp.Selection.none(image)
image.remove_layer(image.get_layers()[0])
photo = image.get_layers()[0]
if photo.get_mask():
    photo.remove_mask(Gimp.MaskApplyMode.DISCARD)
photo.flatten()
"""
    small = np.asarray(cv2.resize(gray, (420, 280), interpolation=cv2.INTER_AREA))
    with at_desk(studio, ":82", small) as desk:

        def wait_for_state(state: str) -> None:
            wait_for(lambda: desk.found()["all"] == state, state)

        for case in (cut_out, refined, resized):
            desk.ask(make + case)
            before = desk.found()["all"]
            seen = desk.ask(run)
            assert seen["ok"], seen["error"]
            after = desk.found()["all"]
            assert after != before and PREVIEW not in desk.names()
            desk.keys("ctrl+z")
            wait_for_state(before)
            desk.keys("ctrl+y")
            wait_for_state(after)
            desk.ask(clean)


def test_a_group_named_hints_holds_no_dots(studio: Studio, running: Client) -> None:
    """The layer to paint on is made beside it."""
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
group = Gimp.GroupLayer.new(image, "hints")
image.insert_layer(group, None, 0)
sketch = Gimp.Layer.new(image, "sketch", 64, 48, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(sketch, group, 0)
plain = read(colorize(image, photo)[2])
paint_dot(sketch, 20, 20, 6, (250, 20, 20))
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, same=read(layer) == plain)
ok, error, hints = call("tincture-add-hints-layer", image, [photo])
OUTCOME.update(group=hints.is_group(), names=names(image))
""")

    assert seen["ok"], seen["error"]
    assert seen["same"] and not seen["group"]
    assert len(seen["names"]) == 4


def test_what_a_file_remembers_wrongly_is_not_used(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
ok, error, layer = colorize(image, photo)
assert ok, error
wrong = '{"photo": %d, "theme": ["autumn"], "strength": NaN, "saturation": Infinity, "locked": [[NaN, 3]]}'
layer.attach_parasite(Gimp.Parasite.new("tincture-result", 3, (wrong % photo.get_tattoo()).encode()))
plain = read(layer)
ok, error, again = call("tincture-recolorize", image, [photo])
OUTCOME.update(ok=ok, error=error, same=again == layer and read(layer) == plain)
""")

    assert seen["ok"], seen["error"]
    assert seen["same"]


def test_dots_are_painted_where_they_are_remembered(studio: Studio) -> None:
    """On a layer of another place; what does not fit on it is left out."""
    seen = studio.script("""
from gimp_plugin import canvas
image = new_image(60, 40, "RGB")
photo = new_layer(image, 60, 40, "RGB_IMAGE", x=5, y=3)
hints = Gimp.Layer.new(image, "hints", 50, 40, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(hints, None, 0)
hints.set_offsets(7, 4)
dots = ((20.5, 10.5, "#c82828"), (30.0, 20.0, "#2846C8"), (2.5, 1.5, "#10c010"), (0.5, 0.5, "#ffffff"), (900.0, -70.0, "#ffffff"))
canvas.paint_dots(hints, dots, photo)

def found(hints, photo, red):
    strips = canvas.read_hints(hints, photo)
    return [[s.x + i // 4 % s.width, s.y + i // 4 // s.width] for s in strips for i in range(0, len(s.rgba), 4)
        if s.rgba[i + 3] == 255 and s.rgba[i] == red]

OUTCOME.update(odd=found(hints, photo, 200), even=found(hints, photo, 40), cut=found(hints, photo, 16), out=found(hints, photo, 255))
large = new_layer(image, 900, 700, "RGB_IMAGE")
canvas.paint_dots(canvas.insert_hints(image, large), dots[:1], large)
OUTCOME.update(large=found(image.get_layers()[0], large, 200))
""")

    assert seen["odd"] == [[x, y] for y in (9, 10, 11) for x in (19, 20, 21)]
    assert len(seen["even"]) == 9 and [30, 20] in seen["even"]
    assert seen["cut"] == [[x, y] for y in (1, 2) for x in (2, 3)]
    assert not seen["out"]
    assert len(seen["large"]) == 49 and seen["large"][24] == [20, 10]


@pytest.mark.parametrize("filter_", ["gegl:invert-gamma", "gegl:dropshadow"])
def test_the_photo_is_read_with_its_filters(studio: Studio, filter_: str) -> None:
    """As GIMP shows it; the second one makes the layer larger."""
    seen = studio.script(f"""
from gimp_plugin import canvas
image = new_image(100, 80, "RGB")
photo = new_layer(image, 60, 40, "RGBA_IMAGE", x=20, y=20)
write(photo, "R'G'B'A u8", bytes((0, 0, 0, 0)) * 100, 30, 15, 10, 10)
image.clean_all()
plain = canvas.read_photo(image, photo).pixels
photo.append_filter(Gimp.DrawableFilter.new(photo, {filter_!r}, "a filter"))
photo.set_lock_position(True)  # a copy has the locks, too
photo.set_lock_content(True)
image.clean_all()
photo_read = canvas.read_photo(image, photo)
colors, width, height = canvas.read_colors(photo)
seen = Gimp.Layer.new_from_visible(image, image, "")
area = Gegl.Rectangle.new(20, 20, 60, 40)
get = lambda format_: seen.get_buffer().get(area, 1.0, format_, Gegl.AbyssPolicy.NONE)
visible = get("Y'A u8")
shown = [abs(a - b) for a, b, alpha in zip(photo_read.pixels[::2], visible[::2], visible[1::2]) if alpha]
OUTCOME.update(size=[photo_read.width, photo_read.height], changed=photo_read.pixels != plain,
    difference=max(shown), alpha=photo_read.pixels[1::2] == visible[1::2], colors=[width, height],
    color=[colors[:3] == get("R'G'B' u8")[:3]], filters=len(photo.get_filters()), dirty=image.is_dirty(), names=names(image))
""")

    assert seen["changed"] and seen["size"] == seen["colors"] == [60, 40]
    assert seen["difference"] <= 1 and seen["alpha"] and seen["color"]
    assert seen["filters"] == 1 and not seen["dirty"] and seen["names"] == ["photo"]


def test_dots_count_in_the_colour_that_filters_give_them(studio: Studio) -> None:
    """And at their place, also where a filter makes the layer larger."""
    seen = studio.script("""
from gimp_plugin import canvas
image = new_image(100, 80, "RGB")
photo = new_layer(image, 60, 40, "RGB_IMAGE", x=20, y=20)
hints = canvas.add_hints_layer(image, photo)
paint_dot(hints, 30, 15, 4, (200, 40, 40))
hints.append_filter(Gimp.DrawableFilter.new(hints, "gegl:invert-gamma", "a filter"))
shadow = Gimp.DrawableFilter.new(hints, "gegl:dropshadow", "a filter")
shadow.get_config().set_property("opacity", 0.0)
hints.append_filter(shadow)
painted = set()
for strip in canvas.read_hints(hints, photo):
    for at in range(0, len(strip.rgba), 4):
        if strip.rgba[at + 3]:
            row, column = divmod(at // 4, strip.width)
            painted.add((strip.x + column, strip.y + row, *strip.rgba[at : at + 3]))
OUTCOME.update(painted=sorted(painted), layers=names(image))
""")

    assert [place[:2] for place in seen["painted"]] == [
        [x, y] for x in range(30, 34) for y in range(15, 19)
    ]
    assert {tuple(place[2:]) for place in seen["painted"]} == {(55, 215, 215)}
    assert seen["layers"] == ["hints", "photo"]


def test_a_result_that_was_pasted_from_another_image_is_not_this_ones(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
from gimp_plugin import canvas
images = [new_image(64, 48, "RGB") for _ in range(2)]
photos = [new_layer(image, 64, 48, "RGB_IMAGE") for image in images]
ok, error, result = colorize(images[0], photos[0], theme_colors="#b04010 #d07030 #f0a060")
pasted = Gimp.Layer.new_from_drawable(result, images[1])
images[1].insert_layer(pasted, None, 0)
before = read(pasted)
OUTCOME.update(ok=ok, error=error, same_number=photos[0].get_tattoo() == photos[1].get_tattoo(),
    marked=bool(pasted.get_parasite(canvas.RESULT_PARASITE)), remembered=canvas.remembered_of(images[1], photos[1]))
for image, photo in zip(images, photos):
    ok, error, layer = colorize(image, photo)
    OUTCOME[f"names {images.index(image)}"] = names(image)
OUTCOME.update(untouched=read(pasted) == before)
""")

    assert seen["ok"] and seen["same_number"] and seen["marked"]  # or this shows nothing
    assert seen["remembered"] is None and seen["untouched"]
    assert seen["names 0"] == ["Tincture", "photo"]
    assert len(seen["names 1"]) == 3


def test_locked_places_do_not_move_the_colours(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(120, 90, "RGB")
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
photo = new_layer(image, 64, 48, "RGB_IMAGE", parent=group, x=20, y=25)
places = []
for held, x in ((group, 20), (None, 3)):
    group.set_lock_position(False)
    photo.set_offsets(x, 25)
    if held is None:
        layer.set_lock_position(True)
    group.set_lock_position(True)
    ok, error, layer = colorize(image, photo)
    assert ok, error
    places.append(list(layer.get_offsets())[1:])
OUTCOME.update(places=places, locked=[layer.get_lock_position(), group.get_lock_position()])
""")

    assert seen == {"places": [[20, 25], [3, 25]], "locked": [True, True]}


@pytest.mark.parametrize("change", ["", "flip", "crop", "retouch"])
def test_dots_are_remembered_until_they_would_lie_elsewhere(
    studio: Studio, running: Client, change: str
) -> None:
    steps = {
        "": "",
        "flip": "image.flip(Gimp.OrientationType.HORIZONTAL)",
        "crop": "image.crop(50, 40, 10, 5)",
        "retouch": "write(photo, \"R'G'B' u8\", bytes((200, 200, 200)) * 12, 5, 5, 6, 2)",
    }
    seen = studio.script(f"""
from gimp_plugin import canvas
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
ok, error, hints = call("tincture-add-hints-layer", image, [photo])
paint_dot(hints, 5, 5, 4, (200, 40, 40))
ok, error, layer = colorize(image, photo, locked_dots="7,7")
assert ok, error
image.remove_layer(hints)
{steps[change]}
made = canvas.remembered_of(image, photo)
OUTCOME.update(dots=len(made.dots), locked=len(made.settings.locked))
""")

    kept = int(change in ("", "retouch"))
    assert seen == {"dots": kept, "locked": kept}


@pytest.mark.parametrize("kind", ["GRAY", "INDEXED"])
def test_an_image_that_has_hints_becomes_rgb_for_new_dots(studio: Studio, kind: str) -> None:
    seen = studio.script(f"""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
ok, error, hints = call("tincture-add-hints-layer", image, [photo])
if {kind!r} == "GRAY":
    image.convert_grayscale()
else:
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 64, False, False, "")
ok, error, again = call("tincture-add-hints-layer", image, [photo])
OUTCOME.update(rgb=image.get_base_type() == Gimp.ImageBaseType.RGB, same=again == hints, names=names(image))
""")

    assert seen == {"rgb": True, "same": True, "names": ["hints", "photo"]}


def test_the_quality_can_be_chosen(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(300, 200, "RGB")
photo = new_layer(image, 300, 200, "RGB_IMAGE")
for quality in ("draft", "normal", "fine"):
    ok, error, layer = colorize(image, photo, quality=quality)
    assert ok, error
    OUTCOME[quality] = hashlib.sha256(read(layer)).hexdigest()
""")

    assert len(set(seen.values())) == 3


def test_a_photo_in_a_group_gets_its_result_beside_it(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
photo = new_layer(image, 64, 48, "RGB_IMAGE", parent=group)
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, inside=[l.get_name() for l in group.get_children()])
""")

    assert seen["ok"], seen["error"]
    assert seen["inside"] == ["Tincture", "photo"]


def test_a_locked_photo_is_coloured_and_stays_as_it_is(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
photo.set_lock_content(True)
before = read(photo)
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, same=read(photo) == before)
""")

    assert seen["ok"] and seen["same"], seen["error"]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 40), (7300, 5500)])
def test_the_smallest_and_a_very_large_photo(
    studio: Studio, running: Client, width: int, height: int
) -> None:
    seen = studio.script(f"""
image = new_image({width}, {height})
photo = Gimp.Layer.new(image, "photo", {width}, {height}, Gimp.ImageType.GRAY_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(photo, None, 0)
photo.fill(Gimp.FillType.WHITE)
ok, error, layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error)
if ok:
    OUTCOME.update(size=[layer.get_width(), layer.get_height()])
""")

    assert seen["ok"], seen["error"]
    assert seen["size"] == [width, height]


BAD = {
    "text": (
        """
photo = Gimp.TextLayer.new(image, "words", Gimp.context_get_font(), 20, Gimp.Unit.pixel())
image.insert_layer(photo, None, 0)
""",
        "text layer",
    ),
    "group": (
        """
photo = Gimp.GroupLayer.new(image, "group")
image.insert_layer(photo, None, 0)
""",
        "layer group",
    ),
    "transparent": (
        """
photo = Gimp.Layer.new(image, "photo", 64, 48, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(photo, None, 0)
""",
        "transparent",
    ),
    "only hints": (
        """
photo = Gimp.Layer.new(image, "hints", 64, 48, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(photo, None, 0)
""",
        "no layer with a photograph",
    ),
    "channel": (
        """
new_layer(image, 64, 48, "RGB_IMAGE")
photo = Gimp.Channel.new(image, "mask", 64, 48, 50.0, Gegl.Color.new("black"))
image.insert_channel(photo, None, 0)
""",
        "channel is selected",
    ),
    "floating": (
        """
below = new_layer(image, 64, 48, "RGB_IMAGE")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 4, 4, 40, 30)
photo = Gimp.Selection.float(image, [below], 2, 2)
""",
        "Anchor it, or make it a layer",
    ),
    "several": (
        """
photo = new_layer(image, 64, 48, "RGB_IMAGE")
OTHERS.append(new_layer(image, 64, 48, "RGB_IMAGE"))
""",
        "Several layers",
    ),
    "theme": (
        """
photo = new_layer(image, 64, 48, "RGB_IMAGE")
ARGUMENTS["theme_colors"] = "#12345 red"
""",
        "is not a colour",
    ),
    "locked group": (
        """
image = new_image(64, 48, "GRAY")
group = Gimp.GroupLayer.new(image, "archive")
image.insert_layer(group, None, 0)
photo = new_layer(image, 64, 48, "GRAY_IMAGE", parent=group)
group.set_lock_content(True)
""",
        "“archive” is locked",
    ),
    "picture as hints": (
        """
photo = new_layer(image, 64, 48, "RGB_IMAGE")
new_layer(image, 64, 48, "RGB_IMAGE", name="hints")
write(image.get_layers()[0], "R'G'B' u8", bytes(range(256)) * 36)
""",
        "picture, not dots",
    ),
    "locked result": (
        """
photo = new_layer(image, 64, 48, "RGB_IMAGE")
colorize(image, photo)[2].set_lock_content(True)
""",
        "is locked",
    ),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_input_is_refused_in_words_and_nothing_is_lost(
    studio: Studio, running: Client, case: str
) -> None:
    make, words = BAD[case]

    seen = studio.script(
        f"""
image = new_image(64, 48, "RGB")
OTHERS, ARGUMENTS = [], {{}}
{make}
before = fingerprint(image)
ok, error, _layer = colorize(image, photo, *OTHERS, **ARGUMENTS)
OUTCOME.update(ok=ok, error=error, same=fingerprint(image) == before)
""",
        fonts=case == "text",
    )

    assert not seen["ok"]
    assert words in seen["error"]
    assert seen["same"]


@pytest.mark.parametrize("colors", [0, 1, 1000])
def test_palettes_of_any_size_work(studio: Studio, running: Client, colors: int) -> None:
    seen = studio.script(f"""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
palette = Gimp.Palette.new("Size")
for index in range({colors}):
    palette.add_entry("", Gegl.Color.new("#%02x80%02x" % (index % 256, index // 256)))
ok, error, layer = colorize(image, photo, use_palette=True, palette=palette)
OUTCOME.update(ok=ok, error=error)
palette.delete()
""")

    assert seen["ok"], seen["error"]


def test_the_plug_in_starts_the_engine_where_install_put_it(studio: Studio) -> None:
    """No Python of ours runs inside the chroot: what is called there has one started outside."""
    with launcher.connect_or_start() as left:
        left.shutdown()
    for process in launcher._started:
        process.wait(60)
    share, record = studio.gimp.share, studio.home / "install.json"
    python, called, installed = share / "python", share / "called", record.read_text()
    called.unlink(missing_ok=True)
    python.write_text(
        '#!/bin/sh\n{ echo "$@"; env; } > /share/calling; mv /share/calling /share/called\n'
        "exec sleep 30\n"
    )
    python.chmod(0o755)
    outside = launcher.installation()
    record.write_text(json.dumps({**json.loads(installed), "python": "/share/python", "root": "/"}))
    starter = threading.Thread(
        target=lambda: wait_for(called.exists, "a call") and launcher.start(outside)
    )
    starter.start()
    try:
        seen = studio.script("""
image = new_image(64, 48)
photo = new_layer(image, 64, 48)
ok, error, _layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error)
""")
    finally:
        record.write_text(installed)
        starter.join()

    assert seen["ok"], seen["error"]
    arguments, *environment = called.read_text().splitlines()
    assert arguments == "-m server"
    assert not [line for line in environment if line.startswith(("PYTHON", "GI_", "GEGL_"))]


def test_without_an_engine_the_command_is_named_and_nothing_changes(studio: Studio) -> None:
    nothing_there = Studio(studio.gimp, "/share/empty")

    seen = nothing_there.script("""
image = new_image(64, 48)
photo = new_layer(image, 64, 48)
before = fingerprint(image)
ok, error, _layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, same=fingerprint(image) == before)
""")

    assert not seen["ok"] and seen["same"]
    assert "python3 install.py" in seen["error"]


def test_an_engine_killed_in_the_middle_leaves_the_image_as_it_was(
    studio: Studio, running: Client
) -> None:
    """The next call would start a new engine; inside the chroot there is none to start."""

    def kill_when_busy() -> None:
        while not running.status()["busy"]:
            pass
        os.kill(running.info.pid, 9)

    killer = threading.Thread(target=kill_when_busy)
    killer.start()
    seen = studio.script("""
image = new_image(5000, 4000)
photo = Gimp.Layer.new(image, "photo", 5000, 4000, Gimp.ImageType.GRAY_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(photo, None, 0)
photo.fill(Gimp.FillType.WHITE)
before = fingerprint(image)
ok, error, _layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error, same=fingerprint(image) == before)
""")
    killer.join()

    assert not seen["ok"] and seen["same"]
    assert "engine stopped in the middle" in seen["error"]


def test_after_a_killed_engine_the_next_run_heals(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(64, 48)
photo = new_layer(image, 64, 48)
ok, error, _layer = colorize(image, photo)
OUTCOME.update(ok=ok, error=error)
""")

    assert seen["ok"], seen["error"]
