"""What is kept of captures."""

from __future__ import annotations

import numpy as np
from maquette.kept import Kept
from maquette_wire.capture import Capture
from msgspec.structs import replace

from tests.backend.scenes import frames, massing

CAPTURE = massing(40, 30)
SIZE = 40 * 30


def moved(capture: Capture) -> Capture:
    depth = frames(capture)[1].copy()
    depth[3, 4] = 1.5
    return Capture(capture.view, capture.color, depth)


def test_a_value_is_made_once_of_what_is_seen_and_asked() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(len(made))
        return made[-1]

    kept = Kept[int](9 * SIZE)
    color, depth = frames(CAPTURE)
    repainted = Capture(CAPTURE.view, 255 - np.asarray(color), depth.copy())
    turned = Capture(replace(CAPTURE.view, kind="orthographic"), color, depth)
    assert [kept.of(each, 1, make) for each in (CAPTURE, repainted)] == [0, 0]
    assert [kept.of(each, 1, make) for each in (moved(CAPTURE), turned)] == [1, 2]
    assert kept.of(CAPTURE, 2, make) == 3
    assert kept.of(CAPTURE, 1, make) == 0


def test_the_longest_unused_go_first() -> None:
    kept = Kept[str](2 * SIZE)
    for name in ("a", "b", "a", "c"):
        kept.of(CAPTURE, name, lambda: "first")
    assert [kept.of(CAPTURE, name, lambda: "again") for name in "acb"] == [
        "first",
        "first",
        "again",
    ]


def test_what_is_too_large_is_made_all_the_same() -> None:
    kept = Kept[str](SIZE - 1)
    assert kept.of(CAPTURE, 1, lambda: "first") == "first"
    assert kept.of(CAPTURE, 1, lambda: "again") == "again"
