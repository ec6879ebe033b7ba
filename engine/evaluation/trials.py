"""Try a network on all photos: Table 1, the curves over dots, obedience, foreign themes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from engine.color import ab_of
from engine.evaluation import metrics
from engine.evaluation.baselines import theme_by_lightness
from engine.evaluation.inputs import (
    CELLS_224,
    COUNTS,
    DOTS_256,
    Case,
    Obedience,
    Protocol,
    put_dot,
    true_hints,
)
from engine.evaluation.reference import BASELINES, Reference, as_tensor, lab_of_theme
from engine.evaluation.runner import Encoded, Runner, to_numpy
from engine.evaluation.sheet import Sheet
from engine.evaluation.trial import FIGURES, OBEDIENCE_FIGURES, Truth, measure, obedience, shown
from engine.themes import Theme

THEME_FIGURES = ("emd", "nearest")
ALONE, AMONG = "one dot", "one dot among 10 true ones"


@dataclass(frozen=True)
class Row:
    """Where a figure belongs."""

    section: str  # "table", "curve: PROTOCOL", "obedience", "foreign theme"
    method: str
    given: str  # the inputs: "dots", "theme", or the number of dots


@dataclass
class Tally:
    """Figures of every photo, row by row."""

    values: dict[Row, list[NDArray[np.float64]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def add(self, row: Row, figures: NDArray[np.float64], names: Sequence[str]) -> None:
        """figures: (N, len(names)), a line for each photo; NaN where a photo does not count."""
        self.values[row].append(figures)
        self.names[row.section] = tuple(names)

    def records(self) -> list[dict[str, object]]:
        """Mean, standard error and number of photos of every figure, ready for JSON."""
        return [
            {
                "section": row.section,
                "method": row.method,
                "given": row.given,
                "figures": dict(
                    zip(
                        self.names[row.section], map(_summary, np.concatenate(parts).T), strict=True
                    )
                ),
            }
            for row, parts in self.values.items()
        ]


def _summary(values: NDArray[np.float64]) -> dict[str, float | int | None]:
    kept = values[~np.isnan(values)]
    if not len(kept):
        return {"mean": None, "stderr": None, "photos": 0}
    error = kept.std(ddof=1) / np.sqrt(len(kept)) if len(kept) > 1 else 0.0
    return {"mean": float(kept.mean()), "stderr": float(error), "photos": len(kept)}


@dataclass(frozen=True)
class Method:
    """A network under the name it has in the tables."""

    name: str
    runner: Runner

    def results(
        self, truth: Truth, hints: Tensor, themes: Sequence[Theme] | None = None
    ) -> Iterator[tuple[str, Tensor]]:
        """Names and ab (N, 2, H, W), plain and with the product's correction at the dots."""
        encoded = self.runner.encode(truth.lightness, hints)
        yield self.name, self.runner.colorize(encoded, themes)
        yield f"{self.name}, dots kept", self.runner.colorize(encoded, themes, dots_kept=True)


@torch.inference_mode()
def try_network(
    method: Method, photos: Mapping[int, Tensor], references: Sequence[Reference], batch: int = 8
) -> tuple[Tally, Sheet]:
    """Everything of one network.

    photos: the same ones by size, 256 and 224: (N, 3, size, size) uint8. Returns all figures and
    pictures of the first few photos.
    """
    tally, sheet = Tally(), Sheet()
    _add_baselines(tally, references)
    count = len(references)
    foreign = [references[(i + 1) % count].case.theme for i in range(count)]
    for start in tqdm(range(0, count, batch), method.name, mininterval=5):
        part = slice(start, start + batch)
        cases = [reference.case for reference in references[part]]
        truth = Truth.of(photos[DOTS_256.size][part])
        plain = method.runner.encode(truth.lightness)
        nothing = method.runner.colorize(plain)
        sheet.start(truth, cases, foreign[part])
        _table(tally, sheet, method, truth, cases, plain)
        _curve(tally, method, DOTS_256, truth, [case.places for case in cases])
        small = Truth.of(photos[CELLS_224.size][part])
        _curve(tally, method, CELLS_224, small, [case.cells for case in cases])
        _obedience(tally, sheet, method, truth, cases, nothing)
        led = method.runner.colorize(plain, foreign[part])
        sheet.add("another photo's theme", shown(truth, led))
        _foreign(tally, method.name, "nothing", nothing, foreign[part])
        _foreign(tally, method.name, "theme", led, foreign[part])
        freely = method.runner.colorize(plain, _without_shares(foreign[part]))
        _foreign(tally, method.name, "theme without shares", freely, foreign[part])
        by_lightness = _by_lightness(truth, foreign[part])
        _foreign(tally, "theme by lightness", "theme", by_lightness, foreign[part])
    return tally, sheet


