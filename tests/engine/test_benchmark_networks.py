"""The benchmark counts right and fills its table. Nothing here judges a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from engine import benchmark_networks as benchmark
from engine.networks.zhang import ZhangNetwork


def test_flops_of_a_convolution_are_two_for_each_multiplication() -> None:
    layer = nn.Conv2d(3, 8, 5, padding=2)

    counted = benchmark.gflop(lambda: layer(torch.zeros(1, 3, 16, 20)))

    assert counted == pytest.approx(2 * 16 * 20 * 8 * 3 * 25 / 1e9)


def test_zhangs_network_has_the_published_size_and_gives_ab() -> None:
    network = ZhangNetwork().eval()
    with torch.inference_mode():
        ab = network(torch.rand(1, 1, 64, 96), torch.zeros(1, 3, 64, 96))

    assert ab.shape == (1, 2, 64, 96) and ab.abs().max() <= 1
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert 33 < millions < 35  # 34 million without the classification's last layer


def test_a_benchmark_covers_every_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "timings.json"

    benchmark.main(
        ["--devices", "cpu", "--sizes", "256", "--dtypes", "fp32", "--runs", "1",
         "--output", str(output)]
    )  # fmt: skip

    timings = json.loads(output.read_text("utf-8"))
    assert {t["network"] for t in timings} == {"paper", "default", benchmark.ZHANG}
    assert all(t["milliseconds"] > 0 and t["gflop"] > 0 for t in timings)
    printed = capsys.readouterr().out
    assert "GFLOP" in printed and "7.5 ms at 256" in printed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_benchmark_runs_on_the_gpu() -> None:
    timings = benchmark.measure("cuda", [256], ["bf16"], 2)

    assert {t.device for t in timings} == {"cuda"} and len(timings) == 3
