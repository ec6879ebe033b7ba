"""The live window's decisions: what to notice, what to ask the engine, what to show.

A session gets its three outside worlds as arguments: the canvas, a way to connect to the engine,
and `post`, which has something run on GIMP's thread. All its methods run on that thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Optional, Protocol

from gimp_plugin.dots import Cell, Painted, ReadCell, changed_cells
from gimp_plugin.engine_link import STARTING, EngineLink, EngineState
from gimp_plugin.look import Look, dots_moved, middle_of
from gimp_plugin.memory import Memory
from gimp_plugin.plan import USUAL, Refused, Settings
from gimp_plugin.swatches import Swatches
from gimp_plugin.texts import _
from gimp_plugin.work import Connect, Photo, memory_of, request_of
from gimp_plugin.worker import Post, Task, Worker
from server.protocol import launcher
from server.protocol.client import EngineError, JobCancelled
from server.protocol.messages import (
    ColorizeRequest,
    ColorizeResult,
    ColorSuggestion,
    DotReport,
    ThemeResult,
)

LOOK_MILLISECONDS = 50  # from one look at the canvas to the next
AGAIN_MILLISECONDS = 15  # instead, after a change with the mouse button surely up
SLOW_SECONDS = 0.05  # if GIMP is longer about each look, they are followed by a rest
REST = 3  # times as long as a look: GIMP stands still during a look, and has work of its own
LOCKS_GONE = _("The photograph was cropped, turned or moved: lock its dots again.")


class Canvas(Protocol):
    """The image, as far as a session needs it."""

    def open(self) -> None:
        """Make what the user paints on."""

    def look(self) -> Optional[Look]:  # noqa: UP045
        """None: it cannot be followed any more, the photo is gone for one."""

    def read_photo(self) -> Photo: ...

    def read_cells(self, cells: Sequence[Cell]) -> list[ReadCell]:
        """These parts of the hints layer."""

    def show(self, result: ColorizeResult, photo: Photo, color_only: bool) -> bool:
        """Write a result, or the rectangle that changed, into the preview. Raises Refused.

        Returns False where there is no preview for a rectangle any more.
        """

    def hide(self) -> None:
        """Take the preview away."""

    def apply(self, photo: Photo, result: ColorizeResult, memory: Memory) -> None:
        """Put the result into the image. Raises Refused."""

    def cancel(self) -> None:
        """Leave the image as it was found."""


class Session:
    """One image being coloured in the window, until it is applied or cancelled."""

    def __init__(
        self,
        canvas: Canvas,
        post: Post,
        changed: Callable[[str], None],
        connect: Connect = launcher.connect_or_start,
        remembered: Settings = USUAL,
        notes: Sequence[str] = (),
    ) -> None:
        """changed: told what to draw anew: "engine", "picture", "dots", "themes", "theme",
        "suggestions", "places", "notes", "progress" or "end". remembered: what to begin with.
        notes: what to say until the next theme or Apply.
        """
        self.engine: EngineState = STARTING
        self.swatches = Swatches().taking(remembered.theme, remembered.shares)
        self.settings = remembered
        self.themes: tuple[ThemeResult, ...] = ()
        self.dots: tuple[DotReport, ...] = ()
        self.notes: tuple[str, ...] = ()
        self._lasting_notes = tuple(notes)  # until the next theme or Apply
        self.suggestions: tuple[ColorSuggestion, ...] = ()
        self.place = (0.0, 0.0)  # in the photo, that the suggestions are for
        self.places: tuple[tuple[float, float], ...] = ()
        self.fraction: Optional[float] = None  # noqa: UP045  of the final result; None: not asked
        self.end = ""  # "applied", "cancelled" or "gone" once it is over
        self._canvas, self._changed, self._post = canvas, changed, post
        self._begun_with = remembered
        self._worker = Worker(post)
        self._link = EngineLink(connect, lambda state: post(lambda: self._engine_is(state)))
        self._photo: Optional[Photo] = None  # noqa: UP045
        self._painted = Painted()
        self._read: Optional[Look] = None  # noqa: UP045  what was last read at full size
        self._last: Optional[Look] = None  # noqa: UP045
        self._slow = False  # that look took long
        self._painted_at: Optional[tuple[float, float]] = None  # noqa: UP045  where it was painted last
        self._whole = True  # the preview holds nothing yet that a part could be added to

    @property
    def size(self) -> tuple[int, int]:
        """The photo's width and height."""
        return (self._photo.width, self._photo.height) if self._photo else (1, 1)

    @property
    def busy(self) -> bool:
        return self._worker.busy

    @property
    def hindrance(self) -> str:
        """Why a stroke makes no dot at the moment; empty: it does."""
        if self._last is None or self._last.ready:
            return ""
        if self._last.hints is None:
            return _("The layer “hints” is gone. Undo that, or choose Tincture > Add Hints Layer.")
        return _("Another layer is selected. Select the layer “{0}” to paint dots.").format(
            self._last.hints_name
        )

    def begin(self) -> None:
        """Set the canvas up, and ask for the first picture and for themes. Raises Refused."""
        self._canvas.open()
        try:
            look = self._canvas.look()
            if look is None:
                raise Refused(_("The photograph's layer is gone."))
            self._last = look
            self._take_in(look)
        except BaseException:
            self.cancel()
            raise
        self.ask_themes()
        self.ask_places()

    def tick(self) -> int:
        """Look at the canvas. Returns after how many milliseconds to call again; 0: it is over."""
        if self.end:
            return 0
        look = self._canvas.look()
        if look is None:
            self._finish("gone", self._canvas.cancel)
            return 0
        moved = look != self._last
        hindrance, self._last = self.hindrance, look
        if self.hindrance != hindrance:
            self._changed("notes")
        # No half strokes: wait until the button is up and two looks agree.
        if not (moved or look.painting) and look != self._read and self.fraction is None:
            self._take_in(look)
        was_slow, self._slow = self._slow, look.seconds > SLOW_SECONDS
        if was_slow and self._slow and not moved:  # so will the next one be
            return round(1000 * REST * look.seconds)
        return AGAIN_MILLISECONDS if moved and look.painting is False else LOOK_MILLISECONDS

    def use_theme(self, colors: Sequence[str], shares: Sequence[float] = ()) -> None:
        """Colour in another theme; the locked swatches stay. No colours: no theme."""
        self.edit(self.swatches.taking(colors, shares))

    def edit(self, swatches: Swatches) -> None:
        """Colour in the theme as edited."""
        self.swatches = swatches
        self._lasting_notes = ()
        self.adjust(theme=swatches.colors, shares=swatches.shares)
        self._changed("theme")

    def adjust(self, **values: Any) -> None:
        """Change fields of the settings."""
        settings = replace(self.settings, **values)
        if settings != self.settings:
            self.settings = settings
            self._ask()

    def reset(self) -> None:
        """Back to what the window was opened with."""
        self.swatches = Swatches().taking(self._begun_with.theme, self._begun_with.shares)
        self.settings = self._begun_with
        self._lasting_notes = ()
        self._changed("theme")
        self._ask()

    def toggle_lock(self, dot: DotReport) -> None:
        """Have all of a dot's region take its colour, or let it go."""
        locked = self.settings.locked
        if dot.locked and locked:
            # Since it was locked a stroke may have moved the dot's middle.
            nearest = min(locked, key=lambda place: math.dist(place, (dot.x, dot.y)))
            self.adjust(locked=tuple(place for place in locked if place != nearest))
        else:
            self.adjust(locked=(*locked, (dot.x, dot.y)))

    def ask_themes(self) -> None:
        self._do("themes", self._link.recommend_themes, self._take_themes)

    def ask_colors(self, x: float, y: float) -> None:
        """Which colours are likely at a place of the photo?"""

        def take(colors: tuple[ColorSuggestion, ...]) -> None:
            self.suggestions, self.place = colors, (x, y)
            self._changed("suggestions")

        self._do("colors", partial(self._link.suggest_colors, x, y), take)

    def ask_places(self) -> None:
        """Where would a dot help most?"""
        work = partial(self._link.suggest_places, self._request())
        self._do("places", work, self._take_places)

    def take_file(self, file: bytes, name: str) -> None:
        """Use the theme in a palette file."""
        self._do("file", partial(self._link.read_theme, file, name), self._take_file)

    def take_picture(self, rgb: bytes, width: int, height: int) -> None:
        """Use the theme of another picture (8-bit RGB)."""
        work = partial(self._link.theme_of, rgb, width, height)
        self._do("picture", work, lambda theme: self.use_theme(theme.colors, theme.shares))

    def try_again(self) -> None:
        """After the engine was missing: look for it once more."""
        self._ask()
        if not self.themes:
            self.ask_themes()

    def apply(self) -> None:
        """Make the result at full size and put it into the image."""
        look = self._canvas.look()
        if self.end or self.fraction is not None or look is None:
            return
        self._lasting_notes = ()
        self._read = None  # a retouched speck, or a dot of a few pixels, shows in no small picture
        self._take_in(look, ask=False)
        self.fraction = 0.0
        self._changed("progress")
        request, photo, settings = self._request(), self._photo, self.settings
        assert photo is not None  # `_take_in` read it

        def work() -> tuple[ColorizeResult, Memory]:
            result = self._link.colorize(request, self._progress)
            return result, memory_of(result, settings, self._link.info)

        self._do("apply", work, lambda made: self._apply(photo, *made), self._apply_failed)

    def cancel(self) -> None:
        """Leave the image as it was found."""
        if not self.end:
            self._finish("cancelled", self._canvas.cancel)

    def say(self, words: str) -> None:
        """Show a sentence among the notes until the next result."""
        self.notes = (_sentence(words),)
        self._changed("notes")

    def _take_in(self, look: Look, ask: bool = True) -> None:
        """Read at full size what changed since the last time."""
        before, self._read = self._read, look
        if before and self.settings.locked and dots_moved(before, look):
            self.settings = replace(self.settings, locked=())
            self._begun_with = replace(self._begun_with, locked=())
            self._lasting_notes = (LOCKS_GONE,)
        if before is None or (look.photo, look.photo_place) != (before.photo, before.photo_place):
            self._take_photo(before, look)
            if before and ask:
                self.ask_themes()
                self.ask_places()
            before = None
        if look.hints is None or before is None or look.hints_place != before.hints_place:
            self._painted.forget()
        old = before.hints if before and look.hints_place == before.hints_place else None
        if look.hints:
            _x, _y, width, height = look.hints_place
            cells = changed_cells(old, look.hints, (width, height))
            self._painted_at = middle_of(cells, look) if before else None
            self._painted.put(self._canvas.read_cells(cells))
        if ask:
            self._ask()

    def _take_photo(self, before: Optional[Look], look: Look) -> None:  # noqa: UP045
        if before and before.photo_place != look.photo_place:
            self._canvas.hide()  # the preview lies where the photo was
        self._photo = self._canvas.read_photo()
        self._whole = True

    def _request(self) -> ColorizeRequest:
        return request_of(self.settings, self._painted.strips)

    def _ask(self) -> None:
        """Have the preview made anew; of several wishes only the newest is fulfilled."""
        if self._read is None or self.fraction is not None:
            return
        photo, whole, color_only = self._photo, self._whole, self.settings.color_only
        request = replace(self._request(), color_only=color_only, near=self._painted_at)
        self._painted_at = None  # what is asked next is about the whole photo
        assert photo is not None  # it is read before anything is asked

        def done(result: ColorizeResult) -> None:
            self._show(result, photo, color_only)

        self._do("colorize", lambda: self._link.colorize_live(request, whole), done)

    def _show(self, result: ColorizeResult, photo: Photo, color_only: bool) -> None:
        if photo is not self._photo:
            return  # of a photo that is not there any more
        self._whole = False
        if result.more:
            self._ask()  # for the rest, which is made while this part is written
        try:
            shown = self._canvas.show(result, photo, color_only)
        except Refused as error:
            self._whole = True
            self._failed(error)
            return
        if not shown:
            self._whole = True
            self._ask()
            return
        if result.dots != self.dots:
            self.places = ()  # they were the best ones beside other dots
        self.dots, self.notes = result.dots, (*self._lasting_notes, *result.notes)
        for topic in ("picture", "dots", "places", "notes"):
            self._changed(topic)

    def _apply(self, photo: Photo, result: ColorizeResult, memory: Memory) -> None:
        try:
            self._canvas.apply(photo, result, memory)
        except Refused as error:
            self._lasting_notes = (_sentence(str(error)),)
            self._apply_failed(error)
            self._ask()  # the preview was taken away for the result
            return
        self.settings = memory.settings  # of the result; what was changed meanwhile is not in it
        self._finish("applied", lambda: None)

    def _apply_failed(self, error: Exception) -> None:
        self.fraction = None
        self._whole = True
        self._changed("progress")
        self._failed(error)

    def _progress(self, fraction: float) -> None:
        def tell() -> None:
            if self.fraction is not None:
                self.fraction = fraction
                self._changed("progress")

        self._post(tell)

    def _finish(self, end: str, clean_up: Callable[[], None]) -> None:
        self.end = end
        self._worker.end()
        self._link.close()
        clean_up()
        self._changed("end")

    def _do(
        self,
        name: str,
        work: Callable[[], Any],
        done: Callable[[Any], None],
        failed: Optional[Callable[[Exception], None]] = None,  # noqa: UP045
    ) -> None:
        """Have the engine do what is about the photo of this moment, whatever else still waits."""
        photo = self._photo
        assert photo is not None  # it is read before anything is asked

        def work_on_photo() -> Any:
            self._link.take(photo)
            return work()

        def unless_over(act: Callable[[Any], None]) -> Callable[[Any], None]:
            return lambda value: None if self.end else act(value)

        task = Task(work_on_photo, unless_over(done), unless_over(failed or self._failed))
        self._worker.do(name, task)

    def _failed(self, error: Exception) -> None:
        if isinstance(error, JobCancelled):
            return
        if not isinstance(error, (EngineError, Refused)):
            raise error
        self.say(str(error))

    def _engine_is(self, state: EngineState) -> None:
        self.engine = state
        self._changed("engine")

    def _take_themes(self, themes: Sequence[ThemeResult]) -> None:
        self.themes = tuple(themes)
        self._changed("themes")

    def _take_places(self, places: tuple[tuple[float, float], ...]) -> None:
        self.places = places
        self._changed("places")
        if places and not self.suggestions:
            self.ask_colors(*places[0])  # so that there are colours to begin with

    def _take_file(self, read: tuple[ThemeResult, tuple[str, ...]]) -> None:
        theme, notes = read
        self.use_theme(theme.colors, theme.shares)
        self.notes = self._lasting_notes = notes
        self._changed("notes")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
