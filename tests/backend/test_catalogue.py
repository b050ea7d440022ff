"""Models by name: built in, fetched, a user's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from maquette import download, samplers
from maquette.catalogue import POCKET_VARIABLE, Catalogue
from maquette.families.settings import read_settings
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

from tests.backend.hub import Hub, serving
from tests.backend.tiny import make_tiny_lora, make_tiny_sd2_depth


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def catalogue(home: Home) -> Catalogue:
    return Catalogue(home)


def test_the_built_in_models_are_listed_also_when_absent(catalogue: Catalogue) -> None:
    entries = {entry.name: entry for entry in catalogue.entries()}
    assert set(entries) == {"pocket", "sd2-depth", "sdxl"}
    assert not entries["sd2-depth"].present and entries["sd2-depth"].licence == "openrail++"
    assert "sd2-depth" not in {info.name for info in catalogue.infos()}


def test_a_folder_of_the_user_is_a_model(catalogue: Catalogue, home: Home) -> None:
    make_tiny_sd2_depth(
        home.models / "mine", settings={"title": "My style", "native_size": 256, "licence": "MIT"}
    )
    make_tiny_lora(home.loras / "snow.safetensors", home.models / "mine")
    (home.models / "not a model").mkdir()
    (info,) = [info for info in catalogue.infos() if info.name != "pocket"]
    assert (info.name, info.title, info.native_size, info.licence) == (
        "mine",
        "My style",
        256,
        "MIT",
    )
    assert info.loras == ("snow",) and info.family == "sd2-depth"
    mine = catalogue.present("mine")
    assert catalogue.lora("snow", mine) == home.loras / "snow.safetensors"
    with pytest.raises(MaquetteError, match="snow"):
        catalogue.lora("../../etc/passwd", mine)


def test_a_lora_that_comes_with_a_model_is_that_models_alone(
    catalogue: Catalogue, home: Home
) -> None:
    for name in ("mine", "other"):
        make_tiny_sd2_depth(home.models / name)
    mine, other = catalogue.present("mine"), catalogue.present("other")
    before = catalogue.hash_of(mine)
    own = make_tiny_lora(mine.directory / "loras" / "surfaces.safetensors", mine.directory)
    assert catalogue.lora("surfaces", mine) == own
    # A recipe names it, so it is no part of what the model is.
    assert catalogue.hash_of(mine) == before
    with pytest.raises(MaquetteError, match="surfaces"):
        catalogue.lora("surfaces", other)


def test_a_model_with_an_unreadable_setting_does_not_hide_the_others(
    catalogue: Catalogue, home: Home
) -> None:
    make_tiny_sd2_depth(home.models / "good")
    make_tiny_sd2_depth(home.models / "bad", settings={"steps": "many"})
    assert {info.name for info in catalogue.infos()} >= {"good"}
    assert "bad" in {entry.name for entry in catalogue.entries()}


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 0},
        {"native_size": 0},
        {"guidance": -1.0},
        {"sampler": "magic"},
        {"dropped_depth": 3.0},
        {"depth": {"power": 9.0}},
        {"geometry": {"geometry": [0.0], "strength": [1.0], "depth_influence": [1.0]}},
        {"format": 2},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_name_their_file(
    tmp_path: Path, settings: dict[str, object]
) -> None:
    (tmp_path / "maquette.json").write_text(json.dumps(settings))
    with pytest.raises(MaquetteError, match=r"maquette\.json") as caught:
        read_settings(tmp_path)
    assert caught.value.code == "bad-checkpoint" and caught.value.hint


def test_a_model_is_offered_with_the_samplers_that_suit_it(
    catalogue: Catalogue, home: Home
) -> None:
    make_tiny_sd2_depth(home.models / "plain")
    make_tiny_sd2_depth(home.models / "quick", settings={"steps": 1, "sampler": "euler"})
    config = make_tiny_sd2_depth(home.models / "zero") / "scheduler" / "scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rescale_betas_zero_snr": True}))
    offered = {info.name: info.samplers for info in catalogue.infos()}
    assert offered["plain"] == samplers.NAMES
    assert offered["quick"] == ("euler",)
    assert "ddim" in offered["zero"] and not samplers.FROM_SIGMA & set(offered["zero"])


def test_a_pocket_model_in_the_making(
    catalogue: Catalogue, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(POCKET_VARIABLE, str(tiny_model))
    assert catalogue.present("pocket").directory == tiny_model


def test_fetching_and_removing(
    catalogue: Catalogue, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (source,) = catalogue.find("sd2-depth").sources
    model = make_tiny_sd2_depth(tmp_path / "origin")
    files = {p.relative_to(model).as_posix(): p.read_bytes() for p in model.rglob("*.*")}
    monkeypatch.delenv(download.OFFLINE_VARIABLE, raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with serving(Hub(source.repository, source.revision, files)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        entry = catalogue.fetch("sd2-depth")
        asked = len(hub.requests)
        catalogue.fetch("sd2-depth")
        assert len(hub.requests) == asked  # it is here
    assert entry.directory == home.models / "sd2-depth"
    assert [info.name for info in catalogue.infos() if info.name != "pocket"] == ["sd2-depth"]
    assert catalogue.hash_of(entry) == _hash(home, model)
    assert catalogue.remove("sd2-depth") > 10_000
    assert not entry.directory.exists()
    with pytest.raises(MaquetteError, match="maquette models fetch sd2-depth"):
        catalogue.present("sd2-depth")


def _hash(home: Home, folder: Path) -> str:
    other = Catalogue(home, extra=[folder])
    return other.hash_of(other.find(folder.name))


def test_the_built_in_model_can_not_be_removed(catalogue: Catalogue) -> None:
    with pytest.raises(MaquetteError, match="not Maquette's to delete"):
        catalogue.remove("pocket")


def test_the_hash_follows_the_weights_alone(
    catalogue: Catalogue, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_tiny_sd2_depth(home.models / "mine", seed=1)
    entry = catalogue.find("mine")
    first = catalogue.hash_of(entry)
    (folder / "README.md").write_text("hello")
    assert catalogue.hash_of(entry) == first
    counted: list[Path] = []
    real = download.sha256_of
    monkeypatch.setattr(download, "sha256_of", lambda path: counted.append(path) or real(path))
    assert Catalogue(home).hash_of(entry) == first and not counted  # known from before
    make_tiny_sd2_depth(folder, seed=2)
    assert catalogue.hash_of(entry) != first and counted


def test_an_unreadable_cache_of_hashes_costs_time_alone(catalogue: Catalogue, home: Home) -> None:
    make_tiny_sd2_depth(home.models / "mine")
    entry = catalogue.find("mine")
    first = catalogue.hash_of(entry)
    for text in ("{", "[]", '{"x": 1}'):
        home.hashes.write_text(text)
        assert catalogue.hash_of(entry) == first


def test_listing_models_needs_no_model_library(home: Home) -> None:
    """The server's loop lists them, and must not wait for PyTorch."""
    code = (
        "import sys; from maquette.catalogue import Catalogue; Catalogue().infos(); "
        "assert not {'torch', 'diffusers', 'transformers'} & set(sys.modules), 'loaded'"
    )
    root = Path(__file__).parents[2]
    paths = os.pathsep.join(str(root / room) for room in ("backend", "shared"))
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"MAQUETTE_HOME": str(home.root), "PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_a_hint_tells_models_that_are_here_from_those_to_fetch(tmp_path: Path):
    with pytest.raises(MaquetteError) as unknown:
        Catalogue(Home(tmp_path)).find("nothing")
    hint = unknown.value.hint
    assert hint.startswith("Use pocket, fetch sd2-depth or sdxl, or put its folder into ")
