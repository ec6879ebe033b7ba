"""Ways of making the network faster, in one run: `python -m engine.benchmark speedups`.

One photo of 192 pixels' working size with a dot, encoder and decoder; the ways take turns. "times
as fast" is against the first row of the same run, "start" what getting ready costs (two runs, and
what compiling there is), "ab" the largest difference from 32 bits in CIE units. With --exports ONNX
Runtime and OpenVINO are rows where they are installed (with onnx and onnxscript), with --compile
torch.compile; either takes minutes.
"""

from __future__ import annotations

import copy
import importlib.util
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.benchmark_networks import describe
from engine.color import AB_SCALE
from engine.command import parser_of
from engine.inference import fused, in_bfloat16
from engine.networks import ColorizationNetwork
from engine.networks.base import no_theme
from engine.weights import load_network

SHAPE = (1, 1, 160, 224)  # a photo of 3:2 at a working size of 192
Run = Callable[[], Tensor]


@dataclass(frozen=True)
class Way:
    """A network made ready."""

    name: str
    run: Run
    start: float  # seconds


class Whole(nn.Module):
    """Encoder and decoder as one, for exporting."""

    def __init__(self, network: ColorizationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, hints: Tensor, theme: Tensor) -> Tensor:
        return self.network(lightness, hints, theme)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_of("engine.benchmark speedups", __doc__)
    parser.add_argument("--runs", type=int, default=15, help="of each, timed in turn")
    parser.add_argument("--compile", action="store_true", help="torch.compile, too")
    parser.add_argument("--exports", action="store_true", help="ONNX Runtime and OpenVINO, too")
    options = parser.parse_args(arguments)
    print(f"{describe('cpu')}; torch {torch.__version__}\n")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns of every branch
        print(table(ways(options.compile, options.exports), options.runs))


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    """Lightness, hints and theme."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 28, 40, generator=generator)
    lightness = torch.nn.functional.interpolate(coarse, SHAPE[2:], mode="bilinear")
    hints = torch.zeros(1, 3, *SHAPE[2:])
    hints[0, :, 100, 100] = torch.tensor((0.3, 0.1, 1.0))
    return lightness, hints, no_theme(lightness)


def table(found: Sequence[Way], runs: int) -> str:
    times: dict[str, list[float]] = {way.name: [] for way in found}
    for _ in range(runs):
        for way in found:
            began = time.perf_counter()
            way.run()
            times[way.name].append((time.perf_counter() - began) * 1000)
    exact = found[0].run().float()
    base = statistics.median(times[found[0].name])
    lines = ["| network | ms | times as fast | start | ab |", "| --- |" + " ---: |" * 4]
    for way in found:
        middle = statistics.median(times[way.name])
        moved = float((way.run().float() - exact).abs().max()) * AB_SCALE
        lines.append(
            f"| {way.name} | {middle:.1f} | {base / middle:.2f} | {way.start:.1f} s | {moved:.2f} |"
        )
    return "\n".join(lines)


def ways(compiled: bool, exported: bool) -> list[Way]:
    """Every way that can be had here, the plain network first."""
    plain = load_network()
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    tight = fused(plain).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    short = in_bfloat16(tight)
    found = [
        _eager("32 bits, channels first", plain, False),
        _eager("32 bits, channels last", last, False),
        _eager("… normalisation fused", tight, False),
        _eager("16 bits by autocast, channels last", last, True),
        _eager("… normalisation fused", tight, True, " (autocast)"),
        _eager("16-bit weights, normalisation fused (ours)", short, False),
        _frozen("32 bits, fused, torch.jit.freeze", tight, False),
        _frozen("16 bits, fused, torch.jit.freeze", tight, True),
    ]
    if compiled:
        found.append(_compiled("16-bit weights, fused, torch.compile", short))
    if exported and all(map(importlib.util.find_spec, ("onnxruntime", "onnx", "onnxscript"))):
        found.append(_onnx("32 bits, fused, ONNX Runtime", tight))
    if exported and importlib.util.find_spec("openvino"):
        found.append(_openvino("OpenVINO, its own choice of bits", tight))
    return found


def _ready(name: str, make: Callable[[], Run]) -> Way:
    began = time.perf_counter()
    run = make()
    run()
    run()
    return Way(name, run, time.perf_counter() - began)


def _eager(name: str, network: ColorizationNetwork, autocast: bool, which: str = "") -> Way:
    given = inputs()

    def run() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            return network(*given)

    return _ready(name + which, lambda: run)


def _frozen(name: str, network: ColorizationNetwork, autocast: bool) -> Way:
    given = inputs()

    def make() -> Run:
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast, cache_enabled=False):
            traced = torch.jit.trace(Whole(network).eval(), given, check_trace=False)
        frozen = torch.jit.freeze(traced)
        return lambda: frozen(*given)

    return _ready(name, make)


def _compiled(name: str, network: ColorizationNetwork) -> Way:
    given = inputs()

    def make() -> Run:
        compiled = torch.compile(network)
        return lambda: compiled(*given)

    return _ready(name, make)


def _onnx(name: str, network: ColorizationNetwork) -> Way:
    import onnxruntime

    given = inputs()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        torch.onnx.export(Whole(network).eval(), given, path, dynamo=True, optimize=False)
        data = {"lightness": given[0], "hints": given[1], "theme": given[2]}
        feed = {key: value.numpy() for key, value in data.items()}

        def make() -> Run:
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            return lambda: torch.from_numpy(np.asarray(session.run(None, feed)[0]))

        return _ready(name, make)


def _openvino(name: str, network: ColorizationNetwork) -> Way:
    import openvino

    given = inputs()
    model = openvino.convert_model(Whole(network).eval(), example_input=given)

    def make() -> Run:
        compiled = openvino.compile_model(model, "CPU")
        arrays = [value.numpy() for value in given]
        return lambda: torch.from_numpy(np.asarray(compiled(arrays)[0]).copy())

    return _ready(name, make)


if __name__ == "__main__":
    main()
