"""Words for people, translated where a catalogue lies in `locale/` beside the plug-in."""

from __future__ import annotations

import gettext
from pathlib import Path

DOMAIN = "tincture"
_FOLDER = Path(__file__).resolve().parent.parent / "locale"

_ = gettext.translation(DOMAIN, str(_FOLDER), fallback=True).gettext
