"""Textures: make one, project a concept, and bake retouched views again."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import msgspec
from bpy.props import StringProperty
from maquette_wire import surface as wire
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.surface import captured_side
from maquette_wire.view import View

from .. import layers, textures
from ..capture import (
    CONVERT,
    Surface,
    as_in_viewports,
    bare_of,
    capture_view,
    carries_modifiers,
    left_out,
    not_layered,
    plan,
    surface,
    unlike,
)
from ..delivery import folder_of, target_of
from ..gallery import entries, shown
from ..notices import counted, listed
from ..overlay import coverage
from ..recipes import set_seed
from ..results import Saved
from ..session import current
from .again import kept_capture
from .beginning import Beginning
from .chosen import OfConcept, has_concept
from .restyle import next_recipe
from .server import reach_server

ENOUGH = 0.85
"""Share of what can be seen of a surface, below which the user hears that views miss some."""

NO_MODEL = ("CAMERA", "LIGHT", "LIGHT_PROBE", "SPEAKER", "LATTICE", "ARMATURE")


def in_object_mode(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether no mesh is being edited; else the operator's button says so."""
    if context.mode != "OBJECT":
        operator.poll_message_set("Leave the edit mode first")
        return False
    return True


class _Texturing(Beginning, bpy.types.Operator):
    """What the operators that begin a texture share."""

    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return in_object_mode(cls, context)

    def work(self, context: bpy.types.Context) -> None:
        with _waiting(context):
            self.begin(context)

    def begin(self, context: bpy.types.Context) -> None:
        raise NotImplementedError


class MAQUETTE_OT_texture(_Texturing):
    """Paint the model from all sides and lay the pictures on it; of what is selected, or of all
    that the viewport and renders show but the ground"""

    bl_idname = "maquette.texture"
    bl_label = "Texture"

    def begin(self, context: bpy.types.Context) -> None:
        settings = context.scene.maquette
        recipe = msgspec.structs.replace(next_recipe(settings), count=1)
        _paint_around(context, recipe, matched(context))
        set_seed(settings, recipe.seed)


