"""A model of one's own, in one command: of folders, and of a hub."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from maquette import cli, download
from maquette.catalogue import SDXL, Catalogue
from maquette.families.layouts import check
from maquette.families.settings import read_settings
from maquette_wire.home import Home

from tests.backend.hub import Hub, serving
from tests.backend.tiny import make_tiny_sd2_depth, make_tiny_sdxl


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    return Home.default()


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A base of Stable Diffusion XL, and ControlNets apart from it."""
    base = make_tiny_sdxl(tmp_path / "base", settings={"native_size": 64})
    nets = [
        Path(shutil.move(base / f"controlnet_{kind}", tmp_path / kind))
        for kind in ("depth", "lines")
    ]
    return base, nets[0], nets[1]


def models(*words: object) -> int:
    return cli.main(["models", *map(str, words)])


def test_folders_become_a_model(
    home: Home, parts: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base, depth, lines = parts
    (base / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"\x80")
    weights = base / "unet" / "diffusion_pytorch_model.safetensors"
    said = ("--title", "My XL", "--licence", "MIT", "--steps", 4, "--guidance", 1)
    assert models("add", "mine", base, "--depth", depth, "--lines", lines, *said) == 0
    mine = home.models / "mine"
    assert check(mine) is None and not (mine / "unet" / "diffusion_pytorch_model.bin").exists()
    assert weights.samefile(mine / "unet" / weights.name), "no room a second time"
    (info,) = [info for info in Catalogue(home).infos() if info.name == "mine"]
    assert (info.family, info.lines, info.title, info.licence) == (
        *("sdxl-controlnet", True),
        *("My XL", "MIT"),
    )
    assert (info.steps, info.guidance, info.native_size) == (4, 1.0, 64)
    assert read_settings(base).steps == 30, "the base's own file is left alone"
    assert "My XL" in _said(models("list"), capsys)
    assert models("remove", "mine") == 0 and weights.is_file()


def test_a_finetune_of_stable_diffusion_2_depth_is_added(home: Home, tmp_path: Path) -> None:
    assert models("add", "mine", make_tiny_sd2_depth(tmp_path / "tuned")) == 0
    assert Catalogue(home).present("mine").family == "sd2-depth"


def test_repositories_of_a_hub_become_a_model(
    home: Home, parts: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (download.OFFLINE_VARIABLE, "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    base, *nets = (
        Hub(source.repository, source.revision, _files(folder))
        for source, folder in zip(SDXL, parts, strict=True)
    )
    base.beside = nets
    with serving(base) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        assert models("fetch", "sdxl") == 0
        wanted = ("--depth", nets[0].name, "--lines", f"{nets[1].name}@{nets[1].revision}")
        assert models("add", "mine", base.name, *wanted) == 0
    catalogue = Catalogue(home)
    both = [catalogue.present(name) for name in ("sdxl", "mine")]
    assert catalogue.hash_of(both[0]) == catalogue.hash_of(both[1])
    assert all(check(entry.directory) is None for entry in both)
    assert sorted(p.name for p in (both[0].directory / "controlnet_depth").iterdir()) == [
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mine", "{base}"), "none is given. Give --depth"),
        (("mine", "{base}", "--depth", "{base}/unet"), "no ControlNet, but UNet2D"),
        (("mine", "{tuned}", "--depth", "{depth}"), "which this is not. Leave --depth"),
        (("mine", "{base}/model_index.json"), "single file"),
        (("mine", "nowhere at all"), "no folder nowhere at all"),
        (("pocket", "{base}"), "already"),
        (("no/name", "{base}"), "can't be the name"),
        (("mine", "{base}", "--depth", "{depth}", "--steps", "0"), "steps is 0"),
    ],
)
def test_what_is_no_model_is_said_and_leaves_nothing(
    home: Home,
    parts: tuple[Path, Path, Path],
    tmp_path: Path,
    words: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tuned = make_tiny_sd2_depth(tmp_path / "tuned")
    known = {"base": parts[0], "depth": parts[1], "tuned": tuned}
    assert re.search(said, _said(models("add", *(w.format(**known) for w in words)), capsys, 1))
    assert not home.models.exists() or not list(home.models.iterdir())


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def _said(status: int, capsys: pytest.CaptureFixture[str], wanted: int = 0) -> str:
    assert status == wanted
    captured = capsys.readouterr()
    return captured.out + captured.err
