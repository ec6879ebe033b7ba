"""Speed of the networks: `python -m engine.benchmark networks`.

One photo at a time, at 256 and 512 pixels square, in fp32 and bf16, on the CPU and on the GPU where
there is one. Beside our networks stands the one of Zhang et al. (2017), of the same shape as
published and with random weights, in the same run: speed does not depend on the weights' values.
The networks take turns, so that a machine that gets busier or hotter slows all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engine.command import parser_of
from engine.networks import NETWORKS, ColorizationNetwork, build_network
from engine.networks.base import no_theme
from engine.networks.zhang import ZhangNetwork

SIZES = (256, 512)
ZHANG = "zhang 2017"
# Table 2 of the paper: their network on a GTX 1080 Ti, their own measurement.
PAPER_MILLISECONDS = {256: 7.5, 512: 22.8}
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_HINT_SHARE = 0.01  # of the pixels
Step = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """One network at one size on one device."""

    network: str
    device: str
    dtype: str
    size: int  # pixels of the square's side
    milliseconds: float  # median of a run from L, dots and theme to ab
    retheme: float | None  # milliseconds of another theme on the same photo; None: takes no theme
    gflop: float  # of a run; a multiplication and an addition are two
    parameters: int


@dataclass(frozen=True)
class Job:
    """Something to time, and the parts of it."""

    network: str
    size: int
    dtype: str
    module: nn.Module
    whole: Step
    retheme: Step | None


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    timings: list[Timing] = []
    for device in options.devices:
        print(f"{describe(device)}; torch {torch.__version__}\n")
        found = measure(device, options.sizes, options.dtypes, options.runs)
        print(table(found))
        timings += found
    paper = ", ".join(f"{ms} ms at {size}" for size, ms in PAPER_MILLISECONDS.items())
    print(f"The paper's own figures (Table 2, GTX 1080 Ti): {paper}")
    if options.output:
        result = [asdict(timing) for timing in timings]
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1), "utf-8")


@torch.inference_mode()
def measure(device: str, sizes: Sequence[int], dtypes: Sequence[str], runs: int) -> list[Timing]:
    """Time every network, size and dtype on one device ("cpu" or "cuda")."""
    modules: dict[str, nn.Module] = {name: build_network(name) for name in NETWORKS}
    modules[ZHANG] = ZhangNetwork()
    for module in modules.values():
        module.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    found: list[Timing] = []
    for dtype in dtypes:
        for size in sizes:
            jobs = [_job(name, module, device, dtype, size) for name, module in modules.items()]
            found += _time(jobs, device, runs)
    return found


def _job(name: str, module: nn.Module, device: str, dtype: str, size: int) -> Job:
    lightness, hints, theme = _inputs(device, size)

    def cast(step: Step) -> Step:
        def run() -> object:
            with torch.autocast(device, DTYPES[dtype], enabled=dtype != "fp32"):
                return step()

        return run

    if not isinstance(module, ColorizationNetwork):
        return Job(name, size, dtype, module, cast(lambda: module(lightness, hints)), None)
    whole = cast(lambda: module(lightness, hints, theme))
    with torch.autocast(device, DTYPES[dtype], enabled=dtype != "fp32"):
        features = module.encode(lightness, hints)
    return Job(name, size, dtype, module, whole, cast(lambda: module.decode(features, theme)))


def _inputs(device: str, size: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    lightness = torch.rand(1, 1, size, size, generator=generator)
    mask = (torch.rand(1, 1, size, size, generator=generator) < _HINT_SHARE).float()
    hints = torch.cat((torch.rand(1, 2, size, size, generator=generator) * mask, mask), 1)
    theme = no_theme(lightness) + torch.tensor((0.2, 0.1, 1.0, 1 / 7))
    layout = torch.channels_last
    return (
        lightness.to(device, memory_format=layout),
        hints.to(device, memory_format=layout),
        theme.to(device),
    )


def _time(jobs: Sequence[Job], device: str, runs: int) -> list[Timing]:
    for job in jobs:  # the first runs choose algorithms and fill caches
        for step in (job.whole, job.whole, job.retheme):
            if step is not None:
                milliseconds(step, device)
    whole: list[list[float]] = [[] for _ in jobs]
    retheme: list[list[float]] = [[] for _ in jobs]
    for _ in range(runs):
        for index, job in enumerate(jobs):
            whole[index].append(milliseconds(job.whole, device))
            if job.retheme is not None:
                retheme[index].append(milliseconds(job.retheme, device))
    return [
        Timing(
            job.network,
            device,
            job.dtype,
            job.size,
            statistics.median(times),
            statistics.median(themes) if themes else None,
            gflop(job.whole),
            sum(parameter.numel() for parameter in job.module.parameters()),
        )
        for job, times, themes in zip(jobs, whole, retheme, strict=True)
    ]


def milliseconds(step: Step, device: str) -> float:
    """How long a step takes, the device's work included."""
    if device == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    step()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) * 1000


def gflop(step: Step) -> float:
    """Floating-point operations of convolutions, matrix products and attention, in 10^9."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / 1e9


def table(timings: Sequence[Timing]) -> str:
    """The timings with aligned columns."""
    lines = [("network", "size", "type", "ms", "ms, new theme", "GFLOP", "parameters")]
    for t in timings:
        retheme = "" if t.retheme is None else f"{t.retheme:.1f}"
        figures = (f"{t.milliseconds:.1f}", retheme, f"{t.gflop:.1f}")
        lines.append((t.network, str(t.size), t.dtype, *figures, f"{t.parameters / 1e6:.2f} M"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    return "\n".join((*rows, ""))


def describe(device: str) -> str:
    """What the device is, for people."""
    if device == "cuda":
        return f"GPU: {torch.cuda.get_device_name()}"
    info = Path("/proc/cpuinfo")
    model = "unknown processor"
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    threads, cores = torch.get_num_threads(), os.cpu_count()
    return f"CPU: {model}, {threads} threads of {cores}"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = parser_of("engine.benchmark networks", __doc__)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    parser.add_argument("--devices", nargs="+", choices=devices, default=devices)
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=SIZES)
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=tuple(DTYPES))
    parser.add_argument("--runs", type=int, default=20, help="of each, timed in turn; median taken")
    parser.add_argument("--threads", type=int, help="of the CPU (default: torch's choice)")
    parser.add_argument("--output", type=Path, help="a JSON file for the timings")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
