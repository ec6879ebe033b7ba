"""Evaluation from end to end on two photos, and the rules by which its inputs are drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import evaluate
from engine.color import ab_of
from engine.evaluation import report
from engine.evaluation.inputs import (
    CELLS_224,
    DOTS_256,
    Obedience,
    draw_case,
    draw_places,
    true_hints,
)
from engine.evaluation.reference import references
from engine.evaluation.runner import Runner, load
from engine.evaluation.trial import Truth, measure, obedience, shown
from engine.evaluation.trials import Method, Row, try_network
from engine.networks.base import ColorizationNetwork, Features
from engine.networks.paper import PaperDimensions, PaperNetwork
from engine.photos import load_squares, square
from engine.weights import save_network
from tests.conftest import SAMPLES


@pytest.fixture(scope="session")
def photo(coffee: np.ndarray) -> np.ndarray:
    return square(coffee, 256)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, coffee: np.ndarray) -> Path:
    """A folder with two photos and a small untrained network."""
    root = tmp_path_factory.mktemp("world")
    (root / "photos").mkdir()
    Image.fromarray(coffee).save(root / "photos/coffee.png")
    (root / "photos/chelsea.png").write_bytes((SAMPLES / "chelsea.png").read_bytes())
    torch.manual_seed(0)
    network = PaperNetwork(PaperDimensions(width=4))
    save_network(network, "paper", root / "paper.safetensors", {"samples": 0})
    return root


@pytest.fixture(scope="session")
def results(world: Path) -> Path:
    return run(world, "first")


def run(world: Path, name: str) -> Path:
    return evaluate.evaluate(
        evaluate.Config(
            world / "photos", "paper", world / "paper.safetensors", output=world / name,
            cache=world / "cache" / name,
        )
    )  # fmt: skip


def records(folder: Path) -> list[dict[str, object]]:
    return list(json.loads((folder / "results.json").read_text("utf-8"))["records"])


def test_the_same_evaluation_gives_the_same_results_and_a_page(world: Path, results: Path) -> None:
    again = run(world, "second")

    assert records(results) == records(again)
    page = (results / "index.html").read_text("utf-8")
    for name in ("Levin et al. 2004", "K-colour map", "CIEDE2000 at the dot", "curves.png"):
        assert name in page
    assert "colourfulness of the photos" in page
    for image in ("curves.png", "sheet.png"):
        with Image.open(results / image) as picture:
            assert min(picture.size) > 300


def test_every_table_has_its_rows(results: Path) -> None:
    titles = {table.title: len(table.rows) for table in report.tables(records(results))}

    assert titles["Table 1"] == 7 + 9  # baselines; six inputs, three of them also corrected
    assert titles["PSNR dB by number of dots, 6x6 dots at 256"] == 3  # with the published one
    assert titles["Obedience"] == 2 + 4 and titles["Another photo's theme"] == 4


def test_the_baselines_stand_in_the_order_that_their_knowledge_gives(results: Path) -> None:
    psnr = {
        (r["method"], r["given"]): r["figures"]["psnr"]["mean"]  # type: ignore[index]
        for r in records(results)
        if r["section"] == "table"
    }

    assert psnr["gray", "nothing"] < psnr["mean colour of the photo", "mean"]
    assert psnr["mean colour of the photo", "mean"] < psnr["Levin et al. 2004", "dots"]
    assert psnr["Levin et al. 2004", "dots"] < psnr["K-colour map", "truth"]


class FirstColor(ColorizationNetwork):
    """Paints everything in the theme's first colour, or leaves it grey."""

    def encode(self, lightness: torch.Tensor, hints: torch.Tensor) -> Features:
        return (lightness,)

    def decode(self, features: Features, theme: torch.Tensor) -> torch.Tensor:
        return theme[:, 0, :2, None, None].expand(-1, -1, *features[0].shape[2:])


def test_a_foreign_theme_is_the_other_photos(world: Path, results: Path) -> None:
    photos = {size: load_squares(world / "photos", "val", size) for size in (256, 224)}
    known = references(photos[256], 0, world / "cache/first", 1)

    tally, _ = try_network(Method("first", Runner(FirstColor())), photos, known)

    def nearest(given: str) -> np.ndarray:
        """How far each result is from the theme that it is judged by."""
        return np.concatenate(tally.values[Row("foreign theme", "first", given)])[:, 1]

    least_chroma = [np.linalg.norm(ab_of(each.case.theme.colors), axis=1).min() for each in known]
    assert nearest("nothing") == pytest.approx(least_chroma[::-1], abs=1e-3)
    assert nearest("theme") == pytest.approx([0, 0], abs=1e-3)


def test_a_photo_is_tried_alike_in_any_company(world: Path, results: Path) -> None:
    """Alone, and from the cache that the evaluation of two photos has filled."""
    cache = world / "cache/first"
    before = set(cache.iterdir())
    photos = load_squares(world / "photos", "val", 256)

    for photo in photos:
        kept = references(photo[None], 0, cache, 1)[0].case
        rgb = np.ascontiguousarray(photo.permute(1, 2, 0).numpy())
        alone, other_seed = draw_case(rgb, 0), draw_case(rgb, 1)
        assert kept.theme == alone.theme and kept.dots == alone.dots
        assert (kept.places == alone.places).all() and (kept.cells == alone.cells).all()
        assert kept.obedience is not None and alone.obedience is not None
        assert (kept.obedience.inside == alone.obedience.inside).all()
        assert (kept.obedience.asked == alone.obedience.asked).all()
        assert not (kept.places == other_seed.places).all()
    assert set(cache.iterdir()) == before  # nothing was computed again


