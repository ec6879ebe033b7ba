"""What the commands of this folder do alike: their help, and one line when they cannot go on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from engine.photos import NoPhotos
from engine.weights import WeightsMissing


def parser_of(command: str, words: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m COMMAND`; words: its docstring, shown by --help as it stands."""
    return argparse.ArgumentParser(
        prog=f"python -m {command}",
        description=words,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


@contextmanager
def told_in_a_line(command: str, *more: type[Exception]) -> Iterator[None]:
    """Files, photos or weights that cannot be had end the process: a line on stderr, status 1.

    more: kinds of errors that are for this command's user, too.
    """
    told: tuple[type[Exception], ...] = (OSError, NoPhotos, WeightsMissing, *more)
    try:
        yield
    except told as error:
        raise SystemExit(f"{command}: {error}") from None
