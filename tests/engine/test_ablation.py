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
    """ab without input and with a dot, by networks of the same random weights."""
    torch.manual_seed(0)
    network = kind(DefaultDimensions()).eval()
    lightness = torch.rand(1, 1, 64, 64)
    hints = no_hints(lightness)
    hints[:, :, 20:26, 20:26] = torch.tensor((0.5, -0.4, 1.0)).view(3, 1, 1)
    with torch.no_grad():
        nothing = network(lightness, no_hints(lightness), no_theme(lightness))
        return nothing, network(lightness, hints, no_theme(lightness))


@pytest.mark.parametrize("kind", ABLATED.values())
def test_a_part_that_is_left_out_changes_the_answer_to_a_dot(kind: type[DefaultNetwork]) -> None:
    nothing, dotted = outputs(kind)
    whole_nothing, whole_dotted = outputs(DefaultNetwork)

    assert not torch.equal(dotted, whole_dotted)
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
