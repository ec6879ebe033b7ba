"""GIMP makes its interface known at run time only; every name is of the type Any."""

from typing import Any

def __getattr__(name: str) -> Any: ...
