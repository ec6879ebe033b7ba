"""Palettes made by the plug-in inside a real GIMP."""

from __future__ import annotations

import shutil

import pytest

from server.protocol.client import Client
from tests.conftest import ROOT
from tests.gimp.conftest import Studio

pytestmark = pytest.mark.gimp


def test_the_theme_of_a_layer_becomes_a_palette(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(90, 60, "RGB")
layer = new_layer(image, 90, 60, "RGB_IMAGE", name="sunset")
for left, color in enumerate(((200, 40, 40), (40, 160, 60), (40, 60, 200))):
    write(layer, "R'G'B' u8", bytes(color) * 30 * 60, left * 30, 0, 30, 60)
ok, error, palette = call("tincture-theme-from-layer", image, [layer], count=3)
OUTCOME.update(ok=ok, error=error)
if ok:
    rgb = [bytes(color.get_bytes(gi.repository.Babl.format("R'G'B' u8")).get_data()).hex() for color in palette.get_colors()]
    OUTCOME.update(name=palette.get_name(), colors=rgb, active=Gimp.context_get_palette().get_name())
    palette.delete()
""")

    assert seen["ok"], seen["error"]
    assert seen["name"].startswith("sunset") and seen["active"] == seen["name"]
    assert sorted(seen["colors"]) == ["283cc8", "28a03c", "c82828"]


def test_the_used_theme_is_saved(studio: Studio, running: Client) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
before = call("tincture-save-theme", image, [photo])
colorize(image, photo, theme_colors="#103080 #2060b0 #60a0e0")
ok, error, palette = call("tincture-save-theme", image, [photo])
OUTCOME.update(before=before[0], words=before[1], ok=ok, error=error, count=palette.get_color_count() if ok else 0)
if ok:
    palette.delete()
""")

    assert not seen["before"]
    assert "not been coloured with a theme" in seen["words"]
    assert seen["ok"] and seen["count"] == 3, seen["error"]


def test_of_a_large_palette_the_colours_that_were_used_are_saved(
    studio: Studio, running: Client
) -> None:
    seen = studio.script("""
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
colorize(image, photo, theme_colors=" ".join("#%02x%02x80" % (20 * i, 255 - 20 * i) for i in range(12)))
ok, error, palette = call("tincture-save-theme", image, [photo])
OUTCOME.update(ok=ok, error=error, count=palette.get_color_count() if ok else 0)
if ok:
    palette.delete()
""")

    assert seen["ok"] and seen["count"] == 7, seen["error"]


def test_the_built_in_themes_are_offered_and_used(studio: Studio, running: Client) -> None:
    folder = studio.gimp.share / "profile/palettes"  # where install.py lays them
    folder.mkdir(exist_ok=True)
    files = sorted((ROOT / "gimp_plugin/palettes").glob("*.gpl"))
    for file in files:
        shutil.copy(file, folder)
    seen = studio.script("""
found = [palette for palette in Gimp.palettes_get_list("Tincture") if isinstance(palette, Gimp.Palette)]
image = new_image(64, 48, "RGB")
photo = new_layer(image, 64, 48, "RGB_IMAGE")
autumn = Gimp.Palette.get_by_name("Tincture Autumn")
ok, error, layer = colorize(image, photo, use_palette=True, palette=autumn)
ok, error, saved = call("tincture-save-theme", image, [photo]) if ok else (ok, error, None)
format = gi.repository.Babl.format("R'G'B' u8")
hexed = lambda palette: [bytes(color.get_bytes(format).get_data()).hex() for color in palette.get_colors()]
OUTCOME.update(count=len(found), ok=ok, error=error, same=ok and hexed(saved) == hexed(autumn))
if ok:
    saved.delete()
""")

    assert seen["count"] == len(files)
    assert seen["ok"] and seen["same"], seen["error"]
