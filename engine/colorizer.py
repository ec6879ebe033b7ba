"""The engine's public face, at two speeds.

colorizer = Colorizer.load()
picture = colorizer.open(gray)                       # heavy, once for each photo
result = colorizer.colorize(picture, hints, theme)   # light, once for each brush stroke
pixels = result.full()                               # the photo's own size, on demand
"""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from engine.aim import Sight, aim, overruled
from engine.color import AB_SCALE, ab_of
from engine.enlarge import full_size
from engine.frame import inside, whole
from engine.gray import Gray, check, cleaned, lightness_of, restored, unit
from engine.hints import Hint, asked_ab, hint_planes
from engine.inference import (
    FLAT,
    NOT_FINITE,
    best_device,
    fault,
    fused,
    has_fast_bfloat16,
    in_bfloat16,
)
from engine.networks import ColorizationNetwork
from engine.networks.base import (
    THEME_NUMBERS,
    Features,
    half_hints,
    no_hints,
    no_theme,
)
from engine.networks.propagation import propagate
from engine.picture import Picture, at_working_size, nearest_multiple
from engine.possibilities import Possibilities
from engine.progress import Tick, no_tick
from engine.regions import pull
from engine.result import NOT_SEEN_AB, Result
from engine.themes import MAX_COLORS, Theme, reduce_theme
from engine.weights import load_network, sha256, weights_path

# The photo's area at working size is this squared; its aspect is kept. What each costs and gives:
# python -m engine.benchmark sizes. A network has its best size on every device.
WORKING_SIDES = {"draft": 128, "normal": 192, "fine": 384}
QUALITIES = tuple(WORKING_SIDES)
MAX_STRENGTH, MAX_SATURATION = 2.0, 2.0
PRECISION_NOTE = (
    "The network's numbers ran out of range on this machine; the picture was made again in single "
    "precision, which is slower."
)
CLOSE_NOTE = (
    "Dots lie so close together that the result cannot tell all of them apart: the smallest ones "
    "count. A finer quality tells more of them apart."
)
FRAME_NOTE = "The frame around the photograph stays grey; a dot on it colours it, too."
# per picture: so many sets of dots can be taken up again without the encoder, and so many of those
# with a theme without the decoder
_KEPT_FEATURES, _KEPT_DECODED = 4, 8

log = logging.getLogger(__name__)

K = TypeVar("K")
V = TypeVar("V")


