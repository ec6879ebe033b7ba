"""The live window's decisions: a small canvas in memory, a real engine process."""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from gimp_plugin.dots import CELL_COLUMNS, Cell, ReadCell, Thumbnail, trimmed
from gimp_plugin.look import Look
from gimp_plugin.memory import Memory
from gimp_plugin.plan import STRIP_ROWS, USUAL, Refused, Settings, pixel_format
from gimp_plugin.session import (
    AGAIN_MILLISECONDS,
    LOOK_MILLISECONDS,
    Session,
)
from gimp_plugin.work import Connect, Photo
from server.protocol import launcher
from server.protocol.client import Client, EngineMissing, VersionMismatch
from server.protocol.messages import ColorizeResult, HintStrip

RED, BLUE = (200, 40, 40), (40, 60, 200)
NOT_SEEN = 14  # of 255 in one component: what a difference of 2 in CIE a and b can come to
SECONDS = 120  # after which a test gives up on what ought to happen
WARM = ("#7a3b12", "#c08040", "#e0c090")


@dataclass
class PaperCanvas:
    """A photo, a hints layer and a preview, as arrays."""

    gray: np.ndarray
    hints: np.ndarray = field(init=False)
    preview: np.ndarray | None = None
    there: bool = True
    painting: bool | None = False
    place: tuple[int, int] = (0, 0)
    written: list[tuple[int, int]] = field(default_factory=list)  # sizes of what was shown
    read: list[int] = field(default_factory=list)  # first rows of the cells that were read
    limits: tuple[int, ...] = ()
    applied: Memory | None = None
    applied_to: bytes = b""  # the photo that the result was made of
    locked: bool = False
    ready: bool = True
    hints_name: str = "hints"
    look_seconds: float = 0.0
    cancelled: bool = False

    def open(self) -> None:
        self.hints = np.zeros((*self.gray.shape, 4), np.uint8)

    def look(self) -> Look | None:
        if not self.there:
            return None
        height, width = self.gray.shape
        small = cv2.resize(self.hints, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        thumbnail = Thumbnail(small.tobytes(), width // 4, height // 4, 4)
        area = (*self.place, width, height)
        photo = self.gray[::9, ::9].tobytes()
        told = (self.limits, self.painting, self.ready, self.hints_name, self.look_seconds)
        return Look(photo, area, thumbnail, area, *told)

    def read_photo(self) -> Photo:
        height, width = self.gray.shape
        return Photo(self.gray.tobytes(), width, height, pixel_format(150, False))

    def read_cells(self, cells: Sequence[Cell]) -> list[ReadCell]:
        self.read += [top for top, _left in cells]
        return [((top, left), self._cell(top, left)) for top, left in cells]

    def _cell(self, top: int, left: int) -> HintStrip | None:
        part = self.hints[top : top + STRIP_ROWS, left : left + CELL_COLUMNS]
        height, width = part.shape[:2]
        return trimmed(HintStrip(left, top, width, height, part.tobytes()))

    def show(self, result: ColorizeResult, photo: Photo, color_only: bool) -> bool:
        if self.preview is None:
            if (result.width, result.height) != (photo.width, photo.height):
                return False
            self.preview = np.zeros((photo.height, photo.width, 3), np.uint8)
        self.written.append((result.width, result.height))
        pixels = np.frombuffer(result.pixels, np.uint8)
        part = pixels.reshape(result.height, result.width, 3)
        self.preview[result.y : result.y + result.height, result.x :][:, : result.width] = part
        return True

    def hide(self) -> None:
        self.preview = None

    def apply(self, photo: Photo, result: ColorizeResult, memory: Memory) -> None:
        self.preview = None
        if self.locked:
            raise Refused("the layer is locked")
        assert (result.width, result.height) == (photo.width, photo.height)
        self.applied, self.applied_to = memory, photo.pixels

    def cancel(self) -> None:
        self.preview, self.cancelled = None, True

    def dot(self, x: int, y: int, color: tuple[int, int, int], side: int = 8) -> None:
        self.hints[y : y + side, x : x + side] = (*color, 255)


class Stage:
    """A session, its canvas and GIMP's thread."""

    def __init__(self, gray: np.ndarray, connect: Connect, remembered: Settings = USUAL) -> None:
        self.posted: queue.Queue[Callable[[], None]] = queue.Queue()
        self.canvas = PaperCanvas(gray.copy())
        self.heard: list[str] = []
        self.theme_heard: tuple[str, ...] = ()  # of the settings when a theme was last told of
        self.session = Session(self.canvas, self.posted.put, self._hear, connect, remembered)

    def _hear(self, topic: str) -> None:
        self.heard.append(topic)
        if topic == "theme":
            self.theme_heard = self.session.settings.theme

    def until(self, there: Callable[[], bool]) -> None:
        """Let GIMP's thread turn until something is so."""
        end = time.monotonic() + SECONDS
        while not there():
            assert time.monotonic() < end
            self.session.tick()
            try:
                self.posted.get(timeout=0.05)()
            except queue.Empty:
                continue

    def hear(self, topic: str) -> None:
        """Wait until it is told once more."""
        count = self.heard.count(topic)
        self.until(lambda: self.heard.count(topic) > count)

    def begin(self) -> None:
        """Until the first preview is there."""
        self.session.begin()
        self.hear("picture")


@pytest.fixture
def stage(home: Path, gray: np.ndarray) -> Iterator[Stage]:
    stage = Stage(gray, launcher.connect_or_start)
    yield stage
    stage.session.cancel()


def mean(stage: Stage, x: int, y: int) -> np.ndarray:
    assert stage.canvas.preview is not None
    return np.asarray(stage.canvas.preview[y : y + 12, x : x + 12].mean((0, 1)))


def test_a_preview_and_themes_without_any_input(stage: Stage) -> None:
    stage.begin()
    stage.hear("themes")

    assert stage.canvas.written == [(600, 400)]
    assert stage.session.engine.kind == "ready"
    assert all(theme.pixels is not None for theme in stage.session.themes)
    assert len({theme.colors for theme in stage.session.themes}) == len(stage.session.themes) > 3


def test_a_dot_changes_its_region_and_only_what_changed_is_read_and_sent(stage: Stage) -> None:
    stage.begin()
    plain = mean(stage, 300, 330)
    stage.canvas.read.clear()

    stage.canvas.dot(280, 330, RED)
    stage.hear("dots")

    (dot,) = stage.session.dots
    assert abs(dot.x - 284) < 1 and abs(dot.y - 334) < 1 and dot.asked == "#c82828"
    assert (mean(stage, 300, 330) - plain)[0] > (mean(stage, 300, 330) - plain)[2] + 10
    assert stage.canvas.read
    assert set(stage.canvas.read) <= {256, 320, 384}

    stage.canvas.hints[:] = 0
    stage.hear("dots")

    assert stage.session.dots == ()
    assert np.abs(mean(stage, 300, 330) - plain).max() <= NOT_SEEN


def test_the_preview_that_grew_by_parts_is_the_whole_result(stage: Stage) -> None:
    stage.begin()
    stage.canvas.dot(280, 330, RED)
    stage.hear("dots")
    stage.canvas.dot(20, 20, BLUE)
    stage.hear("dots")
    grown = stage.canvas.preview

    again = Stage(stage.canvas.gray, launcher.connect_or_start)
    again.canvas.open()
    again.canvas.open = lambda: None  # type: ignore[method-assign]
    again.canvas.dot(280, 330, RED)
    again.canvas.dot(20, 20, BLUE)
    again.begin()

    assert grown is not None and again.canvas.preview is not None
    # Where the change was too small to be seen the older colours stay.
    assert np.abs(grown.astype(int) - again.canvas.preview.astype(int)).max() <= NOT_SEEN
    again.session.cancel()


def test_on_a_large_photo_the_painted_place_changes_first(home: Path, gray: np.ndarray) -> None:
    large = cv2.resize(gray, (3000, 2000), interpolation=cv2.INTER_CUBIC)
    stage = Stage(large, launcher.connect_or_start)
    stage.begin()
    stage.canvas.written.clear()

    for x, y in ((300, 300), (2700, 300), (300, 1700), (2700, 1700)):
        stage.canvas.dot(x, y, BLUE, side=40)
    stage.until(lambda: len(stage.canvas.written) == 2)

    first, rest = (width * height for width, height in stage.canvas.written)
    assert first < large.size / 3 < rest
    assert len(stage.session.dots) == 4
    blue = [mean(stage, x, y)[2] - mean(stage, x, y)[0] for x in (300, 2700) for y in (300, 1700)]
    assert min(blue) > 20
    stage.session.cancel()


def test_no_half_strokes(stage: Stage) -> None:
    stage.begin()
    shown = len(stage.canvas.written)
    stage.canvas.read.clear()

    stage.canvas.painting = True
    for x in range(100, 200, 10):
        stage.canvas.dot(x, 100, BLUE, side=12)
        stage.session.tick()
        stage.session.tick()
    assert not stage.canvas.read
    stage.canvas.painting = False
    stage.hear("dots")

    assert len(stage.canvas.written) == shown + 1
    assert stage.session.dots


@pytest.mark.parametrize(
    ("painting", "soon"),
    [(False, AGAIN_MILLISECONDS), (None, LOOK_MILLISECONDS), (True, LOOK_MILLISECONDS)],
)
def test_the_second_look_comes_soon_where_the_button_is_surely_up(
    stage: Stage, painting: bool | None, soon: int
) -> None:
    stage.canvas.painting = painting
    stage.begin()
    assert stage.session.tick() == LOOK_MILLISECONDS  # nothing has changed
    stage.canvas.read.clear()

    stage.canvas.dot(100, 100, BLUE)

    assert stage.session.tick() == soon
    assert not stage.canvas.read
    assert stage.session.tick() == LOOK_MILLISECONDS
    assert bool(stage.canvas.read) == (not painting)


def test_where_every_look_takes_long_gimp_has_time_for_itself(stage: Stage) -> None:
    """A small picture of a large layer with filters (Levels …) takes GIMP half a second.

    That of a layer just painted on, or a look while GIMP draws, takes its time once.
    """
    stage.begin()
    stage.session.tick()
    stage.canvas.look_seconds = 0.5
    assert stage.session.tick() <= LOOK_MILLISECONDS
    assert stage.session.tick() >= 1000
    stage.canvas.dot(50, 40, RED)
    assert stage.session.tick() <= LOOK_MILLISECONDS
    stage.canvas.look_seconds = 0.0
    assert stage.session.tick() == LOOK_MILLISECONDS


def test_of_many_wishes_the_newest_is_fulfilled(stage: Stage) -> None:
    stage.begin()
    stage.hear("themes")
    shown = len(stage.canvas.written)

    for step in range(40):
        stage.session.adjust(saturation=step / 39 * 2)
    stage.until(lambda: not stage.session.busy and stage.posted.empty())

    assert stage.session.settings.saturation == 2
    assert len(stage.canvas.written) - shown <= 3
    vivid = stage.canvas.preview
    assert vivid is not None and np.ptp(vivid.astype(int), axis=-1).mean() > 20


def test_a_theme_a_lock_and_reset(stage: Stage) -> None:
    stage.begin()
    plain = stage.canvas.preview
    assert plain is not None
    plain = plain.copy()
    stage.session.use_theme(WARM)
    assert stage.theme_heard == WARM  # what is shown with it is of the same moment
    stage.hear("picture")
    stage.canvas.dot(280, 330, BLUE)
    stage.hear("dots")
    followed = stage.session.dots[0].followed

    stage.session.toggle_lock(stage.session.dots[0])
    stage.hear("dots")
    assert stage.session.dots[0].locked and stage.session.dots[0].followed >= followed
    stage.session.toggle_lock(stage.session.dots[0])
    stage.hear("dots")
    assert not stage.session.dots[0].locked

    stage.canvas.hints[:] = 0
    stage.session.reset()
    stage.hear("dots")
    stage.until(lambda: not stage.session.busy and stage.posted.empty() and not stage.session.dots)
    assert stage.session.settings == USUAL and not stage.session.swatches.row
    assert stage.canvas.preview is not None
    assert np.abs(stage.canvas.preview.astype(int) - plain.astype(int)).max() <= NOT_SEEN


@pytest.mark.parametrize("change", ["crop", "flip", "retouch", "larger canvas"])
def test_locks_open_where_the_dots_lie_elsewhere(stage: Stage, change: str) -> None:
    stage.begin()
    canvas = stage.canvas
    canvas.dot(280, 330, BLUE)
    stage.hear("dots")
    stage.session.toggle_lock(stage.session.dots[0])
    stage.hear("dots")

    if change == "crop":
        canvas.gray, canvas.hints = canvas.gray[:, 9:].copy(), canvas.hints[:, 9:].copy()
    elif change == "flip":
        canvas.gray, canvas.hints = canvas.gray[:, ::-1].copy(), canvas.hints[:, ::-1].copy()
    elif change == "retouch":
        canvas.gray[9:18, 9:18] ^= 64
    else:
        canvas.place = (20, 30)
    stage.hear("dots")

    moved = change in ("crop", "flip")
    assert stage.session.dots[0].locked == bool(stage.session.settings.locked) == (not moved)
    assert any("lock its dots again" in note for note in stage.session.notes) == moved


def test_a_reset_does_not_bring_locks_back_to_other_places(home: Path, gray: np.ndarray) -> None:
    remembered = Settings(theme=WARM, locked=((284.0, 334.0),))
    stage = Stage(gray, launcher.connect_or_start, remembered)
    stage.begin()
    stage.canvas.gray = stage.canvas.gray[:, 9:].copy()
    stage.canvas.hints = stage.canvas.hints[:, 9:].copy()
    stage.hear("picture")

    stage.session.reset()

    assert stage.session.settings == Settings(theme=WARM)
    stage.session.cancel()


def test_a_lock_opens_after_a_stroke_has_moved_the_dots_middle(stage: Stage) -> None:
    stage.begin()
    stage.canvas.dot(280, 330, BLUE, side=40)
    stage.hear("dots")
    stage.session.toggle_lock(stage.session.dots[0])
    stage.hear("dots")
    stage.canvas.dot(320, 330, BLUE, side=12)
    stage.hear("dots")
    (dot,) = stage.session.dots
    assert dot.locked and dot.x > 301

    stage.session.toggle_lock(dot)
    stage.hear("dots")

    assert not stage.session.dots[0].locked and not stage.session.settings.locked


def test_a_selection_is_shown_at_once(stage: Stage) -> None:
    stage.begin()
    shown = len(stage.canvas.written)

    stage.canvas.limits = (10, 10, 90, 90, 1)
    stage.hear("picture")

    assert len(stage.canvas.written) == shown + 1


def test_colours_and_places_are_suggested(stage: Stage) -> None:
    stage.begin()
    stage.until(lambda: bool(stage.session.suggestions))  # by itself, to begin with
    first = stage.session.suggestions
    assert 1 <= len(stage.session.places) <= 3

    stage.session.ask_colors(20, 380)
    stage.hear("suggestions")
    assert stage.session.suggestions and stage.session.suggestions != first

    stage.canvas.dot(280, 330, RED)
    stage.hear("dots")
    assert stage.session.places == ()  # they were the best ones without this dot


def test_themes_from_a_file_and_from_another_picture(stage: Stage, coffee: np.ndarray) -> None:
    stage.begin()
    stage.session.take_file(b"GIMP Palette\nName: Two\n#\n200 10 10\n10 200 10\n", "two")
    stage.hear("theme")
    assert sorted(stage.session.settings.theme) == ["#0ac80a", "#c80a0a"]

    many = "\n".join(f"#{n:02x}40{255 - n:02x}" for n in range(0, 256, 8))
    stage.session.take_file(many.encode(), "many")
    stage.hear("theme")
    stage.hear("picture")
    assert len(stage.session.settings.theme) == 7
    assert any("reduced" in note for note in stage.session.notes)  # still, beside the result

    stage.session.take_picture(coffee.tobytes(), 600, 400)
    stage.hear("theme")
    assert 3 <= len(stage.session.settings.theme) <= 7


def test_a_file_that_is_no_palette_is_said(stage: Stage) -> None:
    stage.begin()
    stage.session.take_file(b"\0\1\2", "noise.ase")
    stage.until(lambda: any("noise" in note for note in stage.session.notes))

    assert stage.session.settings.theme == ()


def test_apply_gives_the_whole_result_and_what_it_was_made_with(stage: Stage) -> None:
    stage.begin()
    stage.session.use_theme(WARM)
    stage.canvas.dot(280, 330, BLUE)
    stage.session.apply()  # without waiting for the preview
    asked = stage.session.settings
    stage.session.adjust(saturation=0.0)  # too late for this result
    stage.hear("end")

    made = stage.canvas.applied
    assert stage.session.settings == asked
    assert stage.session.end == "applied" and made is not None
    assert made.settings.theme == WARM
    assert [dot[2] for dot in made.dots] == ["#283cc8"]
    assert made.network and len(made.weights) == 64
    assert not stage.canvas.cancelled


def test_a_result_that_cannot_be_put_is_said_and_the_window_stays(stage: Stage) -> None:
    stage.canvas.locked = True
    stage.begin()
    stage.session.apply()
    stage.until(lambda: stage.session.notes == ("The layer is locked",))

    assert not stage.session.end and stage.session.fraction is None
    stage.hear("picture")  # the preview had been taken away
    assert stage.canvas.written[-1] == (600, 400)  # whole: the engine was asked otherwise meanwhile
    assert stage.session.notes == ("The layer is locked",)
    stage.session.use_theme(WARM)
    stage.hear("picture")
    assert not stage.session.notes


def test_what_is_too_small_to_be_seen_from_afar_is_in_the_result(stage: Stage) -> None:
    stage.begin()
    stage.canvas.gray[100, 100] ^= 0x80  # between the pixels of the small pictures
    stage.session.apply()
    stage.hear("end")

    assert stage.canvas.applied_to == stage.canvas.gray.tobytes()


def test_a_preview_that_was_deleted_is_made_anew(stage: Stage) -> None:
    stage.begin()
    stage.canvas.preview = None
    stage.canvas.dot(280, 330, BLUE)
    stage.hear("picture")

    assert stage.canvas.written[-1] == (600, 400)


def test_strokes_that_make_no_dots_are_told_of(stage: Stage) -> None:
    stage.begin()
    assert not stage.session.hindrance
    stage.canvas.ready = False
    stage.hear("notes")
    assert "“hints”" in stage.session.hindrance
    stage.canvas.hints_name = "my dots"
    stage.hear("notes")
    assert "“my dots”" in stage.session.hindrance
    stage.canvas.ready = True
    stage.hear("notes")
    assert not stage.session.hindrance


def test_an_image_that_goes_away_ends_it(stage: Stage) -> None:
    stage.begin()
    stage.canvas.there = False

    assert not stage.session.tick()
    assert stage.session.end == "gone" and stage.heard[-1] == "end"


def test_another_photo_under_the_window_is_coloured_anew(stage: Stage) -> None:
    stage.begin()
    stage.until(lambda: bool(stage.session.suggestions))
    stage.heard.clear()
    stage.canvas.gray = np.ascontiguousarray(stage.canvas.gray[::-1])
    stage.until(lambda: {"picture", "themes", "places"} <= set(stage.heard))

    assert stage.canvas.written[-1] == (600, 400)

    stage.canvas.place = (10, 20)  # moved: the preview is made where the photo is now
    stage.hear("picture")
    assert stage.canvas.written[-1] == (600, 400)


def test_what_waits_when_the_photo_changes_is_about_the_new_one(
    home: Path, gray: np.ndarray
) -> None:
    gate = threading.Event()

    def connect(say: Callable[[str], None]) -> Client:
        gate.wait()
        return launcher.connect_or_start(say)

    stage = Stage(gray, connect)
    stage.session.begin()  # and the worker waits for the engine
    stage.session.use_theme(WARM)
    stage.canvas.gray = np.ascontiguousarray(gray[::-1])
    stage.session.tick()
    stage.session.tick()
    gate.set()
    stage.hear("picture")
    flipped = stage.canvas.preview
    stage.session.cancel()

    again = Stage(gray[::-1], launcher.connect_or_start, Settings(theme=WARM))
    again.begin()
    assert flipped is not None and again.canvas.preview is not None
    assert np.array_equal(flipped, again.canvas.preview)
    again.session.cancel()


def test_a_killed_engine_is_started_anew(stage: Stage) -> None:
    stage.begin()
    with launcher.connect_or_start() as client:
        pid = client.info.pid
    states: list[str] = []

    def changed(topic: str) -> None:
        states.append(stage.session.engine.kind)
        stage.heard.append(topic)

    stage.session._changed = changed

    os.kill(pid, signal.SIGKILL)
    stage.session.use_theme(WARM)
    stage.hear("picture")

    assert "restarting" in states and states[-1] == "ready"
    assert stage.canvas.written[-1] == (600, 400)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(EngineMissing("run: install"), "missing"), (VersionMismatch("run: repair"), "mismatch")],
)
def test_no_engine_is_said_and_tried_again(
    home: Path, gray: np.ndarray, error: Exception, kind: str
) -> None:
    errors = [error, error]

    def connect(say: Callable[[str], None]) -> Client:
        if errors:
            raise errors.pop()
        return launcher.connect_or_start(say)

    stage = Stage(gray, connect)
    stage.session.begin()
    stage.until(lambda: stage.session.engine.kind == kind)
    assert stage.session.engine.words.startswith("Run: ")
    stage.until(lambda: not errors and not stage.session.busy)

    stage.session.try_again()
    stage.hear("picture")
    stage.hear("themes")
    assert stage.session.engine.kind == "ready"
    stage.session.cancel()
