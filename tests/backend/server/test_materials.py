"""Materials through a server: the light one, for what becomes of a job, and the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from maquette_wire.home import Home
from maquette_wire.material import MAPS, Material
from maquette_wire.messages import Cancelled, Failed, Progress, Result
from maquette_wire.recipe import Recipe

from tests.backend.server.harness import (
    REAL,
    ServerProcess,
    Talker,
    capture,
    light_recipe,
    talker,
)

TILE = Material(size=1.2, pixels=128)
Make = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Iterator[ServerProcess]:
    home = Home(tmp_path_factory.mktemp("real") / "home")
    server = ServerProcess(home, [*REAL, "--device", "cpu", "--models", str(tiny_model)])
    server.start()
    yield server
    assert server.stop() == 0, server.log


def tile(steps: int = 2) -> Recipe:
    return Recipe(prompt="red brick", model="tiny", steps=steps, strength=1.0)


def maps_of(client: Talker, job: str) -> dict[str, bytes]:
    event = client.end_of(job)
    assert isinstance(event.message, Result), event.message
    headers = event.message.frames
    return {h.name: bytes(f) for h, f in zip(headers, event.frames, strict=True)}


def submit(client: Talker, recipe: Recipe, material: Material = TILE) -> str:
    return client.client.submit(recipe, [], material=material, previews=True)


def test_a_material_comes_with_its_maps_and_what_it_is(real: ServerProcess) -> None:
    client = talker(real)
    job = submit(client, tile())
    result = client.end_of(job).message
    assert isinstance(result, Result), result
    assert [frame.name for frame in result.frames] == list(MAPS)
    assert all(frame.shape[:2] == (128, 128) for frame in result.frames)
    assert result.material == TILE.filled("red brick") and not result.pictures
    assert result.recipe.model_hash and result.recipe.sampler
    heard = [e.message for e in client.about(job) if isinstance(e.message, Progress)]
    assert any(message.frames for message in heard)
    assert {"sampling", "baking"} <= {message.stage for message in heard}
    assert client.client.welcome is not None
    assert "material" in client.client.welcome.understands
    height = np.frombuffer(maps_of(client, job)["height"], np.float32)
    assert np.isfinite(height).all() and 0.003 < np.ptp(height) < 0.02


def test_a_killed_worker_costs_nothing_and_the_next_one_makes_the_same(
    real: ServerProcess,
) -> None:
    client = talker(real)
    first = maps_of(client, submit(client, tile(60)))
    job = submit(client, tile(60))
    client.first(
        lambda e: (
            isinstance(getattr(e, "message", None), Progress)
            and (e.message.job, e.message.stage) == (job, "sampling")
        ),
        "sampling",
    )
    real.workers()[0].kill()
    assert maps_of(client, job) == first
    # Concepts are what they were, before and after.
    concept = Recipe(prompt="red brick", model="tiny", steps=2, strength=0.5)
    one = client.end_of(client.client.submit(concept, [capture()])).frames[0]
    submit(client, tile())
    two = client.end_of(client.client.submit(concept, [capture()])).frames[0]
    assert bytes(one) == bytes(two)


def test_a_running_material_is_cancelled(real: ServerProcess) -> None:
    client = talker(real)
    job = submit(client, tile(1000))
    client.message(job, Progress)
    client.client.cancel(job)
    assert isinstance(client.end_of(job).message, Cancelled)


def test_a_lost_model_is_named(real: ServerProcess) -> None:
    client = talker(real)
    failed = client.end_of(submit(client, Recipe(prompt="brick", model="no-such"))).message
    assert isinstance(failed, Failed) and failed.code == "unknown-model"


def test_a_material_outlives_server_and_client(make_server: Make, tmp_path: Path) -> None:
    server = make_server()
    record = server.start()
    server.stop()
    server = make_server(endpoint=record.endpoint)
    server.start()
    client = talker(server)
    go = tmp_path / "go"
    job = submit(client, light_recipe(f"until={go}"))
    client.message(job, Progress)
    server.kill()
    client.close()
    server.launch()
    server.wait_ready()
    go.touch()
    later = talker(server)
    later.client.resume(job)
    maps = maps_of(later, job)
    assert set(maps) == set(MAPS)
    # Until it is acknowledged it is there, the same each time.
    again = talker(server)
    again.client.resume(job)
    assert maps_of(again, job) == maps
    again.client.acknowledge(job)
    again.close()
    later.close()


def test_a_material_that_the_disk_cannot_hold_is_refused(make_server: Make) -> None:
    server = make_server(disk_budget=2**20)
    server.start()
    client = talker(server)
    large = submit(client, light_recipe(), Material(pixels=512))
    failed = client.end_of(large).message
    assert isinstance(failed, Failed) and failed.code == "spool-full"
    small = submit(client, light_recipe(), TILE)
    assert isinstance(client.end_of(small).message, Result)
    client.close()
