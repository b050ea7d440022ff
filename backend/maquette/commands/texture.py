"""Texture the model of a scene: every side carries what was painted of it.

The model is painted from views that are placed to see as much of it as they can, and from cameras
of the scene, and the pictures are carried onto its texture, laid out by the model's own UV map
where that is fit for it. The scene's file is not changed. What is written: the texture as a PNG, a
.glb with the textured model, which browsers and other programs open, and a copy of the scene as a
.blend with the texture on it; beside it are the views' pictures, to retouch and to bake again in
Blender. Ground is left out unless it is named with --object.

examples:
  maquette texture house.blend --prompt "red brick house, slate roof, day" --size 2048
  maquette texture house.blend --from concepts/house-Street-red-brick-0.png
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from maquette_wire import container, limits
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits, Result
from maquette_wire.submission import submission
from maquette_wire.surface import Surface, captured_side
from maquette_wire.view import View
from numpy.typing import NDArray

from .. import images, jobs, outputs
from ..catalogue import Catalogue
from ..console import ProgressLine
from ..extension import Extension
from ..families.settings import read_settings
from ..sources import opening_words
from ..texturing.glb import make_glb
from ..texturing.surface import read_surface, to_wire
from .options import (
    add_facades,
    add_inside,
    add_look,
    add_place,
    add_standing,
    metadata_of,
    recipes_of,
    remote_server,
)

AROUND = 6
LONG_SIDE = 512
"""Pixels, of the views for a model that isn't on this machine."""
SIZES = (256, 8192)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.usage = "maquette texture SCENE --prompt TEXT [options]"
    parser.add_argument(
        "source", type=Path, metavar="SCENE", help="a .blend or a model (.glb, .obj, ...)"
    )
    model = parser.add_argument_group("what is textured")
    model.add_argument(
        "--object", action="append", metavar="NAME", help="repeatable (all but the ground)"
    )
    model.add_argument(
        "--size", type=int, default=2048, metavar="PIXELS", help="side of the texture (2048)"
    )
    model.add_argument(
        "--each", action="store_true", help="a texture for each object, rather than one (UDIM)"
    )
    model.add_argument(
        "--new-uvs", action="store_true", help="never the objects' own UV maps, fit or not"
    )
    model.add_argument(
        "--color-depth",
        type=int,
        choices=(8, 16),
        default=8,
        help="bits of each channel of the texture (8)",
    )
    add_standing(model)
    seen = parser.add_argument_group("what it is seen from")
    seen.add_argument(
        "--around",
        type=int,
        default=AROUND,
        metavar="COUNT",
        help=f"views placed around it, at most ({AROUND})",
    )
    seen.add_argument("--camera", action="append", metavar="NAME", help="and from this; repeatable")
    seen.add_argument("--all-cameras", action="store_true", help="and from all of the scene's")
    seen.add_argument(
        "--from",
        dest="concept",
        type=Path,
        metavar="PICTURE",
        help="a concept of this scene: laid on as it is, and the other sides are painted after it",
    )
    seen.add_argument(
        "--long-side",
        type=int,
        metavar="PIXELS",
        help="that a view is painted at (what the model was trained at)",
    )
    add_look(parser)
    add_facades(parser)
    where = parser.add_argument_group("where")
    where.add_argument(
        "--output", type=Path, default=Path("textures"), metavar="DIR", help="(./textures)"
    )
    where.add_argument(
        "--unlit",
        action="store_true",
        help="the model shows as it was painted in any light, for a texture at dusk or at night",
    )
    where.add_argument(
        "--painted-light",
        action="store_true",
        help="keep the light and shade that are painted, as with --unlit",
    )
    where.add_argument("--save-views", action="store_true", help="also the views' pictures")
    where.add_argument("--no-blend", action="store_true", help="no copy of the scene")
    add_inside(where)
    add_place(where)


def run(arguments: argparse.Namespace) -> int:
    view, given = None, {}
    if arguments.concept is not None:
        view, given[0] = _concept(arguments.concept)
        arguments.recipe = arguments.recipe or arguments.concept
    recipe = msgspec.structs.replace(recipes_of(arguments)[0], count=1, size=None)
    home = Home.default()
    if arguments.long_side is None:
        arguments.long_side = _trained_at(home, recipe.model)
    _check(arguments)
    outputs.prepared(arguments.output)
    with (
        ProgressLine() as line,
        jobs.Painter(home, remote_server(arguments), line.show) as painter,
        tempfile.TemporaryDirectory(prefix="maquette-") as temporary,
    ):
        line.show("capturing")
        file = Path(temporary) / "surface.npz"
        captures = _captures(arguments, home, file, view, line.say)
        surface, names, left_out = read_surface(file)
        if left_out:
            line.say(_left_out(left_out))
        views = [capture.view for capture in captures]
        outputs.check_room(arguments.output, views)
        wired = to_wire(
            surface,
            arguments.size,
            arguments.color_depth,
            painted=arguments.long_side,
            even=not (arguments.unlit or arguments.painted_light),
        )
        result, frames = painter.run(recipe, captures, wired, given)
        line.clear()
        for warning in result.warnings:
            line.say(warning)
        folder, stem = arguments.output, outputs.slug(arguments.source.stem)
        told = not arguments.leave_out_prompt
        if arguments.save_views:
            for path in outputs.write_result(result, frames, folder, stem, views, prompt=told):
                print(path, flush=True)
        name = f"{stem}-{outputs.slug(recipe.prompt)}-texture" if told else f"{stem}-texture"
        textures = outputs.write_texture(
            folder, name, result, frames, tiles=surface.tiles, prompt=told
        )
        for path in textures:
            print(path, flush=True)
        whole = textures[0].with_name(f"{textures[0].name.partition('.')[0]}.glb")
        outputs.write_bytes(
            whole,
            make_glb(
                surface,
                names,
                [path.read_bytes() for path in textures],
                unlit=arguments.unlit,
            ),
        )
        print(whole, flush=True)
        painter.stored(result.job)
        if not arguments.no_blend:
            line.show("saving the scene")
            copy = whole.with_suffix(".blend")
            job = Path(temporary) / f"job{container.SUFFIX}"
            _write_made(job, result, frames, captures, wired, told)
            _save_copy(arguments, home, file, job, textures, copy, line.say)
            line.clear()
            print(copy)
    assert result.coverage is not None
    print(
        f"maquette: {result.coverage.seen:.0%} of the surface is seen well, "
        f"{result.coverage.filled:.0%} by no view and filled from beside it.",
        file=sys.stderr,
    )
    return 0