class Colorizer:
    """A network on a device. Safe to call from several threads; calls take turns."""

    def __init__(self, network: ColorizationNetwork, name: str, device: str, digest: str) -> None:
        layout = torch.channels_last
        self._precise = fused(network).to(device, memory_format=layout)  # type: ignore[call-overload]
        short = has_fast_bfloat16(device)
        self.network = in_bfloat16(self._precise) if short else self._precise
        self.name = name
        self.device = device
        self.weights_sha256 = digest
        self._turn = threading.Lock()

    @classmethod
    def load(cls, network: str = "default", device: str | None = None) -> Colorizer:
        """Load shipped weights. device: "cpu", "cuda" or None for the best there is.

        Raises WeightsMissing.
        """
        loaded = load_network(network)
        device = device or best_device()
        return cls(loaded, network, device, sha256(weights_path(network)))

    def open(self, gray: Gray, quality: str = "normal") -> Picture:
        """Make a photo ready.

        gray: (H, W), or (H, W, 2) with alpha last; uint8, uint16 (0..65535) or float32 (0..1;
        what lies outside is clipped, and NaN is 0); sRGB-encoded luminance. quality: one of
        QUALITIES; finer ones take longer. Raises ValueError with a sentence for people.
        """
        return self.open_at(gray, self.working_side(quality))

    def open_at(self, gray: Gray, side: int) -> Picture:
        """Make a photo ready at the working size that has the area of a square of `side` pixels."""
        check(gray)
        gray = cleaned(gray)  # one bad value would spoil all that it is averaged with
        top, bottom, left, right = box = inside(gray)
        if box == whole(gray):
            return self._opened(gray, side)
        cut = gray[top:bottom, left:right]
        # What is inside has the same working size in the whole as by itself.
        wider = round(side * math.sqrt(gray.size / cut.size))
        inner = self._opened(cut, side)
        return replace(self._opened(gray, wider), side=side, inner=inner, corner=(left, top))

    def _opened(self, gray: Gray, side: int) -> Picture:
        guide = unit(at_working_size(gray, side, self.network.multiple))
        lightness = torch.from_numpy(lightness_of(restored(guide)))[None, None]
        return Picture(gray, lightness.to(self.device), guide, side)

    def working_side(self, quality: str) -> int:
        """Raises ValueError when the quality is none of QUALITIES."""
        if quality not in QUALITIES:
            raise ValueError(f"the quality must be {', '.join(QUALITIES)}, not “{quality}”")
        return WORKING_SIDES[quality]

    def colorize(
        self,
        picture: Picture,
        hints: Sequence[Hint] = (),
        theme: Theme | None = None,
        *,
        strength: float = 1.0,
        saturation: float = 1.0,
        tick: Tick = no_tick,
    ) -> Result:
        """Colour a picture.

        hints: those outside the photo are ignored. theme: more than 7 colours are reduced.
        strength: of the theme, 0 (none) .. 1 (as the network reads it) .. 2 (only these colours).
        saturation: 0 (grey) .. 1 .. 2. Raises Cancelled when `tick` does, ValueError for values
        out of range.
        """
        if not (0 <= strength <= MAX_STRENGTH and 0 <= saturation <= MAX_SATURATION):
            raise ValueError("the theme's strength and the saturation must be from 0 to 2")
        kept = tuple(h for h in hints if 0 <= h.x < picture.width and 0 <= h.y < picture.height)
        with self._turn, torch.inference_mode():
            tick(0.0)
            shown = picture.reachable(kept)
            owner = picture.owners(kept)
            planes = self._planes(picture, shown, owner)
            before = self.network
            seen = picture.seen(kept)
            given = planes if seen is picture else self._inner_planes(picture, seen, shown)
            self._features(seen, given)
            tick(0.7)
            ab = picture.framed(self._mix(seen, given, theme, strength), seen) * saturation
            notes = [] if self.network is before else [PRECISION_NOTE]
            notes += [] if seen is picture else [FRAME_NOTE]
            if kept:
                ab = keep_dots(picture.lightness, planes, ab)
            tick(1.0)
        colored = _pixels(ab)[0]
        if kept:
            asked = asked_ab(shown)
            _pull_locked(picture, shown, asked, colored)
            aim(colored, Sight(picture, kept, owner), owner, asked)
            if overruled(picture, kept, owner, asked):
                notes.append(CLOSE_NOTE)
        return Result(picture, colored, kept, tuple(notes))

    def thumbnails(
        self, picture: Picture, themes: Sequence[Theme], side: int
    ) -> list[NDArray[np.uint8]]:
        """The picture in each theme, its longer side at most `side`: (h, w, 3 or 4), 0..255.

        At half the working size the photo is encoded once and all themes are finished in one batch.
        """
        gray = picture.reduced(side)
        return [np.asarray(full_size(gray, ab, no_tick)) for ab in self._coarsely(picture, themes)]

    def possibilities(self, picture: Picture, themes: Sequence[Theme]) -> Possibilities:
        """The picture's colours without a theme and in each of some that suit it, best first."""
        ab = self._coarsely(picture, (Theme(()), *themes))
        likely = np.array([2.0, *(1.0 / (1 + rank) for rank in range(len(themes)))], np.float32)
        return Possibilities(ab, likely / likely.sum())

    def _coarsely(self, picture: Picture, themes: Sequence[Theme]) -> NDArray[np.float32]:
        """ab, coarsely, in each theme: (len(themes), h, w, 2), CIE units."""
        seen = picture.seen(())
        size = [nearest_multiple(length / 2, self.network.multiple) for length in seen.size]
        half = F.interpolate(seen.lightness, size, mode="area")
        tokens = torch.cat([theme_tensor(theme) for theme in themes]).to(self.device)
        with self._turn, torch.inference_mode():
            ab = self._in_themes(half, tokens)
            if not torch.isfinite(ab).all() and self.network is not self._precise:
                self._go_on_precisely(NOT_FINITE)
                ab = self._in_themes(half, tokens)
            return _pixels(picture.framed(ab, seen))

    def _go_on_precisely(self, wrong: str) -> None:
        log.warning("the network's answer was %s in 16 bits; it works in 32 from now on", wrong)
        self.network = self._precise

    def _in_themes(self, lightness: Tensor, tokens: Tensor) -> Tensor:
        """The network's colours in each of some themes: (N, 2, h, w)."""
        features = self.network.encode(lightness, no_hints(lightness))
        many = tuple(f.expand(len(tokens), -1, -1, -1) for f in features)
        return self.network.decode(many, tokens)

    def _planes(self, picture: Picture, shown: Sequence[Hint], owner: NDArray[np.intp]) -> Tensor:
        """The hints tensor (1, 3, h, w).

        shown: the hints in colours as the photo's lightness can show them; owner: of these.
        """
        if not shown:
            return no_hints(picture.lightness)
        planes = hint_planes(shown, owner)
        planes[:2] /= AB_SCALE
        return torch.from_numpy(planes)[None].to(self.device)

    def _inner_planes(self, picture: Picture, inner: Picture, shown: Sequence[Hint]) -> Tensor:
        """The hints tensor of the picture that lies inside another one's frame."""
        moved = picture.moved(shown, inner)
        return self._planes(inner, moved, inner.owners(moved))

    def _mix(
        self, picture: Picture, planes: Tensor, theme: Theme | None, strength: float
    ) -> Tensor:
        """The network's colours in a theme of that strength: (1, 2, h, w), 32 bits."""
        nothing = no_theme(picture.lightness)
        if theme is None or not theme.colors or strength == 0:
            return self._decoded(picture, planes, nothing)
        tokens = theme_tensor(theme).to(self.device)
        themed = self._decoded(picture, planes, tokens)
        if strength < 1:
            return torch.lerp(self._decoded(picture, planes, nothing), themed, strength)
        return torch.lerp(themed, only_theme(themed, tokens), strength - 1)

    def _answer(self, picture: Picture, planes: Tensor, tokens: Tensor) -> Tensor:
        """The network's own colours. Where 16 bits go wrong, 32 are used from then on.

        Raises RuntimeError when 32 bits give no numbers either.
        """
        ab = self._decode(picture, planes, tokens)
        wrong = fault(ab, picture.lightness)
        if wrong and self.network is not self._precise:
            short, self.network = self.network, self._precise
            again = self._decode(picture, planes, tokens)
            if wrong == FLAT and _alike(ab, again):  # the photo is like that
                self.network = short
                return ab
            self._go_on_precisely(wrong)
            ab, wrong = again, fault(again, picture.lightness)
        if wrong == NOT_FINITE:
            raise RuntimeError("the network's answer is not finite: its weights are damaged")
        return ab

    def _decode(self, picture: Picture, planes: Tensor, tokens: Tensor) -> Tensor:
        features = self._features(picture, planes)
        return self.network.decode(features, tokens).float()

    def _features(self, picture: Picture, planes: Tensor) -> Features:
        return _remembered(
            picture.features,
            (self.network.number_type, _key(planes)),  # 32 bits cannot go on from 16
            _KEPT_FEATURES,
            lambda: self.network.encode(picture.lightness, planes),
        )

    def _decoded(self, picture: Picture, planes: Tensor, tokens: Tensor) -> Tensor:
        """The network's colours, kept with the picture: a slider need not wait for them again."""
        return _remembered(
            picture.decoded,
            (_key(planes), _key(tokens)),
            _KEPT_DECODED,
            lambda: self._answer(picture, planes, tokens),
        )