def _add_baselines(tally: Tally, references: Sequence[Reference]) -> None:
    tables = np.stack([reference.table for reference in references])
    for index, (name, given) in enumerate(BASELINES.items()):
        tally.add(Row("table", name, given), tables[:, index], FIGURES)
    curves = np.stack([reference.levin_curve for reference in references])
    for index, count in enumerate(COUNTS):
        row = Row(f"curve: {DOTS_256.name}", "Levin et al. 2004", str(count))
        tally.add(row, curves[:, index], FIGURES)
    obeyed = np.stack([reference.levin_obedience for reference in references])
    for index, given in enumerate((ALONE, AMONG)):
        tally.add(Row("obedience", "Levin et al. 2004", given), obeyed[:, index], OBEDIENCE_FIGURES)


def _table(
    tally: Tally,
    sheet: Sheet,
    method: Method,
    truth: Truth,
    cases: Sequence[Case],
    plain: Encoded,
) -> None:
    """The paper's Table 1; themes also without the shares of their colours, as people make them."""
    themes = [case.theme for case in cases]
    colors = _without_shares(themes)
    for given, chosen in (("nothing", None), ("theme", themes), ("theme without shares", colors)):
        ab = method.runner.colorize(plain, chosen)
        tally.add(Row("table", method.name, given), measure(truth, ab), FIGURES)
        sheet.add(given, shown(truth, ab))
    hints = true_hints(truth.ab, [case.places[: case.dots] for case in cases], DOTS_256.side)
    for given, chosen in (
        ("dots", None),
        ("theme and dots", themes),
        ("theme without shares and dots", colors),
    ):
        for name, ab in method.results(truth, hints, chosen):
            tally.add(Row("table", name, given), measure(truth, ab), FIGURES)
            sheet.add(given, shown(truth, ab))  # the corrected one replaces the plain one


def _without_shares(themes: Sequence[Theme]) -> list[Theme]:
    return [Theme(theme.colors) for theme in themes]


def _curve(
    tally: Tally,
    method: Method,
    protocol: Protocol,
    truth: Truth,
    places: Sequence[NDArray[np.intp]],
) -> None:
    section = f"curve: {protocol.name}"
    for count in COUNTS:
        hints = true_hints(truth.ab, [corners[:count] for corners in places], protocol.side)
        ab = method.runner.colorize(method.runner.encode(truth.lightness, hints))
        tally.add(Row(section, method.name, str(count)), measure(truth, ab), FIGURES)


def _obedience(
    tally: Tally,
    sheet: Sheet,
    method: Method,
    truth: Truth,
    cases: Sequence[Case],
    nothing: Tensor,
) -> None:
    tasks = [case.obedience for case in cases]
    none = np.zeros((0, 2), np.intp)
    for given in (ALONE, AMONG):
        others = [t.others if t and given == AMONG else none for t in tasks]
        hints = true_hints(truth.ab, others, DOTS_256.side)
        if given == ALONE:
            befores = [nothing, nothing]  # without dots nothing is corrected
        else:
            befores = [ab for _, ab in method.results(truth, hints)]
        _put_asked(hints, tasks)
        for before, (name, after) in zip(befores, method.results(truth, hints), strict=True):
            figures = _obeyed(truth, before, after, tasks)
            tally.add(Row("obedience", name, given), figures, OBEDIENCE_FIGURES)
            sheet.add(given, shown(truth, after))


def _put_asked(hints: Tensor, tasks: Sequence[Obedience | None]) -> None:
    for planes, task in zip(hints, tasks, strict=True):
        if task is not None:
            put_dot(planes, task.dot, DOTS_256.side, torch.from_numpy(task.asked))


def _obeyed(
    truth: Truth, before: Tensor, after: Tensor, tasks: Sequence[Obedience | None]
) -> NDArray[np.float64]:
    absent = np.full(len(OBEDIENCE_FIGURES), np.nan)
    return np.stack(
        [
            absent if task is None else obedience(truth.lab[i], before[i], after[i], task)
            for i, task in enumerate(tasks)
        ]
    )


def _foreign(tally: Tally, name: str, given: str, ab: Tensor, themes: Sequence[Theme]) -> None:
    """How near a result's colours come to another photo's theme."""
    rows = []
    for result, theme in zip(ab, themes, strict=True):
        pixels, colors = to_numpy(result), ab_of(theme.colors)
        weights = np.array(theme.weights, np.float32)
        emd = metrics.theme_emd(pixels, colors, weights)
        rows.append((emd, metrics.nearest_theme_distance(pixels, colors)))
    tally.add(Row("foreign theme", name, given), np.array(rows), THEME_FIGURES)


def _by_lightness(truth: Truth, themes: Sequence[Theme]) -> Tensor:
    pairs = zip(truth.lab[:, 0].numpy(), themes, strict=True)
    return torch.cat(
        [as_tensor(theme_by_lightness(each, lab_of_theme(theme))) for each, theme in pairs]
    )
