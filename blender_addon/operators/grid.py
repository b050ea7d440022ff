"""Grid: one view with one or two settings varied, as pictures and on one labelled poster."""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportInvalidTypeForm=false
# pyright: reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false
# pyright: reportArgumentType=false

import bpy
from bpy.props import EnumProperty, StringProperty
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe

from .. import preferences
from ..abilities import chosen_model, takes_lines
from ..backend import find_command
from ..delivery import folder_of, target_of
from ..grids import Grid, image_of
from ..notices import counted
from ..preset_library import current_library
from ..recipes import recipe_of, set_seed
from ..session import current
from ..variation import OF_LINES, SETTINGS, grid
from ..wrapping import wrapped
from .beginning import Beginning
from .picture import show_large
from .restyle import OfSource, capture_source, with_next_seed
from .server import reach_server

ITEMS = tuple(
    (name, setting.title, setting.description, number)
    for number, (name, setting) in enumerate(SETTINGS.items(), 1)
)
NONE = ("none", "Nothing", "The grid is one row", 0)
# Blender keeps no hold of what a function for items returns: these are there for good.
WITHOUT_LINES = tuple(item for item in ITEMS if item[0] not in OF_LINES)
ROWS, ROWS_WITHOUT_LINES = (NONE, *ITEMS), (NONE, *WITHOUT_LINES)
WIDTH = 420
VALUES = (
    "Values with commas between; left empty, those that are shown. Of words, phrases with "
    "semicolons between"
)


def _columns(_operator: object, context: bpy.types.Context | None) -> tuple:
    return ITEMS if _takes_lines(context) else WITHOUT_LINES


def _rows(_operator: object, context: bpy.types.Context | None) -> tuple:
    return ROWS if _takes_lines(context) else ROWS_WITHOUT_LINES


def _takes_lines(context: bpy.types.Context | None) -> bool:
    # Without a context Blender asks for all that can ever be chosen.
    return context is None or takes_lines(chosen_model(context.scene.maquette.model))


class MAQUETTE_OT_grid(Beginning, OfSource, bpy.types.Operator):
    """Make this view with several values of one or two settings, and show all pictures in one,
    with labelled rows and columns. The gallery has each of them as well"""

    bl_idname = "maquette.grid"
    bl_label = "Grid"
    bl_options = {"REGISTER"}

    columns: EnumProperty(
        name="Columns", description="What varies from left to right", items=_columns, default=1
    )
    column_values: StringProperty(name="Values", description=VALUES)
    rows: EnumProperty(
        name="Rows", description="What varies from top to bottom", items=_rows, default=0
    )
    row_values: StringProperty(name="Values", description=VALUES)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        # What was chosen the last time may be nothing for the model that is chosen now.
        if self.columns not in {name for name, *_ in _columns(self, context)}:
            self.columns = ITEMS[0][0]
        if self.rows not in {name for name, *_ in _rows(self, context)}:
            self.rows = NONE[0]
        return context.window_manager.invoke_props_dialog(self, width=WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        for setting, values in (("columns", "column_values"), ("rows", "row_values")):
            column = layout.column(align=True)
            column.prop(self, setting)
            name = getattr(self, setting)
            if name != NONE[0]:
                column.prop(self, values, text="", placeholder=_usual(name))
        try:
            recipes = self._recipes(recipe_of(context.scene.maquette))
        except MaquetteError as error:
            wrapped(layout, str(error), WIDTH, "ERROR")
            return
        layout.label(text=counted(len(recipes), "picture"), icon="INFO")

    def work(self, context: bpy.types.Context) -> None:
        session, settings = current(), context.scene.maquette
        base = with_next_seed(recipe_of(settings), settings)
        recipes = self._recipes(base)
        program = preferences.preferences().command
        command = find_command(bpy.path.abspath(program), session.home)
        reach_server()
        capture = capture_source(context)
        target = target_of(context.scene, folder_of(bpy.data.filepath, session.home))
        jobs = [session.restyle(recipe, capture, target) for recipe in recipes]
        axes = [SETTINGS[name].axis for name, _ in self._varied()]
        session.grids.expect(Grid(jobs, axes, base.prompt, command))
        set_seed(settings, base.seed)
        self.report({"INFO"}, f"Making a grid of {counted(len(jobs), 'picture')} ...")

    def _varied(self) -> list[tuple[str, str]]:
        """Settings and their values, of the rows and then of the columns."""
        chosen = [(self.rows, self.row_values), (self.columns, self.column_values)]
        return [
            (name, typed if typed.strip() else _usual(name))
            for name, typed in chosen
            if name != NONE[0]
        ]

    def _recipes(self, base: Recipe) -> list[Recipe]:
        return grid(base, self._varied(), current_library(), _models())


class MAQUETTE_OT_show_grid(bpy.types.Operator):
    """Show the last grid large, in an image editor; in a window of its own where none is free"""

    bl_idname = "maquette.show_grid"
    bl_label = "Show Last Grid"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if current().grids.last is None:
            cls.poll_message_set("No grid was made yet")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        path = current().grids.last
        assert path is not None
        try:
            show_large(context, image_of(path))
        except MaquetteError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _models() -> list[str]:
    """Names of the models that the server can run, as far as it has said."""
    backend = current().backend
    welcome = backend.welcome if backend else None
    return [model.name for model in welcome.models] if welcome else []


def _usual(name: str) -> str:
    """The values of a setting where none are typed."""
    models = _models()
    return ", ".join(models) if name == "model" and models else SETTINGS[name].example


CLASSES = (MAQUETTE_OT_grid, MAQUETTE_OT_show_grid)
