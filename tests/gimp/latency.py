"""How long it takes from lifting the brush to the changed canvas, and where the time goes.

    python -m tests.gimp.latency [VERSION OF GIMP]

The steps are those of the first part of a change, which lies about the dot; “first” is their sum,
and with “all” the rest is there too.

The plug-in's own session runs inside a real GIMP and looks at the canvas as it does behind the
window; its engine is the real one. GIMP draws no screen here: what it needs for that comes on top.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from server.protocol import launcher
from tests.conftest import SAMPLES
from tests.gimp.conftest import open_studio
from tests.gimp.real_gimp import SUITES

SIZES = ((1224, 816), (4240, 2828), (6000, 4000))  # 1, 12 and 24 megapixels
DOTS = 7  # painted one after the other; the first one is not counted
STEPS = ("notice", "read", "send", "network", "enlarge", "receive", "write", "first", "all")
INSIDE = Path(__file__).parent / "latency_inside.py"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", nargs="?", default="3.2", choices=SUITES, help="3.2 by default")
    version = parser.parse_args().version
    photo = cv2.imread(str(SAMPLES / "coffee.png"), cv2.IMREAD_GRAYSCALE)
    with open_studio(version) as studio, launcher.connect_or_start() as engine:
        print(f"GIMP {version}, engine on {engine.info.device}, medians of {DOTS - 1} dots in ms\n")
        print("| megapixels | " + " | ".join(STEPS) + " | changed part |")
        print("| --- " * (len(STEPS) + 2) + "|")
        for width, height in SIZES:
            big = cv2.resize(np.asarray(photo), (width, height), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(studio.gimp.share / "photo.png"), cv2.cvtColor(big, cv2.COLOR_GRAY2RGB))
            body = f"DOTS = {DOTS}\n" + INSIDE.read_text()
            rows = studio.script(body)["rows"][1:]
            means = [f"{1000 * median(row[step] for row in rows):.0f}" for step in STEPS]
            part = median(row["share"] for row in rows)
            cells = " | ".join([f"{width * height / 1e6:.0f}", *means, f"{100 * part:.0f} %"])
            print(f"| {cells} |", flush=True)
            (studio.gimp.share / "latency.json").write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
