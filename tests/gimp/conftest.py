"""A real GIMP 3.0 and a real GIMP 3.2 with the plug-in in them, and a real engine beside them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from server.protocol import launcher
from server.protocol.client import Client
from tests.conftest import ROOT, engine_home
from tests.gimp.real_gimp import SUITES, NoGimp, RealGimp, real_gimp

PLUG_IN_FILES = ("gimp_plugin", "server/__init__.py", "server/protocol")


@dataclass(frozen=True)
class Studio:
    """A GIMP, its profile with the plug-in, and the folder that both sides see."""

    gimp: RealGimp

    home_inside: str = "/share/tincture"  # $TINCTURE_HOME of the plug-in

    @property
    def environment(self) -> dict[str, str]:
        return {"GIMP3_DIRECTORY": "/share/profile", "TINCTURE_HOME": self.home_inside}

    @property
    def home(self) -> Path:
        """$TINCTURE_HOME as seen from outside."""
        return self.gimp.share / "tincture"

    def script(self, body: str, fonts: bool = False) -> dict[str, Any]:
        """Run Python inside GIMP with the helpers of `inside.py`; what it put into OUTCOME.

        fonts: load them, which takes GIMP seconds and only text layers need.
        """
        share = self.gimp.share
        (share / "body.py").write_text(body)
        outcome = share / "outcome.json"
        outcome.unlink(missing_ok=True)
        start = (
            "exec(compile(open('/share/inside.py').read(), 'inside.py', 'exec'), globals());"
            "run('/share/body.py', '/share/outcome.json')"
        )
        batch = ["--batch-interpreter", "python-fu-eval", "-b", start, "--quit"]
        options = ["-i"] if fonts else ["-i", "--no-fonts"]
        done = self.gimp.run(["gimp-console", *options, *batch], self.environment)
        assert outcome.exists(), done.stdout[-2000:] + done.stderr[-4000:]
        result: dict[str, Any] = json.loads(outcome.read_text())
        assert "traceback" not in result, result["traceback"] + done.stderr[-3000:]
        return result


def lay_out_plug_in(plug_ins: Path) -> None:
    """Put the plug-in where GIMP looks for it, as install.py does."""
    folder = plug_ins / "tincture"
    shutil.rmtree(folder, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gimp_plugin", folder / "gimp_plugin", ignore=skip)
    shutil.copytree(ROOT / "server/protocol", folder / "server/protocol", ignore=skip)
    (folder / "server/__init__.py").write_text("")
    shutil.copy(ROOT / "gimp_plugin/tincture.py", folder / "tincture.py")
    (folder / "tincture.py").chmod(0o755)


@contextmanager
def open_studio(version: str) -> Iterator[Studio]:
    """A GIMP of a version with a fresh profile, the plug-in and an engine. Raises NoGimp."""
    gimp = real_gimp(version)
    profile = gimp.share / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    lay_out_plug_in(profile / "plug-ins")
    full_version = gimp.run(["gimp-console", "--version"]).stdout.split()[-1]
    (profile / "gimprc").write_text(
        f'(config-version "{full_version}")\n(show-welcome-dialog no)\n(check-updates no)\n'
    )
    shutil.copy(ROOT / "tests/gimp/inside.py", gimp.share / "inside.py")
    studio = Studio(gimp)
    with engine_home(studio.home):
        yield studio


@pytest.fixture(scope="package", params=sorted(SUITES))
def studio(request: pytest.FixtureRequest) -> Iterator[Studio]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(open_studio(request.param))
        except NoGimp as error:
            pytest.skip(f"no real GIMP {request.param}: {error}")


@pytest.fixture
def running(studio: Studio) -> Iterator[Client]:
    """A real engine, outside of the chroot, that the plug-in inside finds."""
    with launcher.connect_or_start() as client:
        yield client
