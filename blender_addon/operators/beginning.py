"""What operators that begin a job share: an error stays in the panel, beside Blender's report."""

from __future__ import annotations

from typing import Any

import bpy
from maquette_wire.errors import MaquetteError

from ..session import current


class Beginning:
    """An operator whose work ends in a job, or in a sentence that says why not."""

    report: Any

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            self.work(context)
        except MaquetteError as error:
            session = current()
            session.dismiss()
            session.note("ERROR", str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def work(self, context: bpy.types.Context) -> None:
        """What the operator does. Raises MaquetteError."""
        raise NotImplementedError
