"""``maquette show`` and what ``maquette replay`` says before it needs a server."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from maquette import cli
from maquette.catalogue import Catalogue
from maquette.commands import show
from maquette_wire import metadata, png
from maquette_wire.home import Home
from maquette_wire.material import Material
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.source import Source, file_digest
from maquette_wire.view import View

from tests.shared.conftest import IDENTITY

RECIPE = Recipe(
    prompt="red brick, \x1b[31mdusk", model="tiny", seed=3, strength=0.8, loras=(Lora(name="ink"),)
)


def view(width: int = 96, height: int = 64, kind: str = "perspective", scale: float = 2.0) -> View:
    """A camera whose long side has this scale in its projection."""
    long, short = (0, 5) if width >= height else (5, 0)
    projection = list(IDENTITY)
    projection[long], projection[short] = scale, scale * max(width, height) / min(width, height)
    return View(
        view_matrix=IDENTITY,
        projection_matrix=tuple(projection),  # type: ignore[arg-type]
        width=width,
        height=height,
        kind=kind,  # type: ignore[arg-type]
        name="Street",
    )


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    # Nothing here gets as far as painting; a server that is started would take seconds.
    monkeypatch.setattr("maquette.jobs.LocalServer.begin", lambda self: None)
    return tmp_path / "home"


@pytest.fixture
def scene(tmp_path: Path) -> Source:
    path = tmp_path / "house.blend"
    path.write_bytes(b"BLENDER")
    return Source(file=str(path), sha256=file_digest(path), capture="c" * 64, view="Street")


def _write(path: str, recipe: Recipe = RECIPE, *given: View | Source | None, prompt=True) -> Path:
    text = metadata.texts(recipe, *given, software="Maquette 0.1.0", prompt=prompt)  # type: ignore
    png.write(Path(path), bytes(48), 4, 4, text)
    return Path(path)


def _shown(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    assert cli.main(["show", *words]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:17].strip(): line[17:].strip() for line in lines}


def test_a_concept_is_shown(capsys, scene: Source):
    _write("a.png", RECIPE, view(), scene)
    told = _shown(capsys, "a.png")
    assert told["kind"] == "concept, by Maquette 0.1.0"
    assert told["prompt"] == "red brick,  [31mdusk"  # nothing steers the terminal
    assert (told["seed"], told["strength"], told["steps"]) == ("3", "0.8", "the model's own")
    assert told["LoRA"] == "ink, weight 1"
    assert told["model"] == "tiny (not installed)"
    assert told["camera"] == "'Street', 96 x 64, 36 mm (on 36 mm)"
    assert told["source"] == f"{scene.file} (unchanged)"


def test_how_windows_were_asked_for_is_shown_but_of_a_material(capsys):
    _write("a.png", RECIPE, view())
    assert _shown(capsys, "a.png")["windows"] == "auto, storey 3.2 m, bay 3 m"
    _write("b.png", msgspec.structs.replace(RECIPE, windows="grid", storey=4.0, bay=1.25))
    assert _shown(capsys, "b.png")["windows"] == "grid, storey 4 m, bay 1.25 m"
    _write("c.png", msgspec.structs.replace(RECIPE, windows="free"))
    assert _shown(capsys, "c.png")["windows"] == "free"
    material = metadata.MaterialMap(name="albedo", material=Material().filled("brick"))
    text = metadata.texts(RECIPE, of_material=material, software="Maquette 0.1.0")
    png.write(Path("m.png"), bytes(48), 4, 4, text)
    assert "windows" not in _shown(capsys, "m.png")


def test_a_source_that_changed_or_went_is_said(capsys, scene: Source):
    _write("a.png", RECIPE, view(), scene)
    Path(scene.file).write_bytes(b"BLENDER2")
    assert _shown(capsys, "a.png")["source"].endswith("(changed)")
    Path(scene.file).unlink()
    assert _shown(capsys, "a.png")["source"].endswith("(gone)")


def test_depth_and_frame_are_shown_and_no_lens_that_is_assumed(capsys, scene: Source):
    changes = {"view": None, "depth": "/gone/d.exr", "depth_sha256": "1", "frame": 12}
    _write("a.png", RECIPE, view(), msgspec.structs.replace(scene, **changes))
    told = _shown(capsys, "a.png")
    assert (told["depth"], told["frame"]) == ("/gone/d.exr (gone)", "12")
    assert told["camera"] == "'Street', 96 x 64"
    changes = {"view": None, "estimator": "pocket"}
    _write("b.png", RECIPE, view(), msgspec.structs.replace(scene, **changes))
    assert _shown(capsys, "b.png")["depth"] == "estimated by the model pocket"


def test_a_texture_and_a_prompt_that_was_left_out(capsys):
    _write("t.png", prompt=False)
    told = _shown(capsys, "t.png")
    assert told["kind"].startswith("texture")
    assert told["prompt"] == told["negative prompt"] == "(left out of the file)"
    assert "camera" not in told


def test_a_long_prompt_is_wrapped_beside_its_name(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _write("a.png", Recipe(prompt="brick, " * 30))
    assert cli.main(["show", "a.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("prompt "))
    assert max(map(len, lines)) <= 60 and lines[first + 1].startswith(" " * 17 + "brick")


def test_json_is_one_line_for_each_picture(capsys, scene: Source):
    _write("a.png", RECIPE, view(), scene)
    _write("t.png")
    assert cli.main(["show", "a.png", "t.png", "--json"]) == 0
    concept, texture = map(json.loads, capsys.readouterr().out.splitlines())
    assert concept["recipe"]["prompt"] == RECIPE.prompt
    assert concept["view"]["focal_length"] == 36.0
    assert concept["source"]["state"] == "unchanged"
    assert (texture["kind"], texture["view"], texture["source"]) == ("texture", None, None)


def test_another_programs_picture_is_said_and_the_others_are_shown(capsys):
    png.write(Path("other.png"), bytes(48), 4, 4, {"parameters": "a cat\nSteps: 2, Seed: 1"})
    _write("a.png")
    assert cli.main(["show", "other.png", "missing.png", "a.png"]) == 1
    done = capsys.readouterr()
    assert "no recipe in other.png" in done.err and "missing.png" in done.err
    assert "seed" in done.out and "Traceback" not in done.err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (view(96, 64), {"focal_length": 36.0}),
        (view(64, 96), {"focal_length": 36.0}),
        (view(64, 96, scale=50 / 18), {"focal_length": 50.0}),
        (view(96, 64, "orthographic", 2 / 30), {"orthographic_scale": 30.0}),
    ],
)
def test_a_lens_is_told_of_the_long_side(given: View, told: dict[str, float]):
    assert show.lens(given) == told


def test_the_models_weights_are_compared(home: Path, tiny_model: Path):
    catalogue = Catalogue(Home(home), extra=[tiny_model])
    entry = catalogue.find(tiny_model.name)
    recipe = Recipe(prompt="a", model=entry.name, model_hash=catalogue.hash_of(entry))
    assert show.model_state(recipe, catalogue) == "installed"
    other = msgspec.structs.replace(recipe, model_hash="ab")
    assert show.model_state(other, catalogue) == "other weights"
    unknown = msgspec.structs.replace(recipe, model_hash=None)
    assert show.model_state(unknown, catalogue) == "unknown"
    away = msgspec.structs.replace(recipe, model="nope")
    assert show.model_state(away, catalogue) == "not installed"


def _refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(["replay", *words]) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert not Path("concepts").exists()
    return line


def test_what_cannot_be_made_again_is_one_line(capsys, scene: Source):
    _write("texture.png")
    assert "maquette texture SCENE.blend --recipe texture.png" in _refused(capsys, "texture.png")
    _write("panel.png", RECIPE, view())
    assert "maquette restyle SCENE.blend --recipe panel.png" in _refused(capsys, "panel.png")
    png.write(Path("other.png"), bytes(48), 4, 4)
    assert "no recipe in other.png" in _refused(capsys, "other.png")
    _write("a.png", RECIPE, view(), scene)
    Path(scene.file).unlink()
    assert "house.blend" in (said := _refused(capsys, "a.png")) and "--source" in said
    assert "nowhere.blend" in _refused(capsys, "a.png", "--source", "nowhere.blend")


def test_a_prompt_that_was_left_out_is_asked_for(capsys, scene: Source):
    _write("a.png", RECIPE, view(), scene, prompt=False)
    assert "left out of a.png" in (said := _refused(capsys, "a.png")) and "--prompt" in said
    _write("b.png", RECIPE, view(), scene)
    assert "b.png has its prompt inside" in _refused(capsys, "b.png", "--prompt", "snow")
