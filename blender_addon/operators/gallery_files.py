"""The gallery's files: found in the folder, found elsewhere, brought along."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

from concurrent.futures import Future
from pathlib import Path

import bpy
from maquette_wire.errors import MaquetteError

from .. import preferences, thumbnails
from ..backend import find_command, make_sheet
from ..delivery import folder_of
from ..gallery import entries, files, shown
from ..gallery.keeper import known_files
from ..gallery_settings import MaquettePicture, gallery_view
from ..notices import Level, counted
from ..results import Saved
from ..session import current, wake
from .choosing import ChoosingFile
from .chosen import InGallery, OfPicture


class MAQUETTE_OT_find_pictures(bpy.types.Operator):
    """Take pictures into the gallery that lie in this file's pictures folder and aren't in it: made
    on the command line, or before a crash. Also those that only the .blend's images tell of"""

    bl_idname = "maquette.find_pictures"
    bl_label = "Find Pictures in the Folder"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if context.scene.library is not None:
            cls.poll_message_set("This scene is linked from another file: open that one")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        session, uid = current(), context.scene.session_uid
        count = entries.take_in()
        folder = folder_of(bpy.data.filepath, session.home)
        if not folder.is_dir():
            self.report({"WARNING"}, f"{folder} is not there: no picture was saved in it yet.")
            return {"FINISHED"} if count else {"CANCELLED"}
        known = known_files()

        def search() -> tuple[list[Saved], list[Path], str]:
            try:
                return *files.concepts_in(folder, known), ""
            except OSError as error:
                return [], [], f"{folder} can't be read: {error.strerror}."

        def done(answer: tuple[list[Saved], list[Path], str]) -> None:
            found, damaged, trouble = answer
            scene = next((each for each in bpy.data.scenes if each.session_uid == uid), None)
            if scene is None:
                return
            for saved in found:
                entries.add(scene, saved)
                session.delivery.concepts.add(scene, saved)
            session.notices.tell(*_told(len(found) + count, damaged, trouble))

        session.gallery.errand(search, done)
        wake()
        return {"FINISHED"}


class MAQUETTE_OT_find_picture(ChoosingFile, InGallery, bpy.types.Operator):
    """Say where this missing picture is now; others that are missing are looked for there as
    well"""

    bl_idname = "maquette.find_picture"
    bl_label = "Find This Picture"
    bl_options = {"REGISTER", "UNDO"}

    def work(self, context: bpy.types.Context) -> None:
        scene, entry = context.scene, self.entry(context)
        path = self.path
        saved = files.saved_at(path)
        if str(saved.recipe.seed) != entry.seed or saved.recipe.prompt != entry.prompt:
            raise MaquetteError(
                "another-picture",
                f"{path.name} is another picture: its seed is {saved.recipe.seed}.",
                f"Choose the one with seed {entry.seed} and the prompt {entry.prompt!r}, or use "
                "Find Pictures in the Folder to take it in as well.",
            )
        missing = [place for each in scene.maquette.pictures for place in _gone(scene, each)]
        places = {old: path.parent / old.name for old in missing}
        places = {old: new for old, new in places.items() if new.is_file()}
        places[Path(str(entries.place(scene, entry.path)))] = path
        _move(scene, places)
        self.report({"INFO"}, f"Found {counted(len(places), 'file')} in {path.parent}.")


class MAQUETTE_OT_bring_pictures(InGallery, bpy.types.Operator):
    """Copy pictures that lie elsewhere into this file's pictures folder, with what they were made
    of, so that they go where the .blend goes. The originals stay"""

    bl_idname = "maquette.bring_pictures"
    bl_label = "Bring Pictures Along"

    def work(self, context: bpy.types.Context) -> None:
        session, uid = current(), context.scene.session_uid
        folder = folder_of(bpy.data.filepath, session.home)
        wanted = {
            path
            for entry in context.scene.maquette.pictures
            for path in entries.files_of(context.scene, entry)
            if path.parent != folder and path.is_file()
        }

        def done(answer: tuple[dict[Path, Path], list[str]]) -> None:
            places, refused = answer
            for scene in entries.editable():
                if scene.session_uid == uid:
                    _move(scene, places)
            if refused:
                session.notices.tell("WARNING", f"Not copied: {refused[0]}.")
            else:
                copied = counted(len(places), "file")
                session.notices.tell("INFO", f"Copied {copied} into {folder}.")

        session.gallery.errand(lambda: files.copy_into(folder, sorted(wanted)), done)
        wake()


class MAQUETTE_OT_contact_sheet(OfPicture, bpy.types.Operator):
    """Put the pictures that the gallery shows on one page, with filters, side by side and every
    recipe, and open it in the browser"""

    bl_idname = "maquette.contact_sheet"
    bl_label = "Contact Sheet"

    def work(self, context: bpy.types.Context) -> None:
        scene, session = context.scene, current()
        view = gallery_view(context.window_manager)
        program = preferences.preferences().command
        command = find_command(bpy.path.abspath(program), session.home)
        places = [
            entries.place(scene, scene.maquette.pictures[place].path)
            for place in entries.shown(scene, view)
        ]
        pictures = [path for path in places if path is not None and path.is_file()]
        if not pictures:
            raise MaquetteError(
                "no-picture", "The gallery shows no picture.", "Empty its search, or show all."
            )
        page = pictures[0].parent / f"{Path(bpy.data.filepath).stem or 'gallery'}.html"

        def done(made: Future[str]) -> None:
            error = made.exception()
            if isinstance(error, MaquetteError):
                session.notices.tell("ERROR", str(error))
                return
            session.notices.tell("INFO", f"The contact sheet is {made.result()}.")
            if not bpy.app.background:
                bpy.ops.wm.url_open(url=Path(made.result()).as_uri())

        session.errand(lambda: make_sheet(command, pictures, page, page.stem), done)
        self.report({"INFO"}, f"Making a page of {counted(len(pictures), 'picture')} ...")


def _told(count: int, damaged: list[Path], trouble: str) -> tuple[Level, str]:
    """What the user hears of a search."""
    if trouble:
        return "WARNING", trouble
    found = f"Found {counted(count, 'picture')}." if count else "Found no picture that is new here."
    if not damaged:
        return "INFO", found
    more = f" and {len(damaged) - 1} more" if damaged[1:] else ""
    return "WARNING", f"{found} Damaged, and left out: {damaged[0].name}{more}."


def _gone(scene: bpy.types.Scene, entry: MaquettePicture) -> list[Path]:
    return [path for path in entries.files_of(scene, entry) if not path.is_file()]


def _move(scene: bpy.types.Scene, places: dict[Path, Path]) -> None:
    entries.move(scene, places)
    shown.point_to({str(old): str(new) for old, new in places.items()})
    thumbnails.forget(str(old) for old in places)


CLASSES = (
    MAQUETTE_OT_find_pictures,
    MAQUETTE_OT_find_picture,
    MAQUETTE_OT_bring_pictures,
    MAQUETTE_OT_contact_sheet,
)
