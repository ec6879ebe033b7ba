"""The engine's part of a colorization, against a real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gimp_plugin.plan import Refused, Settings, pixel_format
from gimp_plugin.work import Photo, Work
from server.protocol.client import Client, EngineMissing


def photo(gray: np.ndarray) -> Photo:
    return Photo(gray.tobytes(), gray.shape[1], gray.shape[0], pixel_format(150, False))


def finished(work: Work) -> Work:
    work.start()
    while not work.wait(0.1):
        assert 0 <= work.fraction <= 1
    return work


def test_a_photo_is_coloured(home: Path, gray: np.ndarray) -> None:
    work = finished(Work(photo(gray), (), Settings(theme=("#2040a0", "#8090c0", "#406080"))))

    result = work.result()

    assert (result.width, result.height, result.channels) == (600, 400, 3)
    assert work.fraction > 0


def test_what_the_engine_refuses_is_said_in_its_words(home: Path, gray: np.ndarray) -> None:
    empty = Photo(bytes(2 * gray.size), 600, 400, pixel_format(150, True))

    with pytest.raises(Refused, match="fully transparent"):
        finished(Work(empty, (), Settings())).result()


def test_no_engine_is_said(gray: np.ndarray) -> None:
    def connect(say: Callable[[str], None]) -> Client:
        say("Starting")
        raise EngineMissing("run: python3 install.py")

    work = finished(Work(photo(gray), (), Settings(), connect))

    assert work.state == "Starting"
    with pytest.raises(Refused, match=r"python3 install\.py"):
        work.result()
