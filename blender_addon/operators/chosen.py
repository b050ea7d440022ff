"""What operators about one picture of the gallery share."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false

from typing import Any

import bpy
from bpy.props import StringProperty
from maquette_wire.errors import MaquetteError

from ..gallery import entries
from ..gallery_settings import MaquettePicture, gallery_view
from ..results import Saved


class OfPicture:
    """An operator about the picture that it names, or else the one chosen in the gallery."""

    picture: StringProperty(
        name="Picture",
        description="Key of a picture of the gallery; empty: the chosen one",
        options={"SKIP_SAVE", "HIDDEN"},
    )

    poll_message_set: Any
    report: Any

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not len(context.scene.maquette.pictures):
            cls.poll_message_set("There is no picture in this scene's gallery yet")
            return False
        return True

    def entry(self, context: bpy.types.Context) -> MaquettePicture:
        """Raises MaquetteError("no-picture")."""
        scene, view = context.scene, gallery_view(context.window_manager)
        entry = entries.get(scene, self.picture) if self.picture else entries.chosen(scene, view)
        if entry is None:
            raise MaquetteError(
                "no-picture", "No picture is chosen in the gallery.", "Click one there."
            )
        return entry

    def saved(self, context: bpy.types.Context) -> Saved:
        """The picture with its Recipe and View. Raises MaquetteError."""
        return entries.saved_of(context.scene, self.entry(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self.work(context)
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def work(self, context: bpy.types.Context) -> None:
        """What the operator does. Raises MaquetteError."""
        raise NotImplementedError


class InGallery(OfPicture):
    """One that changes the gallery, which a scene of a library doesn't let."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.library is not None:
            cls.poll_message_set("This scene is linked from another file: open that one")
            return False
        return super().poll(context)


class OfConcept:
    """An operator about the picture that it names, or else the last concept."""

    picture: StringProperty(
        name="Picture",
        description="Key of a picture of the gallery; empty: the last concept",
        options={"SKIP_SAVE", "HIDDEN"},
    )


def has_concept(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether the scene has a picture; else the operator's button says so."""
    settings = context.scene.maquette
    if settings.last_result is None and not len(settings.pictures):
        operator.poll_message_set("There is no concept of this scene yet")
        return False
    return True
