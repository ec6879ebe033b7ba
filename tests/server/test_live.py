"""Live results: only what is seen to change travels, and what is left out does not add up."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from server.protocol.client import Client
from server.protocol.messages import ColorizeRequest, ColorizeResult, Dot

SMALL = 14  # of 255: what differences of 2 in CIE a and b can come to in a component


def pixels(result: ColorizeResult) -> np.ndarray:
    return np.frombuffer(result.pixels, np.uint8).reshape(result.height, result.width, 3)


def dots(count: int) -> tuple[Dot, ...]:
    """Brownish dots along a diagonal."""
    return tuple(Dot(30.0 * n, 20.0 * n, 3.0, f"#8{n % 10}7060") for n in range(1, count + 1))


def test_small_changes_by_dots_are_left_out_and_do_not_add_up(
    engine: Client, gray: np.ndarray
) -> None:
    key = engine.open_picture(gray.tobytes(), 600, 400, 1, "U8")
    first = engine.colorize(ColorizeRequest(key))
    shown, name, sizes = pixels(first).copy(), first.name, []

    for count in range(1, 19):
        request = ColorizeRequest(key, dots=dots(count), since=name, live=True)
        result = engine.colorize(request)
        shown[result.y :, result.x :][: result.height, : result.width] = pixels(result)
        name = result.name
        sizes.append(result.width * result.height)

    wanted = pixels(engine.colorize(ColorizeRequest(key, dots=dots(18))))
    assert min(sizes) < 600 * 400 / 2
    assert np.abs(shown.astype(int) - wanted.astype(int)).max() <= SMALL
    assert np.abs(shown.astype(int) - pixels(first).astype(int)).max() > SMALL


def test_the_rest_of_what_a_dot_changes_is_what_is_seen_of_it(
    engine: Client, gray: np.ndarray
) -> None:
    large = cv2.resize(gray, (3000, 2000), interpolation=cv2.INTER_CUBIC)
    key = engine.open_picture(large.tobytes(), 3000, 2000, 1, "U8")
    before = tuple(Dot(150.0 * n, 100.0 * n, 15.0, f"#8{n % 10}7060") for n in range(1, 19))
    dotted = ColorizeRequest(key, dots=(*before, Dot(2200, 1600, 20, "#a06040")), live=True)

    def first_part() -> ColorizeResult:
        since = engine.colorize(ColorizeRequest(key, dots=before)).name
        return engine.colorize(replace(dotted, since=since, near=(2200, 1600)))

    first = first_part()
    rest = engine.colorize(replace(dotted, since=first.name))
    exact = engine.colorize(replace(dotted, since=first_part().name, live=False))
    slid = engine.colorize(replace(dotted, since=first_part().name, saturation=1.05))

    assert first.more and not rest.more
    assert 0 < rest.width * rest.height < exact.width * exact.height
    assert slid.width * slid.height > rest.width * rest.height


def test_a_small_step_of_a_slider_is_shown(engine: Client, gray: np.ndarray) -> None:
    key = engine.open_picture(gray.tobytes(), 600, 400, 1, "U8")
    name = engine.colorize(ColorizeRequest(key)).name

    step = engine.colorize(ColorizeRequest(key, saturation=1.05, since=name, live=True))

    assert step.width * step.height > 600 * 400 / 2


def test_what_is_not_live_is_exact(engine: Client, gray: np.ndarray) -> None:
    key = engine.open_picture(gray.tobytes(), 600, 400, 1, "U8")
    name = engine.colorize(ColorizeRequest(key, dots=dots(1))).name

    live = engine.colorize(ColorizeRequest(key, dots=dots(2), since=name, live=True))
    name = engine.colorize(ColorizeRequest(key, dots=dots(1))).name
    exact = engine.colorize(ColorizeRequest(key, dots=dots(2), since=name))

    assert exact.width * exact.height > live.width * live.height
