"""Make pictures again from what they say of themselves.

A concept names its scene or picture and the camera that saw it. That is captured once more and
painted with the recipe inside the concept; the new picture is written beside no old one's name, and
held against the given file: on the machine that made it, it is the same to the last bit. Captures
that "maquette batch" has kept beside its pictures are taken from there.

examples:
  maquette replay concepts/house-Street-red-brick-0.png
  maquette replay concepts/*.png --output again --source moved/house.blend
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.metadata import Metadata
from maquette_wire.recipe import Recipe
from maquette_wire.source import Source
from maquette_wire.view import View

from .. import jobs, outputs, remote, replays
from ..console import ProgressLine
from ..sources import Sourced, Sources
from .options import add_place, metadata_of, remote_server


class Wanted(NamedTuple):
    """A picture to make again, and what it says of itself."""

    path: Path
    said: Metadata
    recipe: Recipe
    source: Source
    view: View


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "maquette replay PICTURE... [options]"
    parser.add_argument(
        "pictures", nargs="+", type=Path, metavar="PICTURE", help="concepts as Maquette wrote them"
    )
    made = parser.add_argument_group("what they are made of")
    made.add_argument(
        "--source", type=Path, metavar="FILE", help="the scene or picture, where it is now"
    )
    made.add_argument(
        "--anyway", action="store_true", help="also where the scene or picture has changed since"
    )
    made.add_argument("--prompt", metavar="TEXT", help="of pictures that it was left out of")
    made.add_argument("--negative", metavar="TEXT", help="their negative prompt, if they had one")
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", type=Path, default=Path("concepts"), metavar="DIR", help="(./concepts)"
    )
    add_place(where)


def run(arguments: argparse.Namespace) -> int:
    home = Home.default()
    pictures = [_wanted(path, arguments) for path in arguments.pictures]
    outputs.prepared(arguments.output)
    outputs.check_room(arguments.output, (each.view for each in pictures))
    with (
        ProgressLine() as line,
        jobs.Painter(home, remote_server(arguments), line.show) as painter,
    ):
        sources = Sources(home, line.say, arguments.blender, arguments.extension)
        last: tuple[Source, View, Sourced] | None = None
        for each in pictures:
            if last is None or last[:2] != (each.source, each.view):
                line.show("capturing")
                last = each.source, each.view, _captured(each, sources, arguments.source)
            changed = _changes(each, last[2], arguments.anyway, line.say)
            print(_again(each, last[2], changed, arguments.output, painter, line), flush=True)
    return 0


def _wanted(path: Path, arguments: argparse.Namespace) -> Wanted:
    """What a picture says, checked before anything is captured or painted."""
    said = metadata_of(path)
    if said.of_material is not None:
        raise MaquetteError(
            "not-replayable",
            f"{path} is of a material, which is made without a scene.",
            f"Make it again: maquette material --recipe {path}",
        )
    if said.view is None:
        raise MaquetteError(
            "not-replayable",
            f"{path} is a texture, which is made of many views.",
            f"Make it again from its scene: maquette texture SCENE.blend --recipe {path}",
        )
    if said.source is None:
        raise MaquetteError(
            "not-replayable",
            f"{path} doesn't say which file it was made of: it is from Blender's panel, or a "
            "view of a texture.",
            "Use Recipe puts its settings back into the panel; or run: maquette restyle "
            f"SCENE.blend --recipe {path}",
        )
    recipe = _with_prompt(path, said, arguments)
    if not replays.kept_path(path.parent, said.source.capture).is_file():
        replays.moved(said.source, arguments.source)
    return Wanted(path, said, recipe, said.source, said.view)


def _captured(each: Wanted, sources: Sources, file: Path | None) -> Sourced:
    """The capture that is kept beside the picture, or else a new one."""
    kept = replays.kept_capture(each.path, each.source)
    if kept is not None:
        return Sourced(kept, each.source)
    return replays.captured_again(sources, replays.moved(each.source, file), each.view)


def _with_prompt(path: Path, said: Metadata, arguments: argparse.Namespace) -> Recipe:
    given = arguments.prompt is not None or arguments.negative is not None
    if not said.prompt_left_out:
        if given:
            raise MaquetteError(
                "bad-arguments",
                f"{path} has its prompt inside.",
                "Leave --prompt and --negative out; for another picture with the same settings "
                f"run: maquette restyle SOURCE --recipe {path} --prompt TEXT",
            )
        return said.recipe
    prompt = (arguments.prompt or "").strip()
    if not prompt:
        raise MaquetteError(
            "prompt-left-out",
            f"The prompt was left out of {path}.",
            "Give it with --prompt, and its negative prompt, if it had one, with --negative.",
        )
    return msgspec.structs.replace(
        said.recipe, prompt=prompt, negative_prompt=arguments.negative or ""
    )


def _changes(each: Wanted, made: Sourced, anyway: bool, say: Callable[[str], None]) -> list[str]:
    changed = replays.changes(each.source, each.view, made)
    if not changed:
        return []
    sentence = f"What {each.path.name} was made of has changed since: {'; '.join(changed)}."
    if not anyway:
        raise MaquetteError(
            "source-changed",
            sentence,
            "Name the file as it was with --source, or go on with --anyway.",
        )
    say(sentence)
    return changed


def _again(
    each: Wanted,
    made: Sourced,
    changed: list[str],
    folder: Path,
    painter: jobs.Painter,
    line: ProgressLine,
) -> Path:
    """Paint and write one picture, and say how it compares."""
    result, frames = painter.run(each.recipe, [made.capture])
    line.clear()
    for warning in result.warnings:
        line.say(warning)
    (path,) = outputs.write_result(
        result,
        frames,
        folder,
        outputs.slug(remote.place(made.source.file).stem),
        [made.capture.view],
        sources=[made.source],
        prompt=not each.said.prompt_left_out,
    )
    painter.stored(result.job)
    header, frame = next(
        pair for pair in zip(result.frames, frames, strict=True) if pair[0].name == "concept"
    )
    pixels = np.asarray(frame, np.uint8).reshape(header.shape)
    verdict = replays.verdict(each.path, each.said, result.recipe, pixels, changed)
    line.say(f"{each.path.name}: {verdict}.")
    return path
