"""Both networks keep the contract of `ColorizationNetwork`."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.networks import NETWORKS, ColorizationNetwork, build_network
from engine.networks.base import no_hints, no_theme
from engine.networks.default import NEVER, DefaultDimensions, DefaultNetwork, DotMatching
from engine.networks.doubling import doubled
from engine.networks.paper import PaperDimensions, PaperNetwork, to_unit
from engine.networks.propagation import propagate


@pytest.fixture(params=sorted(NETWORKS))
def network(request: pytest.FixtureRequest) -> ColorizationNetwork:
    torch.manual_seed(0)
    return build_network(request.param).eval()


@pytest.fixture
def lightness() -> torch.Tensor:
    return torch.rand(2, 1, 64, 96, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_ab_has_the_size_of_the_lightness(
    network: ColorizationNetwork, lightness: torch.Tensor
) -> None:
    ab = network(lightness, no_hints(lightness), no_theme(lightness))

    assert ab.shape == (2, 2, 64, 96)
    assert ab.abs().max() <= 1.2


@torch.no_grad()
def test_a_theme_and_a_dot_change_the_answer(
    network: ColorizationNetwork, lightness: torch.Tensor
) -> None:
    hints, theme = no_hints(lightness), no_theme(lightness)
    plain = network(lightness, hints, theme)
    theme[:, :3] = torch.tensor((0.5, -0.5, 1.0, 0.0))
    hints[:, :, 10:14, 10:14] = torch.tensor((0.5, 0.5, 1.0)).view(3, 1, 1)

    assert not torch.equal(network(lightness, hints, no_theme(lightness)), plain)
    assert not torch.equal(network(lightness, no_hints(lightness), theme), plain)


@torch.no_grad()
def test_one_encoding_serves_many_themes(
    network: ColorizationNetwork, lightness: torch.Tensor
) -> None:
    theme = no_theme(lightness)
    theme[:, :4] = torch.tensor((0.3, 0.1, 1.0, 0.0))
    features = network.encode(lightness, no_hints(lightness))
    network.decode(features, no_theme(lightness))

    assert torch.equal(
        network.decode(features, theme), network(lightness, no_hints(lightness), theme)
    )


@torch.no_grad()
def test_what_stands_where_nothing_is_asked_does_not_matter(
    network: ColorizationNetwork, lightness: torch.Tensor
) -> None:
    hints, theme = no_hints(lightness), no_theme(lightness)
    hints[:, :, 10:14, 10:14] = torch.tensor((0.5, 0.5, 1.0)).view(3, 1, 1)
    theme[:, :3] = torch.tensor((0.5, -0.5, 1.0, 0.0))
    asked = network(lightness, hints, theme)
    hints[:, :2, 30:] = theme[:, 3:, :2] = 0.9

    assert torch.equal(network(lightness, hints, theme), asked)


@torch.no_grad()
def test_the_order_of_a_theme_does_not_matter_to_default(lightness: torch.Tensor) -> None:
    network = build_network("default").eval()
    theme = no_theme(lightness)
    theme[:, :3] = torch.tensor(((0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 0.2), (-0.5, 0.2, 1.0, 0.3)))
    turned = theme[:, torch.tensor((6, 2, 0, 5, 1, 4, 3))]
    hints = no_hints(lightness)

    same = torch.allclose(
        network(lightness, hints, theme), network(lightness, hints, turned), atol=1e-5
    )
    assert same


@pytest.fixture
def paper() -> PaperNetwork:
    torch.manual_seed(0)
    return PaperNetwork(PaperDimensions(width=4)).eval()


@torch.no_grad()
def test_a_sigmoid_limits_what_paper_answers(paper: PaperNetwork, lightness: torch.Tensor) -> None:
    paper.conv17.weight.zero_()
    paper.conv17.bias.copy_(torch.tensor((1000.0, math.log(3))))  # type: ignore[union-attr]

    a, b = to_unit(paper(lightness, no_hints(lightness), no_theme(lightness))).unbind(1)

    assert torch.allclose(a, torch.tensor(1.0)) and torch.allclose(b, torch.tensor(0.75))


@torch.no_grad()
@pytest.mark.parametrize("finer", [0, 1])
def test_features_of_half_and_of_quarter_size_skip_to_the_end_of_paper(
    paper: PaperNetwork, lightness: torch.Tensor, finer: int
) -> None:
    features, theme = list(paper.encode(lightness, no_hints(lightness))), no_theme(lightness)
    before = paper.decode(tuple(features), theme)
    features[finer] = features[finer] + 1

    assert not torch.equal(paper.decode(tuple(features), theme), before)


def test_three_fully_connected_layers_read_the_theme_of_paper() -> None:
    layers = PaperNetwork(PaperDimensions()).theme

    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in linear]
    assert sizes == [(3 * 7, 256), (256, 256), (256, 256)]


def test_dots_spread_up_to_an_edge() -> None:
    lightness = torch.full((1, 1, 64, 64), 0.2)
    lightness[..., 32:] = 0.8
    hints = torch.zeros(1, 3, 64, 64)
    hints[0, :, 30, 10] = torch.tensor((0.5, 0.1, 1.0))
    hints[0, :, 30, 50] = torch.tensor((-0.5, 0.1, 1.0))

    a = propagate(lightness, hints)[0, 0]

    assert a[:, :30].min() > 0.3
    assert a[:, 34:].max() < -0.3


def test_confidence_is_whole_at_a_dot_and_falls_with_distance() -> None:
    hints = torch.zeros(1, 3, 64, 64)
    hints[0, :, 30, 10] = torch.tensor((0.5, 0.1, 1.0))

    confidence = propagate(torch.full((1, 1, 64, 64), 0.5), hints)[0, 2]

    assert confidence[30, 10] == 1
    assert confidence[30, 14] > confidence[30, 60]


@pytest.mark.parametrize("size", [32, 96, 128, 192, 256])
def test_dots_reach_the_same_share_of_the_way_across_every_size(size: int) -> None:
    def confidence(size: int) -> torch.Tensor:
        step = size // 32
        hints = torch.zeros(1, 3, size, size)
        hints[..., 15 * step : 16 * step, 5 * step : 6 * step] = 1.0
        spread = propagate(torch.full((1, 1, size, size), 0.5), hints)
        return F.avg_pool2d(spread[:, 2:], step)

    difference = confidence(size) - confidence(64)

    assert difference.abs().max() < 0.12


def test_nothing_spreads_from_no_dots() -> None:
    assert not propagate(torch.rand(1, 1, 32, 32), torch.zeros(1, 3, 32, 32)).any()


def matching() -> tuple[DotMatching, torch.Tensor, torch.Tensor]:
    """Features of a chessboard of two materials, 8 wide, and a dot on each of them at the left."""
    match = DotMatching(2, 2)
    with torch.no_grad():
        match.project.weight.copy_(5 * torch.eye(2)[..., None, None])
        match.project.bias.zero_()  # type: ignore[union-attr]
        match.fading.fill_(1.0)
    board = torch.zeros(1, 2, 16, 16)
    for row in range(0, 16, 2):
        for column in range(0, 16, 2):
            board[0, (row + column) // 2 % 2, row : row + 2, column : column + 2] = 1
    dots = torch.zeros(1, 3, 32, 32)
    dots[0, :, 1, 1] = torch.tensor((0.5, 0.1, 1.0))  # on material 0
    dots[0, :, 1, 5] = torch.tensor((-0.5, 0.1, 1.0))  # on material 1
    return match, board, dots


@torch.no_grad()
def test_a_dot_is_matched_by_what_is_like_its_place() -> None:
    match, board, dots = matching()

    a = match(board, dots)[0, 0]

    assert a[board[0, 0] > 0].min() > 0.4
    assert a[board[0, 1] > 0].max() < -0.4


@torch.no_grad()
def test_of_like_dots_the_nearer_one_counts() -> None:
    match, board, dots = matching()
    dots[0, :, 1, 25] = torch.tensor((0.0, 0.3, 1.0))  # on material 0, at the right
    match.fading.fill_(6.0)

    b = match(board, dots)[0, 1]

    assert b[0, 0] < 0.15 and b[0, 13] > 0.25


@torch.no_grad()
def test_where_no_dot_is_alike_matching_is_relied_on_less() -> None:
    match, board, dots = matching()
    match.logit.weight.zero_()
    dots[0, :, 1, 5] = 0.0  # none is left on material 1

    logit = match(board, dots)[0, 2]

    like, unlike = (logit[board[0, material] > 0] for material in (0, 1))
    assert like.min() > unlike.max() + 1
    assert logit[0, 0] == like.max()  # at the dot


@torch.no_grad()
def test_spread_dots_that_are_far_count_less_with_more_caution() -> None:
    torch.manual_seed(0)
    network = DefaultNetwork(DefaultDimensions()).eval()
    lightness, hints = torch.full((1, 1, 64, 64), 0.5), torch.zeros(1, 3, 64, 64)
    hints[0, :, 2:10, 2:10] = torch.tensor((0.9, 0.9, 1.0)).view(3, 1, 1)

    def change(caution: float) -> torch.Tensor:
        network.caution.fill_(caution)
        return network(lightness, hints, no_theme(lightness))[0, 0]

    careless, careful = change(0.0), change(8.0)

    assert (careless[40:, 40:] > careful[40:, 40:] + 0.05).all()
    assert torch.allclose(careless[5:7, 5:7], careful[5:7, 5:7], atol=0.05)


@torch.no_grad()
def test_training_compares_dots_in_single_precision() -> None:
    match, board, dots = matching()
    match.logit.weight.zero_()
    match.doubt.fill_(1.0)

    plain = match(board, dots)
    with torch.autocast("cpu", torch.bfloat16):
        short = match(board, dots)

    assert short.dtype == torch.float32
    assert (plain - short).abs().max() < 1e-3


@torch.no_grad()
def test_without_dots_nothing_is_matched() -> None:
    match, board, dots = matching()

    found = match(board, torch.zeros_like(dots))

    assert not found[:, :2].any()
    assert found[:, 2].max() < NEVER / 2


def test_of_many_dots_every_one_is_matched() -> None:
    torch.manual_seed(0)
    matching = DotMatching(8, 4)
    dots = torch.rand(1, 3, 96, 96)
    dots[:, 2] = 1
    dots.requires_grad_()

    matching(torch.rand(1, 8, 48, 48), dots)[:, :2].sum().backward()

    assert dots.grad is not None
    assert (dots.grad[:, :2].abs() > 0).all()


def two_sides(edge: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """ab in cells and L / 100: L steps up at column `edge`, colour at its cell."""
    lightness = torch.full((1, 1, 8, width), 0.3)
    lightness[..., edge:] = 0.8
    ab = torch.full((1, 2, 4, width // 2), -0.5)
    ab[..., edge // 2 :] = 0.5
    return ab, lightness


def test_doubled_colour_ends_where_lightness_does() -> None:
    columns = doubled(*two_sides(edge=8, width=16))[0, :, 3]

    assert columns[:, :8].max() < -0.49
    assert columns[:, 8:].min() > 0.49


def test_an_edge_within_a_cell_parts_its_places() -> None:
    ab, lightness = two_sides(edge=9, width=16)
    ab[..., 4] = 0  # the mean of both, as for a cell that lies on the edge
    columns = doubled(ab, lightness)[0, 0, 3]

    assert columns[8] < -0.4 and columns[9] > 0.4


def test_without_an_edge_doubled_colour_goes_over_smoothly() -> None:
    ab, lightness = two_sides(edge=8, width=16)
    columns = doubled(ab, torch.full_like(lightness, 0.5))[0, 0, 3]

    assert (columns.diff() >= 0).all()
    assert columns.diff().max() < 0.6  # of a step of 1


def test_a_speck_unlike_all_around_it_takes_their_colours() -> None:
    ab, lightness = two_sides(edge=8, width=16)
    lightness = torch.zeros_like(lightness)
    lightness[0, 0, 4, 4] = 1.0

    torch.testing.assert_close(doubled(ab, lightness)[0, :, 4, 4], torch.tensor((-0.5, -0.5)))
