"""The paper's theme recommendation (section 3.5): what colours a texture has had in other photos.

Choices that the text leaves open, and ours:
- Photos are looked at with their shorter side at 128 pixels, L scaled to 0..1.
- Segments: felzenszwalb with scale 100, sigma 0.8 and at least 50 pixels.
- Gabor bank: frequencies 0.05, 0.1, 0.2 and 0.4 cycles a pixel, six orientations 30 degrees apart.
  The text asks for mean and standard deviation of the 24 filters' responses in a segment and calls
  that 24 numbers; it is 48, and all are kept.
- Features are scaled to unit variance before the k-means to 120 textures.
- ab histogram: 10 x 10 bins over -110..110 on both axes; a bin has the mean colour of its pixels.
- A segment's theme colour is its texture's most frequent bin that no larger segment has taken yet,
  shown at the segment's mean lightness.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb

from engine.themes import Theme, colors_of_lab

TEXTURES = 120
BINS = 10  # along a and along b: 100 in all
RANGE = 110.0  # a and b from -RANGE to RANGE
FREQUENCIES = (0.05, 0.1, 0.2, 0.4)  # cycles a pixel
ORIENTATIONS = 6
SIDE = 128  # pixels of the shorter side
COLORS = 5  # K: of the K largest segments


@dataclass(frozen=True)
class TextureLibrary:
    """Texture centres (120, 48), their scale (48,), and ab histograms (120, 100) with bin means."""

    centres: NDArray[np.float32]
    scale: NDArray[np.float32]
    histograms: NDArray[np.float32]
    bin_colors: NDArray[np.float32]  # (120, 100, 2)

    def recommend(self, lightness: NDArray[np.float32], count: int = 1) -> list[Theme]:
        """The paper's theme, and then, for more than one, each segment's next frequent colours.

        lightness: (H, W), L / 100.
        """
        small = reduce_side(lightness)
        segments, features = describe(small)
        sizes = np.bincount(segments.ravel(), minlength=len(features)).astype(np.float64)
        largest = np.argsort(-sizes, kind="stable")[:COLORS]
        nearest = self._nearest(features[largest])
        tone = np.array([small[segments == index].mean() * 100 for index in largest])
        return [
            self._theme(nearest, tone, sizes[largest] / sizes[largest].sum(), rank)
            for rank in range(count)
        ]

    def _nearest(self, features: NDArray[np.float32]) -> NDArray[np.intp]:
        distance = np.linalg.norm((features / self.scale)[:, None] - self.centres, axis=-1)
        return np.asarray(distance.argmin(1))

    def _theme(
        self,
        textures: NDArray[np.intp],
        tone: NDArray[np.float64],
        share: NDArray[np.float64],
        rank: int,
    ) -> Theme:
        taken: set[int] = set()
        lab = []
        for texture, lightness in zip(textures, tone, strict=True):
            order = np.argsort(-self.histograms[texture], kind="stable")[rank:]
            chosen = next((int(bin_) for bin_ in order if int(bin_) not in taken), int(order[0]))
            taken.add(chosen)
            lab.append((lightness, *self.bin_colors[texture, chosen]))
        return Theme(colors_of_lab(np.array(lab)), tuple(share.tolist()), "texture")


def reduce_side(lightness: NDArray[np.float32]) -> NDArray[np.float32]:
    scale = SIDE / min(lightness.shape)
    height, width = (max(8, round(side * scale)) for side in lightness.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(lightness, (width, height), interpolation=method), np.float32)


def describe(lightness: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Segments of a photo (H, W) and the texture of each: (number of segments, 48)."""
    segments = felzenszwalb(lightness, scale=100, sigma=0.8, min_size=50, channel_axis=None)
    count = int(segments.max()) + 1
    flat = segments.ravel()
    size = np.bincount(flat, minlength=count)
    features = np.empty((count, 2 * len(_BANK)), np.float32)
    for index, kernel in enumerate(_BANK):
        real = cv2.filter2D(lightness, cv2.CV_32F, kernel.real, borderType=cv2.BORDER_REFLECT)
        odd = cv2.filter2D(lightness, cv2.CV_32F, kernel.imag, borderType=cv2.BORDER_REFLECT)
        magnitude = np.hypot(real, odd).ravel()
        mean = np.bincount(flat, magnitude, count) / size
        square = np.bincount(flat, magnitude**2, count) / size
        features[:, index] = mean
        features[:, len(_BANK) + index] = np.sqrt(np.maximum(square - mean**2, 0))
    return segments, features


def build_texture_library(
    photos: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> TextureLibrary:
    """The off-line phase. photos: lightness (H, W), L / 100, and ab (H, W, 2) of each."""
    from sklearn.cluster import MiniBatchKMeans

    described = [describe(lightness) for lightness, _ in photos]
    features = np.concatenate([features for _, features in described])
    scale = features.std(0) + 1e-6
    fitted = MiniBatchKMeans(TEXTURES, random_state=0, n_init=3).fit(features / scale)
    histograms = np.zeros((TEXTURES, BINS * BINS), np.float32)
    sums = np.zeros((TEXTURES, BINS * BINS, 2), np.float32)
    start = 0
    for (_, ab), (segments, own) in zip(photos, described, strict=True):
        texture = fitted.labels_[start : start + len(own)][segments].ravel()
        start += len(own)
        place = (texture, bin_of(ab).ravel())
        np.add.at(histograms, place, 1)
        np.add.at(sums, place, ab.reshape(-1, 2))
    bin_colors = sums / np.maximum(histograms, 1)[..., None]
    shares = histograms / np.maximum(histograms.sum(1, keepdims=True), 1)
    centres = np.asarray(fitted.cluster_centers_, np.float32)
    return TextureLibrary(
        centres, scale.astype(np.float32), shares.astype(np.float32), bin_colors.astype(np.float32)
    )


def bin_of(ab: NDArray[np.float32]) -> NDArray[np.intp]:
    """The histogram bin, 0..99, of each ab (..., 2)."""
    index = np.clip((ab + RANGE) / (2 * RANGE) * BINS, 0, BINS - 1).astype(np.intp)
    return np.asarray(index[..., 0] * BINS + index[..., 1])


def _gabor(frequency: float, angle: float) -> NDArray[np.complex64]:
    """A complex Gabor kernel of one octave's bandwidth, without a response to flat areas."""
    sigma = 0.56 / frequency
    radius = int(np.ceil(2.5 * sigma))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    along = x * np.cos(angle) + y * np.sin(angle)
    envelope = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    envelope /= envelope.sum()
    wave = np.exp(2j * np.pi * frequency * along)
    return (envelope * (wave - (envelope * wave).sum())).astype(np.complex64)


_BANK = tuple(
    _gabor(frequency, np.pi * turn / ORIENTATIONS)
    for frequency in FREQUENCIES
    for turn in range(ORIENTATIONS)
)