def test_cells_lie_on_their_grid_and_never_twice() -> None:
    rng = np.random.default_rng(0)
    cells = draw_places(CELLS_224, 100, rng)
    dots = draw_places(DOTS_256, 100, rng)

    assert (cells % 2 == 0).all() and len(np.unique(cells, axis=0)) == 100
    assert cells.max() <= 222 and dots.max() <= 250


def test_a_dot_has_the_mean_colour_under_it(photo: np.ndarray) -> None:
    truth = Truth.of(torch.from_numpy(photo).permute(2, 0, 1)[None])

    hints = true_hints(truth.ab, [np.array([[40, 70]])], 6)[0]

    expected = truth.ab[0, :, 40:46, 70:76].mean((1, 2))
    torch.testing.assert_close(hints[:2, 43, 73], expected)
    assert hints[2].sum() == 36 and hints[2, 40:46, 70:76].all()


def test_the_asked_colour_is_not_the_objects_and_can_be_shown(photo: np.ndarray) -> None:
    task = draw_case(photo, 0).obedience
    assert task is not None
    truth = Truth.of(torch.from_numpy(photo).permute(2, 0, 1)[None])
    row, column = task.dot

    assert 0.03 <= task.inside.mean() <= 0.2 and task.inside[row + 3, column + 3]
    own = truth.ab[0][:, torch.from_numpy(task.inside)].mean(1).numpy()
    assert own @ task.asked <= 1e-3  # a quarter of the hue circle away, at least
    for r, c in task.others:
        assert not task.inside[r : r + 6, c : c + 6].any()


def test_obedience_tells_spread_from_bleeding(photo: np.ndarray) -> None:
    truth = Truth.of(torch.from_numpy(photo).permute(2, 0, 1)[None])
    inside = np.zeros((256, 256), bool)
    inside[100:200, 100:200] = True
    corner, none = np.array([150, 150]), np.zeros((0, 2), np.intp)
    task = Obedience(inside, corner, np.array((-15, 15), np.float32), none)
    before = torch.zeros(2, 256, 256)
    after = before.clone()
    after[:, 100:200, 100:175] = torch.from_numpy(task.asked).view(2, 1, 1)  # 3/4 of the object
    after[:, :100, :128] = 30.0  # outside

    at_dot, spread, bleeding = obedience(truth.lab[0], before, after, task)

    assert at_dot == pytest.approx(0, abs=1e-3)
    assert spread == pytest.approx(0.75)
    assert bleeding == pytest.approx(100 * 128 / (256**2 - 100**2))
    still = obedience(truth.lab[0], before, before, task)
    assert still[0] > 5 and still[1:].tolist() == [0, 0]


def test_the_truth_measures_as_perfect(photo: np.ndarray) -> None:
    truth = Truth.of(torch.from_numpy(photo).permute(2, 0, 1)[None])

    psnr, ssim, ciede2000, _ = measure(truth, truth.ab)[0]

    assert psnr > 60 and ssim == pytest.approx(1, abs=1e-3) and ciede2000 < 0.1
    torch.testing.assert_close(shown(truth, truth.ab), truth.rgb, atol=2e-3, rtol=0)


def test_a_smaller_working_size_keeps_every_dot(photo: np.ndarray) -> None:
    truth = Truth.of(torch.from_numpy(photo).permute(2, 0, 1)[None])
    places = np.array([[0, 0], [101, 33], [250, 250]])
    runner = Runner(PaperNetwork(PaperDimensions(width=4)), working_size=64)
    with torch.inference_mode():
        encoded = runner.encode(truth.lightness, true_hints(truth.ab, [places], 2))
        result = runner.colorize(encoded, dots_kept=True)

    assert encoded.hints is not None and encoded.hints.shape == (1, 3, 64, 64)
    assert result.shape == (1, 2, 256, 256)
    for row, column in places // 4:
        assert encoded.hints[0, 2, row, column] == 1


def test_dots_may_come_from_another_device_than_the_networks() -> None:
    runner = Runner(PaperNetwork(PaperDimensions(width=4)), device="meta")

    encoded = runner.encode(torch.rand(1, 1, 64, 64), torch.rand(1, 3, 64, 64))

    assert encoded.hints is not None and encoded.hints.device.type == "meta"


def test_weights_come_with_the_record_of_their_training(world: Path) -> None:
    assert load("paper", world / "paper.safetensors").training == {"samples": 0}


def test_a_working_size_that_the_network_cannot_have_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 8"):
        Runner(PaperNetwork(PaperDimensions(width=4)), working_size=100)


def test_bad_input_ends_with_a_sentence(tmp_path: Path, world: Path) -> None:
    def ends(words: str, photos: Path, *options: str) -> None:
        with pytest.raises(SystemExit, match=words):
            evaluate.main(["--photos", str(photos), *options])

    weights = ("--weights", str(world / "paper.safetensors"), "--network", "paper")
    ends("holds no photographs", tmp_path, *weights)
    ends("must be a multiple of 8", world / "photos", *weights, "--working-size", "100")
    for name in ("none.safetensors", "none.pt"):
        ends(f"{name} is missing$", world / "photos", "--weights", str(tmp_path / name))
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save({"config": {"network": "paper"}}, checkpoint)
    for path in (world / "paper.safetensors", checkpoint):
        named = ("--weights", str(path), "--network", "default")
        ends("of the network 'paper', not of 'default'", world / "photos", *named)
