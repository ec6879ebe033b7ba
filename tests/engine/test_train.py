"""A real training run of seconds on real photographs: it learns, stops and goes on."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import skimage
import torch
from PIL import Image
from torch import Tensor
from torch.distributed.run import get_args_parser

from engine.networks import NETWORKS
from engine.simulate import Example, Mix, simulate
from engine.train import OtherRun, TrainConfig, _parse, _rate_share, main, next_batch, train
from engine.weights import (
    WeightsMissing,
    load_network,
    save_network,
    training_record,
    weights_path,
)
from tests.conftest import ROOT

SAMPLES = Path(skimage.__file__).parent / "data"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in sorted(SAMPLES.glob("*.png")):
        with Image.open(path) as photo:
            if photo.mode == "RGB" and min(photo.size) >= 200:
                photo.save(folder / path.name)
    assert any(folder.iterdir())
    return folder


def short(photos: Path, **knobs: object) -> TrainConfig:
    values: dict[str, object] = {
        "photos": str(photos),
        "minutes": 0.05,
        "stages": "32x4x0.5,64x2x0.5",
        "evaluate_minutes": 100.0,
    }
    return TrainConfig(**{**values, **knobs})  # type: ignore[arg-type]


@pytest.mark.parametrize("network", ["paper", "default"])
def test_a_run_writes_weights_curves_and_a_sheet(
    network: str, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    train(short(photos, network=network))

    run = tmp_path / "runs" / network
    lines = [json.loads(line) for line in (run / "curves.jsonl").read_text().splitlines()]
    validation = [line for line in lines if line["kind"] == "validation"]
    assert validation[-1].keys() >= {"gray", "nothing", "theme", "dots", "both"}
    assert list(run.glob("sheet-*.jpg"))
    weights = run / f"{network}.safetensors"
    assert load_network(network, weights).dimensions
    assert str(tmp_path).encode() not in weights.read_bytes()


def test_weights_tell_their_whole_training(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = {"stages": "32x4x1", "samples_budget": 8, "network": "paper"}
    first = tmp_path / "runs/first/paper.safetensors"

    train(short(photos, name="first", **budget))
    train(short(photos, name="second", start_from=str(first), **budget))

    record = training_record(tmp_path / "runs/second/paper.safetensors")
    assert record["samples"] == 8 and record["machine"]
    assert record["validation PSNR in dB"].keys() >= {"gray", "both"}
    assert record["started from"] == training_record(first)


def test_a_part_of_the_start_can_be_kept(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = {"stages": "32x4x1", "samples_budget": 16, "network": "paper"}
    first = tmp_path / "runs/first/paper.safetensors"
    train(short(photos, name="first", **budget))
    train(short(photos, name="plain", start_from=str(first), **budget))
    train(short(photos, name="blend", start_from=str(first), keep_start=0.25, **budget))

    start, plain, blend = (
        load_network("paper", tmp_path / f"runs/{run}/paper.safetensors").state_dict()
        for run in ("first", "plain", "blend")
    )
    name = max(start, key=lambda key: float((plain[key] - start[key]).abs().float().mean()))
    assert torch.allclose(blend[name], 0.75 * plain[name] + 0.25 * start[name], rtol=0.01)
    assert not torch.allclose(blend[name], plain[name], rtol=0.01)
    # What a run goes on from is not blended.
    kept = torch.load(tmp_path / "runs/blend/checkpoint.pt", weights_only=True)["averaged"]
    assert torch.allclose(kept[name], plain[name], rtol=0.01)


@pytest.mark.parametrize("knobs", [{"network": "default"}, {"muon_rate": 0.0}])
def test_another_run_of_the_name_is_refused(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knobs: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    budget = {"name": "one", "stages": "32x4x1", "samples_budget": 8, "network": "paper"}
    train(short(photos, **budget))

    with pytest.raises(OtherRun, match="--name"):
        train(short(photos, **{**budget, **knobs}))


def test_a_run_goes_on_where_it_stopped(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    checkpoint = tmp_path / "runs/default/checkpoint.pt"

    train(short(photos))
    first = torch.load(checkpoint, weights_only=True)["progress"]
    minutes = first["seconds"] / 60 + 0.02
    train(short(photos, minutes=minutes))
    second = torch.load(checkpoint, weights_only=True)["progress"]

    assert second["step"] > first["step"]
    assert second["seconds"] >= minutes * 60


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        ("64x64", "not “64x64”"),
        ("64x64x0.5,", "not “”"),
        ("64x0x1", "CROPxBATCHxSHARE"),
        ("100x64x1", "multiple of 32, and 100 is none"),
    ],
)
def test_stages_that_are_none_are_told_before_anything_is_read(
    stages: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--photos", "nowhere", "--stages", stages])

    assert words in capsys.readouterr().err


QUICK_CLOCK = """
import os, time, types
from engine import train

