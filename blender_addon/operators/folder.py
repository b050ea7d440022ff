"""Opening a folder of Maquette's in the system's file browser."""

from __future__ import annotations

from pathlib import Path

import bpy


def open_folder(operator: bpy.types.Operator, folder: Path) -> set[str]:
    """Show a folder; what the operator returns."""
    if not folder.is_dir():
        operator.report({"ERROR"}, f"{folder} is not there any more.")
        return {"CANCELLED"}
    bpy.ops.wm.path_open(filepath=str(folder))
    return {"FINISHED"}
