"""Photos as scanners deliver them, framed or faded: `engine.benchmark scans`.

Photos whose colour is known get a frame around them, or lose contrast, and get their colour back:
without input, with the theme of their own colours, with 20 dots of their own colours, and with
both. First the network sees all of the scan as it is, then without its frame (`engine.frame`) and
with its contrast restored (`engine.gray.restored`), as for a user. PSNR is of ab (peak 110) in the
photo itself, the mean over the photos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from engine.benchmark_photos import Photo, add_photo_options, psnr, sample_photos, validation_photos
from engine.colorizer import WORKING_SIDES, Colorizer
from engine.command import parser_of
from engine.enlarge import enlarge_ab
from engine.gray import lightness_of, unit
from engine.picture import Picture, at_working_size

GRAIN = 0.015  # of a frame's luminance, standard deviation
_Plane = NDArray[np.float32]


@dataclass(frozen=True)
class Scan:
    """A scan's luminance (H, W), 0..1, and where the photo's corner lies in it."""

    gray: _Plane
    x: int = 0
    y: int = 0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark scans", __doc__)
    add_photo_options(parser)
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load()
    photos = sample_photos()
    if options.photos:
        photos = validation_photos(options.photos, options.limit)
    print(f"{len(photos)} photos, PSNR of ab in dB, seen as the scan is → as for a user:\n")
    print("| | none | theme | dots | both |\n| --- |" + " ---: |" * 4)
    for name, scanned in KINDS.items():
        figures = np.mean([list(judge(colorizer, photo, scanned)) for photo in photos], 0)
        cells = [f"{before:.2f} → {after:.2f}" for before, after in figures.tolist()]
        print(f"| {name} | {' | '.join(cells)} |")


def framed(tone: float, share: float = 0.12) -> Callable[[_Plane], Scan]:
    """Puts a frame of a tone, with some grain, around a photo; share: of its shorter side."""

    def scanned(gray: _Plane) -> Scan:
        width = round(share * min(gray.shape))
        sizes = (width, width + 3, width + 5, width)  # scans are seldom in the middle
        around = cv2.copyMakeBorder(gray, *sizes, cv2.BORDER_CONSTANT, value=[tone])
        grain = np.asarray(np.random.default_rng(0).normal(0, GRAIN, around.shape), np.float32)
        grain[width : width + gray.shape[0], width + 5 : width + 5 + gray.shape[1]] = 0
        return Scan(np.clip(around + grain, 0, 1), width + 5, width)

    return scanned


def toned(low: float, high: float) -> Callable[[_Plane], Scan]:
    """Brings black and white to other tones."""
    return lambda gray: Scan(low + (high - low) * gray)


KINDS: dict[str, Callable[[_Plane], Scan]] = {
    "as it is": Scan,
    "white margin": framed(0.98),
    "black rim": framed(0.03),
    "grey mount": framed(0.75),
    "narrow white rim": framed(0.98, 0.02),
    "faded": toned(0.4, 0.75),
    "dark": toned(0.0, 0.3),
    "bright": toned(0.65, 1.0),
}


def judge(
    colorizer: Colorizer, photo: Photo, scanned: Callable[[_Plane], Scan]
) -> Iterator[tuple[float, float]]:
    """dB as the scan is and as for a user, for each of the four inputs."""
    scan = scanned(photo.gray)
    hints = [replace(hint, x=hint.x + scan.x, y=hint.y + scan.y) for hint in photo.hints]
    pictures = [as_it_is(colorizer, scan.gray), colorizer.open(scan.gray)]
    for given, theme in (((), None), ((), photo.theme), (hints, None), (hints, photo.theme)):
        found = [colorizer.colorize(picture, given, theme).ab for picture in pictures]
        before, after = (psnr(_photo_of(scan, ab, photo), photo) for ab in found)
        yield before, after


def as_it_is(colorizer: Colorizer, gray: _Plane) -> Picture:
    """A photo made ready with its frame, and in the contrast that it has."""
    side = WORKING_SIDES["normal"]
    small = unit(at_working_size(gray, side, colorizer.network.multiple))
    lightness = torch.from_numpy(lightness_of(small))[None, None]
    return Picture(gray, lightness.to(colorizer.device), small, side)


def _photo_of(scan: Scan, ab: NDArray[np.float32], photo: Photo) -> NDArray[np.float32]:
    height, width = photo.gray.shape
    return enlarge_ab(ab, scan.gray)[scan.y : scan.y + height, scan.x : scan.x + width]


if __name__ == "__main__":
    main()
