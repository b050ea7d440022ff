"""Grids: pictures of several jobs that belong on one labelled poster, made when all have ended.

The poster is the backend's (`maquette sheet`), and lies beside the pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import bpy
from maquette_wire.errors import MaquetteError

from . import results
from .backend import make_sheet
from .jobs import Job, State
from .notices import Level, counted


@dataclass(frozen=True)
class Grid:
    """Jobs of one picture each.

    Attributes:
        jobs: of the pictures, row by row.
        axes: settings of the rows and of the columns, as `maquette sheet` calls them; of the
            columns alone where it is one.
        title: of the poster.
        command: of the backend.
    """

    jobs: Sequence[Job]
    axes: Sequence[str]
    title: str
    command: Sequence[str]

    @property
    def ended(self) -> bool:
        """Whether nothing more comes by itself."""
        return not any(job.state.open for job in self.jobs)

    @property
    def pictures(self) -> list[Path]:
        """Those that were made."""
        return [path for job in self.jobs if job.state is State.DONE for path in job.pictures]


class Grids:
    """The grids that are being made, and the last one.

    Args:
        errand: does something in a thread, and what follows it on the main thread.
        tell: shows the user a sentence.

    Attributes:
        last: the file of the last poster.
    """

    def __init__(
        self,
        errand: Callable[[Callable[[], str], Callable[[Future[str]], None]], None],
        tell: Callable[[Level, str], None],
    ) -> None:
        self.last: Path | None = None
        self._errand, self._tell = errand, tell
        self._open: list[Grid] = []

    def expect(self, grid: Grid) -> None:
        """Make the poster of these jobs' pictures when they have ended."""
        self._open.append(grid)

    def step(self) -> bool:
        """Begin the posters of jobs that have ended; true where there are any."""
        ended = [grid for grid in self._open if grid.ended]
        for grid in ended:
            self._open.remove(grid)
            self._begin(grid)
        return bool(ended)

    def _begin(self, grid: Grid) -> None:
        pictures = grid.pictures
        missing = len(grid.jobs) - len(pictures)
        if not pictures:
            self._tell("WARNING", "None of the grid's pictures was made, so there is no grid.")
            return

        def make() -> str:
            path = results.free_name(pictures[0].parent, f"grid-{results.slug(grid.title)}")
            return make_sheet(grid.command, pictures, path, grid.title, grid.axes)

        def done(made: Future[str]) -> None:
            error = made.exception()
            if isinstance(error, MaquetteError):
                self._tell("ERROR", str(error))
                return
            self.last = Path(made.result())
            lacks = f" It lacks {counted(missing, 'picture')}." if missing else ""
            self._tell("WARNING" if missing else "INFO", f"The grid is {self.last}.{lacks}")
            results.show(image_of(self.last, grid), bpy.context.window_manager)

        self._errand(make, done)


def image_of(path: Path, grid: Grid | None = None) -> bpy.types.Image:
    """The datablock of a poster; another picture may be shown in its place.

    Raises MaquetteError("picture-missing").
    """
    if not path.is_file():
        raise MaquetteError("picture-missing", f"{path} is not there any more.", "Make it again.")
    image = bpy.data.images.load(str(path), check_existing=True)
    if grid is not None:
        image[results.JOB] = grid.jobs[0].name
    return image
