"""A photo's case and its baselines' figures, kept on disk so that the next network costs less."""

from __future__ import annotations

import ast
import hashlib
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab
from threadpoolctl import threadpool_limits
from torch import Tensor
from tqdm import tqdm

from engine.evaluation import baselines
from engine.evaluation.inputs import (
    COUNTS,
    DOTS_256,
    Case,
    Obedience,
    draw_case,
    photo_key,
    put_dot,
    true_hints,
)
from engine.evaluation.trial import OBEDIENCE_FIGURES, Truth, measure, obedience
from engine.themes import Theme

# name: what it is given
BASELINES = {
    "gray": "nothing",
    "fixed warm tint": "nothing",
    "mean colour of the photo": "mean",
    "mean of the theme": "theme",
    "theme by lightness": "theme",
    "K-colour map": "truth",
    "Levin et al. 2004": "dots",
}
Arrays = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Reference:
    """What is known of one photo before any network is tried. Figures as in `trial.FIGURES`."""

    case: Case
    table: NDArray[np.float64]  # (len(BASELINES), 4)
    levin_curve: NDArray[np.float64]  # (len(COUNTS), 4), dots of DOTS_256
    levin_obedience: NDArray[np.float64]  # (2, 3): the dot alone, and among true ones; NaN if none


def references(photos: Tensor, seed: int, cache: Path, workers: int) -> list[Reference]:
    """Cases and baselines of all photos (N, 3, 256, 256) uint8, from the cache where it has them.

    workers: processes that fill the cache.
    """
    cache.mkdir(parents=True, exist_ok=True)
    pictures = [np.ascontiguousarray(p.permute(1, 2, 0).numpy()) for p in photos]
    paths = [cache / f"{photo_key(rgb, seed)}-{_code()}.npz" for rgb in pictures]
    missing = [(rgb, seed, path) for rgb, path in zip(pictures, paths, strict=True)
               if not path.exists()]  # fmt: skip
    if missing:
        for _ in tqdm(_run(missing, workers), "baselines", len(missing), mininterval=5):
            pass
    return [_load(path) for path in paths]


def _run(jobs: Sequence[tuple[NDArray[np.uint8], int, Path]], workers: int) -> Iterator[None]:
    if workers <= 1 or len(jobs) < workers:
        yield from map(_fill, jobs)
        return
    # Forking a process whose torch has threads may hang; a fresh one starts clean.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _one_thread) as pool:
        yield from pool.map(_fill, jobs, chunksize=4)


def _one_thread() -> None:
    """The workers are as many as the processors: more threads would stand in each other's way."""
    torch.set_num_threads(1)
    threadpool_limits(1)


def _fill(job: tuple[NDArray[np.uint8], int, Path]) -> None:
    rgb, seed, path = job
    arrays = _arrays(make_reference(rgb, seed))
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def _code() -> str:
    """Changes with the code that makes what is kept, so that nothing stale is read."""
    folder = Path(__file__).parent
    here = ("reference.py", "inputs.py", "baselines.py", "metrics.py", "trial.py")
    names = (*here, "../themes.py", "../color.py")
    trees = (ast.dump(ast.parse((folder / name).read_text("utf-8"))) for name in names)
    return hashlib.sha256("".join(trees).encode()).hexdigest()[:8]


def make_reference(rgb: NDArray[np.uint8], seed: int) -> Reference:
    """Draw a photo's case and measure the baselines on it. rgb: (256, 256, 3)."""
    case = draw_case(rgb, seed)
    truth = Truth.of(torch.from_numpy(rgb).permute(2, 0, 1)[None])
    results = baseline_results(truth, case)
    table = np.concatenate([measure(truth, as_tensor(results[name])) for name in BASELINES])
    curve = [measure(truth, as_tensor(_levin(truth, case.places[:n]))) for n in COUNTS]
    return Reference(case, table, np.concatenate(curve), _levin_obedience(truth, case.obedience))


def baseline_results(truth: Truth, case: Case) -> dict[str, baselines.Ab]:
    """What each of BASELINES makes of one photo, given as a batch of one: (H, W, 2) each."""
    lab = truth.lab[0].permute(1, 2, 0).numpy()
    theme_lab = lab_of_theme(case.theme)
    size = lab.shape[0], lab.shape[1]
    return {
        "gray": baselines.constant(size, (0, 0)),
        "fixed warm tint": baselines.constant(size, baselines.WARM_TINT),
        "mean colour of the photo": baselines.constant(size, lab[..., 1:].mean((0, 1))),
        "mean of the theme": baselines.constant(size, theme_lab[:, 1:].mean(0)),
        "theme by lightness": baselines.theme_by_lightness(lab[..., 0], theme_lab),
        "K-colour map": baselines.k_color_map(lab[..., 1:], theme_lab[:, 1:]),
        "Levin et al. 2004": _levin(truth, case.places[: case.dots]),
    }


def lab_of_theme(theme: Theme) -> NDArray[np.float32]:
    """A theme's colours in CIE Lab: (K, 3).

    Reckoned in double precision; with `engine.color.lab_of` the last digits of the baselines'
    figures would be others.
    """
    return np.asarray(rgb2lab(np.array([theme.colors], np.uint8))[0], np.float32)


def as_tensor(ab: baselines.Ab) -> Tensor:
    """(H, W, 2) to a batch of one, (1, 2, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(ab.transpose(2, 0, 1)))[None]


def _levin(truth: Truth, places: NDArray[np.intp]) -> baselines.Ab:
    hints = true_hints(truth.ab, [places], DOTS_256.side)[0]
    return baselines.levin(truth.lab[0, 0].numpy(), hints.numpy())


def _levin_obedience(truth: Truth, task: Obedience | None) -> NDArray[np.float64]:
    if task is None:
        return np.full((2, len(OBEDIENCE_FIGURES)), np.nan)
    rows = []
    for others in (task.others[:0], task.others):
        hints = true_hints(truth.ab, [others], DOTS_256.side)[0]
        states = [baselines.levin(truth.lab[0, 0].numpy(), hints.numpy())]
        put_dot(hints, task.dot, DOTS_256.side, torch.from_numpy(task.asked))
        states.append(baselines.levin(truth.lab[0, 0].numpy(), hints.numpy()))
        before, after = (as_tensor(state)[0] for state in states)
        rows.append(obedience(truth.lab[0], before, after, task))
    return np.stack(rows)


def _arrays(reference: Reference) -> Arrays:
    case, task = reference.case, reference.case.obedience
    arrays: Arrays = {
        "colors": np.array(case.theme.colors, np.uint8),
        "weights": np.array(case.theme.weights),
        "dots": np.array(case.dots),
        "places": case.places,
        "cells": case.cells,
        "table": reference.table,
        "levin_curve": reference.levin_curve,
        "levin_obedience": reference.levin_obedience,
    }
    if task is not None:
        arrays |= {"inside": task.inside, "dot": task.dot, "asked": task.asked}
        arrays |= {"others": task.others}
    return arrays


def _load(path: Path) -> Reference:
    with np.load(path) as kept:
        colors = tuple((int(r), int(g), int(b)) for r, g, b in kept["colors"])
        theme = Theme(colors, tuple(float(w) for w in kept["weights"]))
        task = None
        if "inside" in kept:
            task = Obedience(kept["inside"], kept["dot"], kept["asked"], kept["others"])
        case = Case(theme, int(kept["dots"]), kept["places"], kept["cells"], task)
        return Reference(case, kept["table"], kept["levin_curve"], kept["levin_obedience"])
