"""What a panel draws with exists in this Blender: nothing draws where there is no window."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import bpy
import pytest
from maquette_wire.messages import ModelInfo

import blender_addon
from blender_addon.panels import menu, presets, restyle
from blender_addon.panels.jobs import ICONS

SOURCES = sorted(Path(blender_addon.__file__).parent.rglob("*.py"))


def test_every_icon_is_one_of_this_blenders():
    known = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())
    used = set(ICONS.values())
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'icon="([A-Z_0-9]+)"', text))
        used |= set(re.findall(r'width, "([A-Z_0-9]+)"\)', text))
    assert len(used) > 10
    assert used <= known


def test_every_operator_in_a_panel_is_registered():
    named = set()
    for path in SOURCES:
        named |= set(re.findall(r'operator\(\s*"maquette\.(\w+)"', path.read_text("utf-8")))
    assert len(named) > 8
    for name in named:
        assert getattr(bpy.ops.maquette, name).get_rna_type().description


def test_the_layout_functions_take_what_the_panel_gives():
    functions = bpy.types.UILayout.bl_rna.functions
    assert "placeholder" in functions["prop"].parameters
    assert "heading" in functions["row"].parameters
    assert {"factor", "text"} <= set(functions["progress"].parameters.keys())


class Drawn:
    """A layout that notes the settings, labels and commands that a panel draws."""

    def __init__(self, names: list[str] | None = None) -> None:
        self.names: list[str] = [] if names is None else names

    def __getattr__(self, name: str) -> Any:
        def draw(*arguments: Any, text: str = "", **_options: Any) -> Drawn:
            self.names += [str(each) for each in (*arguments[-1:], text) if each]
            return Drawn(self.names)

        return draw


def _model(**facts: Any) -> ModelInfo:
    known: dict[str, Any] = {"name": "x", "title": "X", "family": "sd2-depth", "licence": "MIT"}
    known |= {"native_size": 512, "steps": 20, "sampler": "ddim", "guidance": 7.0}
    return ModelInfo(**{**known, **facts})


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (None, {"guidance", "steps", "negative_prompt", "Method"}),
        (_model(), {"guidance", "steps", "negative_prompt"}),
        (
            _model(samplers=("ddim", "euler"), loras=("ink",)),
            {"guidance", "steps", "negative_prompt", "Method", "MAQUETTE_MT_style"},
        ),
        (_model(guidance=1.0), {"steps"}),
        (_model(guidance=1.0, steps=1, samplers=("ddim",)), set()),
    ],
)
def test_only_what_the_model_can_do_is_shown(
    monkeypatch: pytest.MonkeyPatch, model: ModelInfo | None, shown: set[str]
):
    monkeypatch.setattr(restyle, "chosen_model", lambda _name: model)
    settings, drawn = bpy.context.scene.maquette, cast(Any, Drawn())
    restyle.draw_fine(drawn, settings)
    restyle.draw_prompt(drawn, settings, 280)
    restyle._draw_choices(drawn, settings)
    able = {"guidance", "steps", "negative_prompt", "Method", "MAQUETTE_MT_style"}
    assert able & set(drawn.names) == shown
    assert {"strength", "depth_influence", "prompt", "seed"} <= set(drawn.names)
    assert ("MIT" in drawn.names) == (model is not None)


def test_what_is_set_is_shown_whatever_the_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restyle, "chosen_model", lambda _name: _model(guidance=1.0, steps=1))
    settings, drawn = bpy.context.scene.maquette, cast(Any, Drawn())
    settings.use_guidance, settings.negative_prompt, settings.sampler = True, "cars", "euler"
    settings.loras.add().name = "ink"
    restyle.draw_fine(drawn, settings)
    restyle.draw_prompt(drawn, settings, 280)
    assert {"guidance", "negative_prompt", "Method", "ink"} <= set(drawn.names)


def test_the_whole_prompt_and_what_is_missing_are_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(presets, "_side", lambda _width: 3.0)  # no scale without a window
    settings, drawn = bpy.context.scene.maquette, cast(Any, Drawn())
    settings.prompt, settings.presets.light, settings.presets.style = "barn", "Dusk", "Kohle"
    restyle.draw_prompt(drawn, settings, 400)
    assert "barn, at dusk, blue hour" in drawn.names
    panel = cast(Any, Drawn())
    panel.panel = lambda _name: (Drawn(panel.names), Drawn(panel.names))
    presets.draw_presets(panel, settings.presets, 2000)
    assert any('"Kohle" isn\'t installed here' in name for name in panel.names)
    assert {"pick_light", "Dusk", "Project", "maquette.clear_presets"} <= set(panel.names)


def test_the_panel_is_in_the_properties_of_the_render_too():
    panel = bpy.types.MAQUETTE_PT_render
    assert (panel.bl_space_type, panel.bl_context) == ("PROPERTIES", "render")
    assert bpy.types.MAQUETTE_PT_render_fine.bl_parent_id == "MAQUETTE_PT_render"


def test_the_menu_holds_operators_with_icons_of_this_blenders():
    known = set(bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items.keys())
    for name, icon in (item for part in menu.PARTS for item in part):
        assert getattr(bpy.ops.maquette, name).get_rna_type().description
        assert icon in known
        # What is hidden from search is of no use there.
        operator = getattr(bpy.types, f"MAQUETTE_OT_{name}")
        assert "INTERNAL" not in getattr(operator, "bl_options", ())
