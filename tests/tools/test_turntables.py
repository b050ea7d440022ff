"""Turntables of the textured samples: small, turning for ever, and of objects that there are."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from tools import turntables
from tools.console import root


def _frames(count: int) -> list[Image.Image]:
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    return [Image.fromarray(np.roll(ramp, 9 * n, 1)).convert("RGB") for n in range(count)]


def test_frames_become_one_picture_that_turns_for_ever():
    made: Any = Image.open(io.BytesIO(turntables.animated(_frames(6))))
    assert (made.n_frames, made.size, made.info["loop"]) == (6, (64, 64), 0)


def test_a_page_shows_each_model_from_sides_a_quarter_turn_apart(monkeypatch):
    monkeypatch.setattr(turntables, "SIZE", (64, 64))
    frames = _frames(8)
    page = np.asarray(turntables.sides([frames, frames[::-1]]))
    assert page.shape == (128, 256, 3)
    assert np.array_equal(page[:64, 64:128], np.asarray(frames[2]))
    assert np.array_equal(page[64:, 128:192], np.asarray(frames[3]))


def test_every_sample_has_a_small_turntable_in_the_docs():
    assert {each.sample for each in turntables.SAMPLES} == {
        path.stem for path in (root() / "samples").glob("*.blend")
    }
    for each in turntables.SAMPLES:
        path = root() / turntables.TURNING / f"turntable-{each.sample}.webp"
        assert path.stat().st_size <= turntables.MOST_BYTES
        picture: Any = Image.open(path)
        assert picture.n_frames == turntables.FRAMES
