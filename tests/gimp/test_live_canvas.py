"""What the live window does to an image, in a real GIMP; a flat colour stands in for the engine's."""

from __future__ import annotations

import pytest

from tests.gimp.conftest import Studio

pytestmark = pytest.mark.gimp

START = """
from gimp_plugin import canvas, live_canvas
from gimp_plugin.memory import Memory
from gimp_plugin.plan import Refused
from server.protocol.messages import ColorizeResult

live_canvas._button_is_held = lambda: False  # what a screen would tell; there is none here


def flat(width, height, x=0, y=0):
    pixels = bytes((200, 60, 40)) * (width * height)
    return ColorizeResult(name="flat", x=x, y=y, width=width, height=height, channels=3, dtype="U8",
        pixels=pixels, dots=(), notes=(), theme=(), shares=(), more=False)


def is_gray(image):
    kinds = {layer.is_gray() for layer in image.get_layers()}
    return image.get_base_type() == Gimp.ImageBaseType.GRAY and kinds == {True}


image = new_image(64, 48)
photo = new_layer(image, 64, 48)
image.clean_all()
before = fingerprint(image)
window = live_canvas.LiveCanvas(image, photo)
"""
SHOWN = (
    START
    + """
window.open()
taken = window.read_photo()
window.show(flat(64, 48), taken, True)
"""
)


def test_a_locked_group_is_told_before_anything_changes(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
group = Gimp.GroupLayer.new(image, "old photos")
image.insert_layer(group, None, 0)
image.reorder_item(photo, group, 0)
group.set_lock_content(True)
before = fingerprint(image)
window = live_canvas.LiveCanvas(image, photo)
for locked in (True, False):
    group.set_lock_content(locked)
    try:
        window.open()
        group.set_lock_content(True)  # under the window
        window.show(flat(64, 48), window.read_photo(), True)
    except Refused as error:
        OUTCOME[str(locked)] = str(error)
    if locked:
        OUTCOME.update(same=fingerprint(image) == before)
"""
    )
    assert seen["same"]
    assert "old photos" in seen["True"] and "old photos" in seen["False"]


def test_a_group_that_is_locked_meanwhile_is_told_and_the_window_stays(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
group = Gimp.GroupLayer.new(image, "old photos")
image.insert_layer(group, None, 0)
image.reorder_item(photo, group, 0)
window = live_canvas.LiveCanvas(image, photo)
window.open()
window.show(flat(64, 48), window.read_photo(), True)
group.set_lock_content(True)
before = fingerprint(image)
try:
    window.apply(window.read_photo(), flat(64, 48), Memory(0))
except Refused as error:
    OUTCOME.update(words=str(error), same=fingerprint(image) == before, looks=bool(window.look()))
"""
    )
    assert "old photos" in seen["words"] and seen["same"] and seen["looks"]


def test_a_gray_image_with_hints_of_its_own_is_gray_again(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
canvas.add_hints_layer(image, photo)
image.convert_grayscale()
before = fingerprint(image)
window = live_canvas.LiveCanvas(image, photo)
window.open()
window.show(flat(64, 48), window.read_photo(), True)
window.cancel()
OUTCOME.update(same=fingerprint(image) == before, gray=is_gray(image))
"""
    )
    assert seen == {"same": True, "gray": True}


def test_a_text_with_a_colour_that_gray_does_not_show_is_no_hindrance(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
Gimp.context_set_foreground(Gegl.Color.new("#c82828"))
text = Gimp.TextLayer.new(image, "1931", Gimp.context_get_font(), 20, Gimp.Unit.pixel())
image.insert_layer(text, None, 0)
image.clean_all()
before = fingerprint(image)
window = live_canvas.LiveCanvas(image, photo)
window.open()
window.show(flat(64, 48), window.read_photo(), True)
shown = read(text)
OUTCOME.update(coloured=shown[0::3] != shown[1::3])
window.cancel()
OUTCOME.update(same=fingerprint(image) == before, dirty=image.is_dirty())
""",
        fonts=True,
    )
    assert seen == {"coloured": True, "same": True, "dirty": False}


def test_a_step_on_another_layer_is_seen_at_the_end(studio: Studio) -> None:
    """A flip moves no layer, and only the photo is looked at all the time."""
    seen = studio.script(
        START
        + """
new_layer(image, 64, 48, name="other")
window = live_canvas.LiveCanvas(image, photo)
window.open()
window.look()
other = image.get_layer_by_name("other")
other.transform_flip_simple(Gimp.OrientationType.HORIZONTAL, True, 0)
window.look()
before = window._rebuilt
window.cancel()
OUTCOME.update(before=before, after=window._rebuilt, gray=is_gray(image))
"""
    )
    assert seen == {"before": False, "after": True, "gray": True}


