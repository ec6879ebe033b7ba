"""What all tests share: a home of their own and a real engine process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
from hypothesis import settings

from server.protocol import VERSION, launcher
from server.protocol.client import Client

settings.register_profile("tincture", deadline=None)  # a busy machine is no failure
settings.load_profile("tincture")

ROOT = Path(__file__).parent.parent
SAMPLES = Path(skimage.__file__).parent / "data"  # photographs that ship with scikit-image


def install_here(home: Path) -> None:
    """Write the record that makes this checkout the installed engine."""
    record = {"python": sys.executable, "root": str(ROOT), "version": VERSION}
    home.mkdir(parents=True, exist_ok=True)
    (home / "install.json").write_text(json.dumps(record))


@contextmanager
def engine_home(home: Path) -> Iterator[None]:
    """$TINCTURE_HOME for a while, with this checkout installed; its engine is ended with it."""
    before = len(launcher._started)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINCTURE_HOME", str(home))
        install_here(home)
        yield
        left = launcher.running()
        if left:
            with left:
                left.shutdown()
        for process in launcher._started[before:]:
            process.wait(60)
        del launcher._started[before:]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A Tincture home of the test's own."""
    home = tmp_path / "tincture"
    with engine_home(home):
        yield home


@pytest.fixture
def engine(home: Path) -> Iterator[Client]:
    """A connection to a real engine process."""
    with launcher.connect_or_start() as client:
        yield client


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """A colour photograph, (400, 600, 3) sRGB."""
    photo = cv2.imread(str(SAMPLES / "coffee.png"), cv2.IMREAD_COLOR_RGB)
    assert photo is not None
    return photo


@pytest.fixture(scope="session")
def gray(coffee: np.ndarray) -> np.ndarray:
    """The same photograph without its colour, (400, 600)."""
    return np.asarray(cv2.cvtColor(coffee, cv2.COLOR_RGB2GRAY))
