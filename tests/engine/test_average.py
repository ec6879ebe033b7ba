"""The mean of networks that were trained side by side."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.average import main, mean
from engine.networks import build_network
from engine.weights import load_network, save_network, training_record


def test_the_mean_lies_between_and_tells_of_all(tmp_path: Path) -> None:
    start = {"samples": 1}
    paths = [tmp_path / f"{name}.safetensors" for name in ("first", "second")]
    for number, path in enumerate(paths):
        torch.manual_seed(number)
        record = {"samples": 10 + number, "started from": start}
        save_network(build_network("paper"), "paper", path, record)

    main([*map(str, paths), "--out", str(tmp_path / "mean.safetensors"), "--network", "paper"])

    first, second, found = (
        load_network("paper", path).state_dict() for path in (*paths, tmp_path / "mean.safetensors")
    )
    for key, value in found.items():
        expected = (first[key].float() + second[key].float()) / 2
        assert torch.allclose(value.float(), expected, atol=1e-3), key
    assert training_record(tmp_path / "mean.safetensors") == {
        "mean of": [{"samples": 10}, {"samples": 11}],
        "started from": start,
    }


def test_what_are_no_weights_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "none.safetensors"), "--out", str(tmp_path / "mean.safetensors")])

    assert "none.safetensors is missing" in capsys.readouterr().err


def test_networks_of_different_dimensions_have_no_mean() -> None:
    with pytest.raises(ValueError, match="different dimensions"):
        mean([build_network("paper"), build_network("paper", {"width": 16})])
