"""Whatever clients ask in whatever order: they show what a fresh engine would have made of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.colorizer import Colorizer
from engine.progress import Cancelled
from server import handlers
from server.handlers import Handlers
from server.protocol.messages import ColorizeRequest, Dot

WIDTH, HEIGHT = 300, 200
RED, BLUE = Dot(40, 50, 3, "#a03020"), Dot(40, 50, 3, "#2040c0")
SOME = (RED, Dot(220, 60, 8, "#208040"), Dot(150, 150, 2, "#c0a040"))
THEMES = ((), ("#103080", "#2060b0", "#60a0e0"), ("#903020", "#d0a060", "#405030", "#e0d0c0"))
EXACT, LIVE = 3, 14  # of 255: what is left out where it is not measured, or not seen

VALUES = {
    "dots": st.sampled_from(((), (RED,), (BLUE,), SOME)),
    "theme": st.sampled_from(THEMES),
    "saturation": st.sampled_from((1.0, 1.05, 0.3)),
    "locked": st.sampled_from(((), ((40.0, 50.0),))),
    "live": st.booleans(),
    "quality": st.sampled_from(("normal", "draft")),
    "color_only": st.booleans(),
}


@dataclass(frozen=True)
class Step:
    client: int
    changes: tuple[tuple[str, Any], ...]  # of the client's request before
    near: tuple[float, float] | None
    is_part: bool  # only what differs from what the client shows is wanted
    cancelled_after: int | None  # ticks


STEPS = st.builds(
    Step,
    st.sampled_from((0, 0, 0, 1)),
    st.lists(
        # Dots above all: the engine has most to remember, and to leave out, where they change.
        st.sampled_from((*VALUES, "dots", "dots", "dots")).flatmap(
            lambda name: st.tuples(st.just(name), VALUES[name])
        ),
        max_size=1,
    ).map(tuple),
    near=st.sampled_from((None, (40.0, 50.0), (280.0, 10.0))),
    is_part=st.sampled_from((True, True, True, False)),
    cancelled_after=st.sampled_from((None, None, None, 0, 1, 3)),
)


@dataclass
class Shown:
    """What a client that follows the protocol shows."""

    engine: Handlers
    pixels: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 0, 3), np.uint8))
    name: str = ""

    def ask(self, request: ColorizeRequest, cancelled_after: int | None = None) -> bool:
        """Show the answer. Is it all of it: neither cancelled nor a part?"""
        ticks = iter(range(1000))

        def tick(fraction: float) -> None:
            if next(ticks) == cancelled_after:
                raise Cancelled

        params, arrays = request.to_params()
        try:
            reply = self.engine.colorize(params, arrays, tick)
        except Cancelled:
            return False
        array = reply.arrays["rgb"]
        rgb = np.frombuffer(array.data, np.uint8).reshape(array.shape)
        (x, y), (height, width) = reply.result["place"], rgb.shape[:2]
        if (width, height) == (WIDTH, HEIGHT):
            self.pixels = rgb.copy()
        self.pixels[y : y + height, x : x + width] = rgb
        self.name = reply.result["name"]
        return not reply.result["more"]


@pytest.fixture(scope="module")
def photo(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(gray, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def colorizer() -> Iterator[Colorizer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "NEAR_SIDE", 80)  # so that this small photo comes in parts, too
        yield Colorizer.load()


def opened(colorizer: Colorizer, photo: NDArray[np.uint8]) -> Handlers:
    engine = Handlers(colorizer)
    engine.pictures.put("photo", colorizer.open(photo))
    return engine


@settings(max_examples=60, derandomize=True)
@given(steps=st.lists(STEPS, min_size=8, max_size=16))
def test_any_sequence_ends_with_what_its_last_request_asks_for(
    colorizer: Colorizer, photo: NDArray[np.uint8], steps: list[Step]
) -> None:
    engine = opened(colorizer, photo)
    clients = [Shown(engine), Shown(engine)]  # one photo may be open in two places
    wishes = [ColorizeRequest("photo", live=True)] * 2
    for step in steps:
        shown = clients[step.client]
        wish = wishes[step.client] = replace(wishes[step.client], **dict(step.changes))
        request = replace(wish, near=step.near, since=shown.name if step.is_part else "")
        if not shown.ask(request, step.cancelled_after):
            continue
        fresh = Shown(opened(colorizer, photo))
        assert fresh.ask(wish)

        difference = np.abs(shown.pixels.astype(int) - fresh.pixels.astype(int))
        assert difference.max() <= (LIVE if wish.live else EXACT)
