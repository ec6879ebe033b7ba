"""Figures that compare a coloured photo with the true one, for whole batches on torch.

All of them take one value per photo. What they are computed over is said in each docstring.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000
from torch import Tensor

_WINDOW, _SIGMA = 11, 1.5  # of SSIM's Gaussian window (Wang et al. 2004)
_C1, _C2 = 0.01**2, 0.03**2
_FEWEST_ERRORS = 1e-10  # mean squared error that counts as none: 100 dB
_EMD_CELL = 6.0  # ab units; the photo's colours are put into squares of this side


def psnr(result: Tensor, truth: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over all three channels. (N, 3, H, W) sRGB 0..1; returns (N,) dB.

    At most 100 dB, which stands for equal pictures.
    """
    error = (result - truth).square().mean((1, 2, 3))
    return -10 * error.clamp(min=_FEWEST_ERRORS).log10()


def ssim(result: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity (Wang et al. 2004), mean over R, G and B. (N, 3, H, W) 0..1.

    Gaussian window of 11 pixels, only where it lies inside the picture; returns (N,).
    """
    pairs = zip(_channels_last(result), _channels_last(truth), strict=True)
    return result.new_tensor([_ssim(r, t) for r, t in pairs])


def _ssim(r: NDArray[np.float32], t: NDArray[np.float32]) -> float:
    mean_r, mean_t, square_r, square_t, both = np.split(
        _blur(np.concatenate((r, t, r * r, t * t, r * t), -1)), 5, -1
    )
    products = mean_r * mean_t
    squares = mean_r**2 + mean_t**2
    likeness = (2 * products + _C1) * (2 * (both - products) + _C2)
    scale = (squares + _C1) * (square_r + square_t - squares + _C2)
    return float((likeness / scale).mean(dtype=np.float64))


def _blur(x: NDArray[np.float32]) -> NDArray[np.float32]:
    # OpenCV's filter: on a CPU a tenth of the time of torch's convolution in one channel.
    kernel = cv2.getGaussianKernel(_WINDOW, _SIGMA, cv2.CV_32F)
    rim = _WINDOW // 2
    return np.asarray(cv2.sepFilter2D(x, -1, kernel, kernel), np.float32)[rim:-rim, rim:-rim]


def _channels_last(x: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(x.permute(0, 2, 3, 1).float().cpu().numpy())


def ciede2000(first: Tensor, second: Tensor) -> Tensor:
    """CIEDE2000 colour difference of every pixel (Sharma, Wu and Dalal 2005).

    (N, 3, H, W) CIE Lab, L 0..100; returns (N, H, W).
    """
    pair = (lab.cpu().numpy() for lab in (first, second))
    return torch.from_numpy(deltaE_ciede2000(*pair, channel_axis=1)).to(first)


def colorfulness(rgb: Tensor) -> Tensor:
    """Hasler and Süsstrunk's (2003) M3. (N, 3, H, W) sRGB 0..1; returns (N,), 0..about 150."""
    r, g, b = (rgb * 255).unbind(1)
    red_green, yellow_blue = (r - g).flatten(1), ((r + g) / 2 - b).flatten(1)
    spread = torch.hypot(red_green.std(1, correction=0), yellow_blue.std(1, correction=0))
    return spread + 0.3 * torch.hypot(red_green.mean(1), yellow_blue.mean(1))


def theme_emd(
    ab: NDArray[np.float32], colors: NDArray[np.float32], weights: NDArray[np.float32]
) -> float:
    """Earth mover's distance from a photo's colours to a theme's.

    ab: (P, 2) CIE units, all pixels equal; colors: (K, 2); weights: (K,), sums to 1. The photo's
    colours are first gathered in squares of 6 x 6 units. Returns CIE ab units.
    """
    cells, inverse, counts = np.unique(
        np.round(ab / _EMD_CELL).astype(np.int32), axis=0, return_inverse=True, return_counts=True
    )
    inverse = inverse.reshape(-1)
    centres = np.stack([np.bincount(inverse, ab[:, i], len(cells)) for i in (0, 1)], 1)
    photo = np.column_stack((counts / counts.sum(), centres / counts[:, None]))
    theme = np.column_stack((weights / weights.sum(), colors))
    distance, *_ = cv2.EMD(photo.astype(np.float32), theme.astype(np.float32), cv2.DIST_L2)
    return float(distance)


def nearest_theme_distance(ab: NDArray[np.float32], colors: NDArray[np.float32]) -> float:
    """Mean distance from each pixel's colour (P, 2) to the nearest of a theme (K, 2)."""
    distance = np.linalg.norm(ab[:, None] - colors[None], axis=-1)
    return float(distance.min(1).mean())
