"""Depth by other people's estimators: a small checkpoint of each kind, and controlnet-aux's part
played by a stand-in, as its torchvision fits one build of torch alone."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from maquette import annotators
from maquette_wire.errors import MaquetteError
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessor,
)

PICTURE = np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8)


def make_depth_model(folder: Path, kind: str, level: int) -> str:
    """A tiny Depth Anything whose output is about `level` everywhere, but for chance."""
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        reshape_hidden_states=False,
        out_features=["stage1", "stage2"],  # pyright: ignore[reportCallIssue]
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[8, 8],
        reassemble_factors=[2, 1],
        fusion_hidden_size=8,
        head_hidden_size=4,
        depth_estimation_type=kind,
        max_depth=level,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    processor = DPTImageProcessor(
        size={"height": 28, "width": 42}, ensure_multiple_of=14, keep_aspect_ratio=True
    )
    processor.save_pretrained(folder)
    return str(folder)


def test_relative_depth_has_its_nearest_at_one_metre(tmp_path: Path):
    metres = annotators.estimate_depth(make_depth_model(tmp_path, "relative", 1), PICTURE)
    assert metres.shape == (40, 60) and metres.dtype == np.float32
    assert metres.min() == pytest.approx(1.0)
    assert np.isinf(metres).sum() >= 1, "what is farthest"


def test_metric_depth_stays_metres(tmp_path: Path):
    metres = annotators.estimate_depth(make_depth_model(tmp_path, "metric", 80), PICTURE)
    assert np.isfinite(metres).all() and 5.0 < metres.mean() < 80.0


@pytest.mark.parametrize("name", ["", "nobody/nothing-of-this-name"])
def test_what_is_no_depth_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read at its import
    with pytest.raises(MaquetteError, match="can't be run as a depth model"):
        annotators.estimate_depth(name or str(tmp_path), PICTURE)


def test_controlnet_aux_s_shades_are_near_in_white(monkeypatch: pytest.MonkeyPatch):
    asked = []

    class Detector:
        @classmethod
        def from_pretrained(cls, repository: str) -> Detector:
            asked.append(repository)
            return cls()

        def __call__(self, color: np.ndarray, **options: object) -> np.ndarray:
            assert color is PICTURE and options["output_type"] == "np"
            # At a size of its own.
            return np.tile(np.linspace(255, 0, 64, dtype=np.uint8)[:, None, None], (1, 96, 3))

    stand_in = types.ModuleType("controlnet_aux")
    stand_in.MidasDetector = Detector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "controlnet_aux", stand_in)
    metres = annotators.estimate_depth("midas", PICTURE)
    assert asked == [annotators.WEIGHTS]
    assert metres.shape == (40, 60)
    column = metres[:, 30]
    assert column[0] == pytest.approx(1.0, abs=0.02) and (np.diff(column[:-1]) > 0).all()
    with pytest.raises(MaquetteError, match="controlnet-aux's zoe can't be run"):
        monkeypatch.setattr(
            stand_in, "ZoeDetector", types.SimpleNamespace(from_pretrained=_offline), raising=False
        )
        annotators.estimate_depth("zoe", PICTURE)


def _offline(_repository: str) -> None:
    raise OSError("We couldn't connect to the hub.")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(MaquetteError, match="annotators"):
        annotators.estimate_depth("zoe", PICTURE)


def test_names_that_are_meant_for_here(tmp_path: Path):
    assert annotators.knows("midas") and annotators.knows(str(tmp_path))
    assert annotators.knows("depth-anything/Depth-Anything-V2-Small-hf")
    assert not annotators.knows("pocket")
