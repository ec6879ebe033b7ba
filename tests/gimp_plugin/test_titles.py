"""GIMP's titles name the image by its ID."""

from __future__ import annotations

import pytest

from gimp_plugin.titles import image_id_of


@pytest.mark.parametrize(
    ("title", "image"),
    [
        ("*[photo] (imported)-12.0 (RGB color 8-bit gamma integer, 2 layers) 420x280 – GIMP", 12),
        ("scan-3.1 (old).xcf-7.2 (Grayscale 16-bit, 1 layer) 640x480 – GIMP", 7),
        ("GNU Image Manipulation Program", None),
        ("Colorize: photo.png", None),
        ("photo.png – my own format", None),
        ("", None),
    ],
)
def test_the_id_is_found(title: str, image: int | None) -> None:
    assert image_id_of(title) == image
