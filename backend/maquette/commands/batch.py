"""Restyle many renders and scenes with many prompts into one folder; stop and go on at any time.

Sources are pictures, folders of them, patterns, and .blend files. A picture's depth is in the file
itself, in one beside it (tower.png and tower_depth.exr), or estimated. Sources and the output may
be URLs: s3://, gs://, az://, sftp:// and others; sources https:// too. Every value of --seed,
--geometry and their like multiplies the pictures. Run again, a batch makes what is missing, what
failed, and what a source has changed under; it never makes a picture twice.

examples:
  maquette batch renders/ --prompt "red brick, dusk" --prompt "timber, snow" --seed 0-3
  maquette batch *.blend --all-cameras --prompts prompts.csv --geometry 0.5,0.8 --dry-run
  maquette batch s3://office/renders --prompts prompts.txt --output s3://office/concepts
  maquette batch --job tender.toml
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from msgspec.structs import replace

from .. import jobs, outputs, remote, sheets
from ..batch import prompts
from ..batch.asked import Asked, sources_of
from ..batch.cluster import Cluster
from ..batch.database import FILE
from ..batch.gather import Gatherer
from ..batch.lease import TAKEN_OVER
from ..batch.manifest import Manifest
from ..batch.outbox import Outbox, working_folder
from ..batch.records import CSV, JSONL
from ..batch.sending import Sending
from ..batch.tally import Tally, duration
from ..batch.task import AXES, Task, read_task, recipes_of
from ..batch.work import Work
from ..console import ProgressLine, table
from ..fetching import Fetcher
from ..sources import Sources
from .options import (
    DEPTH_OPTIONS,
    KINDS,
    LINE_KINDS,
    add_depth,
    add_estimator,
    add_inside,
    add_opening,
    add_place,
    lines,
    metres,
    preset_library,
    remote_server,
    threads,
    windows,
)

PAGE = "index.html"
MOST = 100_000
"""Pictures of one batch: more is a slip of the axes."""


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read(text: str) -> list[Any]:
        try:
            return [kind(part.strip()) for part in text.split(",")]
        except ValueError as error:
            message = f"{text!r} is not right; write one value, or several with commas"
            raise argparse.ArgumentTypeError(message) from error

    return read


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            found = range(int(first), int(last if dash else first) + 1)
            if not 0 < len(found) <= MOST:
                raise ValueError(f"{len(found)} seeds")
            seeds += found
    except (ValueError, OverflowError) as error:
        message = f"{text!r} is no seed; write 7, or several like 0-3,11"
        raise argparse.ArgumentTypeError(message) from error
    return seeds


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "maquette batch SOURCE... --prompt TEXT [options]\n       maquette batch --job FILE"
    )
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="pictures, folders, patterns, .blend files, URLs",
    )
    parser.add_argument("--job", type=Path, metavar="FILE.toml", help="all of this in a file")
    seen = parser.add_argument_group("what is seen")
    cameras = seen.add_mutually_exclusive_group()
    cameras.add_argument(
        "--camera", action="append", metavar="NAME", help="repeatable (the active camera)"
    )
    cameras.add_argument("--all-cameras", action="store_true", help="of every .blend")
    seen.add_argument(
        "--frames", action="append", metavar="A..B:STEP", help="of an animation; repeatable"
    )
    seen.add_argument(
        "--long-side", type=int, metavar="PIXELS", help="larger pictures are made smaller (512)"
    )
    add_depth(seen)
    add_estimator(seen)
    add_opening(seen)
    look = parser.add_argument_group("how it looks; several values multiply the pictures")
    prompts = look.add_mutually_exclusive_group()
    prompts.add_argument("--prompt", action="append", metavar="TEXT", help="repeatable")
    prompts.add_argument(
        "--prompts", metavar="FILE", help=".txt with one a line, or .csv: prompt and other columns"
    )
    look.add_argument("--negative", action="append", metavar="TEXT", help="repeatable")
    look.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help="adds its words, see: maquette presets; repeatable, those of one category vary",
    )
    look.add_argument("--model", type=_list_of(str), metavar="NAME,...", help="(pocket)")
    look.add_argument("--seed", type=_seeds, metavar="N,N-N", help="(0)")
    for name in ("geometry", "guidance", "strength", "depth_influence", "lines_influence"):
        option = f"--{name.replace('_', '-')}"
        look.add_argument(option, type=_list_of(float), metavar="X,...")
    look.add_argument("--windows", type=_list_of(windows), metavar="KIND,...", help=KINDS)
    look.add_argument("--storey", type=_list_of(metres), metavar="METRES,...")
    look.add_argument("--bay", type=_list_of(metres), metavar="METRES,...")
    look.add_argument("--lines", type=_list_of(lines), metavar="KIND,...", help=LINE_KINDS)
    look.add_argument("--steps", type=_list_of(int), metavar="N,...")
    look.add_argument("--sampler", type=_list_of(str), metavar="NAME,...")
    where = parser.add_argument_group("where")
    where.add_argument("--output", metavar="DIR | URL", help="(./concepts)")
    where.add_argument(
        "--dry-run", action="store_true", help="say what would be made, and make nothing"
    )
    where.add_argument(
        "--threads",
        type=threads,
        metavar="N",
        help="of a processor, for each picture: more where memory is short (1)",
    )
    add_inside(where)
    add_place(where)
    where.add_argument(
        "--ray", metavar="ADDRESS", help="a Ray cluster: auto, ray://HOST:10001, or local"
    )


def run(arguments: argparse.Namespace) -> int:
    task = _task(arguments)
    recipes = recipes_of(task, preset_library() if task.presets else None)
    home = Home.default()
    fetcher = Fetcher(home.fetched)
    sources = sources_of(task, fetcher)
    if len(sources) * len(recipes) > MOST:
        raise MaquetteError(
            "too-many",
            f"{len(sources)} sources with {len(recipes)} recipes are more than {MOST} pictures.",
            "Vary fewer settings, or split the batch.",
        )
    folder = _folder(task, home)
    if arguments.dry_run:
        _describe(task, recipes, sources, folder)
        return 0
    fetcher.sweep()
    if remote.is_url(task.output):
        home.make(folder)
    outputs.check_space(outputs.prepared(folder), 3 * task.long_side**2)
    called = remote.public(task.output) if remote.is_url(task.output) else None
    with (
        ProgressLine() as line,
        Manifest(folder, called) as manifest,
        _outbox(task, folder, line) as outbox,
    ):
        results = folder if outbox is None else outbox
        if outbox is not None:  # before hours are spent on painting
            manifest.goes_to(outbox)
            manifest.export()
            outbox.send(JSONL)
        with _painter(arguments, home, line) as painter:
            made = Sources(home, line.say, arguments.blender, arguments.extension)
            work = Work(
                manifest,
                painter,
                Gatherer(folder, made, recipes[0].model, fetcher),
                say=line.say,
                done=lambda file: _show(line, results / file),
                progress=lambda ended, total, left: line.show(
                    "painting", ended, total, f"{ended} of {total}  {left}"
                ),
                prompt=not arguments.leave_out_prompt,
                threads=task.threads,
                results=None if outbox is None else Sending(outbox, folder),
            )
            try:
                tally = work.run(sources, recipes)
            except KeyboardInterrupt:
                line.say(f"{work.tally.made} made; the same command goes on from here.")
                raise
            finally:
                is_told = _tell(manifest, outbox, line)
        page = PAGE if _write_page(folder, outbox, line) else ""
    is_whole = _closing(tally, results / page)
    return 0 if is_whole and is_told else 1


def _folder(task: Task, home: Home) -> Path:
    """Where a batch works: its output, or where it waits to be sent there."""
    if remote.is_url(task.output):
        return working_folder(home.batches, task.output)
    return Path(remote.local(task.output))


def _outbox(
    task: Task, folder: Path, line: ProgressLine
) -> contextlib.AbstractContextManager[Outbox | None]:
    if not remote.is_url(task.output):
        return contextlib.nullcontext()
    line.show("looking at the output")
    return Outbox(task.output, folder, JSONL, line.say)


def _painter(
    arguments: argparse.Namespace, home: Home, line: ProgressLine
) -> jobs.Painter | Cluster:
    if arguments.ray is None:
        return jobs.Painter(home, remote_server(arguments), lambda stage, *_: line.show(stage))
    if arguments.server is not None:
        raise MaquetteError(
            "bad-arguments", "--ray and --server name two places to paint.", "Leave one out."
        )
    line.show("starting")
    return Cluster(arguments.ray)


def _task(arguments: argparse.Namespace) -> Task:
    """What the job file says, with what the options say in its place."""
    task = Task() if arguments.job is None else read_task(arguments.job)
    if arguments.prompts is not None and not prompts.is_file(arguments.prompts):
        raise MaquetteError(
            "bad-table",
            f"--prompts {arguments.prompts} is neither {' nor '.join(prompts.SUFFIXES)}.",
            "Save it as one of them, or give a prompt itself with --prompt.",
        )
    given: dict[str, Any] = {
        "sources": arguments.sources or None,
        "output": arguments.output,
        "prompts": arguments.prompt or arguments.prompts,
        "cameras": ["*"] if arguments.all_cameras else arguments.camera,
        "negative_prompt": arguments.negative,
        "presets": arguments.preset,
    }
    others = ("frames", "long_side", "threads", "around", "up", "unit", "estimator", *DEPTH_OPTIONS)
    for name in (*others, *AXES):
        given.setdefault(name, getattr(arguments, name, None))
    said = {
        name: value for name, value in given.items() if value is not None and value is not False
    }
    return replace(task, **said)


def _describe(
    task: Task, recipes: Sequence[Recipe], sources: Sequence[Asked], folder: Path
) -> None:
    """What a batch comes to."""
    varied = {
        name: list(dict.fromkeys(getattr(recipe, name) for recipe in recipes))
        for name in ("prompt", *AXES)
    }
    varied = {"source": [remote.place(asked.file).name for asked in sources], **varied}
    rows = [
        (name, str(len(values)), ", ".join(map(str, values[:6])) + (" ..." if values[6:] else ""))
        for name, values in varied.items()
        if len(values) > 1 or name in ("source", "prompt")
    ]
    print(table(("varied", "values", ""), rows))
    pictures = len(recipes) * sum(_captures(asked) for asked in sources)
    at_least = "at least " if any(asked.cameras == ("*",) for asked in sources) else ""
    each = _seconds(folder)
    time = f", about {duration(pictures * each)} by the last run here" if each else ""
    word = "picture" if pictures == 1 else "pictures"
    print(f"\n{at_least}{pictures} {word} in {task.output}{time}")


def _captures(asked: Asked) -> int:
    """How many captures a source gives, at least."""
    return max(len(asked.cameras), 1) * max(len(asked.frames), 1)


def _seconds(folder: Path) -> float | None:
    """The time of a picture, where the folder knows one."""
    if not (folder / FILE).is_file():
        return None
    try:
        with Manifest(folder) as manifest:
            return manifest.seconds()
    except MaquetteError as error:
        if error.code != "batch-running":
            raise
        return None


def _write_page(folder: Path, outbox: Outbox | None, line: ProgressLine) -> bool:
    """The contact sheet of all that is in the folder, and at the URL; whether it is there."""
    try:
        rows = sheets.rows_of(folder).rows
        if outbox is not None:
            line.show("contact sheet")
            shown = [row.file for row in rows if row.state == "done"]
            for problem in outbox.bring(filter(None, [*shown, *(r.source_picture for r in rows)])):
                line.say(problem)
        sheets.write_page(
            folder,
            rows,
            folder / PAGE,
            folder.resolve().name if outbox is None else outbox.name,
            lambda read, of: line.show("contact sheet", read, of, f"{read} of {of}"),
        )
        if outbox is not None:
            outbox.send(PAGE)
    except MaquetteError as error:  # the pictures are there all the same
        is_named = error.code == "output-unusable"
        elsewhere = f"Move it away, or run: maquette sheet {folder} --output FILE.html"
        line.say(f"{error.sentence} {elsewhere if is_named else error.hint}")
        return False
    return True


def _show(line: ProgressLine, name: Path | str) -> None:
    line.clear()
    print(name, flush=True)


def _tell(manifest: Manifest, outbox: Outbox | None, line: ProgressLine) -> bool:
    """Write the manifest for others to read, at the URL for another machine to go on by; whether it
    is there.

    Raises MaquetteError("batch-taken-over").
    """
    try:
        manifest.export()
        if outbox is not None:
            outbox.send(JSONL)
            outbox.send(CSV)
    except MaquetteError as error:  # the pictures are there, and the next run tells of them
        if error.code == TAKEN_OVER:
            raise
        line.say(str(error))
        return False
    return True


def _closing(tally: Tally, where: Path | str) -> bool:
    """Say how a batch ended; whether nothing failed. where: its contact sheet, or its folder."""
    failed = tally.failed + tally.sources_failed
    parts = [f"{tally.made} made"]
    if tally.before:
        parts.append(f"{tally.before} were there")
    if tally.failed:
        parts.append(f"{tally.failed} failed")
    if tally.sources_failed:
        what = "source" if tally.sources_failed == 1 else "sources"
        parts.append(f"{tally.sources_failed} {what} failed")
    print(f"{', '.join(parts)}: {where}")
    return not failed
