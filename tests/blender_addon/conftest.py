"""The add-on enabled in this Blender, an empty file for each test, and a scripted server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.local import ServerLock, ServerRecord
from maquette_wire.messages import PROTOCOL
from maquette_wire.view import View

import blender_addon
from blender_addon import session as add_on_session
from blender_addon.session import Session
from tests.shared.mock_server import MockServer

ADD_ON = "blender_addon"
SECONDS = 20.0

# Blender imports an add-on again whose date it doesn't know; the tests need the modules they have.
blender_addon.__time__ = Path(blender_addon.__file__).stat().st_mtime  # type: ignore[attr-defined]


SCENES = ("gallery_scene", "material_scene", "textured_scene")
"""Modules beside this one whose fixtures several test modules use."""

_status = 0


def pytest_configure(config: pytest.Config) -> None:
    for name in SCENES:
        config.pluginmanager.import_plugin(f"tests.blender_addon.{name}")


def pytest_sessionfinish(exitstatus: int) -> None:
    global _status
    _status = int(exitstatus)


def pytest_unconfigure() -> None:
    """The bpy module of 4.2 crashes at its end where a glTF was exported, which tests alone do."""
    if bpy.app.version < (4, 3) and not bpy.app.binary_path:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_status)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A throw-away home, with the add-on enabled in an empty file."""
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no `maquette` of this machine is found
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    yield Home(tmp_path / "home")
    bpy.ops.preferences.addon_disable(module=ADD_ON)


@pytest.fixture
def session(home: Home) -> Session:
    return add_on_session.current()


@pytest.fixture
def server(home: Home) -> Iterator[MockServer]:
    """A scripted server that this home's record leads to."""
    server = MockServer(home).start()
    with ServerLock(home) as lock:
        lock.announce(
            ServerRecord(
                endpoint=server.endpoint,
                public_key=server.keys.public,
                pid=1,
                version="mock",
                protocol=PROTOCOL,
            )
        )
        yield server
        server.die()


@pytest.fixture
def settings() -> bpy.types.PropertyGroup:
    """The panel's settings, with a prompt."""
    settings = bpy.context.scene.maquette
    settings.prompt = "red brick library at dusk"
    return settings


@pytest.fixture
def camera(settings: bpy.types.PropertyGroup) -> bpy.types.Object:
    """A box seen by the scene's camera, which is called Street."""
    bpy.ops.mesh.primitive_cube_add(size=4)
    data = bpy.data.cameras.new("Street")
    camera = bpy.data.objects.new("Street", data)
    bpy.context.scene.collection.objects.link(camera)
    camera.location = (0, -15, 2)
    camera.rotation_euler = (1.57, 0, 0)
    bpy.context.scene.camera = camera
    bpy.context.scene.render.resolution_x = 160
    bpy.context.scene.render.resolution_y = 120
    settings.long_side = 64
    return camera


def a_capture(name: str = "Street", width: int = 32, height: int = 24) -> Capture:
    """A capture of a plane, made up."""
    identity = tuple(float(value) for value in np.eye(4).ravel())
    view = View(
        view_matrix=identity,  # type: ignore[arg-type]
        projection_matrix=identity,  # type: ignore[arg-type]
        width=width,
        height=height,
        name=name,
    )
    color = np.full((height, width, 3), 180, np.uint8)
    return Capture(view, color, np.full((height, width), 5.0, np.float32))


def turn(session: Session, until: Callable[[], object], seconds: float = SECONDS) -> None:
    """Do what Blender's timer does until something is so."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, (
            f"waited in vain: {session.status}, "
            f"{[job.state for job in session.jobs.values()]}, {list(session.notices)}"
        )
        session.tick()
        time.sleep(0.01)


def arrived(session: Session) -> bool:
    """Whether all jobs are done and their pictures in the file."""
    return not session.open_jobs and not session.delivery.busy


def pictures() -> list[Any]:
    """The entries of the open scene's gallery."""
    return list(bpy.context.scene.maquette.pictures)


def concepts() -> list[bpy.types.Image]:
    """The image datablocks of concepts in the open file."""
    return [image for image in bpy.data.images if "maquette_recipe" in image]


def run(script: str) -> str:
    """What a Blender of its own prints for a script."""
    root = Path(__file__).parents[2]
    paths = [str(root), str(root / "shared"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr
