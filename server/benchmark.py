"""The whole way from a file to a file, over a real socket: `python -m server.benchmark`.

    read       a 16-bit TIFF file to luminance
    transfer   the photo to the engine and its colours back, with the hash that is its key
    network, enlarge, compose   in the engine; see `python -m engine.benchmark pipeline`
    write      the colours to a 16-bit TIFF file

    first      from opening the photo to its colours at full size in hand, the engine running
    dot        a new dot on the same photo, to its colours at full size
    theme      a new theme on the same photo, likewise
    memory     what the engine's peak adds to its idle size

then previews of 1024 pixels (`preview_side`; GIMP's window asks for full size), and how long
an engine takes from being started to its first answer. Medians. `python -m tests.gimp.benchmark`
measures GIMP's own part, reading and writing layers.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.benchmark_networks import describe
from engine.benchmark_pipeline import SIZES, Stages, measure, photo
from engine.colorizer import Colorizer
from server.photo_files import read_photo, write_photo
from server.protocol import VERSION, frames, launcher
from server.protocol.client import Client, picture_key
from server.protocol.messages import ColorizeRequest, Dot

THEMES = (("#103080", "#2060b0", "#60a0e0"), ("#b04010", "#d07030", "#f0a060"))
SHARES = (0.5, 0.3, 0.2)  # of the picture, for each colour of a theme
PREVIEW_SIDE = 1024
STEPS = ("read", "transfer", "network", "enlarge", "compose", "write", "first", "dot", "theme")
PREVIEWS = ("first", "dot", "theme")

Times = dict[str, list[float]]  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megapixels", type=int, nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(device="cpu")
    print(f"{describe('cpu')}\n\n| megapixels | {' | '.join(STEPS)} | memory |")
    print("| ---: |" + " ---: |" * (len(STEPS) + 1))
    previews = []
    for megapixels in options.megapixels:
        size = SIZES[megapixels]
        stages = measure(colorizer, photo(size), options.repeats)
        full, preview, memory = over_the_socket(size, options.repeats)
        values = {**files(size), "transfer": transfer(size), **seconds(stages), **full}
        times = " | ".join(f"{values[step]:.2f} s" for step in STEPS)
        print(f"| {megapixels} | {times} | {memory:.0f} MB |", flush=True)
        previews.append(f"| {megapixels} | " + " | ".join(f"{preview[p]:.2f} s" for p in PREVIEWS))
    print(f"\n| megapixels | preview: {' | '.join(PREVIEWS)} |\n| ---: |" + " ---: |" * 3)
    print(" |\n".join(previews) + " |")
    print(f"\nstart to first answer: {statistics.median(start() for _ in range(3)):.1f} s")
    return 0


def seconds(stages: Stages) -> dict[str, float]:
    return {name: getattr(stages, name) / 1000 for name in ("network", "enlarge", "compose")}


def files(size: tuple[int, int]) -> dict[str, float]:
    """Seconds to read the photo and to write its colours."""
    gray = photo(size).astype(np.uint16) * 257
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.tif"
        rgb = np.repeat(gray[..., None], 3, -1)
        written = clock(lambda: write_photo(path, rgb))
        return {"read": clock(lambda: read_photo(path)), "write": written}


def transfer(size: tuple[int, int]) -> float:
    """Seconds for the bytes of a photo there and of its colours back, and the key."""
    gray = photo(size).data.cast("B")
    rgb = memoryview(bytes(3 * len(gray)))
    ours, theirs = socket.socketpair()

    def engine() -> None:
        frames.receive(theirs)
        frames.send(theirs, {"id": 1}, [rgb])

    def there_and_back() -> None:
        answering = threading.Thread(target=engine)
        answering.start()
        picture_key(gray, "U8", size)  # once on each side
        picture_key(gray, "U8", size)
        frames.send(ours, {"id": 1}, [gray])
        frames.receive(ours)
        answering.join()

    with ours, theirs:
        return clock(there_and_back)


def clock(step: Callable[[], object]) -> float:
    """Seconds of the second run."""
    step()
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def over_the_socket(
    size: tuple[int, int], repeats: int
) -> tuple[dict[str, float], dict[str, float], float]:
    """Seconds of full results and of previews, and the added peak memory in 10^6 bytes."""
    full: Times = {step: [] for step in PREVIEWS}
    preview: Times = {step: [] for step in PREVIEWS}
    with fresh_engine() as client:
        run(client, photo((600, 400), 99), None, {step: [] for step in PREVIEWS}, 0)  # warms up
        idle = peak_memory(client.info.pid)
        for turn in range(repeats):
            run(client, photo(size, turn), None, full, turn)
            run(client, photo(size, 128 + turn), PREVIEW_SIDE, preview, turn)
        memory = (peak_memory(client.info.pid) - idle) / 1e6
    medians = [{s: statistics.median(v) for s, v in times.items()} for times in (full, preview)]
    return medians[0], medians[1], memory


def run(
    client: Client, gray: NDArray[Any], preview_side: int | None, times: Times, turn: int
) -> None:
    """Open a photo, give it a new dot, and a new theme."""
    height, width = gray.shape
    began = time.perf_counter()
    key = client.open_picture(gray.data.cast("B"), width, height, 1, "U8")
    plain = ColorizeRequest(key, preview_side=preview_side)
    client.colorize(plain)
    times["first"].append(time.perf_counter() - began)
    dotted = replace(plain, dots=(Dot(width / 2 + turn, height / 3, 8, "#c81e28"),))
    times["dot"].append(timed(client, dotted))
    times["theme"].append(timed(client, replace(plain, theme=THEMES[turn % 2], shares=SHARES)))
    client.close_picture(key)


def timed(client: Client, request: ColorizeRequest) -> float:
    began = time.perf_counter()
    client.colorize(request)
    return time.perf_counter() - began


def start() -> float:
    """Seconds from starting an engine to its first answer."""
    began = time.perf_counter()
    with fresh_engine() as client:
        run(client, photo((600, 400)), PREVIEW_SIDE, {step: [] for step in PREVIEWS}, 0)
        return time.perf_counter() - began


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