def _pixels(ab: Tensor) -> NDArray[np.float32]:
    """ab / AB_SCALE, (N, 2, h, w), as pixels in CIE units: (N, h, w, 2)."""
    return np.ascontiguousarray(ab.permute(0, 2, 3, 1).float().cpu().numpy() * AB_SCALE, np.float32)


def _alike(first: Tensor, second: Tensor) -> bool:
    """Do two answers look the same? ab / AB_SCALE; what is not finite looks like nothing."""
    return bool(((first - second).abs() * AB_SCALE < NOT_SEEN_AB).all())


def _key(tensor: Tensor) -> bytes:
    return tensor.cpu().numpy().tobytes() if tensor.any() else b""


def _remembered(held: OrderedDict[K, V], key: K, most: int, make: Callable[[], V]) -> V:
    """What is held for the key, or is made now; the least recently used ones go."""
    if key not in held:
        held[key] = make()
        while len(held) > most:
            held.popitem(last=False)
    held.move_to_end(key)
    return held[key]


def theme_tensor(theme: Theme) -> Tensor:
    """A theme for the network: (1, 7, 4), ab / AB_SCALE, the mask and the shares."""
    if len(theme.colors) > MAX_COLORS:
        theme = reduce_theme(theme.colors)
    rows = torch.zeros(1, MAX_COLORS, THEME_NUMBERS)
    shares = theme.weights if theme.shares else (0.0,) * len(theme.colors)
    ab = ab_of(theme.colors) / AB_SCALE
    for row, ((a, b), share) in enumerate(zip(ab.tolist(), shares, strict=True)):
        rows[0, row] = torch.tensor((a, b, 1.0, share))
    return rows