def _trained_at(home: Home, model: str) -> int:
    """The side at which a model paints a whole building best."""
    try:
        directory = Catalogue(home).present(model).directory
    except MaquetteError:  # on a server elsewhere, or refused there
        return LONG_SIDE
    return read_settings(directory).native_size


def _check(arguments: argparse.Namespace) -> None:
    if not SIZES[0] <= arguments.size <= SIZES[1]:
        raise MaquetteError(
            "bad-size",
            f"The texture's side is {arguments.size} pixels.",
            f"Use {SIZES[0]} to {SIZES[1]}.",
        )
    bounds = Limits()
    limits.check_size("A view", arguments.long_side, arguments.long_side, bounds)
    seen = bool(arguments.camera or arguments.all_cameras or arguments.concept)
    if arguments.around < (0 if seen else 1) or arguments.around > bounds.captures:
        raise MaquetteError(
            "bad-arguments",
            f"--around is {arguments.around}.",
            f"Use 1 to {bounds.captures} views, or 0 with cameras of the scene or a concept.",
        )
    if len(arguments.prompt or ()) > 1 or (arguments.count or 1) > 1:
        raise MaquetteError(
            "bad-arguments",
            "One texture has one prompt and one seed.",
            "Run the command once for each.",
        )


def _concept(path: Path) -> tuple[View, NDArray[np.uint8]]:
    """A concept's View and its pixels [height, width, 3]. Raises MaquetteError."""
    view = metadata_of(path).view
    if view is None:
        raise MaquetteError(
            "no-view",
            f"{path} doesn't say where it was seen from.",
            "Give a concept as Maquette wrote it; to begin with the recipe alone, use --recipe.",
        )
    pixels = images.read_color(path)
    if pixels.shape[:2] != (view.height, view.width):
        raise MaquetteError(
            "bad-picture",
            f"{path} has {pixels.shape[1]} x {pixels.shape[0]} pixels, its view has "
            f"{view.width} x {view.height}.",
            "Save it at that size.",
        )
    return view, pixels


def _captures(
    arguments: argparse.Namespace,
    home: Home,
    surface: Path,
    view: View | None,
    say: Callable[[str], None],
) -> list[Capture]:
    """Of the view of a concept, of the scene's cameras and of views around, in that order."""
    wanted = ["--surface", str(surface), "--around", str(arguments.around)]
    if view is not None:
        file = surface.with_name("view.json")
        file.write_bytes(msgspec.json.encode(view))
        wanted += ["--view", str(file)]
    side = captured_side(arguments.long_side, arguments.size)
    wanted += ["--long-side", str(side)]
    wanted += ["--all-cameras"] if arguments.all_cameras else []
    for camera in arguments.camera or ():
        wanted += ["--camera", camera]
    for name in arguments.object or ():
        wanted += ["--object", name]
    wanted += ["--each"] if arguments.each else []
    wanted += ["--new-uvs"] if arguments.new_uvs else []
    wanted += opening_words(None, arguments.up, arguments.unit)
    extension = Extension.find(home, arguments.blender, arguments.extension)
    return extension.capture(arguments.source, wanted, say)


def _write_made(
    path: Path,
    result: Result,
    frames: Sequence[memoryview],
    captures: Sequence[Capture],
    surface: Surface,
    told: bool,
) -> None:
    """Write what the texture was made of, with the pictures that were painted of its views."""
    recipe = result.recipe
    if not told:
        recipe = msgspec.structs.replace(recipe, prompt="", negative_prompt="")
    pictures = {
        result.pictures[header.index].view: np.frombuffer(frame, np.uint8).reshape(header.shape)
        for header, frame in zip(result.frames, frames, strict=True)
        if header.name == "concept"
    }
    made = submission(recipe, captures, surface, pictures)
    container.write(path, made.message, made.frames)


def _save_copy(
    arguments: argparse.Namespace,
    home: Home,
    surface: Path,
    job: Path,
    textures: Sequence[Path],
    target: Path,
    say: Callable[[str], None],
) -> None:
    wanted = ["--surface", str(surface), "--job", str(job)]
    wanted += ["--unlit"] if arguments.unlit else []
    wanted += opening_words(None, arguments.up, arguments.unit)
    for path in textures:
        wanted += ["--texture", str(path.resolve())]
    extension = Extension.find(home, arguments.blender, arguments.extension)
    extension.save_textured(arguments.source, wanted, target, say)


def _left_out(names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"Left out as ground: {shown}; name it with --object to texture it."
