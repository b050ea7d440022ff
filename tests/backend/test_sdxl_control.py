"""The family of Stable Diffusion XL with ControlNets against diffusers' own pipeline, and what its
pictures depend on."""

from __future__ import annotations

import json
import math
import shutil
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.controlnets.controlnet import ControlNetModel
from diffusers.models.controlnets.multicontrolnet import MultiControlNetModel
from diffusers.pipelines.controlnet.pipeline_controlnet_sd_xl_img2img import (
    StableDiffusionXLControlNetImg2ImgPipeline,
)
from maquette.catalogue import Catalogue
from maquette.families.family import PictureTask
from maquette.families.registry import load_model
from maquette.families.sdxl_control import SdxlControl
from maquette.geometry import control
from maquette.sampling import Sampler
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.recipe import Lora, Recipe

from tests.backend.sampling.jobs import STEPS, disagreement, psnr, same, small, with_depth
from tests.backend.sampling.test_together import VIEWS, pictures_of
from tests.backend.scenes import massing
from tests.backend.tiny import make_tiny_lora, make_tiny_sdxl

CPU = torch.device("cpu")
SIZE = 64
DEPTH = np.linspace(-1.0, 1.0, SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE)
LINES = np.zeros((SIZE, SIZE), np.uint8)
LINES[20, 10:50] = LINES[10:50, 30] = 255


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_sdxl(tmp_path_factory.mktemp("models") / "large")


@pytest.fixture(scope="module")
def model(directory: Path) -> SdxlControl:
    model = load_model(directory, CPU, torch.float32)
    assert isinstance(model, SdxlControl)
    model.prepare(lines=True)
    return model


def paint(model: SdxlControl, *tasks: PictureTask, **options: Any) -> torch.Tensor:
    values: dict[str, Any] = {
        "negative_prompt": "people",
        "sampler": "ddim",
        "steps": 6,
        "strength": 0.7,
        "guidance": 5.0,
        "on_step": lambda *_: None,
    }
    run = model.denoise(tasks, **(values | options))
    with pytest.raises(StopIteration) as end:
        next(run)
    return end.value.value


@pytest.mark.parametrize(
    ("negative", "guidance", "influences"),
    [
        ("people", 5.0, (1.0, None)),
        ("", 5.0, (0.8, 0.4)),
        ("people", 1.0, (0.5, 1.0)),
    ],
)
def test_the_picture_is_diffusers_own(
    directory: Path,
    model: SdxlControl,
    negative: str,
    guidance: float,
    influences: tuple[float, float | None],
) -> None:
    depth, lines = influences
    init = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = _stock(directory, init, negative, guidance, depth, lines)
    task = PictureTask(
        init, DEPTH, 4, "red brick", None if lines is None else LINES, depth, lines or 0.0
    )
    found = model.autoencoder.decode(
        paint(model, task, negative_prompt=negative, guidance=guidance)
    )
    assert found is not None
    assert np.abs(found / 255.0 - expected).max() < 1.0 / 255.0
    assert expected.std() > 0.02


def _stock(
    directory: Path,
    init: torch.Tensor,
    negative: str,
    guidance: float,
    depth: float,
    lines: float | None,
) -> np.ndarray:
    """The picture [H, W, 3] in [0, 1] of the stock pipeline."""
    shown = {"depth": (torch.from_numpy(DEPTH) + 1.0) / 2.0, "lines": torch.tensor(LINES) / 255.0}
    influences = {"depth": depth} | ({} if lines is None else {"lines": lines})
    nets = [ControlNetModel.from_pretrained(directory / f"controlnet_{k}") for k in influences]
    ran = 4  # of 6 steps
    scales, ends = zip(*map(control, influences.values()), strict=True)
    stock: Any = StableDiffusionXLControlNetImg2ImgPipeline.from_pretrained(
        directory, controlnet=MultiControlNetModel(nets), add_watermarker=False
    )
    stock.set_progress_bar_config(disable=True)
    return stock(
        prompt="red brick",
        negative_prompt=negative or None,
        image=init,
        control_image=[shown[kind].expand(1, 3, -1, -1) for kind in influences],
        strength=0.7,
        num_inference_steps=6,
        guidance_scale=guidance,
        controlnet_conditioning_scale=list(scales),
        control_guidance_end=[math.ceil(end * ran) / ran for end in ends],
        generator=[torch.Generator().manual_seed(4)],
        output_type="np",
    ).images[0]


