"""`tincture`: colour photographs from the command line.

    tincture colorize photo.jpg --theme autumn --dot 120,80=#7a3b12 -o out.png
    tincture colorize scans/*.tif -o coloured/
    tincture themes photo.jpg -o themes.png

`colorize` uses the engine that runs; without one, or when it ends, it works by itself. `themes` and
`check` start an engine.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from server.arrays import NAMES, to_numpy
from server.photo_files import read_photo, write_photo
from server.photo_paths import UserError, expand, output_paths
from server.protocol import VERSION, launcher, places
from server.protocol.client import Client, EngineError, EngineGone
from server.protocol.messages import QUALITIES, UNKNOWN_PICTURE, ColorizeRequest, Dot, ThemeResult
from server.protocol.written_theme import NotATheme, parse_theme, written_theme

THUMBNAIL_SIDE = 320  # pixels
THEME_HELP = (
    "a file (.gpl, .ase, .aco, or text such as .hex and .txt with colours like #aabbcc, one a "
    "line), a name such as autumn, or “#aabbcc #ddeeff …”; with how much of "
    "the picture each colour gets: “#aabbcc:70%% #ddeeff:30%% …”"
)
BUILT_IN = Path(__file__).parent.parent / "gimp_plugin/palettes"

Report = Callable[[float], None]


@dataclass(frozen=True)
class Wishes:
    """What is to be done with every photo."""

    theme: tuple[str, ...]
    shares: tuple[float, ...]
    dots: tuple[Dot, ...]
    strength: float
    saturation: float
    quality: str

    def request(self, key: str) -> ColorizeRequest:
        return ColorizeRequest(
            key,
            dots=self.dots,
            theme=self.theme,
            shares=self.shares,
            strength=self.strength,
            saturation=self.saturation,
            quality=self.quality,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    _print_any_name()
    try:
        return int(options.run(options))
    except (UserError, EngineError) as error:
        print(f"tincture: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _print_any_name() -> None:
    """A file's name may hold what stdout cannot encode; its result is not to fail for that.

    stderr writes such letters as numbers by itself.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        bytes_return = os.name == "posix" and sys.stdout.encoding.lower() == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if bytes_return else "backslashreplace")


