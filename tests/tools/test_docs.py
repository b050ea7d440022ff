"""The docs' pictures: small, written only where they show something else, and none missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tools import docs
from tools.console import BuildError, root


def _shot(path: Path, text: str = "Restyle", noise: int = 0) -> Path:
    picture = Image.new("RGB", (400, 300), (60, 60, 60))
    ImageDraw.Draw(picture).text((40, 40), text, fill=(230, 230, 230))
    grain = np.random.default_rng(1).integers(-noise, noise + 1, (300, 400, 1))
    pixels = np.clip(np.asarray(picture).astype(int) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_is_written_again_only_where_a_word_has_changed(tmp_path):
    target = tmp_path / "images" / "panel.jpg"
    assert docs.keep(_shot(tmp_path / "a.png"), target)
    written = target.read_bytes()
    assert not docs.keep(_shot(tmp_path / "b.png", noise=6), target)
    assert target.read_bytes() == written
    assert docs.keep(_shot(tmp_path / "c.png", "Texture"), target)
    assert Image.open(target).size == (400, 300)


def test_a_picture_full_of_detail_stays_small():
    pixels = np.random.default_rng(1).integers(0, 255, (280, 380, 3), np.uint8)
    picture = Image.fromarray(pixels)
    assert len(docs.encoded(picture)) <= docs.MOST_BYTES
    with pytest.raises(BuildError, match="crop it"):
        docs.encoded(picture.resize((1520, 1120), Image.Resampling.NEAREST))


def test_a_picture_that_no_scenario_made_is_named(tmp_path):
    (tmp_path / "page.md").write_text("![One](images/one.jpg)\n![Far](https://example.org/a.png)\n")
    assert docs.missing(tmp_path) == ["page.md: images/one.jpg"]


def test_the_pages_pictures_are_there():
    assert docs.missing(root() / "docs") == []


def test_without_a_window_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(docs, "USUAL", tmp_path / "blender-window")
    monkeypatch.delenv(docs.windows.VARIABLE, raising=False)
    with pytest.raises(BuildError, match=r"(?s)need a Blender with a window.*install_blender"):
        docs.program(None)