# --- jobs -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sampler(tmp_path_factory: pytest.TempPathFactory) -> Sampler:
    home = Home(tmp_path_factory.mktemp("home"))
    large = make_tiny_sdxl(home.models / "large")
    make_tiny_sdxl(home.models / "depth-alone", lines=False)
    make_tiny_lora(home.loras / "style.safetensors", large)
    return Sampler("cpu", catalogue=Catalogue(home), dtype=torch.float32, batch_size=4)


def job(**changes: Any) -> Recipe:
    values: dict[str, Any] = {"prompt": "red brick library", "model": "large", "steps": STEPS}
    values |= {"windows": "free"}
    return Recipe(**(values | changes))


def test_a_picture_is_held_to_depth_and_to_lines(sampler: Sampler) -> None:
    before = sampler.run(job(), [small()])
    assert same(before, sampler.run(before.recipe, [small()]))
    assert (before.recipe.lines, before.recipe.lines_influence) == ("exact", 0.62)
    flat = with_depth(np.full((64, 64), 8.0))
    plain = job(lines="none")
    assert not same(sampler.run(plain, [small()]), sampler.run(plain, [flat]))
    free = job(lines="none", depth_influence=0.0)
    assert same(sampler.run(free, [small()]), sampler.run(free, [flat]))
    for change in ({"lines": "none"}, {"lines_influence": 0.1}, {"depth_influence": 0.4}):
        assert not same(before, sampler.run(job(**change), [small()])), change
    # Windows are among the lines, though this model's depth has none.
    street = [massing(128, 96)]
    windows = [sampler.run(job(windows=kind), street) for kind in ("free", "grid", "ribbon")]
    assert not same(windows[0], windows[1]) and not same(windows[1], windows[2])
    depths = [each.encoded_depth[0] for each in windows]
    assert depths[0].shape == (96, 128) and np.array_equal(depths[0], depths[1])


def test_lines_of_a_picture_are_found_by_a_detector(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Detector:
        def __call__(self, color: np.ndarray, **_: object) -> np.ndarray:
            return np.where(color > 150, np.uint8(255), np.uint8(0))

    stand_in = types.ModuleType("controlnet_aux")
    stand_in.CannyDetector = Detector  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "controlnet_aux", stand_in)
    found = sampler.run(job(lines="canny"), [small()])
    assert found.recipe.lines == "canny"
    assert not same(found, sampler.run(job(), [small()]))
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(MaquetteError, match="controlnet-aux can't be loaded") as caught:
        sampler.run(job(lines="mlsd"), [small()])
    assert "annotators" in caught.value.hint


def test_a_model_without_a_controlnet_for_lines_takes_none(sampler: Sampler) -> None:
    infos = {info.name: info for info in sampler.catalogue.infos()}
    told = [(infos[n].family, infos[n].lines, infos[n].facades) for n in ("large", "depth-alone")]
    assert told == [("sdxl-controlnet", True, True), ("sdxl-controlnet", False, False)]
    result = sampler.run(job(model="depth-alone"), [small()])
    assert result.recipe.lines is None
    # The same weights but for those of the lines.
    assert same(result, sampler.run(job(lines="none"), [small()]))
    with pytest.raises(MaquetteError, match="takes none") as caught:
        sampler.run(job(model="depth-alone", lines="exact"), [small()])
    assert caught.value.code == "bad-recipe" and caught.value.hint


