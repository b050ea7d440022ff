"""Maquette as a render engine: F12 and Render Animation make restyled frames.

Blender calls `render` in a thread of its own, once for each frame and view layer, and permits
neither another render nor the drawing of a viewport meanwhile. The capture is therefore drawn on
arrays (`capture.software`), of the depsgraph that Blender hands over: nothing else of bpy's data is
read here. The picture goes into the Combined pass as scene linear values, so that Blender's own
output, compositor and formats do the rest.
"""

# Blender's stubs call optional what a running engine always has, and know too few of its methods.
# pyright: reportOptionalMemberAccess=false, reportArgumentType=false
# pyright: reportIncompatibleMethodOverride=false, reportAttributeAccessIssue=false

from __future__ import annotations

from typing import Any

import bpy
import msgspec
import numpy as np
from bpy.app.handlers import persistent
from maquette_wire import metadata
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from numpy.typing import NDArray

from . import preferences, results
from .capture import camera_pose, camera_view, check_grid
from .capture.color import linear_of_srgb
from .capture.software import draw
from .color_management import as_painted
from .massing import Massing
from .painter import Order, paint
from .properties import settings_of
from .recipes import recipe_of
from .session import current
from .shown_panels import hide_panels, show_panels
from .steadiness import Frame, Memory, given_pictures, steadied

ENGINE = "MAQUETTE"
NOTHING = 1e10
"""Metres in the Depth pass where there is nothing, as in Blender's own engines."""

_memory = Memory()