def only_theme(ab: Tensor, theme: Tensor) -> Tensor:
    """Draw every colour (N, 2, H, W) softly to the theme colours near it: no steps show."""
    colors, present = theme[..., :2], theme[..., 2]
    distance = (ab[:, None] - colors[..., None, None]).square().sum(2)  # (N, K, H, W)
    softness = 0.004  # (7 CIE units)^2 / AB_SCALE^2
    logits = -distance / softness + (present[..., None, None] - 1) * 1e4
    return torch.einsum("nkhw,nkc->nchw", torch.softmax(logits, 1), colors)


def keep_dots(lightness: Tensor, planes: Tensor, ab: Tensor) -> Tensor:
    """Make the result at the dots the asked colour: spread what is missing along edges.

    The correction fades with the spread's confidence, so it stays in the dot's neighbourhood and
    on its side of an edge. It is smooth, so half the working size is enough for it; at the dots
    themselves the asked colour is put in. All shapes as in `ColorizationNetwork`.
    """
    mask = planes[:, 2:]
    missing = half_hints(torch.cat(((planes[:, :2] - ab) * mask, mask), 1))
    spread = propagate(F.avg_pool2d(lightness, 2), missing)
    correction = F.interpolate(
        spread[:, :2] * spread[:, 2:], scale_factor=2, mode="bilinear", align_corners=False
    )
    return torch.where(mask > 0, planes[:, :2], ab + correction)


def _pull_locked(
    picture: Picture,
    shown: Sequence[Hint],
    asked: NDArray[np.float32],
    ab: NDArray[np.float32],
) -> None:
    """Give the regions of locked hints, in ab (h, w, 2), in place, what they ask for (N, 2)."""
    if not any(hint.locked for hint in shown):
        return
    for hint, color, region in zip(shown, asked, picture.regions(shown), strict=True):
        if hint.locked:
            pull(ab, region, color)
