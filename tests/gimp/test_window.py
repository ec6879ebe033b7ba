"""The live window in a real GIMP, used with a mouse's and a keyboard's means."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from server.protocol import launcher
from server.protocol.client import Client
from server.protocol.written_theme import written_theme
from tests.gimp.conftest import Studio
from tests.gimp.desk import PREVIEW, Desk, asleep, at_desk, kill
from tests.gimp.screen import SIZE, until, wait_for

pytestmark = pytest.mark.gimp
RED, BLUE = "#c82828", "#2846c8"
PICTURE = f"""
OUTCOME.update(pixels=hashlib.sha256(read(image.get_layer_by_name({PREVIEW!r}))).hexdigest())
"""

HINTS = """
OUTCOME.update(visible=image.get_layer_by_name("hints").get_visible(),
    selected=[layer.get_name() for layer in image.get_selected_layers()])
"""

KIND = """
layer = image.get_layer_by_name("photo.png")
OUTCOME.update(gray=image.get_base_type() == Gimp.ImageBaseType.GRAY, width=layer.get_width())
"""
# A layer of another kind than its image makes a file that cannot be read.
SAVED = """
file = Gio.File.new_for_path("/share/saved.xcf")
Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, file, None)
read_again = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, file)
OUTCOME.update(same=fingerprint(read_again) == fingerprint(image))
read_again.delete()
"""


@pytest.fixture(scope="session")
def photo(gray: np.ndarray) -> np.ndarray:
    """So small that GIMP shows all of it at its own size."""
    return np.asarray(cv2.resize(gray, (420, 280), interpolation=cv2.INTER_AREA))


def likely(desk: Desk) -> list[str]:
    """The colours that are offered to paint with."""
    return [name for name in desk.screen.names() if name.startswith("Paint with")]


def redness(rgb: list[int]) -> int:
    return rgb[0] - rgb[2]


def test_a_theme_two_dots_one_undone_and_applied(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        plain = desk.color_at(330, 150)
        desk.screen.press("Recommended theme 1")
        wait_for(lambda: desk.color_at(330, 150) != plain, "the theme on the canvas")
        themed = desk.color_at(330, 150)

        desk.paint(360, 100, RED)  # the table
        wait_for(lambda: redness(desk.color_at(330, 150)) > redness(themed) + 20, "a red table")
        saucer = desk.color_at(100, 235)  # what a theme has left for it
        desk.paint(100, 220, BLUE)
        wait_for(lambda: redness(desk.color_at(100, 235)) < redness(saucer) - 20, "a blue saucer")
        desk.keys("ctrl+z")
        wait_for(lambda: desk.color_at(100, 235) == saucer, "the undo")
        assert redness(desk.color_at(330, 150)) > redness(themed) + 20

        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.names() == ["hints", "Tincture", "photo.png"]
        assert redness(desk.color_at(330, 150, "Tincture")) > redness(themed) + 20
        assert desk.ask(HINTS) == {"visible": False, "selected": ["photo.png"]}

        desk.open_window()
        assert desk.ask(HINTS) == {"visible": True, "selected": ["hints"]}
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.ask(HINTS) == {"visible": False, "selected": ["photo.png"]}
        desk.keys("ctrl+z")
        wait_for(lambda: desk.names() == ["hints", "photo.png"], "the image without the result")
        assert desk.ask(HINTS)["visible"]
        desk.keys("ctrl+z")
        blank = 'OUTCOME.update(blank=not any(read(image.get_layers()[0], "A u8")))'
        wait_for(lambda: desk.ask(blank)["blank"], "the first dot undone")


def test_without_dots_one_undo_leads_back_to_the_image_as_it_was(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        before = desk.found()
        desk.open_window()
        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.names() == ["Tincture", "photo.png"]
        desk.keys("ctrl+z")
        wait_for(lambda: desk.found() == before, "the image as it was, gray and unchanged")


def test_cancel_leaves_no_trace_not_even_in_the_history(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        untouched = desk.found()
        desk.open_window()
        desk.screen.press("Recommended theme 2")
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.found() == untouched and not untouched["dirty"]

        desk.paint(200, 140, "#ffffff")  # on the photo itself: a step of the history
        wait_for(lambda: desk.found() != untouched, "the stroke")
        retouched = desk.found()
        desk.open_window()
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.found() == retouched
        desk.keys("ctrl+z")
        wait_for(lambda: desk.found()["all"] == untouched["all"], "the stroke undone at once")
        desk.keys("ctrl+y")
        wait_for(lambda: desk.found() == retouched, "the stroke redone")


def test_cancel_after_painting_takes_the_dots_away_and_undo_brings_them_back(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        before = desk.found()
        desk.open_window()
        plain = desk.color_at(330, 150)
        desk.paint(360, 100, RED)
        wait_for(lambda: redness(desk.color_at(330, 150)) > redness(plain) + 20, "a red table")
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.found()["all"] == before["all"]
        desk.keys("ctrl+z")
        wait_for(lambda: desk.names() == ["hints", "photo.png"], "the dots")


def test_undo_behind_the_first_result_leaves_a_gray_image_that_can_be_saved_and_redone(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        before = desk.found()
        desk.open_window()
        desk.screen.press("Apply")
        desk.wait_until_closed()
        desk.open_window()
        desk.paint(360, 100, RED)
        desk.keys("ctrl+z", "ctrl+z")
        desk.wait_until_closed()
        desk.keys("ctrl+z")
        time.sleep(0.5)  # for the step that there must not be
        assert desk.found()["all"] == before["all"] and desk.ask(SAVED)["same"]
        desk.keys("ctrl+y")
        wait_for(lambda: "Tincture" in desk.names(), "the result once more")


def test_a_dot_painted_while_the_result_is_made_is_kept(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        with asleep(running.info.pid):
            desk.screen.press("Apply")
            wait_for(lambda: "Reset" not in desk.screen.names(), "the controls at rest")
            desk.paint(360, 100, RED)
        desk.wait_until_closed()
        assert desk.names() == ["hints", "Tincture", "photo.png"]
        assert desk.color_at(360, 100, "hints") == [200, 40, 40]


def test_colours_that_the_user_puts_beside_the_photo_are_not_made_grey(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    beside = """
layer = Gimp.Layer.new(image, "reference", 40, 40, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
image.insert_layer(layer, None, 0)
write(layer, "R'G'B' u8", bytes((10, 200, 30)) * 1600)
"""
    with at_desk(studio, ":81", photo) as desk:
        for end in ("Cancel", "Apply"):
            desk.open_window()
            desk.ask(beside)
            desk.screen.press(end)
            desk.wait_until_closed()
            assert desk.color_at(20, 20, "reference") == [10, 200, 30]
            assert "hints" not in desk.names()


def test_a_selection_shows_at_once_and_so_does_another_of_the_same_size(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    select = "image.select_{}(Gimp.ChannelOps.REPLACE, {}100, 80, 200, 120)"
    corner = f'mask = image.get_layer_by_name({PREVIEW!r}).get_mask()\nOUTCOME.update(there=pixel(mask, 101, 81, "Y\' u8")[0] if mask else None)'
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        assert desk.ask(corner)["there"] is None
        desk.ask(select.format("rectangle", ""))
        wait_for(lambda: desk.ask(corner)["there"] == 255, "the corner selected")
        desk.ask(select.format("ellipse", ""))
        wait_for(lambda: desk.ask(corner)["there"] == 0, "the ellipse without the corner")
        desk.ask("Gimp.Selection.none(image)")
        wait_for(lambda: desk.ask(corner)["there"] is None, "all of the preview")


def test_what_a_tool_still_tries_out_counts_once_it_is_done(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    """A gradient can be changed until it is accepted; only then it is in the layer's pixels."""
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        saucer = desk.color_at(100, 235)
        desk.ask(f"""
image.select_ellipse(Gimp.ChannelOps.REPLACE, 90, 210, 20, 20)
Gimp.context_set_foreground(Gegl.Color.new({BLUE!r}))
Gimp.context_set_background(Gegl.Color.new({BLUE!r}))
""")
        shows = "OUTCOME.update(it=len(image.get_layer_by_name('hints').get_filters()))"

        def draw() -> None:
            desk.keys("g")
            desk.drag((40, 40), (300, 200))

        until(draw, lambda: desk.ask(shows)["it"], "the gradient, still to be accepted")
        time.sleep(1)  # looks at it as it is
        until(
            lambda: desk.keys("Return"), lambda: not desk.ask(shows)["it"], "the accepted gradient"
        )
        wait_for(lambda: redness(desk.color_at(100, 235)) < redness(saucer) - 20, "a blue saucer")


def test_beside_other_layers_the_coloured_one_stays_the_photo(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    state = "OUTCOME.update(selected=[layer.get_name() for layer in image.get_selected_layers()])"
    with at_desk(studio, ":81", photo) as desk:
        desk.ask("""
photo = image.get_layers()[0]
new_layer(image, 420, 280, name="border")
image.set_selected_layers([photo])
""")
        desk.open_window()
        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.names() == ["border", "Tincture", "photo.png"]
        assert desk.ask(state)["selected"] == ["photo.png"]

        desk.ask("image.set_selected_layers([image.get_layer_by_name('Tincture')])")
        desk.open_window()
        desk.paint(360, 100, RED)  # on the hints, which are the selected layer from now on
        wait_for(lambda: redness(desk.color_at(360, 100)) > 100, "a red dot")
        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.names() == ["hints", "border", "Tincture", "photo.png"]
        assert redness(desk.color_at(360, 100, "Tincture")) > 100


def test_the_theme_of_another_image_is_of_what_it_looks_like(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    other = """
other = new_image(60, 40, "RGB")
seen = Gimp.Layer.new(other, "seen", 60, 40, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
other.insert_layer(seen, None, 0)
write(seen, "R'G'B' u8", bytes((200, 30, 20, 30, 160, 40, 120, 90, 30)) * 800)
clear = Gimp.Layer.new(other, "clear", 60, 40, Gimp.ImageType.RGBA_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
other.insert_layer(clear, None, 0)
write(clear, "R'G'B'A u8", bytes((10, 20, 250, 0)) * 2400)
"""
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.ask(other)
        desk.screen.focus(desk.screen.window("^Colorize: "))

        def take() -> None:
            desk.screen.keys("alt+i")
            time.sleep(1)  # till the menu is there
            desk.screen.keys("Down", "space")

        def swatches() -> list[str]:
            return [name for name in desk.screen.names() if " of the theme: #" in name]

        theme = until(take, swatches, "its theme")
        colors = [bytes.fromhex(name[-6:]) for name in theme]
        assert len(colors) >= 3 and max(color[2] for color in colors) < 120, theme


def test_the_image_is_closed_under_the_window(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.keys("ctrl+w")
        desk.wait_until_closed()
        assert not desk.screen.windows("GIMP Message")
        assert not desk.ask("OUTCOME.update(images=len(Gimp.get_images()))")["images"]


def test_another_image_in_front_is_noticed(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:

        def told() -> bool:
            return any("does not follow" in name for name in desk.screen.names())

        desk.open_window()
        assert not told()
        desk.ask("Gimp.Display.new(image.duplicate())")
        desk.focus()
        wait_for(told, "word of the other image")
        until(lambda: desk.keys("alt+1"), lambda: not told(), "silence, back at the photo")


def test_the_photo_is_deleted_under_the_window_and_undo_brings_it_back(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.ask("image.remove_layer(image.get_layers()[2]); Gimp.displays_flush()")
        desk.wait_until_closed()
        wait_for(lambda: desk.screen.windows("GIMP Message"), "the reason")
        assert desk.names() == []
        desk.keys("ctrl+z")
        wait_for(lambda: desk.names() == ["photo.png"], "the photo")
        assert desk.ask(SAVED)["same"]


def test_a_step_from_before_the_window_is_undone_under_it(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    """It holds the photo as it was, gray, and the image is in colour by now."""
    with at_desk(studio, ":81", photo) as desk:
        desk.ask("image.crop(400, 260, 10, 10); Gimp.displays_flush()")
        desk.open_window()
        desk.keys("ctrl+z")
        desk.wait_until_closed()
        wait_for(lambda: desk.screen.windows("GIMP Message"), "the reason")
        assert desk.names() == ["photo.png"] and desk.ask(KIND) == {"gray": True, "width": 420}
        assert desk.ask(SAVED)["same"]
        desk.open_window()
        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.names() == ["Tincture", "photo.png"]
        assert desk.ask(SAVED)["same"]


def test_a_preview_that_was_deleted_comes_back_into_an_image_in_colour(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.ask(f"image.remove_layer(image.get_layer_by_name({PREVIEW!r}))")
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.names() == ["photo.png"] and desk.ask(KIND)["gray"]
        desk.keys("ctrl+z")
        wait_for(lambda: not desk.ask(KIND)["gray"], "colour")
        desk.keys("ctrl+z")
        wait_for(lambda: PREVIEW in desk.names(), "the preview")
        assert desk.ask(SAVED)["same"]


def test_what_goes_without_the_window_is_refused_while_it_is_open(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    run = """
for name in ("tincture-recolorize", "tincture-colorize"):
    OUTCOME[name] = call(name, image, [image.get_layer_by_name("photo.png")])[:2]
"""
    with at_desk(studio, ":81", photo) as desk:
        done = desk.ask('OUTCOME["done"] = colorize(image, image.get_layers()[0])[:2]')["done"]
        assert done[0], done[1]
        desk.open_window()
        before = desk.found()
        for succeeded, error in desk.ask(run).values():
            assert not succeeded and "window is open" in error
        assert desk.found() == before
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert all(succeeded for succeeded, _error in desk.ask(run).values())


def test_the_image_is_cropped_under_the_window(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    size = f"layer = image.get_layer_by_name({PREVIEW!r})\nOUTCOME.update(size=[layer.get_width(), layer.get_height()] if layer else [])"
    with at_desk(studio, ":81", photo) as desk:
        before = desk.found()
        desk.open_window()
        desk.ask("image.crop(200, 120, 30, 20); Gimp.displays_flush()")
        wait_for(lambda: desk.ask(size)["size"] == [200, 120], "the preview of what is left")
        wait_for(lambda: max(desk.color_at(100, 60)) > 0, "colours in it")
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.names() == ["photo.png"] and desk.ask(KIND) == {"gray": True, "width": 200}
        assert desk.ask(SAVED)["same"]
        desk.keys("ctrl+z")  # the way back to gray, a step of its own after such a one
        wait_for(lambda: not desk.ask(KIND)["gray"], "colour")
        desk.keys("ctrl+z")
        wait_for(lambda: desk.ask(KIND)["width"] == 420, "the whole photo")
        assert desk.ask(SAVED)["same"]
        desk.ask("image.convert_grayscale()")
        assert desk.found()["all"] == before["all"]


def test_the_engine_ends_under_the_window_and_a_new_one_is_found(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        plain = desk.color_at(330, 150)
        desk.screen.press("Recommended theme 1")
        wait_for(lambda: desk.color_at(330, 150) != plain, "the theme on the canvas")
        before = desk.color_at(330, 150)
        kill(running.info.pid)
        desk.screen.press("Recommended theme 2")
        desk.screen.press("Try again")  # it comes when there is no engine, and GIMP is awake
        assert desk.window_is_open() and PREVIEW in desk.names()
        with launcher.connect_or_start():
            desk.screen.press("Try again")
            wait_for(lambda: desk.color_at(330, 150) != before, "the theme, by the new engine")
        desk.screen.press("Cancel")
        desk.wait_until_closed()


def test_a_lock_keeps_the_focus_when_the_list_is_made_anew(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    lock = f"Lock the dot of {RED}: give all of its region this colour"
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        plain = desk.color_at(330, 150)
        desk.paint(360, 100, RED)
        wait_for(lambda: desk.color_at(330, 150) != plain, "the dot on the canvas")
        desk.screen.press("Dots")
        free = desk.ask(PICTURE)
        desk.screen.focus(desk.screen.window("^Colorize: "))

        def press_lock() -> None:
            desk.screen.give_focus(lock)
            desk.screen.keys("space")

        until(press_lock, lambda: desk.ask(PICTURE) != free, "the lock")
        assert desk.screen.focused() == lock


def test_an_applied_result_is_taken_up_again_and_a_script_makes_the_same(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    pixels = """
layer = image.get_layer_by_name("Tincture")
OUTCOME.update(pixels=hashlib.sha256(read(layer)).hexdigest(), names=names(image))
"""
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.screen.press("Recommended theme 1")
        desk.screen.press("How much of the picture the chosen colour gets", "0.7")
        desk.paint(360, 100, RED)
        wait_for(lambda: redness(desk.color_at(360, 100)) > 100, "a red dot")
        desk.screen.press("Dots")
        desk.screen.press(f"Lock the dot of {RED}: give all of its region this colour")
        desk.screen.press("Apply")
        desk.wait_until_closed()
        applied = desk.ask(pixels)

        recolorize = (
            'OUTCOME.update(ok=call("tincture-recolorize", image, image.get_layers()[2:])[0])'
        )
        assert desk.ask(recolorize)["ok"]
        assert desk.ask(pixels) == applied

        remembered = desk.ask("""
import json
memory = image.get_layer_by_name("Tincture").get_parasite("tincture-result")
OUTCOME.update(json.loads(bytes(memory.get_data())))
""")
        assert [dot[2] for dot in remembered["dots"]] == [RED] and len(remembered["locked"]) == 1
        places = " ".join(f"{x},{y}" for x, y in remembered["locked"])
        assert remembered["shares"][0] == 0.7 and 0.99 < sum(remembered["shares"]) < 1.01
        theme = written_theme(remembered["theme"], remembered["shares"])
        script = f'colorize(image, image.get_layers()[2], theme_colors="{theme}", locked_dots="{places}")'
        desk.ask(script)
        assert desk.ask(pixels) == applied

        desk.open_window()
        desk.screen.press(f"Colour 1 of the theme: {remembered['theme'][0]}")
        desk.screen.press("Apply")
        desk.wait_until_closed()
        assert desk.ask(pixels) == applied


def test_a_second_call_brings_the_open_window_to_the_front(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        desk.keys("alt+r", "Up", "Right", "c")
        again = "OUTCOME.update(previews=names(image).count('Tincture preview'))"
        assert desk.ask(again)["previews"] == 1
        desk.screen.press("Cancel")
        desk.wait_until_closed()
        assert desk.names() == ["photo.png"]


def test_with_large_letters_the_buttons_stay_on_the_screen(
    studio: Studio, running: Client, photo: np.ndarray
) -> None:
    with at_desk(studio, ":99", photo, GDK_DPI_SCALE="1.5") as desk:
        desk.open_window()
        desk.ask("image.set_selected_layers([image.get_layer_by_name('photo.png')])")
        wait_for(lambda: any("Another layer" in name for name in desk.screen.names()), "a message")
        (window,) = desk.screen.windows("^Colorize: ")
        told = desk.screen.do("xdotool", "getwindowgeometry", window).stdout
        height = int(told.rsplit("x", 1)[1])

    screen_height = int(SIZE.split("x")[1])
    assert height < screen_height - 20  # of the window manager's frame


def test_the_keyboard_alone(studio: Studio, running: Client, photo: np.ndarray) -> None:
    with at_desk(studio, ":81", photo) as desk:
        desk.open_window()
        wait_for(lambda: "Recommended theme 1" in desk.screen.names(), "the themes")
        natural = desk.ask(PICTURE)
        desk.screen.focus(desk.screen.window("^Colorize: "))
        desk.screen.keys("alt+d")
        there = "Where would a dot help most?"
        wait_for(lambda: there in desk.screen.names(), "the dots' page")
        wait_for(lambda: likely(desk), "likely colours")
        first = likely(desk)
        desk.screen.keys("shift+Tab", *["shift+Up"] * 8)  # on the preview, to another place
        wait_for(lambda: likely(desk) != first, "the colours of another place")
        desk.screen.keys("alt+m", "Tab", "Tab", "space")  # past “No theme” to the first theme
        wait_for(lambda: desk.ask(PICTURE) != natural, "the theme on the canvas")
        usual = desk.ask(PICTURE)
        desk.screen.keys("alt+s", *["Left"] * 14)
        wait_for(lambda: desk.ask(PICTURE) != usual, "the theme, weaker")
        desk.screen.keys("alt+a")
        desk.wait_until_closed()

        assert desk.names() == ["Tincture", "photo.png"]
        remembered = desk.ask("""
import json
memory = image.get_layer_by_name("Tincture").get_parasite("tincture-result")
OUTCOME.update(json.loads(bytes(memory.get_data())))
""")
        assert remembered["theme"] and remembered["strength"] == pytest.approx(0.3)
        assert len(set(desk.color_at(330, 150, "Tincture"))) > 1  # no grey
