"""What a panel draws with exists in this Blender: nothing draws where there is no window."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import bpy
import pytest
from maquette_wire.messages import ModelInfo
from maquette_wire.recipe import Recipe

import blender_addon
from blender_addon import results
from blender_addon.jobs import State
from blender_addon.panels import facades, image, jobs, menu, presets, rendering, restyle
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


def test_a_job_that_has_just_ended_well_is_not_shown_as_failed(monkeypatch: pytest.MonkeyPatch):
    """It leaves the list at the next tick, and a panel may be drawn before."""
    shown: list[State] = []
    made = {
        state.name: SimpleNamespace(name=state.name, state=state)
        for state in (State.DONE, State.CANCELLED, State.FAILED, State.UNSAVED)
    }
    monkeypatch.setattr(jobs, "current", lambda: SimpleNamespace(jobs=made, pace=None))
    monkeypatch.setattr(jobs, "times_left", lambda *_given: {})
    monkeypatch.setattr(jobs, "picture_scale", lambda _width: 1.0)
    for name in ("_draw_all", "_draw_notices", "_draw_left_behind", "draw_connection"):
        monkeypatch.setattr(jobs, name, lambda *_given: None)
    monkeypatch.setattr(jobs, "_draw_stuck", lambda _layout, job, _width: shown.append(job.state))
    jobs.draw_jobs(cast(Any, None), 300)
    assert shown == [State.FAILED, State.UNSAVED]


class Drawn:
    """A layout that notes the settings, labels and commands that a panel draws, and which of them
    are greyed; the panels in it are folded or not."""

    active = True

    def __init__(
        self,
        names: list[str] | None = None,
        grey: list[str] | None = None,
        *,
        folded: bool = False,
    ) -> None:
        self.names: list[str] = [] if names is None else names
        self.grey: list[str] = [] if grey is None else grey
        self.folded = folded

    def panel(self, _name: str, **_options: Any) -> tuple[Drawn, Drawn | None]:
        return self._within(), None if self.folded else self._within()

    def _within(self) -> Drawn:
        return Drawn(self.names, self.grey, folded=self.folded)

    def __getattr__(self, name: str) -> Any:
        def draw(*arguments: Any, text: str = "", **_options: Any) -> Drawn:
            drawn = [str(each) for each in (*arguments[-1:], text) if each]
            self.names += drawn
            self.grey += [] if self.active else drawn
            return self._within()

        return draw


def known_model(**facts: Any) -> ModelInfo:
    known: dict[str, Any] = {"name": "x", "title": "X", "family": "sd2-depth", "licence": "MIT"}
    known |= {"native_size": 512, "steps": 20, "sampler": "ddim", "guidance": 7.0}
    return ModelInfo(**{**known, **facts})


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        (None, {"guidance", "steps", "negative_prompt", "Method"}),
        (known_model(), {"guidance", "steps", "negative_prompt"}),
        (
            known_model(samplers=("ddim", "euler"), loras=("ink",)),
            {"guidance", "steps", "negative_prompt", "Method", "MAQUETTE_MT_style"},
        ),
        (known_model(guidance=1.0), {"steps"}),
        (known_model(guidance=1.0, steps=1, samplers=("ddim",)), set()),
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


@pytest.mark.parametrize(
    ("model", "chosen", "shown"),
    [
        (None, "auto", set()),
        (known_model(), "auto", set()),
        (known_model(), "canny", {"lines"}),
        (known_model(lines=True), "auto", {"lines", "lines_influence"}),
        (known_model(lines=True), "none", {"lines"}),
    ],
)
def test_lines_are_there_for_a_model_that_takes_them(
    monkeypatch: pytest.MonkeyPatch, model: ModelInfo | None, chosen: str, shown: set[str]
):
    monkeypatch.setattr(restyle, "chosen_model", lambda _name: model)
    settings, drawn = bpy.context.scene.maquette, cast(Any, Drawn())
    settings.lines = chosen
    restyle.draw_fine(drawn, settings)
    assert {"lines", "lines_influence"} & set(drawn.names) == shown


def test_what_is_set_is_shown_whatever_the_model(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restyle, "chosen_model", lambda _name: known_model(guidance=1.0, steps=1))
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
    presets.draw_presets(panel, settings.presets, 2000)
    assert any('"Kohle" isn\'t installed here' in name for name in panel.names)
    assert {"pick_light", "Dusk", "Project", "maquette.clear_presets"} <= set(panel.names)


LENGTHS = {"storey_height", "bay_width"}


@pytest.mark.parametrize(
    ("model", "shown"),
    [(None, True), (known_model(facades=True), True), (known_model(facades=False), False)],
)
def test_windows_are_laid_out_for_a_model_that_sees_them(
    monkeypatch: pytest.MonkeyPatch, model: ModelInfo | None, shown: bool
):
    monkeypatch.setattr(facades, "chosen_model", lambda _name: model)
    monkeypatch.setattr(presets, "_side", lambda _width: 3.0)  # no scale without a window
    monkeypatch.setattr(restyle, "draw_jobs", lambda *_given: None)
    context: Any = SimpleNamespace(
        scene=bpy.context.scene,
        region=SimpleNamespace(width=300),
        area=SimpleNamespace(type="VIEW_3D"),
    )
    sidebar, properties = cast(Any, Drawn()), cast(Any, Drawn())
    restyle.draw_restyle(sidebar, context)
    rendering.MAQUETTE_PT_engine.draw(cast(Any, SimpleNamespace(layout=properties)), context)
    for drawn in (sidebar, properties):
        assert ({"Façades", "windows", *LENGTHS} <= set(drawn.names)) == shown
        assert bool({"Façades", "windows", *LENGTHS} & set(drawn.names)) == shown


def test_lengths_are_greyed_where_nothing_is_laid_out_and_the_folded_panel_tells_the_layout(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(facades, "chosen_model", lambda _name: known_model(facades=True))
    settings = bpy.context.scene.maquette
    for windows, greyed in (("ribbon", set()), ("auto", set()), ("free", LENGTHS)):
        settings.windows = windows
        drawn = cast(Any, Drawn())
        facades.draw_facades(drawn, settings)
        assert set(drawn.grey) == greyed
    for windows, label in (("free", "Model's Choice"), ("curtain wall", "Curtain Wall")):
        settings.windows = windows
        drawn = cast(Any, Drawn(folded=True))
        facades.draw_facades(drawn, settings)
        assert drawn.names == ["Façades", label]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, []),
        ({"windows": "grid", "bay": 6.0}, ["Windows", "Grid", "Bay Width", "6 m"]),
        ({"windows": "free", "storey": 4.0}, ["Windows", "Model's Choice"]),
        ({"storey": 2.75}, ["Storey Height", "2.75 m"]),
    ],
)
def test_the_image_editor_tells_what_windows_were_asked_for(
    changes: dict[str, Any], told: list[str]
):
    pictured = bpy.data.images.new("concept", 4, 4)
    pictured[results.RECIPE] = Recipe(prompt="barn", **changes).to_json()
    context = SimpleNamespace(edit_image=pictured, region=SimpleNamespace(width=300))
    drawn = cast(Any, Drawn())
    image.MAQUETTE_PT_image.draw(cast(Any, SimpleNamespace(layout=drawn)), cast(Any, context))
    after = drawn.names[drawn.names.index("0.70") + 1 : drawn.names.index("maquette.use_recipe")]
    assert after == told


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
