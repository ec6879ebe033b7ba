"""A contact sheet: the first few photos in every way they were coloured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from engine.evaluation.inputs import DOTS_256, Case
from engine.evaluation.reference import as_tensor, baseline_results
from engine.evaluation.trial import Truth, shown
from engine.themes import Theme

PHOTOS = 8
CELL, GAP, HEAD = 144, 4, 40  # pixels
ORDER = (
    "photo",
    "nothing",
    "theme",
    "dots",
    "theme and dots",
    "Levin et al. 2004",
    "K-colour map",
    "one dot",
    "one dot among 10 true ones",
    "another photo's theme",
)


class Sheet:
    """Gathers results batch by batch; keeps those of the first photos."""

    def __init__(self) -> None:
        self.cells: dict[str, dict[int, Image.Image]] = defaultdict(dict)
        self.cases: list[Case] = []
        self.foreign: list[Theme] = []
        self._first = 0
        self._next = 0

    def start(self, truth: Truth, cases: Sequence[Case], foreign: Sequence[Theme]) -> None:
        """A new batch begins; foreign: the themes of other photos it will be given."""
        self._first = self._next
        self._next += len(cases)
        kept = max(0, PHOTOS - self._first)
        if not kept:
            return
        self.cases += cases[:kept]
        self.foreign += foreign[:kept]
        self.add("photo", truth.rgb)
        single = [Truth(truth.rgb[i : i + 1], truth.lab[i : i + 1]) for i in range(len(cases))]
        made = [baseline_results(t, case) for t, case in zip(single[:kept], cases, strict=False)]
        for name in ("Levin et al. 2004", "K-colour map"):
            pictures = [shown(t, as_tensor(r[name])) for t, r in zip(single, made, strict=False)]
            self.add(name, torch.cat(pictures))

    def add(self, column: str, rgb: Tensor) -> None:
        """Results of the current batch, (N, 3, H, W) sRGB 0..1; the latest of a column stays."""
        for offset, picture in enumerate(rgb[: max(0, PHOTOS - self._first)]):
            pixels = (picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
            small = Image.fromarray(pixels).resize((CELL, CELL), Image.Resampling.LANCZOS)
            self.cells[column][self._first + offset] = small

    def save(self, path: Path) -> None:
        """Draw the sheet: a line for each photo, a column for each way."""
        columns = [name for name in ORDER if name in self.cells]
        step = CELL + GAP
        sheet = Image.new("RGB", (step * len(columns), HEAD + step * len(self.cases)), "white")
        draw = ImageDraw.Draw(sheet)
        font = ImageFont.load_default(12)
        for x, name in enumerate(columns):
            draw.multiline_text((x * step + 2, 4), _two_lines(name), "black", font)
            for y, cell in self.cells[name].items():
                sheet.paste(self._marked(name, y, cell), (x * step, HEAD + y * step))
        sheet.save(path, optimize=True)

    def _marked(self, column: str, index: int, cell: Image.Image) -> Image.Image:
        """Show what the network was given: swatches of the theme, rings round the dots."""
        marked, case = cell.copy(), self.cases[index]
        draw = ImageDraw.Draw(marked)
        theme = self.foreign[index] if column == "another photo's theme" else case.theme
        if "theme" in column or column == "K-colour map":
            for place, color in enumerate(theme.colors):
                left = 3 + 13 * place
                box = (left, CELL - 15, left + 11, CELL - 4)
                draw.rectangle(box, fill=color, outline="white")
        for row, col in self._dots(column, case):
            x, y = (v * CELL / DOTS_256.size for v in (col + 3, row + 3))
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), outline="white")
        return marked

    def _dots(self, column: str, case: Case) -> list[list[int]]:
        task = case.obedience
        if column in ("dots", "theme and dots", "Levin et al. 2004"):
            return [[int(v) for v in corner] for corner in case.places[: case.dots]]
        if column.startswith("one dot") and task is not None:
            others = task.others if "among" in column else task.others[:0]
            return [[int(v) for v in corner] for corner in (*others, task.dot)]
        return []


def _two_lines(name: str) -> str:
    if len(name) < 20:
        return name
    middle = name.index(" ", len(name) // 2 - 3)
    return f"{name[:middle]}\n{name[middle + 1 :]}"
