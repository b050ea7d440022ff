"""Which cells of several views show the same surface, and what is made of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from maquette.frames import Frame
from maquette.together import SurfaceAverage, surface_average
from maquette_wire.capture import Capture
from maquette_wire.view import View
from numpy.typing import NDArray

from tests.backend.texturing.models import box, camera, trace

FACTOR = 4
HOUSE = box((-6, -4, 0), (6, 4, 8))
FRONT = ((-9, -22, 13), (11, -20, 12))
BEHIND = (2, 24, 12)


def seen(view: View, quads: list) -> tuple[Capture, NDArray[np.int64], NDArray[np.float64]]:
    """A capture, the number of the quad in each pixel (-1), and the points [h, w, 3] it shows."""
    depth, number, places = trace(view, quads)
    corners = np.array(quads)[number]
    u, v = places[..., :1], places[..., 1:]
    points = corners[:, :, 0] + u * (corners[:, :, 1] - corners[:, :, 0])
    points += v * (corners[:, :, 3] - corners[:, :, 0])
    points[number < 0] = 0.0
    color = np.zeros((*depth.shape, 3), np.uint8)
    return Capture(view, color, depth.astype(np.float32)), number, points


def frame(index: int, view: View, scale: float = 1.0, extra: int = 0, margin: int = 0) -> Frame:
    """The frame of a view whose picture is `scale` times as large, padded by `extra` cells, of
    which `margin` are on the left and above."""
    size = (round(view.width * scale), round(view.height * scale))
    padded = (size[0] + extra * FACTOR, size[1] + extra * FACTOR)
    latent = (padded[1] // FACTOR, padded[0] // FACTOR)
    color = np.zeros((padded[1], padded[0], 3), np.uint8)
    empty = np.zeros(latent, np.float32)
    return Frame(index, size, size, padded, margin * FACTOR, color, empty, empty.astype(np.uint8))


def cells(pixels: NDArray[np.float64]) -> torch.Tensor:
    """Values [h, w, c] of pixels as means of their cells: [c, h / 4, w / 4]."""
    height, width, channels = pixels.shape
    blocks = pixels.reshape(height // FACTOR, FACTOR, width // FACTOR, FACTOR, channels)
    return torch.from_numpy(blocks.mean((1, 3)).transpose(2, 0, 1)).float()


def whole(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """The quad that fills a cell, -1 for none."""
    blocks = number.reshape(number.shape[0] // FACTOR, FACTOR, number.shape[1] // FACTOR, FACTOR)
    low, high = blocks.min((1, 3)), blocks.max((1, 3))
    return np.where(low == high, low, -1)


def taken(average: SurfaceAverage, of: int, other: int) -> NDArray[np.float32]:
    """For the cells of one view [h, w]: how much of their value is another's."""
    marks = [torch.full((1, *size), float(n == other)) for n, size in enumerate(average.sizes)]
    return average.apply(marks)[of][0].numpy()


@pytest.mark.parametrize("kind", ["perspective", "orthographic"])
@pytest.mark.parametrize("away", [0.0, 300_000.0])
def test_cells_meet_those_that_show_the_same_point(kind: str, away: float) -> None:
    """Positions on the model are their own average, also far from the world's origin."""
    across = None if kind == "perspective" else 30.0
    views = [camera(eye, (0, 0, 4), 256, 192, across=across) for eye in (*FRONT, (2, -26, 16))]
    shown = [seen(view, HOUSE) for view in views]
    captures = []
    for view, (capture, _, _) in zip(views, shown, strict=True):
        matrix = np.array(view.view_matrix).reshape(4, 4)
        matrix[:3, 3] -= matrix[:3, :3] @ [away, 0.0, 0.0]
        moved = View(
            view_matrix=tuple(matrix.ravel().tolist()),
            projection_matrix=view.projection_matrix,
            width=256,
            height=192,
            kind=view.kind,
        )
        captures.append(Capture(moved, capture.color, capture.depth))
    average = surface_average(captures, [frame(n, v) for n, v in enumerate(views)], FACTOR)
    positions = [cells(points) for _, _, points in shown]
    agreed = average.apply(positions)
    for index, (_, number, _) in enumerate(shown):
        mixed = sum(taken(average, index, other) for other in range(3) if other != index)
        some = (whole(number) >= 0) & (mixed > 0.1)
        assert some.sum() > 50
        error = (agreed[index] - positions[index]).norm(dim=0).numpy()[some]
        assert np.median(error) < 0.01 and np.quantile(error, 0.9) < 0.2  # cells are 0.5 m


def test_what_another_view_does_not_see_stays_bit_for_bit() -> None:
    views = [camera(eye, (0, 0, 4), 256, 192) for eye in (FRONT[0], BEHIND)]
    shown = [seen(view, HOUSE) for view in views]
    average = surface_average(
        [c for c, _, _ in shown], [frame(n, v) for n, v in enumerate(views)], 4
    )
    values = [torch.randn(4, 48, 64, generator=torch.Generator().manual_seed(n)) for n in (0, 1)]
    agreed = average.apply(values)
    quads = [whole(number) for _, number, _ in shown]
    roof = set(quads[0].flat) & set(quads[1].flat) - {-1}
    assert len(roof) == 1  # all walls are seen by one of them alone
    for index in (0, 1):
        changed = (agreed[index] != values[index]).any(0).numpy()
        on_roof = np.isin(quads[index], list(roof))
        assert not changed[~on_roof & (quads[index] >= 0)].any()
        assert changed[on_roof].mean() > 0.25


