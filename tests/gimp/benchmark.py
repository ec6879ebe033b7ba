"""GIMP's own part: reading the photo and writing its colours: `python -m tests.gimp.benchmark`.

In a real GIMP 3.0 and 3.2 (built on the first call, as for the tests), for 8- and 16-bit images:
reading the layer's luminance, making the result layer with its pixels the first time, and bringing
it up to date. Seconds, medians of three.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence

from engine.benchmark_pipeline import SIZES
from tests.conftest import ROOT
from tests.gimp.conftest import Studio, lay_out_plug_in
from tests.gimp.real_gimp import SUITES, real_gimp

PRECISIONS = {"8": "U8_NON_LINEAR", "16": "U16_NON_LINEAR"}
STEPS = ("read", "write", "update")
SCRIPT = """
import statistics, time
from gimp_plugin import canvas
from gimp_plugin.memory import Memory
from gimp_plugin.result_layer import put_result
from server.protocol.messages import ColorizeResult
TIMES = dict(read=[], write=[], update=[])
def timed(name, step):
    began = time.perf_counter()
    made = step()
    TIMES[name].append(time.perf_counter() - began)
    return made
for turn in range(3):
    image = new_image({width}, {height}, "RGB", "{precision}")
    photo = Gimp.Layer.new(image, "photo", {width}, {height}, Gimp.ImageType.RGB_IMAGE, 100.0, Gimp.LayerMode.NORMAL)
    image.insert_layer(photo, None, 0)
    photo.fill(Gimp.FillType.WHITE)
    got = timed("read", lambda: canvas.read_photo(image, photo))
    pixels = memoryview(bytes(3 * len(got.pixels)))
    place = ("", 0, 0, {width}, {height})
    result = ColorizeResult(*place, 3, got.format.dtype, pixels, dots=(), notes=(), theme=(), shares=())
    for name in ("write", "update"):
        timed(name, lambda: put_result(image, photo, got, result, Memory(0)))
        Gimp.Layer.new_from_visible(image, image, "shown")  # GIMP renders; not to be counted twice
    image.delete()
OUTCOME.update({{name: statistics.median(values) for name, values in TIMES.items()}})
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 12, 24], choices=SIZES)
    options = parser.parse_args(arguments)
    print(f"| GIMP | bits | megapixels | {' | '.join(STEPS)} |\n" + "| ---: |" * 1 + " ---: |" * 5)
    for version in SUITES:
        studio = Studio(real_gimp(version))
        profile = studio.gimp.share / "profile"
        shutil.rmtree(profile, ignore_errors=True)
        lay_out_plug_in(profile / "plug-ins")
        shutil.copy(ROOT / "tests/gimp/inside.py", studio.gimp.share / "inside.py")
        for bits, precision in PRECISIONS.items():
            for megapixels in options.megapixels:
                width, height = SIZES[megapixels]
                body = SCRIPT.format(width=width, height=height, precision=precision)
                seen = studio.script(body)
                times = " | ".join(f"{seen[step]:.2f} s" for step in STEPS)
                print(f"| {version} | {bits} | {megapixels} | {times} |", flush=True)


if __name__ == "__main__":
    main()
