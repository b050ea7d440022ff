"""Finding Blender for the command line: its program, or a Python with the ``bpy`` wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from maquette_wire.errors import MaquetteError

BLENDER_VARIABLE = "MAQUETTE_BLENDER"
OLDEST = (4, 2)
START_SECONDS = 120


@dataclass(frozen=True)
class Blender:
    """A Blender that can be run.

    Attributes:
        program: ``blender``, or the Python interpreter that has ``bpy``.
        module: whether it is a Python with ``bpy``.
        version: for instance ``(4, 5, 15)``.
    """

    program: Path
    module: bool
    version: tuple[int, ...]

    def __str__(self) -> str:
        kind = "bpy module of" if self.module else "program"
        return f"Blender {self.release} ({kind} {self.program})"

    @property
    def release(self) -> str:
        """The version as Blender itself writes it."""
        return ".".join(map(str, self.version))


def checkout() -> Path | None:
    """The checkout that this package runs from, None where it was installed otherwise."""
    folder = Path(__file__).resolve().parents[2]
    return folder if (folder / "build.py").is_file() else None


def probe(program: Path) -> Blender | None:
    """The Blender that ``program`` is; None where it is none.

    Raises MaquetteError("blender-too-old").
    """
    for module, arguments in ((False, ["--version"]), (True, ["-c", PRINT_VERSION])):
        if module != ("python" in program.name.lower()):
            continue
        try:
            done = subprocess.run(
                [program, *arguments], capture_output=True, text=True, timeout=START_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        found = re.search(r"^Blender (\d+)\.(\d+)\.(\d+)", done.stdout, re.MULTILINE)
        if found:
            return Blender(program, module, tuple(map(int, found.groups())))
    return None


PRINT_VERSION = "import bpy; print('Blender', bpy.app.version_string)"


def candidates() -> list[Path]:
    """Programs worth a look, the best first: the PATH's, the usual places, the checkout's bpy."""
    found = [Path(name) for name in [shutil.which("blender")] if name]
    if sys.platform == "darwin":
        found += sorted(Path("/Applications").glob("Blender*.app/Contents/MacOS/Blender"))
    elif sys.platform == "win32":
        programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        found += sorted(programs.glob("Blender Foundation/Blender */blender.exe"), reverse=True)
    folder = checkout()
    if folder:
        python = "Scripts/python.exe" if os.name == "nt" else "bin/python"
        found += sorted(folder.glob(f".venv-bpy-*/{python}"), reverse=True)
    return found


def find(given: Path | None = None) -> Blender:
    """The Blender to use: ``given``, else $MAQUETTE_BLENDER, else the first that is found.

    Raises MaquetteError("no-blender", "blender-too-old").
    """
    chosen = given or (
        Path(os.environ[BLENDER_VARIABLE]) if BLENDER_VARIABLE in os.environ else None
    )
    if chosen is not None:
        blender = probe(Path(shutil.which(chosen) or chosen))
        if blender is None:
            raise MaquetteError(
                "no-blender",
                f"{chosen} is neither a Blender program nor a Python with the bpy module.",
                "Give the path of the blender program, or of a python that can import bpy.",
            )
        if blender.version < OLDEST:
            raise MaquetteError(
                "blender-too-old", f"This is {blender}.", "Maquette needs Blender 4.2 or newer."
            )
        return blender
    for program in candidates():
        blender = probe(program)
        if blender is not None and blender.version >= OLDEST:
            return blender
    raise MaquetteError(
        "no-blender",
        "No Blender 4.2 or newer was found to open the file with.",
        f"Put blender on the PATH, name it with --blender or {BLENDER_VARIABLE}, "
        "or run 'python build.py extension' in Maquette's checkout, which fetches one.",
    )