def test_what_stands_before_a_surface_hides_it() -> None:
    screen = box((-3, -12, 0), (3, -11, 5))
    view, other = (camera(eye, (0, 0, 4), 256, 192) for eye in ((-16, -18, 6), (0, -30, 5)))
    shares = []
    for quads in (HOUSE, HOUSE + screen):
        capture, _, points = seen(view, quads)
        captures = [capture, seen(other, quads)[0]]
        average = surface_average(captures, [frame(0, view), frame(1, other)], FACTOR)
        shares.append(taken(average, 0, 1))
    way = (points - np.array([0, -30, 5])) * (19 / (points[..., 1:2] + 30.0))
    behind = (
        (np.abs(way[..., 0]) < 2.5) & (way[..., 2] + 5 < 4.5) & (np.abs(points[..., 1] + 4) < 0.01)
    )
    hidden = behind.reshape(48, 4, 64, 4).all((1, 3)) & (shares[0] > 0.2)
    assert hidden.sum() > 20
    assert not shares[1][hidden].any()


def test_the_view_that_sees_better_decides() -> None:
    square, slanted = (camera(eye, (0, -4, 4), 256, 192) for eye in ((0, -24, 4), (-22, -9, 4)))
    captures = [seen(view, HOUSE)[0] for view in (square, slanted)]
    number = whole(seen(slanted, HOUSE)[1])
    average = surface_average(captures, [frame(0, square), frame(1, slanted)], FACTOR)
    wall = whole(seen(square, HOUSE)[1])[24, 32]
    inner = np.zeros_like(number, bool)
    inner[8:-8, 8:-8] = number[8:-8, 8:-8] == wall
    assert np.median(taken(average, 1, 0)[inner]) > 0.95
    assert np.median(taken(average, 0, 1)[whole(seen(square, HOUSE)[1]) == wall]) < 0.05


def test_given_views_keep_everything_and_the_others_follow() -> None:
    views = [camera(eye, (0, 0, 4), 256, 192) for eye in FRONT]
    shown = [seen(view, HOUSE) for view in views]
    frames = [frame(n, v) for n, v in enumerate(views)]
    free = surface_average([c for c, _, _ in shown], frames, FACTOR)
    bound = surface_average([c for c, _, _ in shown], frames, FACTOR, given=[0])
    assert not taken(bound, 0, 1).any()
    shared = taken(free, 1, 0) > 0.3
    assert shared.sum() > 100 and np.median(taken(bound, 1, 0)[shared]) > 0.99


@pytest.mark.parametrize("margin", [0, 2])
def test_pictures_of_other_sizes_and_paddings_meet(margin: int) -> None:
    """A picture twice as large, and one with cells beyond its edge, or all around it."""
    views = [camera(FRONT[0], (0, 0, 4), 256, 192), camera(FRONT[1], (0, 0, 4), 128, 160)]
    shown = [seen(view, HOUSE) for view in views]
    frames = [frame(0, views[0], extra=4, margin=margin), frame(1, views[1], scale=2.0)]
    average = surface_average([c for c, _, _ in shown], frames, FACTOR)
    assert average.sizes == ((52, 68), (80, 64))
    picture = frames[0].cells(FACTOR)
    first = torch.zeros(3, 52, 68)
    first[:, *picture] = cells(shown[0][2])
    second = cells(shown[1][2].repeat(2, 0).repeat(2, 1))
    agreed = average.apply([first, second])[0][:, *picture]
    from_second = taken(average, 0, 1)
    some = (whole(shown[0][1]) >= 0) & (from_second[picture] > 0.1)
    assert some.sum() > 25
    assert np.median((agreed - first[:, *picture]).norm(dim=0).numpy()[some]) < 0.1
    from_second[picture] = 0.0
    assert not from_second.any()


def test_an_empty_view_agrees_with_nobody() -> None:
    view = camera(FRONT[0], (0, 0, 4), 64, 64)
    sky = Capture(view, np.zeros((64, 64, 3), np.uint8), np.full((64, 64), np.inf, np.float32))
    average = surface_average([sky, seen(view, HOUSE)[0]], [frame(0, view), frame(1, view)], FACTOR)
    assert average.matrix.nnz == 2 * 16 * 16 and (average.matrix.diagonal() == 1.0).all()


def test_the_leader_is_the_view_that_the_others_take_most_from() -> None:
    """One that is near and ahead, whichever its number; of views that share nothing the first."""
    views = [camera(eye, (0, 0, 4), 128, 96) for eye in ((-18, -60, 13), (2, -22, 12), BEHIND)]
    captures = [seen(view, HOUSE)[0] for view in views]
    for order in ([0, 1, 2], [1, 0, 2], [2, 0, 1]):
        frames = [frame(place, views[number]) for place, number in enumerate(order)]
        average = surface_average([captures[number] for number in order], frames, FACTOR)
        assert order[average.leader] == 1
    apart = surface_average(captures[1:], [frame(n, view) for n, view in enumerate(views[1:])], 4)
    assert apart.leader == 0
