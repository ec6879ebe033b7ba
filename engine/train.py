"""Train a colorization network: one flat loop, resumable, with a time budget.

    python -m engine.train --photos DIR --network default --minutes 60
    torchrun --nproc-per-node 4 -m engine.train --photos DIR --minutes 60 --name NAME

A run lives in `runs/NAME/`: `checkpoint.pt` (resumed from when it exists), `curves.jsonl` and
TensorBoard curves where TensorBoard is installed, `sheet-*.jpg` (contact sheets) and
`default.safetensors` or `paper.safetensors`, after the network (the averaged weights).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

from engine.color import AB_SCALE, lab_to_rgb, rgb_to_lab
from engine.command import parser_of, told_in_a_line
from engine.evaluation.metrics import psnr
from engine.losses import default_loss, paper_loss
from engine.muon import ConvolutionMuon
from engine.networks import NETWORKS, ColorizationNetwork, build_network
from engine.photos import load_segments, load_squares
from engine.simulate import Example, Mix, simulate
from engine.weights import load_network, save_network, training_record

MARGIN = 1.125  # photos are held this much larger than the crop, so that crops can vary
SEGMENTED = 144  # side in pixels at which the photos' segments are found
MUON_WIDTH = 16  # channels; a narrower convolution is a first or a last one, which AdamW moves
VALIDATION = "validation PSNR in dB"  # in the record that weights carry
LONGEST_STEP = 10.0  # seconds; a longer step was a pause and does not count against the budget


def knob(default: Any, words: str) -> Any:
    """A field of TrainConfig, with what `--help` says of it."""
    return field(default=default, metadata={"help": words})


@dataclass(frozen=True)
class TrainConfig:
    # input and output
    photos: str = knob("photos", "corpus folder, or any folder of photos; grey ones are left out")
    network: str = knob("default", "which network")
    name: str = knob("", "of the folder under runs/; the network's where none is given")
    start_from: str = knob("", "a safetensors file to start from, unless the run exists")
    # length and sizes
    minutes: float = knob(60.0, "budget of this run, earlier parts counted in")
    samples_budget: int = knob(0, "photos drawn; replaces the minutes, for runs to be compared")
    stages: str = knob("64x64x0.55,96x32x0.2,128x24x0.25", "crop x batch x share of the budget")
    limit: int = knob(0, "train on the first photos only; 0 for all")
    # simulated people
    nothing: float = knob(0.25, "share of the photos for which nothing is given")
    theme: float = knob(0.25, "share with a theme")
    dots: float = knob(0.25, "share with dots")
    both: float = knob(0.25, "share with a theme and dots")
    recolored: float = knob(0.3, "share of those with inputs in changed colours")
    objects: float = knob(
        0.3, "share of those with dots, fewer with a theme, where one object has any colour"
    )
    # what becomes of a photo
    smallest_cut: float = knob(0.6, "share of a photo's side that is shown, at least")
    curve: float = knob(0.3, "how far L's curve is bent: exponents from exp(-this) to exp(this)")
    # optimizer
    learning_rate: float = knob(1e-3, "peak, of AdamW")
    muon_rate: float = knob(3e-3, "peak, of Muon, which moves the convolutions; 0: AdamW moves all")
    warmup: float = knob(0.01, "share of the budget in which the rates rise")
    weight_decay: float = knob(0.01, "of both optimizers")
    clip: float = knob(1.0, "largest norm of the gradient")
    ema: float = knob(0.999, "decay of the averaged weights")
    keep_start: float = knob(0.0, "share of --start-from blended into the weights at the end")
    loss_terms: str = knob("gsp", "of `paper`: which of L_g, L_s, L_p count")
    # habits
    evaluate_minutes: float = knob(10.0, "from one evaluation and contact sheet to the next")
    checkpoint_minutes: float = knob(3.0, "from one checkpoint to the next")
    threads: int = knob(0, "CPU threads; 0: torch chooses")
    compiled: bool = knob(False, "a step in a third less time on a CPU; needs a C++ compiler")
    seed: int = knob(1, "of all that is random")


# The paper has nothing like these; on the command line its network does without, unless asked.
AS_IN_THE_PAPER = {"recolored": 0.0, "objects": 0.0, "curve": 0.0}


class OtherRun(Exception):
    """A run of that name exists, and it cannot go on as this one; the message says what to do."""


@dataclass
class Progress:
    """What grows during a run and is kept in the checkpoint."""

    step: int = 0
    samples: int = 0
    seconds: float = 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    with told_in_a_line("engine.train", OtherRun):
        train(_parse(arguments))


def train(config: TrainConfig) -> None:
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    device = torch.device(
        f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if torch.cuda.is_available() else "cpu"
    )
    if world > 1:
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.backends.cudnn.benchmark = True
    folder = Path("runs") / (config.name or config.network)
    folder.mkdir(parents=True, exist_ok=True)

    torch.manual_seed(config.seed)
    generator = torch.Generator(device).manual_seed(config.seed + rank)
    network = _new_network(config).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = build_network(config.network, asdict(network.dimensions)).to(device).eval()
    averaged.load_state_dict(network.state_dict())
    optimizers = _optimizers(network, config)
    progress = _resume(folder, config, network, averaged, optimizers, device)
    if progress.step and rank == 0:
        print(f"{folder} goes on after {progress.samples} photos, {progress.seconds / 60:.0f} min")
    generator.manual_seed(config.seed + rank + 1000 * progress.step)  # a resumed run draws anew
    model: torch.nn.Module = network
    if world > 1:
        model = DistributedDataParallel(network, [device] if device.type == "cuda" else None)
    loss_of_batch = (
        torch.compile(_loss_of_batch, dynamic=False) if config.compiled else _loss_of_batch
    )
    mix = Mix(
        config.nothing, config.theme, config.dots, config.both, config.recolored, config.objects
    )
    curves = Curves(folder) if rank == 0 else None

    resumed = evaluated = saved = progress.seconds
    record = _record(config, device, world)
    data_seconds = 0.0
    window: list[float] = []
    photos = torch.empty(0)
    segments = _corpus(load_segments, config, SEGMENTED).to(device)
    stages, size = _stages(config.stages, network.multiple), 0
    while (done := _done(config, progress)) < 1:
        crop, batch = _stage(stages, done)
        if crop != size:
            photos = _corpus(load_squares, config, round(crop * MARGIN)).to(device)
            size = crop
        began = time.monotonic()

        lightness, ab, parts = next_batch(photos, segments, crop, batch, config, generator)
        example = simulate(lightness, ab, mix, generator, parts)
        if device.type == "cuda":
            # The card has only been told what to do. At `began` it was idle, as the loss had been
            # fetched; to wait here, too, costs the little by which Python could have run ahead.
            torch.cuda.synchronize(device)
        data_seconds += time.monotonic() - began

        share = _rate_share(config, done)
        loss = loss_of_batch(model, config, example)
        network.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = share * optimizer.defaults["lr"]
            optimizer.step()
        _average(averaged, network, min(config.ema, (1 + progress.step) / (10 + progress.step)))

        progress.step += 1
        progress.samples += batch * world
        if rank == 0:
            window.append(loss.item())
        progress.seconds += min(time.monotonic() - began, LONGEST_STEP)
        if world > 1:
            progress.seconds = _of_first(progress.seconds, device)

        if rank:
            continue
        if len(window) == 100 and curves:
            curves.add(progress, "train", loss=sum(window) / 100, rate_share=share, crop=crop,
                       data_share=data_seconds / (progress.seconds - resumed))  # fmt: skip
            window.clear()
        if progress.seconds - saved > config.checkpoint_minutes * 60:
            _save(folder, config, network, averaged, optimizers, progress, record)
            saved = progress.seconds
        if progress.seconds - evaluated > config.evaluate_minutes * 60 and curves:
            record[VALIDATION] = _evaluate(folder, config, averaged, progress, curves, device)
            evaluated = progress.seconds
    if rank == 0 and curves:
        record[VALIDATION] = _evaluate(folder, config, averaged, progress, curves, device)
        _save(folder, config, network, averaged, optimizers, progress, record)
        if config.start_from and config.keep_start:
            # A short run gains in what it was for and loses elsewhere; the blend has most of both.
            _average(averaged, _new_network(config).to(device), 1 - config.keep_start)
            record[VALIDATION] = _evaluate(folder, config, averaged, progress, curves, device)
            _save_weights(folder, config, averaged, progress, record)
    if world > 1:
        torch.distributed.destroy_process_group()


def _corpus(load: Callable[..., Tensor], config: TrainConfig, side: int) -> Tensor:
    """Of the training photos what `load_squares` or `load_segments` gives."""
    limit, cache = config.limit or None, Path("runs/photos")
    return load(Path(config.photos), "train", side, limit=limit, cache=cache)


def next_batch(
    photos: Tensor,
    segments: Tensor,
    crop: int,
    batch: int,
    config: TrainConfig,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """Random square cuts, mirrored at random: lightness (N, 1, H, W), ab (N, 2, H, W), segments.

    photos: (P, 3, S, S) uint8 sRGB; segments: (P, 1, T, T) uint8, cut like them; config: for
    `smallest_cut` and `curve`.
    """
    device = photos.device

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, device=device, generator=generator)

    index = torch.randint(len(photos), (batch,), device=device, generator=generator)
    rgb = photos[index].float() / 255
    scale = uniform(config.smallest_cut, 1.0)  # share of the photo's side that the cut shows
    mirror = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    theta = torch.zeros(batch, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 1, 1] = scale * mirror, scale
    theta[:, 0, 2], theta[:, 1, 2] = (1 - scale) * uniform(-1, 1), (1 - scale) * uniform(-1, 1)
    grid = F.affine_grid(theta, [batch, 3, crop, crop], align_corners=False)
    rgb = F.grid_sample(rgb, grid, "bilinear", "reflection", align_corners=False).clamp(0, 1)
    cut = F.grid_sample(segments[index].float(), grid, "nearest", "reflection", align_corners=False)
    lab = rgb_to_lab(rgb)
    # Old photographs differ in exposure and contrast: change L's curve, never its order.
    exponent = torch.exp(uniform(-config.curve, config.curve)).view(-1, 1, 1, 1)
    lightness = (lab[:, :1] / 100).clamp(1e-4, 1) ** exponent
    return lightness, lab[:, 1:] / AB_SCALE, cut.to(torch.uint8)


def _loss_of_batch(model: torch.nn.Module, config: TrainConfig, example: Example) -> Tensor:
    with torch.autocast(example.lightness.device.type, torch.bfloat16):
        output = model(
            example.lightness.contiguous(memory_format=torch.channels_last),
            example.hints.contiguous(memory_format=torch.channels_last),
            example.theme,
        )
    return loss_of(config, output.float(), example)


def loss_of(config: TrainConfig, output: Tensor, example: Example) -> Tensor:
    if config.network == "paper":
        return paper_loss(output, example, config.loss_terms)
    return default_loss(output, example)


def _done(config: TrainConfig, progress: Progress) -> float:
    """Share of the budget that is spent."""
    if config.samples_budget:
        return progress.samples / config.samples_budget
    return progress.seconds / (config.minutes * 60)


def _of_first(seconds: float, device: torch.device) -> float:
    """What the first process says: all must have the same rates and end with the same step."""
    told = torch.tensor(seconds, dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, 0)
    return told.item()


def _stages(told: str, multiple: int) -> list[tuple[int, int, float]]:
    """Crop, batch and share of the budget of each stage.

    multiple: of what a crop must be one, for the network. Raises ValueError with a sentence for
    people.
    """
    stages = []
    for words in told.split(","):
        stage = re.fullmatch(r"\s*([1-9]\d*)x([1-9]\d*)x(\d*\.?\d+)\s*", words)
        if not stage:
            raise ValueError(f"write CROPxBATCHxSHARE, as in 64x64x0.6,128x24x0.4; not “{words}”")
        crop, batch, share = int(stage[1]), int(stage[2]), float(stage[3])
        if crop % multiple:
            raise ValueError(f"a crop must be a multiple of {multiple}, and {crop} is none")
        stages.append((crop, batch, share))
    return stages


def _stage(stages: Sequence[tuple[int, int, float]], done: float) -> tuple[int, int]:
    """The crop and batch size of the moment; done: share of the budget that is spent."""
    end = 0.0
    for crop, batch, share in stages:
        end += share
        if done < end:
            return crop, batch
    return stages[-1][:2]


def _rate_share(config: TrainConfig, done: float) -> float:
    """The share of the peak learning rates that holds at the moment."""
    if done < config.warmup:
        return 0.01 + 0.99 * done / config.warmup
    return 0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def _optimizers(network: ColorizationNetwork, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for the 3x3 convolutions but the first and the last, AdamW for all else."""
    convolutions = [
        p for p in network.parameters() if p.shape[2:] == (3, 3) and min(p.shape[:2]) >= MUON_WIDTH
    ]
    if not config.muon_rate:
        convolutions = []
    moved = {id(parameter) for parameter in convolutions}
    others = [p for p in network.parameters() if id(p) not in moved]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            others, config.learning_rate, (0.9, 0.99), weight_decay=config.weight_decay, fused=True
        )
    ]
    if convolutions:
        optimizers.append(
            ConvolutionMuon(
                convolutions,
                lr=config.muon_rate,
                weight_decay=config.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    return optimizers


@torch.no_grad()
def _average(averaged: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    for mean, now in zip(
        averaged.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(now, 1 - decay)
        else:
            mean.copy_(now)


def _new_network(config: TrainConfig) -> ColorizationNetwork:
    if config.start_from:
        return load_network(config.network, Path(config.start_from)).train()
    return build_network(config.network).train()


def _resume(
    folder: Path,
    config: TrainConfig,
    network: torch.nn.Module,
    averaged: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    device: torch.device,
) -> Progress:
    path = folder / "checkpoint.pt"
    if not path.exists():
        return Progress()
    state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    _require_same_run(folder, state["config"], config)
    network.load_state_dict(state["network"])
    averaged.load_state_dict(state["averaged"])
    for optimizer, kept in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(kept)
    return Progress(**state["progress"])


def _require_same_run(folder: Path, begun: Mapping[str, Any], config: TrainConfig) -> None:
    """Raises OtherRun where a checkpoint is of no use to this run."""
    network, muon_rate = begun.get("network"), begun.get("muon_rate", 0.0)
    if network != config.network or bool(muon_rate) != bool(config.muon_rate):
        raise OtherRun(
            f"{folder} holds a run of the network {network} with the Muon rate {muon_rate}; give "
            "this one another name: --name NAME"
        )


def _save(
    folder: Path,
    config: TrainConfig,
    network: ColorizationNetwork,
    averaged: ColorizationNetwork,
    optimizers: list[torch.optim.Optimizer],
    progress: Progress,
    record: Mapping[str, object],
) -> None:
    state = {
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "progress": asdict(progress),
        "config": asdict(config),
    }
    partial = folder / "checkpoint.partial"
    torch.save(state, partial)
    partial.replace(folder / "checkpoint.pt")
    _save_weights(folder, config, averaged, progress, record)


def _save_weights(
    folder: Path,
    config: TrainConfig,
    averaged: ColorizationNetwork,
    progress: Progress,
    record: Mapping[str, object],
) -> None:
    told = {**record, **asdict(progress)}
    save_network(averaged, config.network, folder / f"{config.network}.safetensors", told)


def _record(config: TrainConfig, device: torch.device, processes: int) -> dict[str, object]:
    """What the weights tell of their training, but for what grows while it runs."""
    # The weights are given away; where their maker's folders lay is nobody's business.
    places = {name: Path(getattr(config, name)).name for name in ("photos", "start_from")}
    record: dict[str, object] = {
        "config": {**asdict(config), **places},
        "machine": _machine(device, processes),
    }
    if config.start_from:
        record["started from"] = training_record(Path(config.start_from))
    return record


def _machine(device: torch.device, processes: int) -> str:
    """The kind of machine, in words; each process has a GPU, or threads, of its own."""
    if device.type == "cuda":
        return f"{processes} x {torch.cuda.get_device_name(device)}"
    threads = processes * torch.get_num_threads()
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{threads} threads of a processor with {capability}"


class Curves:
    """Figures of a run: a line of JSON each, and TensorBoard where it is installed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "curves.jsonl"
        self.board: Any = None
        if importlib.util.find_spec("tensorboard"):
            board = importlib.import_module("torch.utils.tensorboard")
            self.board = board.SummaryWriter(str(folder))

    def add(self, progress: Progress, kind: str, **values: float) -> None:
        line = {"kind": kind, **asdict(progress), **values}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        shown = (f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in line.items())
        print(" ".join(shown), flush=True)
        if self.board is not None:
            for name, value in values.items():
                self.board.add_scalar(f"{kind}/{name}", value, progress.samples)


MODES = {
    "nothing": Mix(1, 0, 0, 0),
    "theme": Mix(0, 1, 0, 0),
    "dots": Mix(0, 0, 1, 0, max_dots=20),
    "both": Mix(0, 0, 0, 1, max_dots=20),
}


@torch.no_grad()
def _evaluate(
    folder: Path,
    config: TrainConfig,
    network: ColorizationNetwork,
    progress: Progress,
    curves: Curves,
    device: torch.device,
    side: int = 192,
) -> dict[str, float]:
    """PSNR of the four combinations on 48 validation photos, and a contact sheet of ten."""
    photos = load_squares(Path(config.photos), "val", side, limit=48, cache=Path("runs/photos"))
    rgb = photos.to(device).float() / 255
    lab = rgb_to_lab(rgb)
    gray = lab_to_rgb(lab * lab.new_tensor([1, 0, 0]).view(3, 1, 1))
    figures = {"gray": float(psnr(gray, rgb).mean())}
    rows = [(lab[:10, :1] / 100).expand(-1, 3, -1, -1)]
    for name, mix in MODES.items():
        example = simulate(
            lab[:, :1] / 100, lab[:, 1:] / AB_SCALE, mix, torch.Generator(device).manual_seed(0)
        )
        colored = torch.cat(list(_colored(network, example)))
        figures[name] = float(psnr(colored, rgb).mean())
        rows.append(colored[:10])
    curves.add(progress, "validation", **figures)
    sheet = torch.cat([torch.cat(list(row), 2) for row in (*rows, rgb[:10])], 1)
    pixels = (sheet.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8)
    Image.fromarray(pixels).save(folder / f"sheet-{progress.samples:08d}.jpg", quality=88)
    return figures


def _colored(network: ColorizationNetwork, example: Example, batch: int = 8) -> Iterator[Tensor]:
    for i in range(0, len(example.lightness), batch):
        part = slice(i, i + batch)
        ab = network(example.lightness[part], example.hints[part], example.theme[part])
        yield lab_to_rgb(torch.cat((example.lightness[part] * 100, ab.float() * AB_SCALE), 1))


def _parse(arguments: Sequence[str] | None) -> TrainConfig:
    """One option for each field of TrainConfig; with `paper` some defaults are AS_IN_THE_PAPER."""
    parser = parser_of("engine.train", __doc__)
    for each in fields(TrainConfig):
        option = "--" + each.name.replace("_", "-")
        default = f"{each.default!r}" + (", `paper`: 0" if each.name in AS_IN_THE_PAPER else "")
        words = f"{each.metadata['help']} (default: {default})"
        if isinstance(each.default, bool):
            action = argparse.BooleanOptionalAction
            parser.add_argument(option, action=action, default=each.default, help=words)
            continue
        choices = sorted(NETWORKS) if each.name == "network" else None
        kind = type(each.default)
        parser.add_argument(option, type=kind, default=each.default, choices=choices, help=words,
                            metavar=None if choices else kind.__name__.upper())  # fmt: skip
    if parser.parse_args(arguments).network == "paper":
        parser.set_defaults(**AS_IN_THE_PAPER)
    config = TrainConfig(**vars(parser.parse_args(arguments)))
    try:
        _stages(config.stages, NETWORKS[config.network][0].multiple)
    except ValueError as error:
        parser.error(f"--stages: {error}")
    return config


if __name__ == "__main__":
    main()
