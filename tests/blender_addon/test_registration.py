"""Enabling, disabling, reloading, and what a new scene's settings are."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import bpy
import pytest

import blender_addon
from blender_addon import operators, panels, properties

ADD_ON = "blender_addon"
OPERATORS = ("restyle", "cancel", "use_recipe", "use_recipe_file", "connect", "open_folder")


def _enabled() -> bool:
    return hasattr(bpy.types.Scene, "maquette") and hasattr(bpy.types, "MAQUETTE_PT_restyle")


def _paths() -> dict[str, str]:
    root = Path(__file__).parents[2]
    paths = [str(root), str(root / "shared"), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def test_enabling_twice_and_disabling_leaves_nothing():
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    blender_addon.register()
    assert _enabled()
    assert len([h for h in bpy.app.handlers.load_post if h.__module__.startswith(ADD_ON)]) == 1
    bpy.ops.preferences.addon_disable(module=ADD_ON)
    assert not _enabled()
    for name in ("undo_pre", "undo_post", "redo_pre", "redo_post", "load_post"):
        handlers = getattr(bpy.app.handlers, name)
        assert not [handler for handler in handlers if handler.__module__.startswith(ADD_ON)]
    blender_addon.unregister()
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    assert _enabled()


def test_a_reload_uses_the_new_code_of_every_module():
    # In a process of its own: the other tests hold on to the modules they have.
    script = (
        "import bpy, importlib, sys\n"
        "bpy.ops.preferences.addon_enable(module='blender_addon')\n"
        "import blender_addon, blender_addon.session as before\n"
        "importlib.reload(blender_addon)\n"
        "blender_addon.register()\n"
        "assert sys.modules['blender_addon.session'] is not before\n"
        "assert before._session is None\n"
        "assert bpy.ops.maquette.restyle.poll()\n"
        "print('RELOADED')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=_paths(), capture_output=True)
    assert b"RELOADED" in done.stdout, done.stderr.decode()


def test_both_commands_for_a_shell_are_known_while_it_is_enabled(monkeypatch: pytest.MonkeyPatch):
    known: dict[str, object] = {}

    def known_as(name: str, main: object) -> str:
        known[name] = main
        return name

    bpy.ops.preferences.addon_disable(module=ADD_ON)
    with monkeypatch.context() as patched:
        patched.setattr(bpy.utils, "register_cli_command", known_as)
        patched.setattr(bpy.utils, "unregister_cli_command", known.pop)
        bpy.ops.preferences.addon_enable(module=ADD_ON)
        assert known.keys() == {"maquette_capture", "maquette_texture"}
        bpy.ops.preferences.addon_disable(module=ADD_ON)
        assert not known
    bpy.ops.preferences.addon_enable(module=ADD_ON)


def test_settings_of_a_new_scene():
    settings = bpy.context.scene.maquette
    assert (settings.model, settings.source, settings.count) == ("pocket", "CAMERA", 1)
    assert settings.geometry == pytest.approx(0.7)
    assert not settings.seed_locked
    assert not (settings.use_steps or settings.use_strength or settings.sampler)


def test_every_operator_and_property_explains_itself():
    for name in OPERATORS:
        operator = getattr(bpy.ops.maquette, name).get_rna_type()
        assert operator.description, name
    settings = bpy.context.scene.maquette
    for item in settings.bl_rna.properties:
        if item.identifier not in ("rna_type", "name", "loras"):
            assert item.description, item.identifier


def test_settings_are_saved_with_the_scene(tmp_path: Path):
    settings = bpy.context.scene.maquette
    settings.prompt, settings.geometry = "white card model", 0.25
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "house.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_enable(module=ADD_ON)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "house.blend"))
    settings = bpy.context.scene.maquette
    assert (settings.prompt, settings.geometry) == ("white card model", 0.25)


@pytest.mark.skipif(properties.CRASHES, reason="no update functions in the bpy module of 4.2")
def test_moving_geometry_takes_pinned_values_over():
    settings = bpy.context.scene.maquette
    settings.use_strength = settings.use_depth_influence = settings.use_steps = True
    settings.geometry = 0.4
    assert not (settings.use_strength or settings.use_depth_influence)
    assert settings.use_steps
    settings.model = "sd2-depth"
    assert not settings.use_steps


def test_restyle_without_a_camera_says_what_to_do():
    assert not bpy.ops.maquette.restyle.poll()
    with pytest.raises(RuntimeError, match="add one, or choose Viewport"):
        bpy.ops.maquette.restyle()


def test_the_manifest_and_the_wire_have_one_version():
    import maquette_wire

    text = Path(blender_addon.__file__).with_name("blender_manifest.toml").read_text("utf-8")
    manifest = tomllib.loads(text)
    assert manifest["version"] == maquette_wire.__version__
    assert set(manifest["permissions"]) == {"network", "files", "clipboard"}


def test_no_two_classes_have_one_name():
    # Blender replaces the first by the second without a word, and fails when both are unregistered.
    names = [
        getattr(cls, "bl_idname", cls.__name__)
        for cls in (*operators.CLASSES, *panels.CLASSES, *properties.CLASSES)
    ]
    assert len(names) == len(set(names))
