"""What a batch is asked for: sources, and the recipes that each is painted with.

A task comes from a TOML file, from options, or from both, and options win. A field of the recipe
that has several values multiplies the pictures; a table of prompts says fields row by row.
"""

from __future__ import annotations

import csv
import glob
import itertools
import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits
from maquette_wire.presets.library import Library, built_in
from maquette_wire.presets.words import composed
from maquette_wire.recipe import Lines, Recipe, Windows
from msgspec.structs import replace

from .. import depth_files, remote
from ..fetching import Fetcher
from ..sources import SCENES, opening_words

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".exr")
"""Suffixes of what is taken from a folder, beside `sources.SCENES`."""
COLOURS = "sources"
"""Folder in the output folder for the colours that were captured."""

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


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One source with how it is captured: what tells it from others in the manifest.

    Attributes:
        file: absolute path, or a URL as it may be kept.
        long_side: pixels that it is painted at; a smaller picture as it is.
        cameras, frames, opening: of a scene (`Sources.of_scene`).
        metres_per_level, near_is_black, near_is_white: how a picture's depth is meant.
        estimator: what sees the depth of a picture that has none, where the task says so.
    """

    file: str
    long_side: int
    cameras: tuple[str, ...] = ()
    frames: tuple[int, ...] = ()
    opening: tuple[str, ...] = ()
    metres_per_level: float | None = None
    near_is_black: bool = False
    near_is_white: bool = False
    estimator: str | None = None


def read_task(path: Path) -> Task:
    """A job file. Raises MaquetteError("bad-task")."""
    try:
        task = msgspec.convert(tomllib.loads(path.read_text("utf-8-sig")), Task)
    except OSError as error:
        raise _bad(path, f"can't be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(path, f"is no TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise _bad(path, f"is not right: {str(error).replace('$.', '')}") from error
    folder = path.parent
    prompts = task.prompts
    if isinstance(prompts, str) and _is_table(prompts):
        prompts = str(folder / prompts)
    return replace(
        task,
        sources=[_from(folder, each) for each in several(task.sources)],
        output=_from(folder, task.output),
        prompts=prompts,
    )


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


def _rows(prompts: Several[str]) -> list[dict[str, Any]]:
    """Fields of the recipe, by prompt."""
    if isinstance(prompts, str) and _is_table(prompts):
        path = Path(prompts)
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise _bad_table(path, f"can't be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise _bad_table(path, "is not UTF-8 text") from error
        if path.suffix.lower() == ".csv":
            return _table(path, text)
        lines = [line.strip() for line in text.splitlines()]
        return [{"prompt": line} for line in lines if line and not line.startswith("#")]
    return [{"prompt": text.strip()} for text in several(prompts) if text.strip()]


def _is_table(text: str) -> bool:
    return Path(text).suffix.lower() in (".txt", ".csv") and "\n" not in text


def _table(path: Path, text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(text.splitlines(), skipinitialspace=True)
    columns = [(name or "").strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    allowed = ("prompt", *AXES)
    if "prompt" not in columns:
        raise _bad_table(path, f"has the columns {', '.join(columns) or '(none)'} and no 'prompt'")
    if unknown := [name for name in columns if name not in allowed]:
        raise _bad_table(path, f"has an unknown column {unknown[0]!r}; {', '.join(allowed)} can be")
    if doubled := [name for name in columns if columns.count(name) > 1]:
        raise _bad_table(path, f"has the column {doubled[0]!r} twice")
    rows = []
    for line in reader:
        if None in line:
            raise _bad_table(path, f"line {reader.line_num} has more cells than there are columns")
        cells = {name: (cell or "").strip() for name, cell in line.items()}
        if not any(cells.values()):
            continue
        if not cells["prompt"]:
            raise _bad_table(path, f"line {reader.line_num} has no prompt")
        given = {name: cell for name, cell in cells.items() if cell}
        try:
            # Cells are text; the recipe's types say what they are read as.
            recipe = msgspec.convert(given, Recipe, strict=False)
        except msgspec.ValidationError as error:
            what = str(error).replace("$.", "")
            raise _bad_table(path, f"line {reader.line_num} is not right: {what}") from error
        rows.append({name: getattr(recipe, name) for name in given})
    return rows


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


def sources_of(task: Task, fetcher: Fetcher | None = None) -> list[Asked]:
    """Every source, each once, in the order given and by name within a folder or pattern.

    Args:
        fetcher: finds those at URLs; one of the user's home where None.

    Raises MaquetteError("bad-size", "bad-frames"), MaquetteError("no-source") for a name or
    pattern that nothing answers to, and where all are pictures in the output folder, and as
    `Fetcher.matching` does.
    """
    if not several(task.sources):
        raise MaquetteError(
            "no-source", "There is no source.", "Name pictures, folders or .blend files."
        )
    bounds = Limits()
    if not bounds.side_min <= task.long_side <= bounds.side_max:
        raise MaquetteError(
            "bad-size",
            f"The long side is {task.long_side} pixels.",
            f"Use {bounds.side_min} to {bounds.side_max} pixels.",
        )
    fetcher = fetcher or Fetcher(Home.default().fetched)
    output = _place(task.output)
    found: dict[str, PurePath] = {}
    for name in several(task.sources):
        for file, place in _matching(name, fetcher).items():
            # What a batch makes is no source of the next.
            if place.suffix.lower() != ".png" or place.parent not in (output, output / COLOURS):
                found[file] = place
    if not found:
        raise MaquetteError(
            "no-source",
            f"All sources are pictures in the folder {task.output}, which the new ones go to.",
            "Name another folder with --output.",
        )
    pictures = set(depth_files.without_depth_files(found.values()))
    return [_asked(file, place, task) for file, place in found.items() if place in pictures]


def _place(name: str) -> PurePath:
    """A folder, to compare with those of sources."""
    if remote.is_url(name):
        return remote.location(remote.public(name))
    return Path(remote.local(name)).resolve()


def _matching(name: str, fetcher: Fetcher) -> dict[str, PurePath]:
    """Files that a name stands for, and what their own names are read from."""
    known = (*SCENES, *PICTURES)
    if remote.is_url(name):
        far = fetcher.matching(name, known)
        return dict(sorted(far.items(), key=lambda each: _natural(each[1])))
    path = Path(remote.local(name)).expanduser()
    if path.is_dir():
        inside = [each for each in path.iterdir() if each.suffix.lower() in known]
        paths = [each for each in inside if each.is_file() and not each.name.startswith(".")]
    elif path.exists():
        paths = [path]
    else:
        matches = glob.glob(str(path), recursive=True)  # noqa: PTH207  # any pattern, any root
        paths = [Path(each) for each in matches if Path(each).is_file()]
    if not paths:
        what = "no picture or .blend in the folder" if path.is_dir() else "nothing that is called"
        raise MaquetteError("no-source", f"There is {what} {name}.", "Correct the name.")
    return {str(each.resolve()): each.resolve() for each in sorted(paths, key=_natural)}


def _natural(path: PurePath) -> list[Any]:
    """Sorts `view-2` before `view-10`."""
    parts = re.split(r"(\d+)", os.fspath(path).lower())
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _asked(file: str, place: PurePath, task: Task) -> Asked:
    if place.suffix.lower() in SCENES:
        return Asked(
            file=file,
            long_side=task.long_side,
            cameras=tuple(several(task.cameras)),
            frames=frames_of(task),
            opening=opening_words(task.around, task.up, task.unit),
        )
    return Asked(
        file=file,
        long_side=task.long_side,
        metres_per_level=task.metres_per_level,
        near_is_black=task.near_is_black,
        near_is_white=task.near_is_white,
        estimator=task.estimator,
    )


def _bad(path: Path, what: str) -> MaquetteError:
    return MaquetteError("bad-task", f"The job file {path} {what}.", "Correct it.")


def _bad_table(path: Path, what: str) -> MaquetteError:
    return MaquetteError("bad-table", f"{path} {what}.", "Correct it.")


def words(asked: Asked) -> Sequence[str]:
    """How the extension's command is asked for a scene's captures."""
    if asked.cameras == ("*",):
        chosen = ["--all-cameras"]
    else:
        chosen = [word for name in asked.cameras for word in ("--camera", name)]
    return [*chosen, "--long-side", str(asked.long_side)]