def colorize(options: argparse.Namespace) -> int:
    photos = expand(options.photos)
    targets = output_paths(photos, options.output, options.replace)
    wishes = Wishes(
        *chosen_theme(options.theme),
        tuple(options.dot),
        options.strength,
        options.saturation,
        options.quality,
    )
    failed = 0
    with _worker(options.own) as work:
        for photo, target in zip(photos, targets, strict=True):
            try:
                _colorize_file(work, photo, target, wishes)
            except (UserError, EngineError) as error:
                # One bad file of many must not keep the others from their colours.
                print(f"tincture: {photo}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


def _colorize_file(work: Worker, photo: Path, target: Path, wishes: Wishes) -> None:
    read = read_photo(photo)
    with tqdm(total=100, desc=photo.name, bar_format="{desc}: {percentage:3.0f}% |{bar}| {elapsed}",
              disable=None) as bar:  # fmt: skip
        rgb, notes = work(read.gray, wishes, lambda fraction: _move(bar, fraction))
        write_photo(target, rgb, read.profile, read.exif)
        _move(bar, 1.0)
    for note in filter(None, (read.note, *notes)):
        print(f"{photo.name}: {note}", file=sys.stderr)
    print(target)


def _move(bar: Any, fraction: float) -> None:
    bar.update(round(100 * fraction) - bar.n)


class Worker:
    """Colours pixels: over a connection to the engine, or in this very process once it is gone."""

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._handlers: Any = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client:
            self._client.close()

    def __call__(
        self, gray: NDArray[Any], wishes: Wishes, report: Report
    ) -> tuple[NDArray[Any], tuple[str, ...]]:
        """(H, W) or (H, W, 2) in; (H, W, 3 or 4) of the same dtype and notes out."""
        if self._client:
            try:
                return self._asked(self._client, gray, wishes, report)
            except EngineGone:
                self._client.close()
                self._client = None
            except EngineError as error:  # photos of others may have taken this one's place
                if error.code != UNKNOWN_PICTURE:
                    raise
        return self._done(gray, wishes, report)

    def _asked(
        self, client: Client, gray: NDArray[Any], wishes: Wishes, report: Report
    ) -> tuple[NDArray[Any], tuple[str, ...]]:
        result = client.colorize(wishes.request(_open(client, gray)), report)
        pixels = np.frombuffer(result.pixels, gray.dtype)
        return pixels.reshape(*gray.shape[:2], result.channels), result.notes

    def _done(
        self, gray: NDArray[Any], wishes: Wishes, report: Report
    ) -> tuple[NDArray[Any], tuple[str, ...]]:
        from engine.colorizer import Colorizer
        from engine.gpu import GpuBroken, GpuFull, on_gpu
        from engine.weights import WeightsMissing
        from server.handlers import Handlers, Refused, Reply

        def work() -> Reply:
            if self._handlers is None:
                self._handlers = Handlers(Colorizer.load())
            picture = self._handlers.colorizer.open(gray)
            self._handlers.pictures.put("photo", picture)
            params, arrays = wishes.request("photo").to_params()
            reply: Reply = self._handlers.colorize(params, arrays, report)
            return reply

        try:
            reply = on_gpu(work)
        except (WeightsMissing, Refused, ValueError, GpuFull, GpuBroken) as error:
            raise UserError(str(error)) from error
        return to_numpy(reply.arrays["rgb"]), tuple(reply.result["notes"])


def _worker(own: bool) -> Worker:
    try:
        return Worker(None if own else launcher.running())
    except EngineError:  # it is full, or of another version
        return Worker(None)


def _open(client: Client, gray: NDArray[Any]) -> str:
    """Show the engine a photo as read_photo gives it; returns the picture's key."""
    height, width = gray.shape[:2]
    channels = 1 if gray.ndim == 2 else 2
    return client.open_picture(gray.data.cast("B"), width, height, channels, NAMES[gray.dtype])


def chosen_theme(chosen: str | None) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The colours of a palette file, of a built-in theme's name or written out, and their shares.

    Only a theme that is written out can have shares. Raises UserError.
    """
    from engine.palettes import PaletteError, read_palette, written_hex

    if not chosen:
        return (), ()
    try:
        path = Path(chosen)
        named = BUILT_IN / f"{chosen.strip().lower().replace(' ', '-')}.gpl"
        if not _exists(path) and not _exists(named) and "#" in chosen:
            return parse_theme(chosen)
        palette = read_palette(named if _exists(named) and not _exists(path) else path)
    except PaletteError as error:
        raise UserError(str(error)) from error
    except NotATheme as error:
        raise UserError(f"“{error}” is not a colour of a theme; write all of them like #7a3b12, or "
                        "all with their shares, like #7a3b12:70%") from error  # fmt: skip
    return tuple(written_hex(color) for color in palette.colors), ()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # colours that are written out can be more than a file's name can hold
        return False


def parse_dot(text: str) -> Dot:
    """X,Y=#rrggbb or X,Y,RADIUS=#rrggbb, in photo pixels."""
    from engine.palettes import PaletteError, parse_hex, written_hex

    place, _, color = text.partition("=")
    try:
        numbers = [float(number) for number in place.split(",")]
        x, y, radius = (*numbers, 3.0)[:3] if len(numbers) in (2, 3) else (None, None, 0)
        if x is None or y is None or not radius > 0:
            raise ValueError
        return Dot(x, y, radius, written_hex(parse_hex(color)))
    except (ValueError, PaletteError) as error:
        raise argparse.ArgumentTypeError(
            f"“{text}” is not a dot; write it like 120,80=#7a3b12"
        ) from error


def themes(options: argparse.Namespace) -> int:
    """Write a page that shows a photo in its recommended themes."""
    photo = Path(options.photo)
    (target,) = output_paths([photo], options.output, options.replace)
    read = read_photo(photo)
    with launcher.connect_or_start() as client:
        found = client.recommend_themes(_open(client, read.gray), options.count, THUMBNAIL_SIDE)
    write_photo(target, theme_page(found))
    if read.note:
        print(f"{photo.name}: {read.note}", file=sys.stderr)
    for theme in found:
        print(written_theme(theme.colors, theme.shares))
    print(target)
    return 0


def theme_page(found: Sequence[ThemeResult]) -> NDArray[np.uint8]:
    """Thumbnails in rows of three, each over the swatches of its theme: (H, W, 3)."""
    cells = []
    for theme in found:
        shape = (theme.height, theme.width, 3)
        picture = np.frombuffer(theme.pixels or b"", np.uint8).reshape(shape)
        swatches = np.array([tuple(bytes.fromhex(color[1:])) for color in theme.colors], np.uint8)
        edges = np.arange(theme.width) * len(swatches) // theme.width
        strip = np.repeat(swatches[edges][None], THUMBNAIL_SIDE // 8, 0)
        cells.append(np.pad(np.concatenate((picture, strip)), ((4, 4), (4, 4), (0, 0)),
                            constant_values=255))  # fmt: skip
    while len(cells) % 3:
        cells.append(np.full_like(cells[0], 255))
    rows = [np.concatenate(cells[i : i + 3], 1) for i in range(0, len(cells), 3)]
    return np.asarray(np.concatenate(rows), np.uint8)


def status(options: argparse.Namespace) -> int:
    client = launcher.running()
    if client is None:
        print("no engine is running")
        return 0
    with client:
        info, state = client.info, client.status()
    print(f"engine {info.version}, process {info.pid}, {info.network} on {info.device}")
    print(f"{state['connections']} connections, {state['pictures']} photos held")
    return 0


def start(options: argparse.Namespace) -> int:
    with launcher.connect_or_start(on_state=print) as client:
        print(f"engine {client.info.version} is running on {client.info.device}")
    return 0


def stop(options: argparse.Namespace) -> int:
    print("the engine was stopped" if launcher.stop() else "no engine was running")
    return 0


def check(options: argparse.Namespace) -> int:
    """Start the engine, colour a small picture, and say how it went."""
    began = time.monotonic()
    with launcher.connect_or_start() as client:
        ready = time.monotonic()
        ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
        result = client.colorize(ColorizeRequest(_open(client, ramp)))
        done = time.monotonic()
    rgb = np.frombuffer(result.pixels, np.uint8).reshape(256, 256, 3)
    if not np.ptp(rgb.astype(int), axis=-1).any():
        raise UserError("the engine answered in grey: its weights are damaged. In Tincture's "
                        f"folder run: {places.INSTALL} repair")  # fmt: skip
    info = client.info
    print(f"engine {info.version}: {info.network} on {info.device}, "
          f"weights {info.weights_sha256[:16]}")  # fmt: skip
    print(f"engine reached in {ready - began:.1f} s, 256x256 coloured in {done - ready:.2f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tincture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"tincture {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    color = commands.add_parser("colorize", help="colour photos")
    color.add_argument("photos", nargs="+", metavar="PHOTO", help="photos, or folders of them")
    color.add_argument("-o", "--output", required=True, help="a file, or a folder for the results")
    color.add_argument("--theme", metavar="THEME", help=THEME_HELP)
    color.add_argument("--dot", action="append", default=[], type=parse_dot, metavar="X,Y=#RRGGBB",
                       help="a colour at a place, in photo pixels; X,Y,RADIUS=#RRGGBB for a larger "
                            "one (default radius 3); can be given often")  # fmt: skip
    color.add_argument("--strength", type=_share, default=1.0, help="of the theme, 0 to 2")
    color.add_argument("--saturation", type=_share, default=1.0, help="0 to 2")
    color.add_argument("--quality", choices=QUALITIES, default="normal",
                       help="finer ones take longer; default: %(default)s")  # fmt: skip
    color.add_argument("--own", action="store_true", help="work here, without a running engine")
    color.set_defaults(run=colorize)
    page = commands.add_parser("themes", help="recommend themes for a photo, on a page")
    page.add_argument("photo", metavar="PHOTO")
    page.add_argument("-o", "--output", default="themes.png", help="default: %(default)s")
    page.add_argument("--count", type=int, default=6, choices=range(1, 13), metavar="1..12")
    for writing in (color, page):
        writing.add_argument("--replace", action="store_true",
                             help="replace files that exist, but never the photo")  # fmt: skip
    page.set_defaults(run=themes)
    others = {
        status: "is an engine running?",
        start: "start the engine",
        stop: "stop the engine",
        check: "does the engine work?",
    }
    for command, words in others.items():
        commands.add_parser(command.__name__, help=words).set_defaults(run=command)
    return parser


def _share(text: str) -> float:
    try:
        value = float(text)
        if not 0 <= value <= 2:
            raise ValueError
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a number from 0 to 2") from error
    return value


if __name__ == "__main__":
    sys.exit(main())
