"""How long work tells how far it is, and how it is called off."""

from __future__ import annotations

from collections.abc import Callable

Tick = Callable[[float], None]  # fraction done, 0..1; may raise Cancelled


class Cancelled(Exception):
    """The caller wants no result any more; raised by its `tick`."""


def no_tick(fraction: float) -> None:
    """Report to nobody."""
