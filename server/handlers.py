"""One short function for each method: message in, engine called, message out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.colorizer import Colorizer
from engine.enlarge import Area
from engine.gray import MAX_PIXELS
from engine.hints import Hint
from engine.palettes import PaletteError, parse_hex, parse_palette, written_hex
from engine.possibilities import Possibilities
from engine.progress import Tick
from engine.result import NOT_SEEN_AB, SAME_AB, HintReport, Result
from engine.themes import MAX_COLORS, MIN_COLORS, Theme, ThemeError, reduce_theme, theme_from_photo
from engine.weights import WeightsMissing, load_network
from server.arrays import from_numpy, to_numpy
from server.dots import hints_of, outside_note
from server.pictures import Held, Pictures
from server.protocol import PROTOCOL, VERSION, messages
from server.protocol.client import picture_key
from server.protocol.frames import Array
from server.protocol.messages import ColorizeRequest, DotReport, EngineInfo

if TYPE_CHECKING:
    from engine.recommend import ThemeRecommender

NEAR_SIDE = 1280  # photo pixels of the square that is made first where a person painted
NETWORK_SHARE = 0.4  # of a full-size job's progress bar

Arrays = Mapping[str, Array]
Params = Mapping[str, Any]


class Refused(Exception):
    """A request that cannot be served; the message is for people."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Reply:
    result: dict[str, Any]
    arrays: Arrays


Handler = Callable[[Params, Arrays, Tick], Reply]


