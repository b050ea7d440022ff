"""What goes wrong at an architect's desk: each is said in a sentence, and nothing stays stuck."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import addon_utils
import bpy
import pytest
from maquette_wire import messages

import blender_addon
from blender_addon import session as add_on_session
from blender_addon.backend import Local, Status
from blender_addon.delivery import target_of
from blender_addon.jobs import State
from blender_addon.preferences import preferences
from blender_addon.properties import MaquetteSettings
from blender_addon.recipes import recipe_of
from blender_addon.session import Session
from tests.blender_addon.conftest import a_capture, arrived, concepts, run, turn

ADD_ON = "blender_addon"
OLD = {
    "prompt": "white card model",
    "negative_prompt": "people",
    "model": "sd2-depth",
    "geometry": 0.25,
    "seed": 4711,
    "long_seed": "4000000000",
    "seed_locked": True,
    "count": 3,
    "long_side": 1024,
    "source": "VIEWPORT",
    "use_steps": True,
    "steps": 33,
    "use_guidance": True,
    "guidance": 5.5,
    "use_strength": True,
    "strength": 0.5,
    "use_depth_influence": True,
    "depth_influence": 0.75,
    "sampler": "ddim",
    "texture_views": 5,
    "texture_side": 768,
    "texture_size": "4096",
    "texture_from_concept": True,
}
"""The settings as version 0.1.0 kept them: files are full of these names and types."""
ENUMS = {"source": ("CAMERA", "VIEWPORT"), "texture_size": ("1024", "2048", "4096", "8192")}


def begin(folder: Path) -> str:
    """The beginning of a script: a Blender of its own has a job."""
    return (
        "import importlib, os, sys, time\n"
        "from pathlib import Path\n"
        "import bpy, addon_utils\n"
        "import blender_addon\n"
        "blender_addon.__time__ = os.path.getmtime(blender_addon.__file__)\n"
        "bpy.ops.preferences.addon_enable(module='blender_addon')\n"
        "from tests.blender_addon.conftest import a_capture, turn\n"
        "from blender_addon import session as sessions\n"
        "from blender_addon.backend import Local\n"
        "from blender_addon.delivery import target_of\n"
        "from blender_addon.recipes import recipe_of\n"
        "scene = bpy.context.scene\n"
        "scene.maquette.prompt = 'brick'\n"
        "session = sessions.current()\n"
        "session.want_server(Local(''))\n"
        f"target = target_of(scene, Path({str(folder)!r}))\n"
        "job = session.restyle(recipe_of(scene.maquette), a_capture('Court'), target)\n"
        "turn(session, lambda: job.state.name != 'WAITING')\n"
    )


# --- the add-on ----------------------------------------------------------------------------------


def test_a_script_reload_in_mid_job_loses_nothing(server, home, tmp_path):
    # In a process of its own: the other tests hold on to the modules they have.
    server.hold = True
    said = run(
        begin(tmp_path / "out")
        + "for _ in range(2):\n"  # what Reload Scripts does with each add-on
        "    addon_utils.disable('blender_addon')\n"
        "    importlib.reload(sys.modules['blender_addon'])\n"
        "    addon_utils.enable('blender_addon')\n"
        "from blender_addon.session import current\n"
        "assert current() is not session\n"
        "assert bpy.context.scene.maquette.prompt == 'brick'\n"
        "print('LEFT', [entry.label for entry in current().left_behind], flush=True)\n"
        "os._exit(0)\n"
    )
    assert "LEFT ['Court: brick']" in said, said
    assert "Traceback" not in said, said


@pytest.mark.parametrize("package", ["zmq", "msgspec", "maquette_wire"])
def test_a_missing_wheel_is_named_with_what_to_do(package: str):
    said = run(
        "import sys\n"
        "import bpy\n"
        f"sys.modules[{package!r}] = None\n"
        "import blender_addon\n"
        "try:\n"
        "    blender_addon.register()\n"
        "except RuntimeError as error:\n"
        "    print('SAID', error)\n"
        "blender_addon.unregister()\n"
        "print('LEFT', hasattr(bpy.types.Scene, 'maquette'))\n"
    )
    assert f"package {package} is missing; remove the extension and install it again" in said, said
    assert "LEFT False" in said, said


def test_an_update_keeps_the_preferences_and_the_scenes_settings():
    chosen = preferences()
    chosen.place, chosen.address, chosen.server_key = "REMOTE", "tcp://far:1", "k" * 40
    chosen.folder = "//pictures"
    bpy.context.scene.maquette.prompt = "zinc"
    addon_utils.disable(ADD_ON, default_set=False)  # as the update of an extension does
    addon_utils.enable(ADD_ON, default_set=False)
    chosen = preferences()
    assert (chosen.place, chosen.address, chosen.server_key) == ("REMOTE", "tcp://far:1", "k" * 40)
    assert chosen.folder == "//pictures"
    assert bpy.context.scene.maquette.prompt == "zinc"


def test_a_file_of_an_older_version_opens_with_its_settings(tmp_path: Path):
    kinds: dict[type, Callable] = {
        bool: bpy.props.BoolProperty,
        int: bpy.props.IntProperty,
        float: bpy.props.FloatProperty,
        str: bpy.props.StringProperty,
    }
    names: dict[str, object] = {name: kinds[type(value)]() for name, value in OLD.items()}
    for name, items in ENUMS.items():
        names[name] = bpy.props.EnumProperty(items=[(each, each, "") for each in items])
    names["setting_that_is_gone"] = bpy.props.IntProperty()
    old = type("OldSettings", (bpy.types.PropertyGroup,), {"__annotations__": names})
    bpy.ops.preferences.addon_disable(module=ADD_ON)
    bpy.utils.register_class(old)
    bpy.types.Scene.maquette = bpy.props.PointerProperty(type=old)
    for name, value in {**OLD, "setting_that_is_gone": 3}.items():
        setattr(bpy.context.scene.maquette, name, value)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "old.blend"))
    del bpy.types.Scene.maquette
    bpy.utils.unregister_class(old)
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    settings = bpy.context.scene.maquette
    for name, value in OLD.items():
        assert getattr(settings, name) == value, name
    assert recipe_of(settings).facade_words() == {}, "what came later is as usual"
    settings.prompt = "and it can be changed"
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "old.blend"))
    assert bpy.context.scene.maquette.prompt == "and it can be changed"


# --- the server ----------------------------------------------------------------------------------


def remote(address: str, key: str) -> None:
    chosen = preferences()
    chosen.place, chosen.address, chosen.server_key = "REMOTE", address, key


@pytest.mark.parametrize(
    ("address", "key", "said"),
    [
        ("", "k" * 40, "address of the server is missing"),
        ("tcp://127.0.0.1:1", "", "Copy all 40 characters"),
        ("tcp://127.0.0.1:1", "k" * 39, "Copy all 40 characters"),
        ("tcp://127.0.0.1:1", "ö" * 40, "Copy all 40 characters"),
        ("http://127.0.0.1", "k" * 40, "no address of a server"),
        ("127.0.0.1:port", "k" * 40, "no address of a server"),
    ],
)
def test_preferences_that_lead_nowhere_are_named_and_put_right(
    session: Session, server, camera, address: str, key: str, said: str
):
    remote(address, key)
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.maquette.restyle()
    assert session.status is Status.TROUBLE
    assert not session.jobs
    remote(server.endpoint, server.keys.public)
    assert bpy.ops.maquette.connect() == {"FINISHED"}
    turn(session, lambda: session.status is Status.READY)
    assert not session.notices


def test_another_servers_key_is_told_and_the_job_goes_on_once_it_is_put_right(
    session: Session, server, camera
):
    from maquette_wire import keys
    from maquette_wire.home import Home

    other = keys.server_keys(Home(server.home.root / "elsewhere")).public
    remote(server.endpoint, other)
    assert bpy.ops.maquette.restyle() == {"FINISHED"}
    turn(session, lambda: session.status is Status.TROUBLE)
    assert session.backend is not None and "has another key" in str(session.backend.error)
    remote(server.endpoint, server.keys.public)
    assert bpy.ops.maquette.connect() == {"FINISHED"}
    turn(session, lambda: arrived(session))
    assert len(concepts()) == 1 and not session.notices


@pytest.mark.parametrize("typed", ["127.0.0.1:{port}", " tcp://127.0.0.1:{port} "])
def test_an_address_is_understood_as_people_write_it(session: Session, server, typed: str):
    remote(typed.format(port=server.port), f" {server.keys.public}\n")
    assert bpy.ops.maquette.connect() == {"FINISHED"}
    turn(session, lambda: session.status is Status.READY)
    assert session.backend is not None and session.backend.server == server.endpoint


def test_two_blenders_on_one_server_have_their_own_pictures(
    session: Session, server, settings: MaquetteSettings, tmp_path: Path
):
    server.hold = True
    session.want_server(Local(""))
    target = target_of(bpy.context.scene, tmp_path / "here")
    job = session.restyle(recipe_of(settings), a_capture("Street"), target)
    turn(session, lambda: job.state is State.QUEUED)
    server.hold = False
    said = run(
        begin(tmp_path / "there") + "turn(session, lambda: not session.jobs)\n"
        "print('LEFT', len(session.left_behind), flush=True)\n"
        "os._exit(0)\n"
    )
    assert "LEFT 0" in said, "the first Blender still works on its job"
    assert (tmp_path / "there" / "concept-court-seed0.png").is_file()
    assert job.state is State.QUEUED
    server.finish(job.name)
    turn(session, lambda: arrived(session))
    assert (tmp_path / "here" / "concept-street-seed0.png").is_file()
    assert server.count(messages.Submit) == 2 and server.count(messages.Resume) == 0


def test_disabled_with_jobs_in_every_state(session: Session, server, settings, tmp_path):
    server.hold = True
    session.want_server(Local(""))
    scene = bpy.context.scene
    jobs = [
        session.restyle(recipe_of(settings), a_capture(name), target_of(scene, tmp_path))
        for name in ("a", "b", "c", "d")
    ]
    turn(session, lambda: all(job.state is State.QUEUED for job in jobs))
    server.say(messages.Progress(job=jobs[0].name, stage="sampling", step=1, steps=4))
    server.say(messages.Failed(job=jobs[1].name, code="x", sentence="It failed."))
    turn(session, lambda: jobs[1].state is State.FAILED and jobs[0].state is State.SAMPLING)
    server.mute = True
    bpy.ops.maquette.cancel(job=jobs[2].name)
    bpy.ops.preferences.addon_disable(module=ADD_ON)
    server.mute = False
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    left = [entry.views[0].name for entry in add_on_session.current().left_behind]
    assert sorted(left) == ["a", "c", "d"], "what failed was told; the cancel may not have arrived"
    assert blender_addon.MODULES
