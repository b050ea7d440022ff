"""What a batch is asked for: names of sources, and the recipes that each is painted with.

A task comes from a TOML file, from options, or from both, and options win. A field of the recipe
that has several values multiplies the pictures; a table of prompts says fields row by row.
"""

from __future__ import annotations

import difflib
import itertools
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Limits
from maquette_wire.presets.library import Library, built_in
from maquette_wire.presets.words import composed
from maquette_wire.recipe import THREADS_MAX, Lines, Recipe, Windows
from maquette_wire.view import View
from msgspec.structs import replace

from .. import remote
from . import prompts

Value = TypeVar("Value")
Several = Value | list[Value]
"""One value, or several to vary."""
Metres = Annotated[float, msgspec.Meta(gt=0)]


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch as a job file says it.

    Attributes:
        sources: files, folders and patterns (`renders/**/*.png`), from the job file's folder, or
            URLs.
        output: folder of the pictures, likewise.
        prompts: texts, or the name of a `.txt` (a prompt a line) or `.csv` (columns are fields of
            the recipe) file.
        presets: names of presets whose words go to every prompt; those of one category vary.
        cameras: names; `["*"]` for all; the scene's active one where empty.
        frames: of an animation, `12`, `1..48` or `1..48:4`; the file's own one where empty.
        long_side: of a scene's captures; larger pictures are painted at it.
        around: views placed around a model, in place of cameras.
        up, unit: how models of other programs stand ("y", "z"), and the metres that 1 is in them.
        metres_per_level, near_is_black, near_is_white: how depth maps are meant.
        threads: of a processor, for each picture; as many are painted at the same time as there are
            threads for.
        estimator: what sees the depth of pictures that have none; the model's own where None.
        others: fields of the recipe, several of each to vary them.
    """

    sources: Several[str] = []
    output: str = "concepts"
    prompts: Several[str] = []
    presets: Several[str] = []
    cameras: Several[str] = []
    frames: Several[int | str] = []
    long_side: int = 512
    around: Annotated[int, msgspec.Meta(ge=1)] | None = None
    up: Literal["y", "z"] | None = None
    unit: Metres | None = None
    metres_per_level: Metres | None = None
    near_is_black: bool = False
    near_is_white: bool = False
    threads: Annotated[int, msgspec.Meta(ge=1, le=THREADS_MAX)] = 1
    estimator: str | None = None
    model: Several[str] = []
    seed: Several[int] = []
    geometry: Several[float] = []
    steps: Several[int] = []
    sampler: Several[str] = []
    guidance: Several[float] = []
    strength: Several[float] = []
    depth_influence: Several[float] = []
    windows: Several[Windows] = []
    storey: Several[float] = []
    bay: Several[float] = []
    lines: Several[Lines] = []
    lines_influence: Several[float] = []
    negative_prompt: Several[str] = []


AXES = (
    *("model", "geometry", "steps", "sampler", "guidance"),
    *("strength", "depth_influence", "windows", "storey", "bay", "lines", "lines_influence"),
    *("negative_prompt", "seed"),
)
"""Fields of the recipe that a task may vary, the last one fastest."""


def read_task(path: Path) -> Task:
    """A job file. Raises MaquetteError("bad-task")."""
    try:
        said = tomllib.loads(path.read_text("utf-8-sig"))
        _check_names(path, said)
        task = msgspec.convert(said, Task)
    except OSError as error:
        raise _bad(path, f"can't be read: {error.strerror}", "Correct its name.") from error
    except UnicodeDecodeError as error:
        raise _bad(path, "is no text in UTF-8", "Name another file.") from error
    except tomllib.TOMLDecodeError as error:
        hint = "Put texts in quotes, and write paths with / or in single quotes."
        raise _bad(path, f"is no TOML: {error}", hint) from error
    except msgspec.ValidationError as error:
        hint = "Write numbers without quotes, texts in quotes, and several like [1, 2]."
        raise _bad(path, f"is not right: {str(error).replace('$.', '')}", hint) from error
    if sum((task.metres_per_level is not None, task.near_is_black, task.near_is_white)) > 1:
        what = "says in two ways what a depth map means"
        hint = "Leave one out of metres_per_level, near_is_black and near_is_white."
        raise _bad(path, what, hint)
    folder = path.parent
    texts = task.prompts
    if isinstance(texts, str) and prompts.is_file(texts):
        texts = str(folder / texts)
    return replace(
        task,
        sources=[_from(folder, each) for each in several(task.sources)],
        output=_from(folder, task.output),
        prompts=texts,
    )


def _check_names(path: Path, said: dict[str, Any]) -> None:
    known = Task.__struct_fields__
    for name in said:
        if name not in known:
            near = difflib.get_close_matches(name.lower(), known, 1)
            hint = f"Do you mean {near[0]!r}?" if near else f"Use {', '.join(known)}."
            raise _bad(path, f"has {name!r}, which is nothing that a batch is told", hint)


def _from(folder: Path, name: str) -> str:
    return name if remote.is_url(name) else str(folder / remote.local(name))


def several(value: Several[Value]) -> list[Value]:
    """Values of a field that may have one or several."""
    return value if isinstance(value, list) else [value]


def recipes_of(task: Task, presets: Library | None = None) -> list[Recipe]:
    """Every recipe, each once.

    Args:
        presets: those that the task may name; None where they are the ones of Maquette alone.

    Raises MaquetteError("empty-prompt", "bad-table", "bad-recipe", "unknown-preset").
    """
    known = presets or Library(built_in())
    combinations = known.combinations(several(task.presets))
    rows = _rows(task.prompts) or ([{"prompt": ""}] if any(combinations) else [])
    if not rows:
        raise MaquetteError(
            "empty-prompt",
            "There is no prompt.",
            'Give --prompt "red brick library at dusk", or a file of them with --prompts.',
        )
    found: dict[Recipe, None] = {}
    for row in rows:
        free = [name for name in AXES if name not in row and several(getattr(task, name))]
        for values in itertools.product(*(several(getattr(task, name)) for name in free)):
            recipe = Recipe(**{**row, **dict(zip(free, values, strict=True))})
            recipe.check()
            for chosen in combinations:
                prompt, negative = composed(recipe.prompt, recipe.negative_prompt, chosen)
                found[replace(recipe, prompt=prompt, negative_prompt=negative)] = None
    return list(found)


def sized(recipes: Sequence[Recipe], view: View, long_side: int) -> list[Recipe]:
    """The recipes at the size that a View is painted at: a larger picture is made smaller."""
    sides = (view.width, view.height)
    scale = max(long_side / max(sides), Limits().side_min / min(sides))
    if scale >= 1.0:
        return list(recipes)
    width, height = (round(side * scale) for side in sides)
    return [replace(recipe, size=(width, height)) for recipe in recipes]


def _rows(texts: Several[str]) -> list[dict[str, Any]]:
    """Fields of the recipe, by prompt."""
    if isinstance(texts, str) and prompts.is_file(texts):
        return prompts.rows_of(Path(texts), AXES)
    return [{"prompt": text.strip()} for text in several(texts) if text.strip()]


def frames_of(task: Task) -> tuple[int, ...]:
    """The frames, each once. Raises MaquetteError("bad-frames")."""
    frames: dict[int, None] = {}
    for part in several(task.frames):
        found = re.fullmatch(r"(-?\d+)(?:\.\.(-?\d+)(?::(\d+))?)?", str(part).strip())
        first, last, step = (found[1], found[2] or found[1], found[3] or 1) if found else (0, 0, 0)
        wanted = range(int(first), int(last) + 1, int(step)) if int(step) else ()
        if not wanted:
            raise MaquetteError(
                "bad-frames", f"{part!r} are no frames.", "Write them like 12, 1..48 or 1..48:4."
            )
        frames |= dict.fromkeys(wanted)
    return tuple(frames)


def _bad(path: Path, what: str, hint: str) -> MaquetteError:
    return MaquetteError("bad-task", f"The job file {path} {what}.", hint)
