"""docs/protocol.md knows every method."""

from __future__ import annotations

import pytest

from server.protocol import messages
from tests.conftest import ROOT


@pytest.mark.parametrize("method", [*messages.METHODS, messages.PROGRESS, messages.CANCEL])
def test_every_method_is_documented(method: str) -> None:
    assert f"`{method}`" in (ROOT / "docs/protocol.md").read_text()
