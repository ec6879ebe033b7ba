"""A colour theme that is being edited: a row of swatches, some of them locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from server.protocol.messages import MAX_THEME_COLORS

LARGEST_SHARE = 0.95  # that one colour of several can be given; the others keep something


@dataclass(frozen=True)
class Swatch:
    color: str  # "#rrggbb"
    share: float = 0.0  # of the picture, as it compares to the others'; all 0: not known
    locked: bool = False


@dataclass(frozen=True)
class Swatches:
    """The swatches from left to right. Editing makes new ones."""

    row: tuple[Swatch, ...] = ()

    @property
    def colors(self) -> tuple[str, ...]:
        return tuple(swatch.color for swatch in self.row)

    @property
    def shares(self) -> tuple[float, ...]:
        """How much of the picture each colour shall have; empty where that is left open."""
        shares = tuple(round(swatch.share, 4) for swatch in self.row)
        return shares if any(shares) else ()

    def taking(self, colors: Sequence[str], shares: Sequence[float] = ()) -> Swatches:
        """Another theme's colours; locked swatches stay where they are."""
        locked = {swatch.color for swatch in self.row if swatch.locked}
        pairs = zip(colors, shares or [0.0] * len(colors))
        left = [Swatch(color, share) for color, share in pairs if color not in locked]
        usual = sum(shares) / max(1, len(shares))
        row = []
        for swatch in self.row:
            if swatch.locked:
                row.append(replace(swatch, share=(swatch.share or usual) if shares else 0.0))
            elif left:
                row.append(left.pop(0))
        return Swatches((*row, *left)[: max(MAX_THEME_COLORS, len(colors))])

    def with_color(self, index: int, color: str) -> Swatches:
        return self._with(index, color=color)

    def with_share(self, index: int, share: float) -> Swatches:
        """Give a colour this much of the picture, 0..LARGEST_SHARE.

        The others keep their proportions.
        """
        shares = self._parts
        others = sum(shares) - shares[index]
        if others <= 0:
            return self  # there is nobody to take it from
        share = min(share, LARGEST_SHARE)
        row = [
            replace(swatch, share=share if place == index else (1 - share) * old / others)
            for place, (swatch, old) in enumerate(zip(self.row, shares))
        ]
        return Swatches(tuple(row))

    def with_any_shares(self) -> Swatches:
        """Leave open how much of the picture each colour gets."""
        return Swatches(tuple(replace(swatch, share=0.0) for swatch in self.row))

    def toggled(self, index: int) -> Swatches:
        """Lock a swatch, or unlock it."""
        return self._with(index, locked=not self.row[index].locked)

    def added(self, color: str) -> Swatches:
        """A colour more at the end, while there is room; its share is the others' mean."""
        if len(self.row) >= MAX_THEME_COLORS:
            return self
        share = sum(self.shares) / max(1, len(self.row))
        return Swatches((*self.row, Swatch(color, share)))

    def without(self, index: int) -> Swatches:
        return Swatches(self.row[:index] + self.row[index + 1 :])

    def moved(self, index: int, steps: int) -> Swatches:
        """A swatch so many places to the right; it stops at the end of the row."""
        row = list(self.row)
        swatch = row.pop(index)
        row.insert(min(max(index + steps, 0), len(row)), swatch)
        return Swatches(tuple(row))

    def share_of(self, index: int) -> float:
        """Of the picture, 0..1; where it is left open, what it would be if all had the same."""
        return self._parts[index] / sum(self._parts)

    @property
    def _parts(self) -> tuple[float, ...]:
        """How the colours compare; all alike where that is left open."""
        return self.shares or (1.0,) * len(self.row)

    def _with(self, index: int, **values: Any) -> Swatches:
        swatch = replace(self.row[index], **values)
        return Swatches((*self.row[:index], swatch, *self.row[index + 1 :]))
