"""Running scripts in a Blender program or in the Python of a bpy wheel."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from maquette.blender import Blender, probe
from maquette.extension import Extension
from maquette_wire.home import Home

SCRIPTS = Path(__file__).parent / "in_blender"


def run_script(
    program: Path,
    script: str,
    *words: object,
    home: Path | None = None,
    extension: Path | None = None,
    status: int = 0,
) -> str:
    """Run a script of ``in_blender``, which ends with ``status``; with the extension installed
    where it is given."""
    blender = probe(program)
    assert blender is not None
    found = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV", "MAQUETTE_POCKET")
    }
    if home is not None:
        found["MAQUETTE_HOME"] = str(home)
    if extension is not None:
        assert home is not None
        found["BLENDER_USER_RESOURCES"] = str(Extension(blender, extension, Home(home)).profile())
    done = subprocess.run(
        [*_command(blender, SCRIPTS / script), *map(str, words)],
        env=found,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def _command(blender: Blender, script: Path) -> list[str]:
    if blender.module:
        return [str(blender.program), str(script)]
    options = ["--background", "--python-exit-code", "1", "--python", str(script), "--"]
    return [str(blender.program), *options]
