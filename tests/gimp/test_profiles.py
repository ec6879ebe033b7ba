"""Profiled files through a real GIMP, judged outside of it by littlecms (Pillow's ImageCms)."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from server.protocol.client import Client
from tests.gimp.conftest import Studio
from tests.server.test_color_profiles import (
    GRAY_SPACES,
    RGB_SPACES,
    gray_profile,
    lab_by_littlecms,
    rgb_profile,
    scaled,
)

pytestmark = pytest.mark.gimp

DEPTHS = {"8 bits": np.uint8, "16 bits": np.uint16, "32 bits": np.uint32, "half": np.float16,
          "float": np.float32}  # fmt: skip
# CIE L* units, of which littlecms's 8 bits show 0.4: two readings may differ by two steps. A step of
# 8 bits in a linear profile is larger still.
LIMIT, LINEAR_LIMIT = 1.2, 3.5


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_profiled_photo_keeps_its_lightness_and_its_profile(
    studio: Studio, running: Client, depth: str
) -> None:
    """Every profile in one GIMP: loaded, coloured, flattened, saved, and compared."""
    ramp = np.linspace(0.15, 0.95, 48 * 64).reshape(48, 64)
    kind = DEPTHS[depth]
    files = {}
    for name in (*RGB_SPACES, *GRAY_SPACES):
        profile = rgb_profile(name) if name in RGB_SPACES else gray_profile(name)
        values = np.repeat(ramp[..., None], 3, -1) if name in RGB_SPACES else ramp
        pixels = values.astype(kind) if kind is np.float16 else scaled(values, kind)
        photometric = "rgb" if name in RGB_SPACES else "minisblack"
        path = studio.gimp.share / f"{name}.tif"
        tifffile.imwrite(path, pixels, photometric=photometric, iccprofile=profile)
        files[name] = (pixels, profile)

    seen = studio.script(f"""
for name in {list(files)}:
    image = open_image(name + ".tif")
    photo = image.get_layers()[0]
    ok, error, layer = colorize(image, photo, theme_colors="#a05030 #3060a0 #508040")
    assert ok, error
    image.flatten()
    OUTCOME[name] = int(image.get_precision())
    export = Gimp.get_pdb().lookup_procedure("file-tiff-export")
    config = export.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    config.set_property("file", Gio.File.new_for_path("/share/" + name + " out.tif"))
    config.set_property("include-color-profile", True)
    assert export.run(config).index(0) == Gimp.PDBStatusType.SUCCESS
""")

    assert set(seen) == set(files)
    for name, (pixels, profile) in files.items():
        with tifffile.TiffFile(studio.gimp.share / f"{name} out.tif") as file:
            page = file.pages.first
            result, carried = page.asarray()[..., :3], page.tags.valueof("InterColorProfile")
        before = lab_by_littlecms(as_littlecms(pixels), profile)
        after = lab_by_littlecms(as_littlecms(result), carried)
        limit = LINEAR_LIMIT if "linear" in name else LIMIT
        assert np.abs(after[..., 0] - before[..., 0]).max() < limit, name
        assert np.hypot(after[..., 1], after[..., 2]).mean() > 4, name
        if name in RGB_SPACES:  # GIMP may rewrite the profile's words, not what it does
            same = lab_by_littlecms(as_littlecms(result), profile)
            assert np.abs(after - same).max() < 1.5, name


def as_littlecms(pixels: np.ndarray) -> np.ndarray:
    """A type that the comparison takes."""
    if pixels.dtype == np.uint32:
        return (pixels / np.float64(np.iinfo(np.uint32).max)).astype(np.float32)
    return np.clip(pixels, 0, 1).astype(np.float32) if pixels.dtype.kind == "f" else pixels
