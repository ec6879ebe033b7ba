"""Times and memory of the whole way over a real socket: `python -m server.benchmark`.

A photograph of each size is opened, coloured, coloured again with a new dot and with a new theme.
"first" is from open to the full-size result in hand, "dot" and "theme" are from the request to the
result on a photo that the engine holds. "memory" is what the engine's peak adds to its idle size.
Reading and writing layers are GIMP's own part and are not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import skimage
from numpy.typing import NDArray

from server.protocol import VERSION, launcher
from server.protocol.client import Client
from server.protocol.messages import ColorizeRequest, Dot

SIZES = {1: (1200, 800), 12: (4240, 2830), 24: (6000, 4000), 100: (12200, 8200)}  # megapixels
THEMES = (("#103080", "#2060b0", "#60a0e0"), ("#b04010", "#d07030", "#f0a060"))
SAMPLE = Path(skimage.__file__).parent / "data/coffee.png"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megapixels", type=int, nargs="+", default=[1, 12, 24], choices=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    print("| megapixels | first | dot | theme | memory |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for megapixels in options.megapixels:
        first, dot, theme, memory = measure(SIZES[megapixels], options.repeats)
        print(f"| {megapixels} | {first:.2f} s | {dot:.2f} s | {theme:.2f} s | {memory:.0f} MB |",
              flush=True)  # fmt: skip
    return 0


def measure(size: tuple[int, int], repeats: int) -> tuple[float, float, float, float]:
    """Medians in seconds, and the added peak memory in 10^6 bytes. size: width, height."""
    with fresh_engine() as client:
        warm_up(client)
        idle = peak_memory(client.info.pid)
        times: dict[str, list[float]] = {"first": [], "dot": [], "theme": []}
        for turn in range(repeats):
            gray = photo(size, turn)
            began = time.perf_counter()
            key = client.open_picture(gray.data.cast("B"), *size, 1, "U8")
            client.colorize(ColorizeRequest(key))
            times["first"].append(time.perf_counter() - began)
            dots = (Dot(size[0] / 2 + turn, size[1] / 3, 8, "#c81e28"),)
            times["dot"].append(timed(client, ColorizeRequest(key, dots=dots)))
            request = ColorizeRequest(key, dots=dots, theme=THEMES[turn % 2])
            times["theme"].append(timed(client, request))
            client.close_picture(key)
        memory = (peak_memory(client.info.pid) - idle) / 1e6
    first, dot, theme = (statistics.median(values) for values in times.values())
    return first, dot, theme, memory


def timed(client: Client, request: ColorizeRequest) -> float:
    began = time.perf_counter()
    client.colorize(request)
    return time.perf_counter() - began


def photo(size: tuple[int, int], turn: int) -> NDArray[np.uint8]:
    """A real photo, enlarged, a little different each turn."""
    sample = cv2.imread(str(SAMPLE), cv2.IMREAD_GRAYSCALE)
    assert sample is not None
    large = np.asarray(cv2.resize(sample, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    large[0, 0] = turn
    return large


def warm_up(client: Client) -> None:
    gray = photo((600, 400), 99)
    client.colorize(ColorizeRequest(client.open_picture(gray.data.cast("B"), 600, 400, 1, "U8")))


def peak_memory(process_id: int) -> int:
    """The largest resident size so far, in bytes; Linux only, elsewhere 0."""
    status = Path(f"/proc/{process_id}/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


@contextmanager
def fresh_engine() -> Iterator[Client]:
    """An engine of this folder's code in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["TINCTURE_HOME"] = home
        record = {"python": sys.executable, "root": str(Path(__file__).parent.parent),
                  "version": VERSION}  # fmt: skip
        (Path(home) / "install.json").write_text(json.dumps(record))
        with launcher.connect_or_start() as client:
            try:
                yield client
            finally:
                client.shutdown()


if __name__ == "__main__":
    sys.exit(main())