def test_what_other_families_do_this_one_does(
    sampler: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sampler.run(job(count=3), [small()])
    # Seeds by themselves, up to rounding.
    alone = sampler.run(job(seed=1), [small()])
    assert psnr(alone.pictures[0][2], plain.pictures[1][2]) > 45.0
    styled = sampler.run(job(loras=(Lora(name="style"),)), [small()])
    assert not np.array_equal(styled.pictures[0][2], plain.pictures[0][2])
    # Out of memory.
    denoise, sizes = SdxlControl.denoise, []

    def failing_once(self: SdxlControl, tasks: Any, **options: Any) -> Any:
        sizes.append(len(tasks))
        if len(sizes) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return denoise(self, tasks, **options)

    monkeypatch.setattr(SdxlControl, "denoise", failing_once)
    frugal = sampler.run(job(count=3), [small()])
    assert sizes == [3, 1, 1, 1] and frugal.warnings
    for (_, _, a), (_, _, b) in zip(plain.pictures, frugal.pictures, strict=True):
        assert psnr(a, b) > 40.0
    monkeypatch.undo()
    assert same(plain, sampler.run(job(count=3), [small()]))


def test_half_precision_keeps_the_vae_whole(sampler: Sampler) -> None:
    exact = sampler.run(job(), [small()])
    half = Sampler("cpu", catalogue=sampler.catalogue, dtype=torch.float16)
    found = half.run(job(), [small()])
    assert half._loaded is not None
    model = half._loaded[2]
    assert model.pipeline.vae.dtype == torch.float32 and model.dtype == torch.float16
    with model.full_precision():
        assert {part.dtype for part in model.parts} == {torch.float32}
    assert model.pipeline.unet.dtype == torch.float16
    assert psnr(found.pictures[0][2], exact.pictures[0][2]) > 30.0


def test_a_seamless_picture_shifts_with_its_capture(sampler: Sampler) -> None:
    """With its ControlNets: all of it wraps, or none of this holds."""
    model = sampler._model(sampler.catalogue.present("large"), lambda *_: None)[0]
    model.prepare(lines=True)
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    depth = np.random.default_rng(1).uniform(-1.0, 1.0, (128, 128)).astype(np.float32)
    lines = np.where(depth > 0.8, np.uint8(255), np.uint8(0))

    def painted(move: int) -> np.ndarray:
        task = PictureTask(noise, _moved(depth, move), 0, "brick", _moved(lines, move))
        with torch.inference_mode():
            predict = model._predictor([task], "", 1.0)
            cells = torch.roll(noise, (move // 8, move // 8), (2, 3))
            picture = model.autoencoder.decode(predict(cells, torch.tensor(500), 0.0))
        assert picture is not None
        return picture

    with model.seamless():
        here, there = painted(0), painted(32)
    assert psnr(_moved(here, 32), there) > 45.0
    assert psnr(_moved(painted(0), 32), painted(32)) < 45.0


def _moved(picture: np.ndarray, pixels: int) -> np.ndarray:
    return np.roll(picture, pixels, (0, 1))


def test_views_are_painted_together(sampler: Sampler) -> None:
    apart, agreed = (sampler.run(job(), VIEWS, together=each) for each in (False, True))
    differences = [disagreement(VIEWS, pictures_of(each)) for each in (apart, agreed)]
    assert differences[1] < 0.95 * differences[0]
    assert same(agreed, sampler.run(job(), VIEWS, together=True))


def test_half_precision_files_of_a_controlnet_are_found(directory: Path, tmp_path: Path) -> None:
    """As repositories have them, beside a base in full precision."""
    copy = Path(shutil.copytree(directory, tmp_path / "model"))
    for kind in ("depth", "lines"):
        file = copy / f"controlnet_{kind}" / "diffusion_pytorch_model.safetensors"
        file.rename(file.with_name("diffusion_pytorch_model.fp16.safetensors"))
    model = load_model(copy, CPU, torch.float32)
    model.prepare(lines=True)
    assert len(model.painters) == 3


# --- checkpoints that can't be used ---------------------------------------------------------------


def _union(net: Path) -> None:
    _configure(net, num_control_type=6)


def _other(net: Path) -> None:
    _configure(net, cross_attention_dim=768)


def _configure(net: Path, **changes: object) -> None:
    config = json.loads((net / "config.json").read_text())
    (net / "config.json").write_text(json.dumps(config | changes))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (shutil.rmtree, r"lacks .*controlnet_depth.config.json"),
        (_union, "union ControlNet"),
        (_other, r"another kind of model: its cross_attention_dim is 768"),
    ],
)
def test_a_controlnet_that_is_none_for_the_model_is_said(
    directory: Path, tmp_path: Path, damage: Callable[[Path], None], said: str
) -> None:
    copy = Path(shutil.copytree(directory, tmp_path / "model"))
    damage(copy / "controlnet_depth")
    with pytest.raises(MaquetteError, match=said) as caught:
        load_model(copy, CPU, torch.float32)
    assert caught.value.hint
