"""The picture in the window: before and after on either side of a line that can be moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Callable, Optional

import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GdkPixbuf, Gtk  # noqa: E402

from gimp_plugin.dot_reports import is_followed  # noqa: E402
from gimp_plugin.texts import _  # noqa: E402
from server.protocol.messages import DotReport  # noqa: E402

WIDTH, HEIGHT = 330, 190
SMALLEST = 80  # of the height, where the screen is too low for the rest of the window
GRIP = 8  # pixels to either side of the line in which it is taken hold of
FLAG = 9  # pixels from the middle of a place's flag to its rim
STEP = 0.05  # of the picture's width, for an arrow key
PLACE_STEP = 0.02  # of the picture's width or height, for an arrow key with Shift
ARROWS = {
    **{Gdk.KEY_Left: (-1, 0), Gdk.KEY_Right: (1, 0), Gdk.KEY_Up: (0, -1), Gdk.KEY_Down: (0, 1)},
    **{Gdk.KEY_KP_Left: (-1, 0), Gdk.KEY_KP_Right: (1, 0)},
    **{Gdk.KEY_KP_Up: (0, -1), Gdk.KEY_KP_Down: (0, 1)},
}

Place = tuple[float, float]


class Preview(Gtk.DrawingArea):  # type: ignore[misc]
    """Shows two pictures of the same photo, its dots, and the places where a dot would help."""

    def __init__(self, chosen: Callable[[float, float], None]) -> None:
        """chosen: told the photo's place, 0..1 in both directions, that was chosen."""
        super().__init__(can_focus=True, has_tooltip=True)
        self.set_size_request(WIDTH, HEIGHT)
        self.set_tooltip_text(
            _(
                "Left of the line before, right of it after. Drag the line or press the arrow "
                "keys; hold B for before. Click a place, or go there with Shift and the arrow "
                "keys, to see which colours are likely there."
            )
        )
        self.get_accessible().set_name(_("Preview"))
        self._chosen = chosen
        self._before: Optional[GdkPixbuf.Pixbuf] = None  # noqa: UP045
        self._after: Optional[GdkPixbuf.Pixbuf] = None  # noqa: UP045
        self._split = 0.0
        self._only_before = False
        self._dragging = False
        self._dots: tuple[tuple[Place, bool], ...] = ()
        self._places: Sequence[Place] = ()
        self._place: Optional[Place] = None  # noqa: UP045
        events = Gdk.EventMask.BUTTON_PRESS_MASK | Gdk.EventMask.BUTTON_RELEASE_MASK
        self.add_events(events | Gdk.EventMask.BUTTON_MOTION_MASK | Gdk.EventMask.KEY_PRESS_MASK)
        self.connect("draw", self._draw)
        self.connect("button-press-event", self._pressed)
        self.connect("button-release-event", self._released)
        self.connect("motion-notify-event", self._moved)
        self.connect("key-press-event", self._key)

    def show_pictures(
        self,
        before: GdkPixbuf.Pixbuf,
        after: Optional[GdkPixbuf.Pixbuf],  # noqa: UP045
    ) -> None:
        self._before, self._after = before, after
        self.queue_draw()

    def show_dots(self, dots: Sequence[DotReport], size: Place) -> None:
        """size: the photo's width and height."""
        self._dots = tuple(((d.x / size[0], d.y / size[1]), is_followed(d)) for d in dots)
        self.queue_draw()

    def show_places(self, places: Sequence[Place]) -> None:
        """Mark where a dot would help; 0..1 in both directions."""
        self._places = places
        self.queue_draw()

    def show_place(self, place: Optional[Place]) -> None:  # noqa: UP045
        """Mark the place that the suggested colours are for."""
        self._place = place
        self.queue_draw()

    def leave_room(self, missing: int) -> None:
        """Be so many pixels lower than usual, as far as that is possible."""
        self.set_size_request(WIDTH, max(SMALLEST, HEIGHT - missing))

    def hold_before(self, held: bool) -> None:
        if held != self._only_before:
            self._only_before = held
            self.queue_draw()

    def _frame(self) -> tuple[float, float, float, float]:
        """Where the picture lies in the widget: x, y, width, height."""
        wide, tall = self.get_allocated_width(), self.get_allocated_height()
        if self._before is None:
            return 0, 0, wide, tall
        scale = min(wide / self._before.get_width(), tall / self._before.get_height())
        width, height = self._before.get_width() * scale, self._before.get_height() * scale
        return (wide - width) / 2, (tall - height) / 2, width, height

    def _draw(self, _widget: Gtk.Widget, context: Any) -> bool:
        if self._before is None:
            return False
        x, y, width, height = frame = self._frame()
        split = 1.0 if self._only_before or self._after is None else self._split
        if self._after is not None:
            self._paint(context, self._after, frame, x + split * width, x + width)
        self._paint(context, self._before, frame, x, x + split * width)
        if 0 < split < 1:
            _line(context, x + split * width, y, height)
        if self._after is not None and not self._only_before:
            _grip(context, self._grip(), y + height / 2)
        for place, fine in self._dots:
            _ring(context, *self._on_widget(place), 4, (1, 1, 1) if fine else (1, 0.6, 0))
        if self._place:
            _cross(context, *self._on_widget(self._place))
        for index, place in enumerate(self._places):
            _flag(context, *self._whole_on_widget(place), str(index + 1))
        if self.has_visible_focus():
            Gtk.render_focus(self.get_style_context(), context, x, y, width, height)
        return False

    def _paint(
        self,
        context: Any,
        picture: GdkPixbuf.Pixbuf,
        frame: tuple[float, float, float, float],
        left: float,
        right: float,
    ) -> None:
        """The picture between two columns of the widget."""
        x, y, width, height = frame
        context.save()
        context.rectangle(left, y, max(0, right - left), height)
        context.clip()
        context.translate(x, y)
        context.scale(width / picture.get_width(), height / picture.get_height())
        Gdk.cairo_set_source_pixbuf(context, picture, 0, 0)
        context.paint()
        context.restore()

    def _on_widget(self, place: Place) -> Place:
        x, y, width, height = self._frame()
        return x + place[0] * width, y + place[1] * height

    def _whole_on_widget(self, place: Place) -> Place:
        """The nearest to a place at which no part of a flag is cut off."""
        x, y = self._on_widget(place)
        wide, tall = self.get_allocated_width(), self.get_allocated_height()
        return min(max(x, FLAG), wide - FLAG), min(max(y, FLAG), tall - FLAG)

    def _grip(self) -> float:
        """Where in the widget's width the line is taken hold of; at an edge a little inside."""
        x, _y, width, _height = self._frame()
        return min(max(x + self._split * width, x + GRIP), x + width - GRIP)

    def _in_photo(self, x: float, y: float) -> Place:
        left, top, width, height = self._frame()
        return (x - left) / width, (y - top) / height

    def _pressed(self, _widget: Gtk.Widget, event: Any) -> bool:
        self.grab_focus()
        self._dragging = abs(event.x - self._grip()) <= GRIP
        return True

    def _moved(self, _widget: Gtk.Widget, event: Any) -> bool:
        if self._dragging:
            self._move_line(self._in_photo(event.x, event.y)[0])
        return True

    def _released(self, _widget: Gtk.Widget, event: Any) -> bool:
        x, y = self._in_photo(event.x, event.y)
        if not self._dragging and 0 <= x < 1 and 0 <= y < 1:
            self._chosen(x, y)
        self._dragging = False
        return True

    def _key(self, _widget: Gtk.Widget, event: Any) -> bool:
        right, down = ARROWS.get(event.keyval, (0, 0))
        if event.state & Gdk.ModifierType.SHIFT_MASK and (right or down):
            x, y = self._place or (0.5, 0.5)
            self._chosen(_inside(x + PLACE_STEP * right), _inside(y + PLACE_STEP * down))
            return True
        if not right:
            return False
        self._move_line(self._split + STEP * right)
        return True

    def _move_line(self, split: float) -> None:
        # Rounded, so that as many steps back as forth lead to the very edge.
        self._split = round(min(max(split, 0.0), 1.0), 6)
        self.queue_draw()


