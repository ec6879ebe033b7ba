"""The paper's equations, checked against values worked out by hand."""

from __future__ import annotations

import pytest
import torch

from engine.losses import default_loss, global_loss, paper_loss, point_loss, sobel
from engine.simulate import Example


def flat(value: float) -> torch.Tensor:
    return torch.full((1, 2, 8, 8), value)


def example(
    target: torch.Tensor,
    theme_map: torch.Tensor | None = None,
    hints: torch.Tensor | None = None,
) -> Example:
    return Example(
        torch.zeros(1, 1, 8, 8),
        torch.zeros(1, 3, 8, 8) if hints is None else hints,
        torch.zeros(1, 7, 4),
        target,
        target if theme_map is None else theme_map,
    )


def test_huber_is_square_inside_delta_and_straight_outside() -> None:
    inside = global_loss(flat(0.4), example(flat(0.0)))
    outside = global_loss(flat(2.0), example(flat(0.0)))

    assert inside.item() == pytest.approx(0.5 * 0.4**2)
    assert outside.item() == pytest.approx(0.5 * 2.0 - 0.5 * 0.5**2)


def test_truth_counts_seventy_percent_and_theme_thirty() -> None:
    loss = global_loss(flat(0.2), example(flat(0.0), flat(0.4)))

    assert loss.item() == pytest.approx(0.7 * 0.02 + 0.3 * 0.02)


def test_sobel_of_a_ramp_is_eight_times_its_slope() -> None:
    ramp = torch.arange(8.0).expand(1, 2, 8, 8)

    gradients = sobel(ramp)

    assert torch.equal(gradients[:, 0::2], torch.full((1, 2, 6, 6), 8.0))
    assert not gradients[:, 1::2].any()


def test_only_dots_count_in_the_point_loss() -> None:
    hints = torch.zeros(1, 3, 8, 8)
    hints[0, :, 2, 3] = torch.tensor((0.5, 0.0, 1.0))

    assert point_loss(flat(0.0), hints).item() == pytest.approx(0.25 / 128)


@pytest.mark.parametrize("loss", [paper_loss, default_loss])
def test_the_truth_costs_nothing_and_a_miss_does(loss) -> None:  # type: ignore[no-untyped-def]
    truth = example(torch.rand(1, 2, 8, 8, generator=torch.Generator().manual_seed(0)))

    assert loss(truth.target, truth).item() == pytest.approx(0, abs=1e-7)
    assert loss(truth.target + 0.1, truth) > 0


def test_terms_can_be_left_out_for_the_ablation() -> None:
    truth = example(flat(0.1))
    output = torch.rand(1, 2, 8, 8, generator=torch.Generator().manual_seed(0))

    alone = paper_loss(output, truth, "g")

    assert alone < paper_loss(output, truth, "gs")
    assert paper_loss(output, truth, "g") + paper_loss(output, truth, "s") == pytest.approx(
        paper_loss(output, truth, "gs").item()
    )


def test_a_miss_on_a_vivid_place_costs_default_more_than_on_a_gray_one() -> None:
    gray = flat(0.0)
    vivid = torch.tensor((0.3, 0.4)).view(1, 2, 1, 1).expand_as(gray)  # a chroma of 0.5

    on_gray, on_vivid = (default_loss(ab + 0.1, example(ab)) for ab in (gray, vivid))

    assert on_vivid.item() == pytest.approx(2 * on_gray.item())  # 1 + 2 * 0.5


def test_a_miss_that_has_an_edge_costs_default_more_than_an_even_one() -> None:
    truth = example(flat(0.0))
    stepped = flat(0.1)
    stepped[..., 4:] = -0.1

    difference = default_loss(stepped, truth) - default_loss(flat(0.1), truth)

    # Two of six columns have a gradient of 4 * 0.2 in x, none has one in y.
    assert difference.item() == pytest.approx(0.8**2 * 2 / 6 / 2 / 16)


@pytest.mark.parametrize("dots", [1, 4, 64])
def test_a_miss_at_the_dots_costs_default_the_same_however_many_they_are(dots: int) -> None:
    hints = torch.zeros(1, 3, 8, 8)
    hints[0, 2].view(-1)[:dots] = 1.0

    missed = default_loss(flat(0.1), example(flat(0.0), hints=hints))

    without = default_loss(flat(0.1), example(flat(0.0)))
    assert (missed - without).item() == pytest.approx(0.02 * 0.1, rel=1e-4)
