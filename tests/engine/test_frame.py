"""What lies around a photograph is told from it, and left grey."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.color import lab_of
from engine.colorizer import FRAME_NOTE, Colorizer
from engine.frame import inside, whole
from engine.gray import restored
from engine.hints import Hint
from engine.recommend import ThemeRecommender
from engine.themes import Theme
from engine.weights import load_network
from tests.conftest import SAMPLES

AUTUMN = Theme(((120, 60, 20), (190, 130, 60), (90, 90, 40)))
MARGINS = (40, 55, 30, 70)  # top, bottom, left, right


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load(device="cpu")


@pytest.fixture(scope="module")
def photo() -> NDArray[np.uint8]:
    return sample("coffee.png")


def sample(name: str) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(SAMPLES / name), cv2.IMREAD_GRAYSCALE), np.uint8)


def framed(photo: NDArray[np.uint8], tone: int, noise: float = 0.0) -> NDArray[np.uint8]:
    top, bottom, left, right = MARGINS
    around = cv2.copyMakeBorder(photo, top, bottom, left, right, cv2.BORDER_CONSTANT, value=[tone])
    mask = np.ones(around.shape, np.bool_)
    mask[top:-bottom, left:-right] = False
    grain = np.random.default_rng(0).normal(0, noise, around.shape)
    return np.where(mask, np.clip(around + grain, 0, 255), around).astype(np.uint8)


def box(photo: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    height, width = photo.shape
    return MARGINS[0], MARGINS[0] + height, MARGINS[2], MARGINS[2] + width


@pytest.mark.parametrize(("tone", "noise"), [(255, 0), (250, 2), (4, 2), (190, 5), (90, 4)])
@pytest.mark.parametrize("name", ["coffee.png", "chelsea.png", "rocket.jpg"])
def test_a_frame_is_found(name: str, tone: int, noise: float) -> None:
    photo = sample(name)
    seen = framed(photo, tone, noise)

    for gray in (seen, seen.astype(np.uint16) * 257, seen.astype(np.float32) / 255):
        assert np.abs(np.subtract(inside(gray), box(photo))).max() <= 5


def test_a_rim_within_a_margin_is_found(photo: NDArray[np.uint8]) -> None:
    rim = cv2.copyMakeBorder(photo, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=[3])
    seen = cv2.copyMakeBorder(rim, 30, 30, 30, 30, cv2.BORDER_CONSTANT, value=[252])

    height, width = photo.shape
    found = inside(np.asarray(seen))
    assert np.abs(np.subtract(found, (42, 42 + height, 42, 42 + width))).max() <= 5


def bordered(
    photo: NDArray[np.uint8], sides: tuple[int, int, int, int], tone: int
) -> NDArray[np.uint8]:
    """sides: pixels at the top, at the bottom, at the left and at the right."""
    around = cv2.copyMakeBorder(photo, *sides, cv2.BORDER_CONSTANT, value=[tone])
    return np.asarray(around, np.uint8)


def test_a_side_is_believed_beside_two_of_its_tone(photo: NDArray[np.uint8]) -> None:
    """A mount that was cut off below: nothing is opposite the one above."""
    seen = bordered(photo, (40, 0, 50, 60), 190)

    found = inside(seen)

    height, width = photo.shape
    assert np.abs(np.subtract(found, (40, 40 + height, 50, 50 + width))).max() <= 5


def test_a_thin_line_is_believed_beside_two_more_sides(photo: NDArray[np.uint8]) -> None:
    seen = bordered(bordered(photo, (0, 0, 50, 60), 190), (3, 0, 0, 0), 90)

    assert inside(seen)[0] == pytest.approx(3, abs=2)


@pytest.mark.parametrize(("tone", "edge"), [(200, 0), (252, 80), (5, 80)])
def test_an_even_sky_is_no_frame_unless_it_is_white_or_black(
    photo: NDArray[np.uint8], tone: int, edge: int
) -> None:
    seen = photo.copy()
    seen[:80] = tone

    assert inside(seen)[0] == pytest.approx(edge, abs=5)
    assert inside(seen)[1:] == whole(seen)[1:]


def test_a_small_picture_on_a_large_page_is_not_cut_out(photo: NDArray[np.uint8]) -> None:
    seen = bordered(photo, (260, 260, 390, 390), 252)

    assert inside(seen) == whole(seen)


@pytest.mark.parametrize(
    "name", ["coffee.png", "chelsea.png", "astronaut.png", "rocket.jpg", "motorcycle_left.png"]
)
def test_a_photo_without_a_frame_is_all_inside(name: str) -> None:
    gray = sample(name)

    for seen in (gray, gray[:, ::-1], gray.T, gray[::3, ::3]):
        assert inside(np.ascontiguousarray(seen)) == whole(seen)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (31, 31), (40, 3000)])
@pytest.mark.parametrize("tone", [0, 128, 255])
def test_what_is_of_one_tone_or_tiny_is_all_inside(shape: tuple[int, int], tone: int) -> None:
    assert inside(np.full(shape, tone, np.uint8)) == (0, shape[0], 0, shape[1])


def test_a_photo_that_is_cut_out_has_no_frame(photo: NDArray[np.uint8]) -> None:
    gray = framed(photo, 255)
    opaque = np.stack((gray, np.full_like(gray, 255)), -1)
    cut_out = opaque.copy()
    cut_out[:50, :50, 1] = 0

    assert inside(opaque) == inside(gray) != whole(gray)
    assert inside(cut_out) == whole(cut_out)


@pytest.mark.parametrize("tone", [255, 6])
def test_the_photo_has_the_colours_that_it_has_by_itself(
    colorizer: Colorizer, photo: NDArray[np.uint8], tone: int
) -> None:
    top, bottom, left, right = box(photo)
    around = colorizer.open(framed(photo, tone))
    alone = colorizer.open(photo)
    cells = np.prod(alone.size) * around.gray.size / alone.gray.size
    assert np.prod(around.size) == pytest.approx(cells, rel=0.1)
    dot = Hint(300, 60, 6, (200, 40, 40))
    moved = replace(dot, x=dot.x + left, y=dot.y + top)

    for theme, dots, there in ((None, (), ()), (AUTUMN, (), ()), (AUTUMN, (dot,), (moved,))):
        wanted = lab_of(colorizer.colorize(alone, dots, theme).full())[..., 1:]
        result = colorizer.colorize(around, there, theme)
        assert result.notes == (FRAME_NOTE,)
        pixels = lab_of(result.full())[..., 1:]
        distance = np.linalg.norm(pixels[top:bottom, left:right] - wanted, axis=-1)
        assert distance.mean() < 2  # CIE units; with the frame in its sight it is 5 and more
        outermost = np.concatenate([pixels[:10].reshape(-1, 2), pixels[:, -10:].reshape(-1, 2)])
        assert np.abs(outermost).max() < 1
        assert all(report.delta_e < 3 for report in result.reports())


def test_a_dot_on_the_frame_colours_it(colorizer: Colorizer, photo: NDArray[np.uint8]) -> None:
    picture = colorizer.open(framed(photo, 190))
    dot = Hint(20, 20, 6, (200, 170, 120))

    (report,) = (result := colorizer.colorize(picture, [dot])).reports()

    assert report.delta_e < 3 and not result.notes
    assert np.abs(lab_of(result.full())[15:25, 15:25, 1:]).mean() > 5


def test_a_region_ends_at_the_frame(colorizer: Colorizer) -> None:
    """Also where the photo has the frame's tone there."""
    photo = sample("chelsea.png").copy()
    photo[110:200, -120:] = 200 + np.arange(120, dtype=np.uint8) // 20
    gray = framed(photo, 210)
    picture = colorizer.open(gray)
    top, _bottom, _left, right = box(photo)
    assert np.abs(np.subtract(inside(gray), box(photo))).max() <= 5  # or this shows nothing
    dot = Hint(right - 40, top + 150, 6, (60, 90, 200), locked=True)

    (region,) = picture.regions([dot])
    (report,) = (result := colorizer.colorize(picture, [dot])).reports()

    height, width = picture.size
    assert not region[: top * height // gray.shape[0] - 1].any()
    assert not region[:, (right + 8) * width // gray.shape[1] + 1 :].any()
    assert np.abs(lab_of(result.full())[:10, :, 1:]).max() < 1
    assert report.followed > 0.9


@pytest.mark.parametrize("beside", [6, 30])
def test_a_dot_at_the_frames_edge_is_of_the_photo(
    colorizer: Colorizer, photo: NDArray[np.uint8], beside: int
) -> None:
    """The edge is not known to the pixel; a dot that is clearly beside it is on the frame."""
    top, _bottom, left, _right = box(photo)
    picture = colorizer.open(framed(photo, 255))
    dot = Hint(left + 200, top - beside, 4, (200, 40, 40))

    (region,) = picture.regions([dot])
    (report,) = colorizer.colorize(picture, [dot]).reports()

    of_photo = beside == 6
    assert (picture.seen([dot]) is picture.inner) == of_photo
    assert region[: top * picture.size[0] // picture.height].any() == (not of_photo)
    assert region.any() and report.delta_e < 3


def test_themes_and_thumbnails_are_of_what_is_inside(
    colorizer: Colorizer, photo: NDArray[np.uint8]
) -> None:
    recommender = ThemeRecommender.load(load_network("default"))
    around, alone = colorizer.open(framed(photo, 255)), colorizer.open(photo)

    first, second = (
        recommender.recommend(picture.seen(()).working_lightness, 3) for picture in (around, alone)
    )
    assert [theme.colors for theme in first] == [theme.colors for theme in second]
    (thumbnail,) = colorizer.thumbnails(around, [AUTUMN], 120)
    assert np.ptp(thumbnail[:3].astype(int), axis=-1).max() <= 3  # the frame
    assert np.ptp(thumbnail.astype(int), axis=-1).max() > 20


@pytest.mark.parametrize(("gain", "lift"), [(0.3, 0.0), (0.35, 0.65), (0.3, 0.4)])
def test_a_faded_photo_is_seen_with_its_contrast(
    colorizer: Colorizer,
    photo: NDArray[np.uint8],
    gain: float,
    lift: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = photo.astype(np.float32) / 255
    wanted = colorizer.colorize(colorizer.open(values)).ab

    def distance() -> float:
        faded = colorizer.open(values * np.float32(gain) + np.float32(lift))
        return float(np.abs(colorizer.colorize(faded).ab - wanted).mean())

    with_contrast = distance()
    monkeypatch.setattr("engine.colorizer.restored", lambda lightness: lightness)

    assert with_contrast < 0.5 * distance()


def test_a_photo_of_usual_contrast_is_seen_as_it_is(photo: NDArray[np.uint8]) -> None:
    values = np.asarray(photo / 255, np.float32)

    assert restored(values) is values
    least = values * np.float32(0.5 / np.ptp(np.quantile(values, (0.01, 0.99))))
    assert 0 < np.abs(restored(least) - least).max() < 0.2  # hardly faded, hardly restored
    assert np.ptp(restored(values * np.float32(0.05) + np.float32(0.5))) < 0.25  # grain stays
    dark = np.asarray(values * np.float32(0.2), np.float32)
    light = restored(dark)
    assert light.min() >= 0 and light.max() <= 1 and np.ptp(light) > 2 * np.ptp(dark)
