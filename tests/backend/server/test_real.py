"""The server with the real sampler and a tiny checkpoint, started as a user starts it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.messages import Accepted, Cancelled, Failed, Progress, Result
from maquette_wire.recipe import Recipe

from tests.backend.server.harness import REAL, ServerProcess, Talker, capture, talker


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Path:
    """A sound model, one with a damaged file, and one that is a pickle."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(tiny_model, folder / "tiny")
    shutil.copytree(tiny_model, folder / "damaged")
    weights = folder / "damaged" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    shutil.copytree(tiny_model, folder / "pickle")
    weights = folder / "pickle" / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[ServerProcess]:
    """``maquette serve`` with these models."""
    given = [word for model in sorted(models.iterdir()) for word in ("--models", str(model))]
    home = Home(tmp_path_factory.mktemp("real") / "home")
    made = ServerProcess(home, [*REAL, "--device", "cpu", *given])
    record = made.start()
    assert f"Ready on {record.endpoint} (cpu)" in made.log
    yield made
    assert made.stop() == 0, made.log


@pytest.fixture
def client(server: ServerProcess) -> Talker:
    """A client of that server; the autouse fixture closes it."""
    return talker(server)


def recipe(model: str = "tiny", **more: object) -> Recipe:
    """Two steps of a tiny model."""
    return Recipe(**{"prompt": "brick", "model": model, "steps": 2, "strength": 1.0, **more})


def pixels(client: Talker, job: str) -> bytes:
    """All pictures of a job."""
    event = client.end_of(job)
    assert isinstance(event.message, Result), event.message
    return b"".join(event.frames)


def test_a_job_gives_a_picture_what_the_model_saw_and_a_whole_recipe(client: Talker):
    job = client.client.submit(recipe(count=2, seed=3), [capture(64, 48)], previews=True)
    result = client.end_of(job).message
    assert isinstance(result, Result), result
    assert [(p.view, p.seed) for p in result.pictures] == [(0, 3), (0, 4)]
    assert [f.name for f in result.frames] == ["concept", "concept", "encoded_depth"]
    assert result.frames[0].shape == (48, 64, 3)
    assert result.recipe.sampler and result.recipe.guidance is not None
    assert result.recipe.model_hash and len(result.recipe.model_hash) == 64
    sampling = [e for e in client.about(job) if getattr(e.message, "stage", "") == "sampling"]
    assert sampling and sampling[0].frames


def test_a_killed_worker_costs_nothing_and_the_next_one_paints_the_same(
    server: ServerProcess, client: Talker
):
    shipped = recipe("pocket", steps=None, seed=5)
    first = pixels(client, client.client.submit(shipped, [capture()]))
    job = client.client.submit(recipe(steps=60), [capture()])
    client.first(
        lambda e: getattr(getattr(e, "message", None), "stage", "") == "sampling", "sampling"
    )
    server.workers()[0].kill()
    assert pixels(client, job)
    assert pixels(client, client.client.submit(shipped, [capture()])) == first
    other = recipe("pocket", steps=None, seed=6)
    assert pixels(client, client.client.submit(other, [capture()])) != first


def test_a_running_job_is_cancelled_within_a_step(client: Talker):
    long = client.client.submit(recipe(steps=1000, count=64), [capture()])
    client.first(
        lambda e: getattr(getattr(e, "message", None), "stage", "") == "sampling", "sampling"
    )
    short = client.client.submit(recipe(), [capture()])
    client.message(short, Accepted)
    client.client.cancel(long)
    assert isinstance(client.end_of(long).message, Cancelled)
    before = len([e for e in client.about(long) if isinstance(e.message, Progress)])
    assert pixels(client, short)
    assert len([e for e in client.about(long) if isinstance(e.message, Progress)]) <= before + 1


@pytest.mark.parametrize(
    ("model", "words"),
    [("no-such", "no-such"), ("damaged", "damaged"), ("pickle", "safetensors"),
     ("sd2-depth", "maquette models fetch")],
)  # fmt: skip
def test_a_model_that_cannot_be_used_is_named_with_a_fix(client: Talker, model: str, words: str):
    failed = client.end_of(client.client.submit(recipe(model), [capture()])).message
    assert isinstance(failed, Failed), failed
    assert failed.code != "internal-error" and failed.hint
    assert words in f"{failed.sentence} {failed.hint}"
    assert pixels(client, client.client.submit(recipe(), [capture()]))


@pytest.mark.parametrize("value", [np.nan, -1.0, 0.0])
def test_depth_that_is_none_is_named(client: Talker, value: float):
    bad = capture(64, 48, name="Courtyard")
    depth = np.array(bad.depth)
    depth[20, 30] = value
    job = client.client.submit(recipe(), [Capture(bad.view, bad.color, depth)])
    failed = client.end_of(job).message
    assert isinstance(failed, Failed) and failed.code != "internal-error", failed
    assert "Courtyard" in failed.sentence


def test_a_device_that_is_not_there_ends_the_server_with_one_line(tmp_path: Path):
    server = ServerProcess(Home(tmp_path / "home"), [*REAL, "--device", "cuda:77"])
    assert server.launch().wait(120) == 1
    last = server.log.strip().splitlines()[-1]
    assert last.startswith("maquette: ") and "cuda:77" in last and "Use one of" in last
    assert "Traceback" not in server.log