if os.environ["RANK"] == "1":
    train.time = types.SimpleNamespace(monotonic=lambda: 10 * time.monotonic())
if __name__ == "__main__":
    train.main()
"""


def test_processes_end_together_though_their_clocks_differ(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "quick_clock.py"
    script.write_text(QUICK_CLOCK)
    knobs = {
        "photos": photos,
        "name": "pair",
        "network": "paper",
        "minutes": 0.05,
        "stages": "32x4x1",
    }
    options = [f"--{knob}={value}" for knob, value in knobs.items()]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*command, *options], cwd=tmp_path, env=environment) as torchrun:
        try:
            assert torchrun.wait(180) == 0
        finally:
            torchrun.terminate()  # and with it the two

    record = training_record(tmp_path / "runs/pair/paper.safetensors")
    assert record["samples"] == 8 * record["step"] > 0


def test_torchrun_takes_no_option_for_its_own() -> None:
    for field in fields(TrainConfig):
        option = "--" + field.name.replace("_", "-")
        given = get_args_parser().parse_args(["-m", "engine.train", option, "1"])
        assert given.training_script_args == [option, "1"]


def drawn(
    photos: Tensor, segments: Tensor, crop: int, batch: int, **knobs: Any
) -> tuple[Tensor, Tensor, Tensor]:
    config = TrainConfig(**knobs)
    return next_batch(photos, segments, crop, batch, config, torch.Generator().manual_seed(0))


def test_cuts_are_within_range() -> None:
    photos = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8)

    light = photos[:, :1].gt(127).to(torch.uint8)

    lightness, ab, cut = drawn(photos, light, 32, 5)

    assert lightness.shape == cut.shape == (5, 1, 32, 32) and ab.shape == (5, 2, 32, 32)
    assert cut.unique().tolist() == [0, 1]
    assert lightness.min() >= 0 and lightness.max() <= 1
    assert ab.abs().max() <= 1


def test_segments_are_cut_like_their_photo() -> None:
    halves = torch.arange(40).ge(20).to(torch.uint8).expand(3, 1, 40, 40)
    photos = (halves * 255).expand(-1, 3, -1, -1)

    lightness, _, cut = drawn(photos, halves, 32, 50)

    assert ((lightness > 0.5) == cut.bool()).float().mean() > 0.99


@pytest.mark.parametrize("smallest", [0.5, 0.9])
def test_a_cut_shows_as_much_as_is_said(smallest: float) -> None:
    ramp = torch.arange(40).expand(1, 1, 40, 40).to(torch.uint8)
    photos = torch.zeros(1, 3, 40, 40, dtype=torch.uint8)

    _, _, cut = drawn(photos, ramp, 40, 200, smallest_cut=smallest)

    shown = (cut.amax((1, 2, 3)) - cut.amin((1, 2, 3)) + 1) / 40
    assert smallest - 0.06 < shown.min() < smallest + 0.06 and shown.max() > 0.95


def test_every_knob_is_an_option() -> None:
    config = _parse(["--network", "paper", "--minutes", "3", "--learning-rate", "0.5"])

    assert (config.network, config.minutes, config.learning_rate) == ("paper", 3.0, 0.5)


def test_paper_is_trained_as_its_paper_says_unless_one_asks_for_more() -> None:
    paper, default = _parse(["--network", "paper"]), _parse([])

    assert (paper.recolored, paper.objects, paper.curve) == (0, 0, 0)
    assert (default.recolored, default.objects, default.curve) == (0.3, 0.3, 0.3)
    assert _parse(["--network", "paper", "--recolored", "0.2"]).recolored == 0.2


def test_the_curve_of_lightness_is_bent_as_far_as_is_said() -> None:
    gray = torch.full((1, 3, 40, 40), 119, dtype=torch.uint8)  # L 50
    parts = torch.zeros(1, 1, 40, 40, dtype=torch.uint8)

    straight, bent = (drawn(gray, parts, 8, 50, curve=curve)[0] for curve in (0, 0.3))

    assert torch.allclose(straight, torch.tensor(0.5), atol=0.01)
    assert bent.min() < 0.43 and bent.max() > 0.56
    assert bent.min() >= 0.49 ** math.exp(0.3) and bent.max() <= 0.51 ** math.exp(-0.3)


def test_photos_and_people_are_drawn_as_the_knobs_say(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    curves: list[float] = []
    mixes: list[Mix] = []

    def batch_told(*given: Any) -> tuple[Tensor, Tensor, Tensor]:
        curves.append(given[4].curve)
        return next_batch(*given)

    def example_told(*given: Any) -> Example:
        mixes.append(given[2])
        return simulate(*given)

    monkeypatch.setattr("engine.train.next_batch", batch_told)
    monkeypatch.setattr("engine.train.simulate", example_told)

    knobs = {"network": "paper", "curve": 0.1, "recolored": 0.2, "objects": 0.4}
    train(short(photos, samples_budget=4, stages="32x4x1", **knobs))

    assert curves == [0.1]
    assert mixes[0] == Mix(0.25, 0.25, 0.25, 0.25, recolored=0.2, objects=0.4)


def test_the_rate_rises_and_falls() -> None:
    config = TrainConfig(warmup=0.1)

    shares = [_rate_share(config, done) for done in (0.05, 0.1, 0.25, 0.5, 0.75, 1.0)]

    # half of the warm-up; its end; a cosine, which is above a line at a quarter, below it at three
    assert shares == pytest.approx([0.505, 0.976, 0.855, 0.505, 0.155, 0.01], abs=1e-3)


def test_a_run_ends_with_a_low_rate_and_averaged_weights(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start = weights_path("paper")

    train(short(photos, network="paper", start_from=str(start), samples_budget=40))

    state = torch.load(tmp_path / "runs/paper/checkpoint.pt", weights_only=True)
    rates = [group["lr"] for each in state["optimizers"] for group in each["param_groups"]]
    assert len(rates) == 2 and max(rates) < 0.3 * TrainConfig.learning_rate
    weight = "conv1_lightness.0.weight"
    before = load_network("paper", start).state_dict()[weight]
    moved, averaged = ((state[which][weight] - before).norm() for which in ("network", "averaged"))
    assert 0 < averaged < moved


def runs_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs whose mean the weights are, also where it is a mean of means."""
    parts = record.get("mean of")
    return [run for part in parts for run in runs_of(part)] if parts else [record]


