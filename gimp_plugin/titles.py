"""What the title of one of GIMP's image windows tells."""

from __future__ import annotations

import re
from typing import Optional

# GIMP's own format (Preferences, Image Windows, Title): name-ID.view (type, layers) size
_ID_AND_VIEW = re.compile(r"-(\d+)\.\d+ \(")


def image_id_of(title: str) -> Optional[int]:  # noqa: UP045
    """The ID of the image that a window shows; None for other windows and other formats."""
    ids = _ID_AND_VIEW.findall(title)
    return int(ids[-1]) if ids else None  # a file's name may look like an ID, but stands before
