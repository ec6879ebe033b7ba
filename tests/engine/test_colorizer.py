"""The engine's public face, with the shipped weights on real photographs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from engine.colorizer import CLOSE_NOTE, PRECISION_NOTE, QUALITIES, WORKING_SIDES, Colorizer
from engine.hints import Hint
from engine.inference import best_device, fused, has_fast_bfloat16, in_bfloat16
from engine.picture import Picture
from engine.progress import Cancelled
from engine.result import Result
from engine.themes import Theme
from engine.weights import load_network

BLUES = Theme(((16, 48, 128), (32, 96, 176), (96, 160, 224)))
EARTH = Theme(((120, 60, 20), (190, 120, 60), (230, 190, 140)))
RED, BLUE = (210, 160, 150), (150, 165, 200)


def mean_ab(result: Result) -> NDArray[np.float32]:
    return np.asarray(result.ab.mean((0, 1)))


def test_no_input_gives_natural_colour(colorizer: Colorizer, picture: Picture) -> None:
    result = colorizer.colorize(picture)
    chroma = np.hypot(result.ab[..., 0], result.ab[..., 1])

    assert result.ab.shape == (*picture.size, 2)
    assert 2 < chroma.mean() < 40


def test_a_theme_changes_the_whole_picture(colorizer: Colorizer, picture: Picture) -> None:
    blue, earth = (mean_ab(colorizer.colorize(picture, theme=t)) for t in (BLUES, EARTH))

    assert blue[1] < -5 < 5 < earth[1]


def test_strength_goes_from_nothing_to_only_these_colours(
    colorizer: Colorizer, picture: Picture
) -> None:
    results = [colorizer.colorize(picture, theme=BLUES, strength=s).ab for s in (0, 0.5, 1, 1.5, 2)]
    plain = colorizer.colorize(picture).ab
    theme = rgb2lab(np.array([BLUES.colors], np.uint8))[0, :, 1:]

    def away(ab: NDArray[np.float32]) -> float:
        return float(np.linalg.norm(ab[:, :, None] - theme, axis=-1).min(-1).mean())

    assert np.array_equal(results[0], plain)
    distances = [away(ab) for ab in results]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 6
    assert np.hypot(*np.moveaxis(results[-1], -1, 0)).min() > 30  # grey is none of them


@pytest.mark.parametrize("color", [(200, 30, 40), (30, 60, 200), (30, 160, 60), (160, 40, 190)])
def test_a_dot_gets_its_colour_and_changes_its_region(
    colorizer: Colorizer, picture: Picture, color: tuple[int, int, int]
) -> None:
    plain = colorizer.colorize(picture).full()
    result = colorizer.colorize(picture, [Hint(300, 60, 5, color)])
    (report,) = result.reports()
    moved = deltaE_ciede2000(rgb2lab(plain), rgb2lab(result.full()))

    assert report.delta_e < 1
    assert moved[55:65, 295:305].mean() > 5
    assert moved[:20, :20].mean() < moved[55:65, 295:305].mean()


@pytest.mark.parametrize("x", [0.0, 300.0, 599.9])
@pytest.mark.parametrize("y", [0.0, 200.0, 399.9])
def test_a_dot_at_the_photos_rim_gets_its_colour(
    colorizer: Colorizer, picture: Picture, x: float, y: float
) -> None:
    (report,) = colorizer.colorize(picture, [Hint(x, y, 6, (200, 30, 40))]).reports()

    assert report.delta_e < 1.5


@pytest.mark.parametrize("saturation", [0.5, 2.0])
def test_a_dots_region_has_its_colour_at_any_saturation(
    colorizer: Colorizer, picture: Picture, saturation: float
) -> None:
    dot = Hint(300, 60, 5, (200, 30, 40))

    (report,) = colorizer.colorize(picture, [dot], BLUES, saturation=saturation).reports()

    assert report.followed > 0.8


def test_a_colour_that_cannot_exist_here_is_told_and_given_to_nothing_else(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    dark = colorizer.open(np.full_like(gray, 12))

    result = colorizer.colorize(dark, [Hint(300, 200, 5, (255, 230, 0))])

    (report,) = result.reports()
    assert max(report.reachable) < 60
    assert report.hint.color == (255, 230, 0)
    assert np.abs(result.ab).max() < 10  # CIE units; 90 were asked for


def test_theme_and_dot_go_together(colorizer: Colorizer, picture: Picture) -> None:
    result = colorizer.colorize(picture, [Hint(300, 60, 5, (200, 30, 40))], BLUES)

    (report,) = result.reports()
    assert report.delta_e < 1
    assert mean_ab(result)[1] < 0


def test_saturation_scales_chroma(colorizer: Colorizer, picture: Picture) -> None:
    plain = colorizer.colorize(picture).ab

    assert np.allclose(colorizer.colorize(picture, saturation=0).ab, 0)
    assert np.allclose(colorizer.colorize(picture, saturation=0.5).ab, plain / 2, atol=1e-4)


@pytest.mark.parametrize("name", ["strength", "saturation"])
@pytest.mark.parametrize("value", [-0.1, 2.1, float("nan")])
def test_values_out_of_range_are_refused(
    colorizer: Colorizer, picture: Picture, name: str, value: float
) -> None:
    with pytest.raises(ValueError, match="from 0 to 2"):
        colorizer.colorize(picture, theme=BLUES, **{name: value})  # type: ignore[arg-type]


def test_what_was_asked_before_does_not_change_the_answer(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    red, blue = (Hint(300, 60, 5, color) for color in ((200, 30, 40), (30, 60, 200)))
    known = colorizer.open(gray)

    for theme in (None, BLUES, EARTH):
        for hints in ((), (red,), (blue,), (red, replace(blue, x=500))):
            fresh = colorizer.colorize(colorizer.open(gray), hints, theme).ab
            assert np.array_equal(colorizer.colorize(known, hints, theme).ab, fresh)


def test_only_how_the_shares_of_a_theme_compare_counts(
    colorizer: Colorizer, picture: Picture
) -> None:
    first, second = (
        colorizer.colorize(picture, theme=replace(EARTH, shares=shares)).ab
        for shares in ((0.5, 0.25, 0.25), (4, 2, 2))
    )

    assert np.array_equal(first, second)


def test_a_new_theme_does_not_run_the_encoder(
    colorizer: Colorizer, gray: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = colorizer.open(gray)
    colorizer.colorize(picture, theme=BLUES)

    def encode(*_: Any) -> None:
        raise AssertionError("the encoder ran again")

    monkeypatch.setattr(colorizer.network, "encode", encode)
    colorizer.colorize(picture, theme=EARTH)


@pytest.mark.parametrize("hints", [[], [Hint(300, 60, 5, (200, 30, 40))]])
def test_sliders_do_not_run_the_network(
    colorizer: Colorizer,
    gray: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    hints: list[Hint],
) -> None:
    picture = colorizer.open(gray)
    first = colorizer.colorize(picture, hints, BLUES, strength=0.5)

    def run(*_: Any) -> None:
        raise AssertionError("the network ran again")

    monkeypatch.setattr(colorizer.network, "encode", run)
    monkeypatch.setattr(colorizer.network, "decode", run)
    for strength in (0, 0.2, 1, 1.7, 2):
        colorizer.colorize(picture, hints, BLUES, strength=strength, saturation=1.3)
    again = colorizer.colorize(picture, hints, BLUES, strength=0.5)
    assert np.array_equal(again.ab, first.ab)


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.99, 1.0, 1.5, 1.99])
def test_a_small_move_of_the_strength_is_a_small_change(
    colorizer: Colorizer, picture: Picture, strength: float
) -> None:
    before, after = (
        colorizer.colorize(picture, theme=BLUES, strength=value).ab
        for value in (strength, strength + 0.01)
    )

    assert 0 < np.abs(after - before).max() < 3  # CIE units; a whole turn of the slider is 100 such


def test_what_is_kept_of_a_picture_is_bounded(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    picture = colorizer.open(gray)
    for blue in range(12):
        colorizer.colorize(picture, theme=Theme(((90, 60, 100 + blue),)))

    assert len(picture.decoded) == 8


def test_transparent_pixels_have_no_say(colorizer: Colorizer, gray: NDArray[np.uint8]) -> None:
    alpha = np.full_like(gray, 255)
    alpha[:, :100] = 0
    loud = gray.copy()
    loud[:, :100] = np.random.default_rng(0).integers(0, 256, (400, 100))
    calm = gray.copy()
    calm[:, :100] = 0

    a, b = (colorizer.colorize(colorizer.open(np.dstack((g, alpha)))).ab for g in (loud, calm))

    assert np.allclose(a, b, atol=1e-3)


def test_cancelling_stops(colorizer: Colorizer, picture: Picture) -> None:
    def tick(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        colorizer.colorize(picture, tick=tick)


@pytest.mark.parametrize(
    ("gray", "words"),
    [
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5, 5, 3), np.uint8), "height, width"),
        (np.zeros((5, 5), np.int64), "uint8"),
        (np.zeros((5, 5, 2), np.uint8), "fully transparent"),
    ],
)
def test_what_is_no_photo_is_refused(colorizer: Colorizer, gray: NDArray[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        colorizer.open(gray)


def test_a_photo_whose_alpha_is_nowhere_above_zero_is_refused(colorizer: Colorizer) -> None:
    with pytest.raises(ValueError, match="fully transparent"):
        colorizer.open(np.full((5, 5, 2), (0.5, np.nan), np.float32))


def test_what_is_no_lightness_spoils_no_neighbours(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    clean = (gray / 255).astype(np.float32)
    clean[100:140:5, 200:240:5], clean[300:340:5, 200:240:5] = 0, 1
    raw = clean.copy()
    raw[100:140:5, 200:240:5], raw[300:340:5, 200:240:5] = np.nan, 1e6

    picture, expected = colorizer.open(raw), colorizer.open(clean)

    assert torch.equal(picture.lightness, expected.lightness)
    assert np.array_equal(picture.reduced(100), expected.reduced(100))
    result = colorizer.colorize(picture).full()
    assert result.dtype == np.float32 and np.isfinite(result).all()
    assert expected.gray is clean  # not copied


def test_a_photo_that_is_too_large_is_refused(colorizer: Colorizer) -> None:
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (20_000, 20_000), (0, 0))

    with pytest.raises(ValueError, match="400 megapixels"):
        colorizer.open(huge)


def test_thumbnails_show_each_theme(colorizer: Colorizer, picture: Picture) -> None:
    blue, earth = colorizer.thumbnails(picture, [BLUES, EARTH], 120)

    assert blue.shape == earth.shape == (80, 120, 3)
    assert blue[..., 2].mean() > earth[..., 2].mean() + 5


@pytest.mark.parametrize("factor", [float("nan"), 0.0], ids=["not finite", "flat"])
def test_a_bad_answer_in_short_numbers_is_made_again_in_single_precision_and_said(
    gray: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    colorizer = Colorizer.load(device="cpu")
    colorizer.network = short = in_bfloat16(colorizer.network)
    picture = colorizer.open(gray)
    decode = short.decode
    monkeypatch.setattr(short, "decode", lambda *arguments: decode(*arguments) * factor)

    result = colorizer.colorize(picture, theme=BLUES)

    assert np.isfinite(result.ab).all() and np.ptp(result.ab) > 1
    assert any("single precision" in note for note in result.notes)
    assert colorizer.network is not short
    assert not colorizer.colorize(picture).notes


def test_thumbnails_and_possibilities_are_made_again_in_single_precision(
    gray: NDArray[np.uint8],
) -> None:
    themes = [BLUES, EARTH]
    sound = Colorizer.load(device="cpu")
    for ask in ("thumbnails", "possibilities"):
        colorizer = Colorizer.load(device="cpu")
        colorizer.network = short = in_bfloat16(fused(load_network()))
        with torch.no_grad():
            next(short.parameters()).fill_(float("nan"))
        picture = colorizer.open(gray)

        if ask == "thumbnails":
            seen = np.stack(colorizer.thumbnails(picture, themes, 96)).astype(float)
            wanted = np.stack(sound.thumbnails(sound.open(gray), themes, 96)).astype(float)
        else:
            seen = colorizer.possibilities(picture, themes).ab
            wanted = sound.possibilities(sound.open(gray), themes).ab

        assert colorizer.network is not short
        assert np.abs(seen - wanted).max() < 6  # bfloat16, where the processor has it


@pytest.mark.parametrize("shape", [(480, 720), (720, 480), (480, 600)])
def test_thumbnails_keep_the_photos_shape(shape: tuple[int, int]) -> None:
    """Half of 160 x 224 is 96 x 128 or 64 x 96, to multiples of 32: never 64 x 128."""
    colorizer = Colorizer.load(device="cpu")
    picture = colorizer.open(np.tile(np.arange(shape[1], dtype=np.uint8), (shape[0], 1)))

    height, width = colorizer.possibilities(picture, []).ab.shape[1:3]

    assert abs(np.log((height / width) / (shape[0] / shape[1]))) < np.log(1.3)


def test_an_answer_that_is_nearly_as_flat_in_single_precision_is_taken(
    gray: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    colorizer = Colorizer.load(device="cpu")
    precise = colorizer._precise
    colorizer.network = short = in_bfloat16(precise)
    picture = colorizer.open(gray)
    decode = precise.decode
    monkeypatch.setattr(short, "decode", lambda *_: torch.zeros(1, 2, *picture.lightness.shape[2:]))
    monkeypatch.setattr(precise, "decode", lambda *arguments: decode(*arguments) * 0.01)

    result = colorizer.colorize(picture)

    assert colorizer.network is short and not result.notes


def test_a_locked_dot_takes_all_of_its_region(colorizer: Colorizer, picture: Picture) -> None:
    free = Hint(500, 60, 6, (40, 120, 60))
    locked = Hint(500, 60, 6, (40, 120, 60), locked=True)

    before, after = (colorizer.colorize(picture, [hint]).reports()[0] for hint in (free, locked))

    assert after.followed > 0.95
    assert after.followed > before.followed


def test_a_photo_that_is_one_colour_is_no_fault(gray: NDArray[np.uint8]) -> None:
    colorizer = Colorizer.load(device="cpu")
    network = colorizer.network

    result = colorizer.colorize(colorizer.open(np.full_like(gray, 90)), theme=BLUES, strength=2)

    assert not result.notes and colorizer.network is network


def test_a_photo_from_before_the_change_to_32_bits_can_be_coloured_on(
    gray: NDArray[np.uint8],
) -> None:
    colorizer = Colorizer.load(device="cpu")
    colorizer.network = in_bfloat16(fused(load_network()))
    first, second = colorizer.open(gray), colorizer.open(gray[::2])
    colorizer.colorize(first)
    with torch.no_grad():
        next(colorizer.network.parameters()).fill_(float("nan"))

    changed = colorizer.colorize(second)
    goes_on = colorizer.colorize(first, theme=BLUES)

    assert changed.notes == (PRECISION_NOTE,) and not goes_on.notes
    assert np.isfinite(goes_on.ab).all()


def test_weights_that_give_no_numbers_are_called_damaged(gray: NDArray[np.uint8]) -> None:
    network = load_network()
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    colorizer = Colorizer(network, "default", "cpu", "")

    with pytest.raises(RuntimeError, match="damaged"):
        colorizer.colorize(colorizer.open(gray))


def test_a_gpu_that_this_torch_has_no_kernels_for_is_not_used(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def ones(*_arguments: object, device: str) -> torch.Tensor:
        raise torch.AcceleratorError("CUDA error: no kernel image is available for execution")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", ones)

    assert best_device() == "cpu"
    assert "no kernel image" in caplog.text


def test_emulated_bfloat16_is_not_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    def is_bf16_supported(including_emulation: bool = True) -> bool:
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_bf16_supported)

    assert not has_fast_bfloat16("cuda")


def test_short_numbers_and_fused_layers_change_ab_by_little(
    gray: NDArray[np.uint8], picture: Picture
) -> None:
    hints = [Hint(300, 60, 5, (200, 30, 40))]
    precise = Colorizer.load(device="cpu")
    precise.network = load_network()
    short = Colorizer.load(device="cpu")
    short.network = in_bfloat16(fused(load_network()))
    single = Colorizer.load(device="cpu")
    single.network = fused(load_network())

    a, b, c = (x.colorize(x.open(gray), hints, BLUES).ab for x in (precise, single, short))

    assert np.abs(a - b).max() < 0.01  # CIE units
    assert np.abs(a - c).max() < 2 and np.abs(a - c).mean() < 0.2


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_quality_colours_and_has_its_own_working_size(
    colorizer: Colorizer, gray: NDArray[np.uint8], quality: str
) -> None:
    picture = colorizer.open(gray, quality)

    height, width = picture.size
    assert height % 32 == width % 32 == 0
    assert height * width == pytest.approx(WORKING_SIDES[quality] ** 2, rel=0.1)
    assert width / height == pytest.approx(600 / 400, rel=0.15)
    assert colorizer.colorize(picture).full().shape == (400, 600, 3)


@pytest.mark.parametrize("shape", [(1, 100_000), (100_000, 1), (3, 5000)])
def test_a_very_long_photo_takes_no_more_work_than_others(
    colorizer: Colorizer, shape: tuple[int, int]
) -> None:
    picture = colorizer.open(np.full(shape, 90, np.uint8))

    assert picture.size[0] * picture.size[1] <= WORKING_SIDES["normal"] ** 2
    assert (
        colorizer.colorize(picture, [Hint(0.5, 0.5, 0.5, (200, 30, 40))]).full().shape[:2] == shape
    )


@pytest.mark.parametrize("apart", [1.4, 2.0, 3.0])  # cells of the working size
def test_near_dots_have_their_colours_in_the_enlarged_picture(
    colorizer: Colorizer, gray: NDArray[np.uint8], apart: float
) -> None:
    large = cv2.resize(gray, (4800, 3200), interpolation=cv2.INTER_CUBIC)
    cell = 4800 / colorizer.open(large).size[1]
    hints = [Hint(2400, 500, 4, RED), Hint(2400 + apart * cell, 500, 4, BLUE)]

    result = colorizer.colorize(colorizer.open(large), hints)

    for report in result.reports():
        area = (int(report.hint.x) - 3, int(report.hint.y) - 3, 7, 7)
        there = rgb2lab(result.full(area=area)).mean((0, 1))
        wanted = rgb2lab(np.array([[report.reachable]], np.uint8))[0, 0]
        assert deltaE_ciede2000(there, wanted) < 1.5
        assert report.delta_e < 1


def test_dots_that_share_a_place_of_the_working_size_are_told(
    colorizer: Colorizer, gray: NDArray[np.uint8]
) -> None:
    picture = colorizer.open(cv2.resize(gray, (4800, 3200)))
    near, far = Hint(2400, 500, 4, (190, 90, 80)), Hint(2600, 500, 4, (90, 110, 190))

    assert colorizer.colorize(picture, [near, replace(far, x=2405)]).notes == (CLOSE_NOTE,)
    assert not colorizer.colorize(picture, [near, far]).notes
    assert not colorizer.colorize(picture, [near, replace(near, x=2405)]).notes


def test_an_unknown_quality_is_refused(colorizer: Colorizer, gray: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="draft, normal, fine"):
        colorizer.open(gray, "best")