def _inside(part: float) -> float:
    """The nearest part of the picture's width or height that is in it."""
    return min(max(part, 0.0), 1.0 - PLACE_STEP / 2)


def _line(context: Any, x: float, y: float, height: float) -> None:
    for width, color in ((3, (0, 0, 0)), (1, (1, 1, 1))):
        context.set_source_rgb(*color)
        context.set_line_width(width)
        context.move_to(x, y)
        context.line_to(x, y + height)
        context.stroke()


def _grip(context: Any, x: float, y: float) -> None:
    """A disc with an arrow to either side."""
    context.set_source_rgba(0, 0, 0, 0.6)
    context.new_path()
    context.arc(x, y, GRIP, 0, 2 * math.pi)
    context.fill()
    context.set_source_rgb(1, 1, 1)
    context.set_line_width(1.5)
    for side in (-1, 1):
        context.move_to(x + 2 * side, y - 3)
        context.line_to(x + 5 * side, y)
        context.line_to(x + 2 * side, y + 3)
        context.stroke()


def _ring(context: Any, x: float, y: float, radius: float, color: tuple[float, ...]) -> None:
    for width, shade in ((3, (0, 0, 0)), (1.5, color)):
        context.set_source_rgb(*shade)
        context.set_line_width(width)
        context.new_path()
        context.arc(x, y, radius, 0, 2 * math.pi)
        context.stroke()


def _cross(context: Any, x: float, y: float) -> None:
    for width, color in ((3, (0, 0, 0)), (1, (1, 1, 1))):
        context.set_source_rgb(*color)
        context.set_line_width(width)
        for dx, dy in ((6, 0), (0, 6)):
            context.move_to(x - dx, y - dy)
            context.line_to(x + dx, y + dy)
        context.stroke()


def _flag(context: Any, x: float, y: float, number: str) -> None:
    """A numbered disc."""
    context.set_source_rgb(0.1, 0.45, 0.9)
    context.new_path()
    context.arc(x, y, FLAG - 1, 0, 2 * math.pi)
    context.fill_preserve()
    context.set_source_rgb(1, 1, 1)
    context.set_line_width(1.5)
    context.stroke()
    context.set_font_size(11)
    extents = context.text_extents(number)
    context.move_to(x - extents[0] - extents[2] / 2, y - extents[1] - extents[3] / 2)
    context.show_text(number)
