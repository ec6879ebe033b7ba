"""A line chart of a figure over the number of dots, drawn with Pillow alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 560, 400  # pixels of one panel
LEFT, RIGHT, TOP, BOTTOM = 50, 16, 34, 40  # margins of the plot inside its panel
_SHARP = 3  # drawn this much larger and reduced, since Pillow's lines have no smooth edges
_COLORS = ("#c0392b", "#2456a4", "#2e8b57", "#8e44ad", "#d98c1f", "#16808a", "#555555")


@dataclass(frozen=True)
class Panel:
    """One plot: a title and, for each line, its points {number of dots: value}."""

    title: str
    lines: Mapping[str, Mapping[int, float]]


def draw_chart(panels: Sequence[Panel], path: Path, unit: str) -> None:
    """Draw panels side by side, with one scale for the values, and save them as PNG."""
    values = [v for panel in panels for line in panel.lines.values() for v in line.values()]
    low, high = math.floor(min(values)), math.ceil(max(values))
    size = (WIDTH * len(panels) * _SHARP, HEIGHT * _SHARP)
    image = Image.new("RGB", size, "white")
    # A name has the same colour in every panel.
    names = dict.fromkeys(name for panel in panels for name in panel.lines)
    colors = {name: _COLORS[index % len(_COLORS)] for index, name in enumerate(names)}
    for index, panel in enumerate(panels):
        plot = _Plot(ImageDraw.Draw(image), index * WIDTH, low, max(high, low + 1), unit)
        plot.draw(panel, colors)
    reduced = (WIDTH * len(panels), HEIGHT)
    image.resize(reduced, Image.Resampling.LANCZOS).save(path, optimize=True)


class _Plot:
    def __init__(
        self, draw: ImageDraw.ImageDraw, left: int, low: float, high: float, unit: str
    ) -> None:
        self.draw_on, self.left, self.low, self.high, self.unit = draw, left, low, high, unit
        self.font = ImageFont.load_default(12 * _SHARP)

    def draw(self, panel: Panel, colors: Mapping[str, str]) -> None:
        counts = sorted({count for line in panel.lines.values() for count in line})
        most = max(counts)
        self._text(LEFT, 8, panel.title)
        self._axes(counts, most)
        for index, (name, points) in enumerate(panel.lines.items()):
            color = colors[name]
            places = [self._place(count, most, points[count]) for count in sorted(points)]
            self.draw_on.line(places, color, 2 * _SHARP, joint="curve")
            for x, y in places:
                r = 3 * _SHARP
                self.draw_on.ellipse((x - r, y - r, x + r, y + r), fill=color)
            # The legend stands in the lower right corner, which rising curves leave free.
            row = HEIGHT - BOTTOM - 18 * (len(panel.lines) - index)
            self._text(WIDTH - 230, row - 4, name, color)

    def _axes(self, counts: Sequence[int], most: int) -> None:
        step = max(1, round((self.high - self.low) / 8))
        for value in range(math.floor(self.low), math.ceil(self.high) + 1, step):
            start, end = self._place(0, most, value), self._place(most, most, value)
            self.draw_on.line((start, end), "#dddddd", _SHARP)
            self._text(8, round(start[1] / _SHARP) - 7, str(value))
        for count in counts:
            x, y = self._place(count, most, self.low)
            self._text(round(x / _SHARP) - self.left - 5, round(y / _SHARP) + 6, str(count))
        self._text(LEFT, HEIGHT - 18, f"number of dots; {self.unit} upwards")

    def _place(self, count: int, most: int, value: float) -> tuple[float, float]:
        """Where a point lies; the counts' axis is logarithmic, with 0 at its left end."""
        across = math.log1p(count) / math.log1p(most) if most else 0.0
        up = (value - self.low) / (self.high - self.low)
        x = self.left + LEFT + across * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)
        return x * _SHARP, y * _SHARP

    def _text(self, x: float, y: float, text: str, color: str = "#222222") -> None:
        place = ((self.left + x) * _SHARP, y * _SHARP)
        self.draw_on.text(place, text, color, self.font)
