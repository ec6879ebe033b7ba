"""The benchmarks run on something small and fill their tables. Nothing here judges a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import (
    benchmark,
    benchmark_enlarge,
    benchmark_pipeline,
    benchmark_scans,
    benchmark_sizes,
)
from engine.benchmark_photos import (
    Photo,
    edge_error,
    near_edges,
    oblong_photos,
    psnr,
    sample_photos,
)
from engine.colorizer import Colorizer


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    return sample_photos()[:1]


def test_the_truth_itself_has_no_error_and_grey_has(photos: list[Photo]) -> None:
    (photo,) = photos
    truth = photo.lab[..., 1:]

    assert near_edges(truth).any()
    assert edge_error(truth, photo) == pytest.approx(0, abs=1e-4)
    assert edge_error(np.zeros_like(truth), photo) > 5
    assert psnr(truth + np.float32(11), photo) == pytest.approx(20, abs=0.01)


def test_enlarging_along_edges_comes_nearer_to_the_truth_than_bicubic(photos: list[Photo]) -> None:
    ways = benchmark_enlarge.ways()
    names = list(ways)
    ours = next(name for name in names if "(ours)" in name)

    for factor in benchmark_enlarge.FACTORS:
        cubic = benchmark_enlarge.measure(photos, factor, ways["bicubic"])
        edge_aware = benchmark_enlarge.measure(photos, factor, ways[ours])
        assert edge_aware[0] > cubic[0] + 0.2  # dB
        assert edge_aware[1] < 0.97 * cubic[1]  # CIEDE2000 at edges


def test_oblong_photos_keep_their_shape_and_square_ones_are_left_out(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    for name, photo in {"a": rgb[:, :60], "b": rgb, "c": rgb.transpose(1, 0, 2)}.items():
        Image.fromarray(photo).save(tmp_path / f"{name}.png")

    found = oblong_photos(tmp_path, 5)

    assert [photo.gray.shape for photo in found] == [(60, 90), (90, 60)]
    assert len(oblong_photos(tmp_path, 1)) == 1


def test_working_sizes_are_judged(photos: list[Photo]) -> None:
    colorizer, found = Colorizer.load(device="cpu"), benchmark_sizes.Figures()

    benchmark_sizes.judge(colorizer, photos[0], 96, found)

    assert 10 < found.none[0] < 40 and found.dots[0] > found.none[0] and found.edges[0] > 0


def test_the_pipeline_is_measured_and_a_missing_gpu_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    benchmark.main(["pipeline", "--megapixels", "1", "--repeats", "1"])

    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("| 1 |"))
    assert len(row.split("|")) == 9 and all(float(cell) >= 0 for cell in row.split("|")[1:-1])
    assert ("no GPU here" in printed) != ("GPU:" in printed)
    assert len(benchmark_pipeline.photo((30, 20)).shape) == 2


def test_dots_come_near_to_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main(["dots", "--megapixels", "1"])

    _, _, apart, *pairs = capsys.readouterr().out.splitlines()
    assert len(pairs) == 3
    assert 0 < float(apart.split("|")[3]) < 2


def test_looking_up_the_gamut_gives_little_chroma_away(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main(["gamut", "--count", "20000"])

    *times, lost = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in times] == ["sought", "looked up"]
    assert float(lost.split(":")[1]) < 1  # CIE unit


def test_ways_of_making_the_network_faster_give_its_colours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    benchmark.main(["speedups", "--runs", "1"])

    table = [line.split("|") for line in capsys.readouterr().out.splitlines() if "|" in line]
    moved = {cells[1].strip(): cells[5] for cells in table}
    assert any("(ours)" in name for name in moved) and any("torch.jit" in name for name in moved)
    assert all(float(moved[name]) < 2 for name in moved if "bits" in name)  # CIE units


def test_framed_and_faded_photos_gain_by_how_they_are_seen(photos: list[Photo]) -> None:
    colorizer = Colorizer.load(device="cpu")

    def gains(kind: str) -> list[float]:
        judged = benchmark_scans.judge(colorizer, photos[0], benchmark_scans.KINDS[kind])
        return [after - before for before, after in judged]

    assert gains("as it is") == [0, 0, 0, 0]
    assert len(gains("white margin")) == 4 and max(gains("white margin")) > 0
    assert max(gains("dark")) > 0
