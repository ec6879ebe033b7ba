"""A real GIMP 3 to test with: a Debian system in a folder of its own, run by chroot.

Debian's `trixie` carries GIMP 3.0 and `forky` GIMP 3.2. Building one needs root and a Debian
mirror; the mirror is the one this machine's apt is set to. A built one is kept and used again.

    python -m tests.gimp.real_gimp          # builds both
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SUITES: Mapping[str, str] = {"3.0": "trixie", "3.2": "forky"}  # GIMP's version -> Debian's suite
PACKAGES = (
    *("gimp", "gir1.2-gimp-3.0", "python3-gi", "python3-gi-cairo", "gir1.2-gtk-3.0"),
    *("xvfb", "xauth", "openbox", "xdotool", "x11-utils", "imagemagick"),
    *("fonts-dejavu-core", "adwaita-icon-theme", "librsvg2-common", "shared-mime-info"),
    *("dbus", "at-spi2-core", "gir1.2-atspi-2.0"),
)
COMPLETE = "tincture-test-complete"  # a file that is written last, and lists what was installed
_APT = {
    "etc/apt/apt.conf.d/90tests": 'APT::Install-Recommends "false";\n'
    'Acquire::Languages "none";\nAPT::Sandbox::User "root";\n'
    'Acquire::Check-Valid-Until "false";\n',  # a mirror may be a few weeks behind
    "etc/dpkg/dpkg.cfg.d/tests": "force-unsafe-io\npath-exclude=/usr/share/doc/*\n"
    "path-exclude=/usr/share/man/*\npath-exclude=/usr/share/help/*\n",
    "usr/sbin/policy-rc.d": "#!/bin/sh\nexit 101\n",  # services stay off
}


class NoGimp(Exception):
    """No real GIMP can be had here; the message says why."""


@dataclass(frozen=True)
class RealGimp:
    """A GIMP in a chroot. Everything below `root` is seen from outside as well."""

    version: str  # "3.0" or "3.2"
    root: Path

    @property
    def share(self) -> Path:
        """A folder for the tests, `/share` inside."""
        return self.root / "share"

    def inside(self, path: Path) -> str:
        """The name that a path below the root has inside."""
        return "/" + str(path.relative_to(self.root))

    def command(self, arguments: Sequence[str], environment: Mapping[str, str]) -> list[str]:
        """The command line that runs a program inside, in a clean environment."""
        fixed = {
            "HOME": "/root",
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "NO_AT_BRIDGE": "1",
            "GIO_USE_VFS": "local",
            "GSETTINGS_BACKEND": "memory",
            **environment,
        }
        assignments = [f"{name}={value}" for name, value in fixed.items()]
        return ["chroot", str(self.root), "/usr/bin/env", "-i", *assignments, *arguments]

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        timeout: float = 300,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program inside to its end. Raises subprocess.TimeoutExpired."""
        command = self.command(arguments, environment or {})
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, errors="replace"
        )


def cache_folder() -> Path:
    """Where built GIMPs are kept: $TINCTURE_TEST_CACHE or ~/.cache/tincture-tests."""
    chosen = os.environ.get("TINCTURE_TEST_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache/tincture-tests"


def real_gimp(version: str) -> RealGimp:
    """A real GIMP of a version, built when there is none yet. Raises NoGimp."""
    suite = SUITES[version]
    gimp = RealGimp(version, cache_folder() / f"gimp-{suite}")
    if not _is_complete(gimp.root):
        _build(suite, gimp.root)
    _mount(gimp.root)
    gimp.share.mkdir(exist_ok=True)
    return gimp


def _is_complete(root: Path) -> bool:
    """Was it built to the end, with the packages that are wanted now?"""
    complete = root / COMPLETE
    return complete.exists() and set(PACKAGES) <= set(complete.read_text().split())


def _build(suite: str, root: Path) -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        raise NoGimp("a real GIMP is brought up in a chroot, which needs root on Linux")
    if not shutil.which("apt-get"):
        raise NoGimp("a real GIMP is brought up from Debian's packages, which needs apt")
    if not shutil.which("debootstrap"):
        _call(["apt-get", "update", "-qq"])
        _call(["apt-get", "install", "-y", "-qq", "debootstrap"])
    _unmount(root)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    mirror = _mirror()
    # A debootstrap that does not know a newer suite's name can use an older one's script.
    script = Path("/usr/share/debootstrap/scripts") / suite
    scripts = [] if script.exists() else [str(script.with_name("sid"))]
    base = ["debootstrap", "--variant=minbase", "--include=ca-certificates"]
    _call([*base, suite, str(root), mirror, *scripts])
    for name, text in _APT.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        with suppress(OSError):
            shutil.copy(Path("/") / name, root / name)
    _mount(root)
    environment = [
        "chroot",
        str(root),
        "/usr/bin/env",
        "DEBIAN_FRONTEND=noninteractive",
        "LC_ALL=C",
    ]
    _call([*environment, "apt-get", "update", "-qq"])
    _call([*environment, "apt-get", "install", "-y", "-qq", *PACKAGES])
    _call([*environment, "apt-get", "clean"])
    (root / COMPLETE).write_text("\n".join(PACKAGES))


def _mirror() -> str:
    """The main Debian archive that this machine's apt is set to."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    mirrors = [uri.rstrip("/") for uri in listed if uri.rstrip("/").endswith("/debian")]
    if not mirrors:
        raise NoGimp("apt knows no Debian mirror; run: apt-get update")
    return mirrors[0]


def _mount(root: Path) -> None:
    """/proc and a shared-memory folder, as far as this machine allows."""
    for kind, place in (("proc", "proc"), ("tmpfs", "dev/shm")):
        target = root / place
        if not target.is_mount():
            subprocess.run(
                ["mount", "-t", kind, kind, str(target)], capture_output=True, check=False
            )


def _unmount(root: Path) -> None:
    for place in ("proc", "dev/shm"):
        if (root / place).is_mount():
            subprocess.run(["umount", "-l", str(root / place)], capture_output=True, check=False)


def _call(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise NoGimp(f"`{' '.join(command[:3])} …` failed: {tail}")


if __name__ == "__main__":
    for each in SUITES:
        print(each, real_gimp(each).run(["gimp-console", "--version"]).stdout.strip(), flush=True)
