"""What a request says reaches the engine, and what the engine finds reaches the answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.colorizer import Colorizer
from engine.possibilities import Possibilities
from engine.progress import no_tick
from server.arrays import from_numpy
from server.handlers import Handlers
from server.protocol.client import picture_key
from server.protocol.messages import ColorizeRequest

BLUES = ("#103080", "#2060b0", "#60a0e0")


@pytest.fixture(scope="module")
def handlers(gray: NDArray[np.uint8]) -> Handlers:
    """The photo is open under the name “photo”."""
    handlers = Handlers(Colorizer.load())
    handlers.pictures.put("photo", handlers.colorizer.open(gray))
    return handlers


def colored(handlers: Handlers, request: ColorizeRequest) -> NDArray[np.uint8]:
    params, arrays = replace(request, preview_side=150).to_params()
    return np.frombuffer(handlers.colorize(params, arrays, no_tick).arrays["rgb"].data, np.uint8)


@pytest.mark.parametrize("setting", ["strength", "saturation"])
def test_a_slider_at_nothing_takes_all_of_it(handlers: Handlers, setting: str) -> None:
    asked = ColorizeRequest("photo", theme=BLUES)
    nothing = replace(asked, theme=()) if setting == "strength" else replace(asked, saturation=0)

    slid = colored(handlers, replace(asked, **{setting: 0.0}))  # type: ignore[arg-type]

    assert np.array_equal(slid, colored(handlers, nothing))
    assert not np.array_equal(slid, colored(handlers, asked))


def test_suggestions_are_for_their_place(handlers: Handlers) -> None:
    """Only the photo's upper right quarter is in doubt: blue or red there, green elsewhere."""
    ab = np.zeros((2, 20, 30, 2), np.float32)
    ab[:] = (-40, 30)
    ab[0, :10, 15:], ab[1, :10, 15:] = (20, -60), (60, 40)
    held = handlers.pictures.get("photo")
    assert held is not None
    held.possibilities = Possibilities(ab, np.array((0.6, 0.4), np.float32))

    def count(x: float, y: float) -> int:
        asked = {"picture": "photo", "x": x, "y": y}
        return len(handlers.suggest_colors(asked, {}, no_tick).result["colors"])

    params, arrays = ColorizeRequest("photo").to_params()
    places = handlers.suggest_places(params, arrays, no_tick).result["places"]

    assert (count(450, 100), count(150, 100), count(450, 300)) == (2, 1, 1)
    assert places and all(x > 270 and y < 220 for x, y in places)


def test_photos_of_the_same_bytes_in_other_shapes_are_different_ones() -> None:
    flat = from_numpy(np.zeros((20, 30), np.uint8))
    shapes = [(20, 30), (30, 20), (15, 20, 2)]

    assert len({picture_key(flat.data, "U8", shape) for shape in shapes}) == 3
    assert picture_key(flat.data, "U8", (20, 15)) != picture_key(flat.data, "U16", (20, 15))
