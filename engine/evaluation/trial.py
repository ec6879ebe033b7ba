"""One batch of photos and what is measured on a result: against the truth, and as obedience."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.color import lab_to_rgb, rgb_to_lab
from engine.evaluation import metrics
from engine.evaluation.inputs import DOTS_256, Obedience

FIGURES = ("psnr", "ssim", "ciede2000", "colorfulness")
OBEDIENCE_FIGURES = ("at_dot", "spread", "bleeding")
MOVED = 10.0  # ab units; a pixel that changes more has visibly moved


@dataclass(frozen=True)
class Truth:
    """Colour photos: rgb (N, 3, H, W) sRGB 0..1 and lab (N, 3, H, W)."""

    rgb: Tensor
    lab: Tensor

    @classmethod
    def of(cls, photos: Tensor) -> Truth:
        """photos: (N, 3, H, W) uint8 sRGB."""
        rgb = photos.float() / 255
        return cls(rgb, rgb_to_lab(rgb))

    @property
    def ab(self) -> Tensor:
        return self.lab[:, 1:]

    @property
    def lightness(self) -> Tensor:
        """L / 100, (N, 1, H, W)."""
        return self.lab[:, :1] / 100


def shown(truth: Truth, ab: Tensor) -> Tensor:
    """The photos' own L with a result's ab, clipped to sRGB: (N, 3, H, W), 0..1."""
    return lab_to_rgb(torch.cat((truth.lab[:, :1], ab), 1))


def measure(truth: Truth, ab: Tensor) -> NDArray[np.float64]:
    """FIGURES of a result against the true photos. ab: (N, 2, H, W), CIE units. Returns (N, 4)."""
    rgb = shown(truth, ab)
    columns = (
        metrics.psnr(rgb, truth.rgb),
        metrics.ssim(rgb, truth.rgb),
        metrics.ciede2000(rgb_to_lab(rgb), truth.lab).mean((1, 2)),
        metrics.colorfulness(rgb),
    )
    return torch.stack(columns, 1).double().cpu().numpy()


def obedience(lab: Tensor, before: Tensor, after: Tensor, task: Obedience) -> NDArray[np.float64]:
    """OBEDIENCE_FIGURES of one photo.

    lab: (3, H, W), the truth; before, after: (2, H, W) CIE ab without and with the dot.
    at_dot: mean CIEDE2000 between result and asked colour under the dot, both as sRGB shows them.
    spread: share of the object whose colour is now nearer to the asked one than to what it was.
    bleeding: share of the rest of the photo that moved by more than 10 units of ab.
    """
    row, column = task.dot.tolist()
    under = np.s_[:, row : row + DOTS_256.side, column : column + DOTS_256.side]
    asked = torch.from_numpy(task.asked).to(lab).view(2, 1, 1)
    pair = torch.stack((after[under], asked.expand_as(after[under])))
    colors = rgb_to_lab(lab_to_rgb(torch.cat((lab[under][:1].expand(2, 1, -1, -1), pair), 1)))
    at_dot = metrics.ciede2000(colors[:1], colors[1:]).mean()
    moved = (after - before).norm(dim=0)
    follows = (after - asked).norm(dim=0) < moved
    inside = torch.from_numpy(task.inside).to(lab.device)
    spread = follows[inside].double().mean()
    bleeding = (moved[~inside] > MOVED).double().mean()
    return np.array((at_dot.item(), spread.item(), bleeding.item()))