class Handlers:
    """The methods that need the engine, by name."""

    def __init__(self, colorizer: Colorizer) -> None:
        self.colorizer = colorizer
        self.pictures = Pictures()
        self._loaded_recommender: ThemeRecommender | None = None
        self.at_once: Mapping[str, Handler] = {
            messages.HELLO: self.hello,
            messages.CLOSE_PICTURE: self.close_picture,
        }
        self.in_lane: Mapping[str, Handler] = {
            messages.OPEN_PICTURE: self.open_picture,
            messages.COLORIZE: self.colorize,
            messages.THEME_OF: self.theme_of,
            messages.RECOMMEND_THEMES: self.recommend_themes,
            messages.SUGGEST_COLORS: self.suggest_colors,
            messages.SUGGEST_PLACES: self.suggest_places,
            messages.READ_THEME: self.read_theme,
        }

    def hello(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        info = EngineInfo(
            version=VERSION,
            protocol=PROTOCOL,
            network=self.colorizer.name,
            device=self.colorizer.device,
            weights_sha256=self.colorizer.weights_sha256,
            pid=os.getpid(),
        )
        return Reply(asdict(info), {})

    def open_picture(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        key = messages.text(params, "picture")
        if "gray" not in arrays:
            return Reply({"known": self.pictures.get(key) is not None}, {})
        array = arrays["gray"]
        if len(array.shape) < 2 or array.shape[0] * array.shape[1] > MAX_PIXELS:
            raise Refused(messages.BAD_PICTURE, "the photo is too large")
        if picture_key(array.data, array.dtype, array.shape) != key:
            raise Refused(messages.INVALID_PARAMS, "the photo's pixels do not match its key")
        tick(0.0)
        try:
            self.pictures.put(key, self.colorizer.open(to_numpy(array)))
        except ValueError as error:
            raise Refused(messages.BAD_PICTURE, str(error)) from error
        return Reply({"known": True}, {})

    def close_picture(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        self.pictures.drop(messages.text(params, "picture"))
        return Reply({}, {})

    def colorize(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        request = ColorizeRequest.from_params(params, arrays)
        held = self._held(request.picture, request.quality)
        theme, notes = used_theme(request.theme, request.shares)
        hints = hints_of(request)
        notes += outside_note(hints, held.picture)
        share = NETWORK_SHARE if request.preview_side is None else 1.0
        result = self.colorizer.colorize(
            held.picture,
            hints,
            theme,
            strength=request.strength,
            saturation=request.saturation,
            tick=lambda fraction: tick(share * fraction),
        )
        answer = {
            "dots": [dot_report(report) for report in result.reports()],
            "notes": [*notes, *result.notes],
            "theme": [written_hex(color) for color in theme.colors] if theme else [],
            "shares": list(theme.shares) if theme else [],
            "name": "",
            "place": [0, 0],
            "more": False,
        }
        if request.preview_side is not None:
            return Reply(answer, {"rgb": from_numpy(result.preview(request.preview_side))})
        area, more = wanted_area(held, request, result)
        make = result.color_only if request.color_only else result.full
        rgb = make(lambda fraction: tick(share + (1 - share) * fraction), area)
        shown = result.pasted(held.result, area) if held.result else result
        held.result, held.result_name = shown, secrets.token_hex(8)
        held.color_only = request.color_only
        held.unfinished = _whole_of(request) if more else None
        answer |= {"name": held.result_name, "place": list(area[:2]), "more": more}
        return Reply(answer, {"rgb": from_numpy(rgb)})

    def suggest_colors(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        held = self._held(messages.text(params, "picture"))
        picture = held.picture
        x = messages.number(params, "x", 0, picture.width)
        y = messages.number(params, "y", 0, picture.height)
        gray = int(picture.gray_at([Hint(x, y, 0.5, (0, 0, 0))])[0])
        found = self._possibilities(held).colors_at(
            x / picture.width, y / picture.height, gray, messages.MAX_SUGGESTIONS
        )
        colors = [{"color": written_hex(color), "share": share} for color, share in found]
        return Reply({"colors": colors}, {})

    def suggest_places(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        request = ColorizeRequest.from_params(params, arrays)
        held = self._held(request.picture)
        width, height = held.picture.width, held.picture.height
        dots = [(hint.x / width, hint.y / height) for hint in hints_of(request)]
        found = self._possibilities(held).places(dots, messages.MAX_PLACES)
        return Reply({"places": [[x * width, y * height] for x, y in found]}, {})

    def _possibilities(self, held: Held) -> Possibilities:
        if held.possibilities is None:
            themes = self._recommender().recommend(held.picture.seen(()).working_lightness)
            held.possibilities = self.colorizer.possibilities(held.picture, themes)
        return held.possibilities

    def read_theme(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        name = messages.text(params, "name")
        if "file" not in arrays or len(arrays["file"].data) > messages.MAX_PALETTE_BYTES:
            raise Refused(messages.INVALID_PARAMS, "the file is missing or too large for a palette")
        try:
            palette = parse_palette(bytes(arrays["file"].data), name, f"“{name}”")
        except PaletteError as error:
            raise Refused(messages.INVALID_PARAMS, str(error)) from error
        theme, notes = used_theme(tuple(written_hex(color) for color in palette.colors))
        assert theme is not None  # a palette has colours
        entry = theme_entry(replace(theme, name=palette.name))
        return Reply({"themes": [entry], "notes": notes}, {})

    def recommend_themes(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        picture = self._held(messages.text(params, "picture")).picture
        count = messages.whole(params, "count", messages.MAX_THEMES)
        side = messages.whole(params, "side", messages.MAX_THUMBNAIL_SIDE, 0)
        themes = self._recommender().recommend(picture.seen(()).working_lightness, count)
        tick(0.5)
        pictures = self.colorizer.thumbnails(picture, themes, side) if side else []
        thumbnails = {f"thumbnail{i}": from_numpy(p[..., :3]) for i, p in enumerate(pictures)}
        return Reply({"themes": [theme_entry(theme) for theme in themes]}, thumbnails)

    def _recommender(self) -> ThemeRecommender:
        """Loaded when it is first asked for: colouring does not need it."""
        if self._loaded_recommender is None:
            from engine.recommend import ThemeRecommender

            try:
                self._loaded_recommender = ThemeRecommender.load(load_network("default"))
            except WeightsMissing as error:
                raise Refused(messages.INTERNAL_ERROR, str(error)) from error
        return self._loaded_recommender

    def theme_of(self, params: Params, arrays: Arrays, tick: Tick) -> Reply:
        if "rgb" not in arrays:
            raise Refused(messages.INVALID_PARAMS, "there is no photo to take a theme from")
        count = messages.whole(params, "count", MAX_COLORS, 0)
        photo = to_numpy(arrays["rgb"])
        if photo.dtype != np.uint8 or photo.size > 3 * MAX_PIXELS:
            raise Refused(messages.INVALID_PARAMS, "a theme is taken from an 8-bit photo of at "
                          f"most {MAX_PIXELS // 1_000_000} megapixels")  # fmt: skip
        try:
            theme = theme_from_photo(photo, count or None)
        except ThemeError as error:
            raise Refused(messages.BAD_PICTURE, str(error)) from error
        return Reply({"themes": [theme_entry(theme)]}, {})

    def _held(self, key: str, quality: str | None = None) -> Held:
        """The picture as it is held, or at the working size of a quality, which is then held."""
        held = self.pictures.get(key)
        if held is None:
            raise Refused(messages.UNKNOWN_PICTURE, "the engine does not hold this photo any more")
        if quality is None or held.picture.side == self.colorizer.working_side(quality):
            return held
        return self.pictures.put(key, self.colorizer.open(held.picture.gray, quality))


def used_theme(
    colors: tuple[str, ...], shares: tuple[float, ...] = ()
) -> tuple[Theme | None, list[str]]:
    """The theme that a request's colours make, and what to say of it.

    shares: of each colour, or none; those of a palette that is reduced are lost.
    """
    if not colors:
        return None, []
    theme = reduce_theme([parse_hex(color) for color in colors])
    distinct = len(set(colors))
    if shares and distinct <= MAX_COLORS:
        theme = replace(theme, shares=added_up(colors, shares))
    if distinct > MAX_COLORS:
        return theme, [
            f"The palette has {distinct} colours; it was reduced to {len(theme.colors)}."
        ]
    if distinct < MIN_COLORS:
        return theme, [
            f"The palette has fewer than {MIN_COLORS} colours; the photo will be coloured in few "
            "hues."
        ]
    return theme, []


def added_up(colors: tuple[str, ...], shares: tuple[float, ...]) -> tuple[float, ...]:
    """The share of each different colour, in order."""
    of_color = dict.fromkeys(colors, 0.0)
    for color, share in zip(colors, shares, strict=True):
        of_color[color] += share
    return tuple(of_color.values())


def wanted_area(held: Held, request: ColorizeRequest, result: Result) -> tuple[Area, bool]:
    """What is to be made of a full-size result, and whether a rest of what changed stays.

    All of the photo, or the rectangle that differs from the result the client has, or of a large
    one the part that the client wants first.
    """
    known = request.since and request.since == held.result_name
    if not known or held.result is None or held.color_only != request.color_only:
        return (0, 0, held.picture.width, held.picture.height), False
    # A dot is seen where it is, and quickly; a slider's small step must be seen everywhere.
    painted = result.hints != held.result.hints or held.unfinished == _whole_of(request)
    changed = result.changed(held.result, NOT_SEEN_AB if request.live and painted else SAME_AB)
    area = changed if request.near is None else part_near(changed, request.near)
    return area, area != changed


def _whole_of(request: ColorizeRequest) -> ColorizeRequest:
    """The same for a request and for those that ask for the rest of its result."""
    return replace(request, near=None, since="")


def part_near(area: Area, place: tuple[float, float]) -> Area:
    """Of a large area what lies about a place, to be had quickly; of a small one all."""
    x, y, width, height = area
    if width * height <= NEAR_SIDE**2:
        return area
    columns, rows = min(width, NEAR_SIDE), min(height, NEAR_SIDE)
    left = min(max(x, round(place[0]) - columns // 2), x + width - columns)
    top = min(max(y, round(place[1]) - rows // 2), y + height - rows)
    return left, top, columns, rows


def dot_report(report: HintReport) -> dict[str, Any]:
    return asdict(
        DotReport(
            report.hint.x,
            report.hint.y,
            written_hex(report.hint.color),
            written_hex(report.reachable),
            written_hex(report.reached),
            report.delta_e,
            report.followed,
            report.hint.locked,
        )
    )


def theme_entry(theme: Theme) -> dict[str, Any]:
    return {
        "name": theme.name,
        "colors": [written_hex(color) for color in theme.colors],
        "shares": list(theme.shares),
    }
