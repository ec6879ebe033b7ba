"""Live results: only what is seen to change travels, and what is left out does not add up."""

from __future__ import annotations

import numpy as np

from server.protocol.client import Client
from server.protocol.messages import ColorizeRequest, ColorizeResult

SMALL = 14  # of 255: what differences of 2 in CIE a and b can come to in a component


def pixels(result: ColorizeResult) -> np.ndarray:
    return np.frombuffer(result.pixels, np.uint8).reshape(result.height, result.width, 3)


def test_small_changes_are_left_out_and_do_not_add_up(engine: Client, gray: np.ndarray) -> None:
    key = engine.open_picture(gray.tobytes(), 600, 400, 1, "U8")
    first = engine.colorize(ColorizeRequest(key))
    shown, name, sizes = pixels(first).copy(), first.name, []

    for step in range(1, 41):
        saturation = 1 + step / 40
        request = ColorizeRequest(key, saturation=saturation, since=name, live=True)
        result = engine.colorize(request)
        shown[result.y :, result.x :][: result.height, : result.width] = pixels(result)
        name = result.name
        sizes.append(result.width * result.height)

    wanted = pixels(engine.colorize(ColorizeRequest(key, saturation=2.0)))
    assert 0 in sizes and max(sizes) > 0
    assert np.abs(shown.astype(int) - wanted.astype(int)).max() <= SMALL
    assert np.abs(shown.astype(int) - pixels(first).astype(int)).max() > SMALL


def test_what_is_not_live_is_exact(engine: Client, gray: np.ndarray) -> None:
    key = engine.open_picture(gray.tobytes(), 600, 400, 1, "U8")
    name = engine.colorize(ColorizeRequest(key)).name

    live = engine.colorize(ColorizeRequest(key, saturation=1.04, since=name, live=True))
    exact = engine.colorize(ColorizeRequest(key, saturation=1.04, since=live.name))

    assert exact.width * exact.height > live.width * live.height
