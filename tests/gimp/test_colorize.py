"""The plug-in inside a real GIMP, called without a window."""

from __future__ import annotations

import json
import os
import threading

import pytest

from server.protocol import launcher
from server.protocol.client import Client
from tests.gimp.conftest import Studio
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