@pytest.mark.parametrize("step", ["image.crop(30, 20, 5, 5)", "photo.transform_flip_simple("
                                  "Gimp.OrientationType.HORIZONTAL, True, 0)", "window.look()",
                                  'image.remove_layer(image.get_layer_by_name("Tincture preview"))'])  # fmt: skip
def test_after_steps_that_hold_whole_layers_the_way_back_to_gray_is_a_step(
    studio: Studio, step: str
) -> None:
    """Console GIMP cannot undo, so the freezing of the history is watched."""
    seen = studio.script(
        START
        + f"""
window.open()
window.look()
window.show(flat(64, 48), window.read_photo(), True)
{step}
window.look()
frozen, real = [], live_canvas.frozen


class Watched:
    def __init__(self, image):
        self.block = real(image)

    def __enter__(self):
        frozen.append(image.get_base_type())
        return self.block.__enter__()

    def __exit__(self, *error):
        frozen.append(image.get_base_type())
        return self.block.__exit__(*error)


live_canvas.frozen = Watched
window.cancel()
unseen = any(a != b for a, b in zip(frozen[::2], frozen[1::2]))
OUTCOME.update(gray=is_gray(image), unseen=unseen, names=names(image))
"""
    )
    assert seen == {"gray": True, "unseen": step == "window.look()", "names": ["photo"]}


def test_the_dots_of_a_result_are_painted_again_where_their_layer_is_gone(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
window = live_canvas.LiveCanvas(image, photo, [(20.5, 10.5, "#c82828"), (63.5, 47.5, "#2846c8")])
window.open()
hints = image.get_layer_by_name("hints")
OUTCOME.update(first=pixel(hints, 20, 10, "R'G'B'A u8"), last=pixel(hints, 63, 47, "R'G'B'A u8"))
window.cancel()
OUTCOME.update(same=fingerprint(image) == before, dirty=image.is_dirty())
"""
    )
    assert seen["first"] == [200, 40, 40, 255] and seen["last"] == [40, 70, 200, 255]
    assert seen["same"] and not seen["dirty"]


def test_a_dot_of_one_pixel_on_a_large_photo_is_not_lost(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
image = new_image(4000, 3000)
photo = Gimp.Layer.new(image, "photo", 4000, 3000, Gimp.ImageType.GRAY_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(photo, None, 0)
window = live_canvas.LiveCanvas(image, photo)
window.open()
first = window.look()
paint_dot(image.get_layer_by_name("hints"), 1501, 1207, 1, (200, 40, 40))
OUTCOME.update(seen=window.look() != first)
window.apply(window.read_photo(), flat(4000, 3000), Memory(0))
OUTCOME.update(names=names(image))
"""
    )
    assert not seen["seen"]  # or this shows nothing
    assert seen["names"] == ["hints", "Tincture", "photo"]


