"""Which photos a person names, and where their results go: nothing is overwritten unasked."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")


class UserError(Exception):
    """Something the person at the keyboard can put right; the message says what."""


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """An OSError becomes a UserError: what failed, and the system's reason."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{what}: {error.strerror}") from error


def expand(names: Sequence[str]) -> list[Path]:
    """Files as they are, folders as the photos in them; each once. Raises UserError.

    Patterns with * or ? are what they match: the shell of Windows leaves that to the programs.
    """
    found: list[Path] = []
    for name in names:
        with in_words(f"{name} cannot be read"):
            for path in map(Path, _matches(name)):
                found += _photos_in(path) if path.is_dir() else [path]
    return list({path.absolute(): path for path in found}.values())


def _photos_in(folder: Path) -> list[Path]:
    inside = sorted(
        path
        for path in folder.iterdir()
        # Hidden ones are no photos: macOS lays “._a.png” beside a.png on other systems' disks.
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and not path.is_dir()
    )
    if not inside:
        raise UserError(f"the folder {folder} holds no photos")
    return inside


def _matches(name: str) -> list[str]:
    if not {"*", "?"} & set(name) or Path(name).exists():
        return [name]
    pattern = name.replace("[", "[[]")  # brackets are letters like others, as they are to Windows
    return sorted(glob.glob(pattern)) or [name]  # noqa: PTH207 (Path.glob takes no absolute pattern)


def output_paths(photos: Sequence[Path], output: str, replace: bool = False) -> list[Path]:
    """Where each result goes: a file, or PNGs in a folder, which is made.

    output: as it was typed; a slash at its end makes it a folder. Raises UserError, also when a
    result would cover a photo, another result or, without replace, any other file.
    """
    with in_words(f"{output} cannot be written"):
        targets = _targets(photos, output)
        _refuse_losses(photos, targets)
        there = [] if replace else [target for target in targets if target.exists()]
    if there:
        raise UserError(f"{there[0]} exists; choose another place, or give --replace to replace it")
    return targets


def _targets(photos: Sequence[Path], output: str) -> list[Path]:
    place = Path(output)
    if output.endswith(("/", os.sep)) or not place.suffix or place.is_dir():
        return [_folder(place) / name for name in _result_names(photos)]
    if place.suffix.lower() not in SUFFIXES:
        raise UserError(f"{place.suffix} files cannot be written; take {', '.join(SUFFIXES)}")
    if len(photos) > 1:
        raise UserError(f"{place} is no folder; several photos need a folder for their results")
    return [_folder(place.parent) / place.name]


def _refuse_losses(photos: Sequence[Path], targets: Sequence[Path]) -> None:
    written = {_same_file(target) for target in targets}
    covered = [photo for photo in photos if _same_file(photo) in written]
    if covered:
        raise UserError(f"the result would replace the photo {covered[0]}; choose another place")
    if len(written) < len(targets):
        raise UserError("two photos have the same name; colour them into different folders")


def _folder(path: Path) -> Path:
    with in_words(f"the folder {path} cannot be made"):
        path.mkdir(parents=True, exist_ok=True)
    return path


def _result_names(photos: Sequence[Path]) -> list[str]:
    """Each photo's name as a PNG; where two would share one, their endings stay in it."""
    short = [f"{photo.stem}.png" for photo in photos]
    uses = Counter(name.casefold() for name in short)
    return [
        f"{photo.name}.png" if uses[name.casefold()] > 1 else name
        for photo, name in zip(photos, short, strict=True)
    ]


def _same_file(path: Path) -> str:
    """Equal for two names of one file; Windows and macOS see no capitals in names."""
    return str(path.resolve()).casefold()