class MaquetteEngine(bpy.types.RenderEngine):
    """Frames painted by the model of the panel, after the panel's settings at that frame."""

    bl_idname = ENGINE
    bl_label = "Maquette"
    bl_use_preview = False
    bl_use_eevee_viewport = True

    _massing: Massing | None = None

    # --- a final render -----------------------------------------------------------------------

    def update_render_passes(self, scene: bpy.types.Scene, layer: bpy.types.ViewLayer) -> None:
        """Tell the compositor what there is."""
        self.register_pass(scene, layer, "Combined", 4, "RGBA", "COLOR")
        if layer.use_pass_z:
            self.register_pass(scene, layer, "Depth", 1, "Z", "VALUE")

    def render(self, depsgraph: bpy.types.Depsgraph) -> None:
        """Paint one view layer of one frame."""
        try:
            self._render(depsgraph)
        except MaquetteError as error:
            # A report of an error also ends an animation.
            self.report({"ERROR"}, str(error))
            self.error_set(str(error))

    def _render(self, depsgraph: bpy.types.Depsgraph) -> None:
        scene = depsgraph.scene_eval
        _check(scene)
        if not as_painted(scene):
            self._warn(
                "The scene's view transform changes the picture's colours: choose Standard in "
                "Render Properties, Color Management, to have them as painted."
            )
        recipe = msgspec.structs.replace(recipe_of(settings_of(scene)), count=1)
        camera = (self.camera_override or scene.camera).evaluated_get(depsgraph)
        layer = depsgraph.view_layer_eval.name
        self.update_stats("", "Maquette: capturing")
        capture, alpha = self._captured(depsgraph, camera)
        order = Order(recipe, [capture], {})
        steady = settings_of(scene).steady
        shot = camera.name, recipe.prompt
        take = _memory.take(layer, shot, capture.view) if steady else None
        if take is not None:
            captures, given = given_pictures(take)
            order = Order(recipe, [*captures, capture], given)
        target = _Target(self, scene, layer, capture, alpha)
        home, choice = current().home, preferences.choice()
        try:
            name = f"Blender {bpy.app.version_string} render"
            painted = paint(home, choice, name, order, target)
        except MaquetteError:
            target.give_up()
            raise
        if painted is None:
            target.give_up()
            return
        for warning in painted.warnings:
            self._warn(warning)
        picture = painted.picture
        if take is not None:
            picture = steadied(take.last, capture, picture)
        if steady:
            _memory.keep(layer, shot, Frame(capture, picture))
        target.finish(picture, painted.recipe)

    def _captured(
        self, depsgraph: bpy.types.Depsgraph, camera: bpy.types.Object
    ) -> tuple[Capture, NDArray[np.float32]]:
        render = depsgraph.scene_eval.render
        width, height = self.resolution_x, self.resolution_y
        check_grid(repr(camera.name), width, height)
        pose = camera_pose(camera, depsgraph)
        aspect = render.pixel_aspect_x, render.pixel_aspect_y
        drawing = draw(depsgraph, camera_view(camera, pose, depsgraph, width, height, aspect))
        return drawing.capture, drawing.alpha

    def _warn(self, sentence: str) -> None:
        if _memory.is_news(sentence):
            self.report({"WARNING"}, sentence)

    # --- a viewport in Rendered shading -------------------------------------------------------

    def view_update(self, _context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """The scene has changed."""
        self._massing = self._built(depsgraph)

    def view_draw(self, context: bpy.types.Context, depsgraph: bpy.types.Depsgraph) -> None:
        """Draw the model that a render would restyle."""
        if self._massing is None:
            self._massing = self._built(depsgraph)
        if self._massing is not None:
            self._massing.draw(context)

    def _built(self, depsgraph: bpy.types.Depsgraph) -> Massing | None:
        try:
            return Massing(depsgraph)
        except MaquetteError as error:
            self.update_stats("", str(error))
            return None


class _Target:
    """A render result that is being painted, and who watches over it."""

    def __init__(
        self,
        engine: MaquetteEngine,
        scene: bpy.types.Scene,
        layer: str,
        capture: Capture,
        alpha: NDArray[np.float32],
    ) -> None:
        self._engine = engine
        self._layer = layer
        self._capture = capture
        self._alpha = alpha if scene.render.film_transparent else np.ones_like(alpha)
        render, view = scene.render, capture.view
        self._left = self._bottom = 0
        if render.use_border:
            self._left = int(render.border_min_x * view.width)
            self._bottom = int(render.border_min_y * view.height)
        self._result: Any = engine.begin_result(0, 0, view.width, view.height, layer=layer)

    def stopped(self) -> bool:
        return self._engine.test_break()

    def follow(self, text: str, share: float) -> None:
        self._engine.update_stats("", f"Maquette: {text}")
        self._engine.update_progress(share)

    def preview(self, picture: NDArray[np.uint8]) -> None:
        if bpy.app.background:
            return
        view = self._capture.view
        rows = np.arange(view.height) * picture.shape[0] // view.height
        columns = np.arange(view.width) * picture.shape[1] // view.width
        self._show(picture[rows[:, None], columns])
        self._engine.update_result(self._result)

    def finish(self, picture: NDArray[np.uint8], recipe: Recipe) -> None:
        """The picture is there, made by a recipe with all defaults filled in."""
        self._show(picture)
        self._engine.end_result(self._result)
        texts = metadata.texts(recipe, self._capture.view, software=results.SOFTWARE)
        whole = self._engine.get_result()
        for name, text in texts.items():
            whole.stamp_data_add_field(name, text)

    def give_up(self) -> None:
        """There is no picture."""
        self._engine.end_result(self._result, cancel=True)

    def _show(self, picture: NDArray[np.uint8]) -> None:
        passes = self._result.layers[0].passes
        combined = np.dstack([linear_of_srgb(picture) * self._alpha[..., None], self._alpha])
        self._fill(passes["Combined"], combined)
        depth = passes.get("Depth")
        if depth is not None:
            self._fill(depth, np.nan_to_num(self._capture.depth, posinf=NOTHING)[..., None])

    def _fill(self, target: Any, values: NDArray[np.float32]) -> None:
        """Rows from the top into a pass, whose rows go from the bottom; of a border's part."""
        width, height = self._result.resolution_x, self._result.resolution_y
        rows = slice(self._bottom, self._bottom + height)
        part = values[::-1][rows, self._left : self._left + width]
        target.rect.foreach_set(part.astype(np.float32).ravel())


def _check(scene: bpy.types.Scene) -> None:
    """Raise MaquetteError for what can't be rendered."""
    if scene.render.use_multiview:
        raise MaquetteError(
            "unsupported-render",
            "Maquette renders one picture for each frame, and the scene asks for stereoscopy.",
            "Turn off Stereoscopy in Output Properties.",
        )


@persistent
def _forget(*_arguments: object) -> None:
    _memory.clear()


HANDLERS = ("render_init", "render_complete", "render_cancel")


def register() -> None:
    bpy.utils.register_class(MaquetteEngine)
    for name in HANDLERS:
        getattr(bpy.app.handlers, name).append(_forget)
    show_panels(ENGINE)


def unregister() -> None:
    hide_panels(ENGINE)
    for name in HANDLERS:
        getattr(bpy.app.handlers, name).remove(_forget)
    _memory.clear()
    bpy.utils.unregister_class(MaquetteEngine)