class _OfConcept(OfConcept, _Texturing):
    """A texture that begins with a picture of the gallery."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_concept(cls, context) and super().poll(context)


class MAQUETTE_OT_texture_from(_OfConcept):
    """Texture the model to match this picture: it is laid on what its view sees, and the other
    sides are painted after it, with its own prompt and settings"""

    bl_idname = "maquette.texture_from"
    bl_label = "Texture from This"

    def begin(self, context: bpy.types.Context) -> None:
        concept = _concept(context, self.picture)
        recipe = msgspec.structs.replace(concept.recipe, count=1, size=None)
        _paint_around(context, recipe, concept)


class MAQUETTE_OT_project(_OfConcept):
    """Lay a concept on what its view sees of the model; nothing is painted"""

    bl_idname = "maquette.project"
    bl_label = "Project Concept"

    def begin(self, context: bpy.types.Context) -> None:
        concept = _concept(context, self.picture)
        recipe = msgspec.structs.replace(concept.recipe, count=1, size=None)
        given = {0: _pixels(concept)}
        reach_server()
        made = _surface(context)
        captures = [_capture_of(context, concept)]
        wired = made.on_wire(int(context.scene.maquette.texture_size))
        _submit(context, recipe, captures, made, given, wired)


class MAQUETTE_OT_bake_again(_Texturing):
    """Lay the pictures of this texture's views on the model again, after you have changed them in
    another program (they are in the texture's folder)"""

    bl_idname = "maquette.bake_again"
    bl_label = "Bake Again"

    layer: StringProperty(options={"SKIP_SAVE"})

    def begin(self, context: bpy.types.Context) -> None:
        folder = layers.folder_of(bpy.data.materials[self.layer])
        made = textures.read(folder)
        packet = submission(made.recipe, made.captures, made.surface, made.pictures, previews=True)
        reach_server()
        session = current()
        target = target_of(context.scene, folder_of(bpy.data.filepath, session.home))
        session.texture(packet, made.captures, target, folder)


def carriers(context: bpy.types.Context) -> list[str]:
    """Names of the selected objects, all of which can carry a texture; none for all objects.

    Raises MaquetteError.
    """
    chosen = _chosen(context)
    for thing in chosen:
        if not carries_modifiers(thing):
            raise not_layered(thing.name)
    return [thing.name for thing in chosen]


def not_seen() -> MaquetteError:
    """What there is to say where no view can be placed."""
    return MaquetteError(
        "not-seen",
        "No place was found from which the model can be seen.",
        "Uncover it, or hide what stands before it.",
    )


def matched(context: bpy.types.Context) -> Saved | None:
    """The concept that a texture is to match; None for one of its own. Raises MaquetteError."""
    settings = context.scene.maquette
    wanted = settings.texture_from_concept and settings.last_result is not None
    return _concept(context) if wanted else None


def _paint_around(context: bpy.types.Context, recipe: Recipe, concept: Saved | None) -> None:
    """Begin a texture of views all around, with a concept as one of them. Raises MaquetteError."""
    settings = context.scene.maquette
    reach_server()
    coverage.hide()
    made = _surface(context)
    # First, and not painted again: the other views take after it.
    first = [] if concept is None else [concept.view]
    given = {} if concept is None else {0: _pixels(concept)}
    planned = plan(context, made, settings.texture_views, first)
    side = captured_side(settings.texture_side, int(settings.texture_size))
    views = planned.views(side, side)
    if not (first or views):
        raise not_seen()
    captures = [] if concept is None else [_capture_of(context, concept)]
    captures += _captured(context, views)
    wired = made.on_wire(int(settings.texture_size), settings.texture_side, settings.texture_even)
    _submit(context, recipe, captures, made, given, wired)
    more = " More views see more." if planned.seen[-1] < ENOUGH * planned.reachable else ""
    current().note(
        "INFO",
        f"{planned.seen[-1]:.0%} of the surface is seen by {counted(len(captures), 'view')} under "
        f"75 degrees, of {planned.reachable:.0%} that can be seen at all.{more}",
    )


def _surface(context: bpy.types.Context) -> Surface:
    """Of the selected objects, or of all that can carry a texture. Raises MaquetteError."""
    settings = context.scene.maquette
    return surface(
        context,
        carriers(context),
        instances=False,
        own_uvs=settings.texture_own_uvs,
        each=settings.texture_each,
    )


def _chosen(context: bpy.types.Context) -> list[bpy.types.Object]:
    return [thing for thing in context.selected_objects if _may_have_surface(thing)]


def _may_have_surface(thing: bpy.types.Object) -> bool:
    if thing.type == "EMPTY":  # a parent of what is selected with it
        return thing.instance_type == "COLLECTION"
    return thing.type not in NO_MODEL


def _tell(context: bpy.types.Context, made: Surface) -> None:
    """Say what of the model the texture is not of, and which UV maps it uses."""
    session = current()
    if not _chosen(context):
        bare = bare_of(context.evaluated_depsgraph_get())
        cannot = [f"instances of {each}" if each in made.names else each for each in bare]
        said = [f"Not textured: {listed(cannot)}. {CONVERT}"] if cannot else []
        if made.left_out:
            said.append(f"Left out as ground: {listed(made.left_out)}; select it to texture it.")
        said += filter(None, [left_out(context)])
        if said:
            session.note("INFO", " ".join(said))
    if made.about_uvs:
        session.note("INFO", made.about_uvs)
    if differing := unlike(context, made.names):
        session.note("WARNING", differing)


def _captured(context: bpy.types.Context, views: list[View]) -> list[Capture]:
    manager = context.window_manager
    captures = []
    with as_in_viewports(context) as capture:
        for number, view in enumerate(views):
            manager.progress_update(number / len(views))
            captures.append(capture(view))
    return captures


def _capture_of(context: bpy.types.Context, concept: Saved) -> Capture:
    """What a concept was painted of: kept with it, or captured again as a camera would be."""
    kept = kept_capture(concept)
    return capture_view(context, concept.view) if kept is None else kept


def _submit(
    context: bpy.types.Context,
    recipe: Recipe,
    captures: list[Capture],
    made: Surface,
    given: dict[int, Any],
    wired: wire.Surface,
) -> None:
    session = current()
    target = target_of(context.scene, folder_of(bpy.data.filepath, session.home))
    packet = submission(recipe, captures, wired, given, previews=True)
    fit = layers.Fit.of(made.names, made.loop_counts, made.loop_uvs(), made.tiles)
    folder = textures.begin([Path(target.folder), session.home.concepts], packet, fit)
    try:
        session.texture(packet, captures, target, folder)
    except MaquetteError:
        textures.discard(folder)
        raise
    _tell(context, made)


def _concept(context: bpy.types.Context, key: str = "") -> Saved:
    """The picture of the gallery with this key, else the last concept. Raises MaquetteError."""
    scene = context.scene
    last = scene.maquette.last_result
    entry = entries.get(scene, key) if key else shown.entry_of(scene, last)
    if entry is not None:
        return entries.saved_of(scene, entry)
    concept = entries.saved_in(last) if last is not None else None
    if concept is None:
        raise MaquetteError(
            "no-view",
            "The last concept does not say where it was seen from.",
            "Choose another picture in the gallery, or restyle the view again.",
        )
    return concept


def _pixels(concept: Saved) -> Any:
    return textures.pixels_of(concept.path, concept.view.width, concept.view.height)


@contextmanager
def _waiting(context: bpy.types.Context) -> Iterator[None]:
    """The cursor shows how far it is."""
    context.window_manager.progress_begin(0.0, 1.0)
    try:
        yield
    finally:
        context.window_manager.progress_end()


CLASSES = (
    MAQUETTE_OT_texture,
    MAQUETTE_OT_texture_from,
    MAQUETTE_OT_project,
    MAQUETTE_OT_bake_again,
)
