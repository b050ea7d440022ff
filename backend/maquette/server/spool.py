"""Spool: the captures and results of jobs as files.

A file appears under its name only when it is complete: it is written elsewhere and renamed. The
loop alone renames results into place, so a worker that outlives its server for a moment can't
replace a result that was delivered.
"""

from __future__ import annotations

import errno
import math
import os
import uuid
from collections.abc import Sequence
from pathlib import Path

from maquette_wire import container
from maquette_wire.capture import ITEM_BYTES
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS
from maquette_wire.messages import Limits, Result, Submit

from .journal import disk_full

OVERHEAD = 64 * 1024
"""Bytes set aside for the headers of a file."""

FULL = (errno.ENOSPC, errno.EDQUOT)


class Spool:
    """The files of jobs below one folder.

    Args:
        root: the folder; made where there is none.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._captures = root / "captures"
        self._results = root / "results"
        self._work = root / "work"
        for folder in (self._captures, self._results, self._work):
            folder.mkdir(parents=True, exist_ok=True)

    def captures(self, job: str) -> Path:
        """Where a job's captures are."""
        return self._captures / job

    def result(self, job: str) -> Path:
        """Where a job's result is, once it is complete."""
        return self._results / job

    def scratch(self, job: str) -> Path:
        """A new name for a worker to write a result under."""
        return self._work / f"{job}.{uuid.uuid4().hex}"

    def write_captures(self, submit: Submit, buffers: Sequence[memoryview]) -> None:
        """Store a submit and its frames. Raises MaquetteError("disk-full", "spool-unusable")."""
        try:
            container.write(self.captures(submit.job), submit, buffers)
        except OSError as error:
            raise file_error(error) from error

    def place_result(self, job: str, scratch: Path) -> int:
        """Move a complete result to its place, if it isn't there; returns its size in bytes."""
        if self.result(job).exists():
            scratch.unlink(missing_ok=True)
        else:
            scratch.replace(self.result(job))
        return self.result(job).stat().st_size

    def read_result(self, job: str, limits: Limits) -> tuple[Result, list[memoryview]]:
        """A stored result, its frames mapped from the file.

        Raises MaquetteError("result-lost") where the file is gone or damaged.
        """
        try:
            message, buffers = container.read(self.result(job), limits)
        except (OSError, MaquetteError) as error:
            raise MaquetteError(
                "result-lost",
                f"The result of job {job} can't be read from the server's disk ({error}).",
                "Send the job again under a new name.",
            ) from error
        if not isinstance(message, Result):
            raise MaquetteError("result-lost", f"The file of job {job}'s result holds no result.")
        return message, buffers

    def drop(self, job: str) -> None:
        """Delete whatever there is of a job."""
        _remove(self.captures(job))
        _remove(self.result(job))

    def drop_captures(self, job: str) -> None:
        """Delete a job's captures, which only an unfinished job needs."""
        _remove(self.captures(job))

    def sweep(self, captures: set[str], results: set[str]) -> None:
        """Delete every file but the captures and the results of these jobs."""
        for folder, kept in ((self._captures, captures), (self._results, results)):
            for path in folder.iterdir():
                if path.name not in kept:
                    _remove(path)
        for path in self._work.iterdir():
            _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows: a worker or libzmq still has it mapped; the next start sweeps it away.
        if os.name != "nt":
            raise


def file_error(error: OSError) -> MaquetteError:
    """What a failure with a file means for a user."""
    if error.errno in FULL:
        return disk_full()
    return MaquetteError(
        "spool-unusable",
        f"The server can't use a file of its spool ({error}).",
        "Check that its folder exists and is writable, on a local disk.",
    )


def result_bytes(submit: Submit) -> int:
    """Size of a job's result at most: its pictures, what the model saw of each capture, and the
    texture; or a material's maps."""
    if submit.material is not None:
        channels = (ITEM_BYTES[dtype] * math.prod(rest) for dtype, rest in MAPS.values())
        return submit.material.pixels**2 * sum(channels)
    texture = submit.texture
    total = 0
    if texture is not None:
        total = 3 * (texture.bits // 8) * len(texture.tiles) * texture.size**2
    for view in submit.views:
        width, height = submit.recipe.size or (view.width, view.height)
        total += width * height * (3 * submit.recipe.count + 1)
    return total


def needed_bytes(submit: Submit, buffers: Sequence[memoryview]) -> int:
    """Disk space that a job may take at most."""
    return sum(buffer.nbytes for buffer in buffers) + result_bytes(submit) + 2 * OVERHEAD