def test_a_preview_that_was_deleted_is_asked_for_whole(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
window.open()
taken = window.read_photo()
shown = [window.show(flat(64, 48), taken, True)]
image.remove_layer(image.get_layer_by_name("Tincture preview"))
shown += [window.show(flat(10, 10, 5, 5), taken, True), window.show(flat(64, 48), taken, True)]
OUTCOME.update(shown=shown, names=names(image))
window.cancel()
OUTCOME.update(same=fingerprint(image) == before)
"""
    )
    assert seen["shown"] == [True, False, True] and seen["same"]
    assert seen["names"] == ["hints", "Tincture preview", "photo"]


def test_of_two_previews_the_one_that_an_undo_brought_back_goes(studio: Studio) -> None:
    """Console GIMP cannot undo, so a copy stands in for what it brings back."""
    seen = studio.script(
        SHOWN
        + """
image.insert_layer(image.get_layer_by_name("Tincture preview").copy(), None, 0)
shown = [window.show(flat(10, 10, 5, 5), taken, True), window.show(flat(64, 48), taken, True)]
OUTCOME.update(shown=shown, names=names(image))
"""
    )
    assert seen == {"shown": [False, True], "names": ["hints", "Tincture preview", "photo"]}


def test_a_preview_that_was_hidden_stays_hidden(studio: Studio) -> None:
    seen = studio.script(
        SHOWN
        + """
visible = []
preview = image.get_layer_by_name("Tincture preview")
visible.append(preview.get_visible())
preview.set_visible(False)
window.show(flat(64, 48), taken, True)
visible.append(preview.get_visible())
image.remove_layer(preview)
window.show(flat(64, 48), taken, True)
visible.append(image.get_layer_by_name("Tincture preview").get_visible())
OUTCOME.update(visible=visible)
"""
    )
    assert seen["visible"] == [True, False, True]


def test_the_photos_mask_is_noticed_and_followed(studio: Studio) -> None:
    seen = studio.script(
        SHOWN
        + """
preview = image.get_layer_by_name("Tincture preview")
looks = [window.look()]
photo.add_mask(photo.create_mask(Gimp.AddMaskType.BLACK))
looks.append(window.look())
window.show(flat(64, 48), taken, True)
OUTCOME.update(hidden=pixel(preview.get_mask(), 5, 5, "Y' u8"))
photo.set_apply_mask(False)
looks.append(window.look())
window.show(flat(64, 48), taken, True)
OUTCOME.update(noticed=[a != b for a, b in zip(looks, looks[1:])], mask=bool(preview.get_mask()))
"""
    )
    assert seen == {"noticed": [True, True], "hidden": [0], "mask": False}


def test_in_a_group_that_keeps_its_place_the_preview_lies_on_the_photo(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
group = Gimp.GroupLayer.new(image, "group")
image.insert_layer(group, None, 0)
photo = new_layer(image, 64, 48, name="inside", parent=group, x=20, y=25)
group.set_lock_position(True)
window = live_canvas.LiveCanvas(image, photo)
window.open()
window.show(flat(64, 48), window.read_photo(), True)
preview = image.get_layer_by_name("Tincture preview")
OUTCOME.update(place=list(preview.get_offsets())[1:], locked=group.get_lock_position())
"""
    )
    assert seen == {"place": [20, 25], "locked": True}


@pytest.mark.parametrize("step", ["image.crop(30, 20, 5, 7)", "group.set_offsets(9, 4)",
                                  "group.transform_rotate_simple(Gimp.RotationType.DEGREES90, True, 0, 0)"])  # fmt: skip
def test_a_group_with_the_photo_is_cropped_moved_and_turned_as_without_the_window(
    studio: Studio, step: str
) -> None:
    seen = studio.script(
        START
        + f"""
places = []
for with_window in (False, True):
    image = new_image(64, 48, "RGB")
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, None, 0)
    photo = new_layer(image, 64, 48, "RGB_IMAGE", parent=group)
    window = live_canvas.LiveCanvas(image, photo)
    if with_window:
        window.open()
        window.show(flat(64, 48), window.read_photo(), True)
    {step}
    if with_window:
        window.cancel()
    places.append([*live_canvas._rectangle(photo), *live_canvas._rectangle(group)])
OUTCOME.update(places=places)
"""
    )
    without, with_window = seen["places"]
    assert with_window == without != [0, 0, 64, 48] * 2


def test_an_image_that_was_saved_with_the_preview_counts_as_changed(studio: Studio) -> None:
    seen = studio.script(
        START
        + """
window.open()
window.show(flat(64, 48), window.read_photo(), True)
file = Gio.File.new_for_path("/share/saved.xcf")
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
image.set_file(file)  # as Save does
image.clean_all()
window.cancel()
OUTCOME.update(dirty=image.is_dirty())
"""
    )
    assert seen["dirty"]


def test_what_is_at_the_end_of_a_panorama_is_seen_there(studio: Studio) -> None:
    """GIMP makes its small pictures at one scale: of 1302 x 54 pixels 256 x 10 hold too much."""
    seen = studio.script(
        START
        + """
from gimp_plugin.dots import changed_cells
image = new_image(1302, 54)
photo = new_layer(image, 1302, 54)
window = live_canvas.LiveCanvas(image, photo)
window.open()
before = window.look()
place = Gegl.Rectangle.new(1028, 20, 9, 9)
for layer, pixels in ((window._hints, (200, 40, 40, 255)), (photo, (255,))):
    buffer = layer.get_buffer()
    buffer.set(place, ["Y' u8", "R'G'B'A u8"][len(pixels) > 1], bytes(pixels) * 81)
    buffer.flush()
    layer.update(0, 0, 1302, 54)
cells = changed_cells(before.hints, window.look().hints, (1302, 54))
small, _ = window.pictures(256)
row = small.row(small.height // 2)[:: small.channels]
OUTCOME.update(cells=cells, brightest=(row.index(max(row)) + 0.5) / small.width * 1302)
"""
    )
    assert [0, 1024] in seen["cells"]
    assert abs(seen["brightest"] - 1032.5) < 8
