"""A colour theme that is being edited: a row of swatches, some of them locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST = 7  # colours that a theme can hold


@dataclass(frozen=True)
class Swatch:
    color: str  # "#rrggbb"
    locked: bool = False


@dataclass(frozen=True)
class Swatches:
    """The swatches from left to right. Editing makes new ones."""

    row: tuple[Swatch, ...] = ()

    @property
    def colors(self) -> tuple[str, ...]:
        return tuple(swatch.color for swatch in self.row)

    def taking(self, colors: Sequence[str]) -> Swatches:
        """Another theme's colours; locked swatches stay where they are."""
        left = [color for color in colors if color not in self._locked_colors()]
        row = []
        for swatch in self.row:
            if swatch.locked:
                row.append(swatch)
            elif left:
                row.append(Swatch(left.pop(0)))
        return Swatches((*row, *map(Swatch, left))[: max(MOST, len(colors))])

    def with_color(self, index: int, color: str) -> Swatches:
        return self._with(index, replace(self.row[index], color=color))

    def toggled(self, index: int) -> Swatches:
        """Lock a swatch, or unlock it."""
        swatch = self.row[index]
        return self._with(index, replace(swatch, locked=not swatch.locked))

    def added(self, color: str) -> Swatches:
        """A colour more at the end, while there is room."""
        return self if len(self.row) >= MOST else Swatches((*self.row, Swatch(color)))

    def without(self, index: int) -> Swatches:
        return Swatches(self.row[:index] + self.row[index + 1 :])

    def moved(self, index: int, steps: int) -> Swatches:
        """A swatch so many places to the right; it stops at the end of the row."""
        row = list(self.row)
        swatch = row.pop(index)
        row.insert(min(max(index + steps, 0), len(row)), swatch)
        return Swatches(tuple(row))

    def _locked_colors(self) -> set[str]:
        return {swatch.color for swatch in self.row if swatch.locked}

    def _with(self, index: int, swatch: Swatch) -> Swatches:
        return Swatches((*self.row[:index], swatch, *self.row[index + 1 :]))