@pytest.mark.parametrize("network", NETWORKS)
def test_shipped_weights_tell_of_their_training(network: str) -> None:
    path = weights_path(network)

    load_network(network)
    record = training_record(path)

    assert path.stat().st_size < 20e6
    for run in runs_of(record):
        assert int(str(run["samples"])) > 0 and float(str(run["seconds"])) > 0
        assert "validation PSNR in dB" in run and "machine" in run


def test_missing_weights_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsMissing, match=r"is missing$"):  # somebody's own
        load_network("default", tmp_path / "absent.safetensors")
    monkeypatch.setattr("engine.weights.FOLDER", tmp_path)
    with pytest.raises(WeightsMissing, match=r"is missing: .*install\.py repair"):
        load_network("default")


def test_damaged_weights_say_what_to_do(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not json at all")

    with pytest.raises(WeightsMissing, match="damaged"):
        load_network("default", broken)


def test_weights_of_a_changed_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_network(load_network("default"), "paper", path, {})

    with pytest.raises(WeightsMissing, match="damaged"):
        load_network("paper", path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_network(load_network("paper"), "paper", path, {})

    with pytest.raises(WeightsMissing, match="of the network 'paper', not of 'default'"):
        load_network("default", path)


def test_numbers_too_large_for_fp16_are_kept(tmp_path: Path) -> None:
    network, path = load_network("default"), tmp_path / "default.safetensors"
    variance = network.state_dict()["block32.norm1.running_var"]
    variance[:2] = torch.tensor((1e5, 3.0))

    save_network(network, "default", path, {})

    kept = load_network("default", path).state_dict()["block32.norm1.running_var"]
    assert torch.allclose(kept[:2], variance[:2])


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(WeightsMissing, match="no network 'nonsense'"):
        weights_path("nonsense")
