"""Ablated networks lack what their names say; a variant's run gives its figures."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch

from engine import ablation
from engine.ablation import ABLATED, VARIANTS, as_markdown, trained
from engine.networks.base import no_hints, no_theme
from engine.networks.default import DefaultDimensions, DefaultNetwork
from tests.engine.test_train import photos

__all__ = ["photos"]  # a fixture


def outputs(kind: type[DefaultNetwork]) -> tuple[torch.Tensor, torch.Tensor]:
    """ab without input, and with a dot and a theme, by networks of the same random weights."""
    torch.manual_seed(0)
    network = kind(DefaultDimensions()).eval()
    lightness = torch.rand(1, 1, 64, 64)
    hints = no_hints(lightness)
    hints[:, :, 20:26, 20:26] = torch.tensor((0.5, -0.4, 1.0)).view(3, 1, 1)
    theme = no_theme(lightness)
    theme[:, :2] = torch.tensor(((0.5, 0.0, 1.0, 0.9), (0.0, 0.5, 1.0, 0.1)))
    with torch.no_grad():
        nothing = network(lightness, no_hints(lightness), no_theme(lightness))
        return nothing, network(lightness, hints, theme)


@pytest.mark.parametrize("kind", ABLATED.values())
def test_a_part_that_is_left_out_changes_the_answer(kind: type[DefaultNetwork]) -> None:
    nothing, given = outputs(kind)
    whole_nothing, whole_given = outputs(DefaultNetwork)

    assert not torch.equal(given, whole_given)
    assert torch.equal(nothing, whole_nothing) or kind is ablation.WithoutMixture


def test_a_variant_is_trained_once(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ablation, "STAGES", "32x4x1")
    options = argparse.Namespace(photos=str(photos), samples=8, limit=0)

    first = trained("paper", VARIANTS["paper, L_g + L_s + L_p"], options)
    again = trained("paper", VARIANTS["paper, L_g + L_s + L_p"], options)

    assert first["samples"] == again["samples"] == 8
    assert "| paper | " in as_markdown({"paper": first})
