"""Captures without a window, for the command line.

``blender -b SCENE.blend --command maquette_capture --camera Street --output street.maquette``
writes what the named cameras see into one file (``maquette_wire.container``): a Submit with the
views in the order they were asked for, and their colour and depth; with frames, all cameras at the
first frame, then all at the second, and so on. With ``--model`` it does so for a model of another
program, which is seen from around where it brings no camera. With the ``bpy`` module, ``main``
does the same for the file that is open.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import bpy
import msgspec
import numpy as np
from maquette_wire import container
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Limits
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.view import View

from .capture import (
    Plan,
    Surface,
    as_in_viewports,
    camera_pose,
    camera_size,
    camera_view,
    capture_camera,
    capture_view,
    check_frames,
    left_out,
    overview,
    plan,
    shape,
    surface,
    through,
    unlike,
)
from .command_words import LONG_SIDE, parser
from .models import open_model

BYTES = 7
"""Of a pixel: three of colour and four of depth."""


def main(argv: Sequence[str]) -> int:
    """Run the command on the file that is open; returns the exit status.

    An error is one line on standard error that starts with ``maquette:``.
    """
    try:
        arguments = parser().parse_args(argv)
        if arguments.model is not None:
            open_model(arguments.model, arguments.up, arguments.unit, say)
        if arguments.list_cameras:
            print(json.dumps(_listing(bpy.context.scene)))
        else:
            _write(arguments.output, _captures(arguments))
    except MaquetteError as error:
        say(str(error))
        return 1
    return 0


def _captures(arguments: argparse.Namespace) -> list[Capture]:
    """What is asked for: at each frame the view that is given, the cameras, then those around."""
    scene = bpy.context.scene
    frames: list[int] = arguments.frames or []
    check_frames(frames)
    if frames and arguments.surface is not None:
        raise MaquetteError(
            "bad-arguments",
            "--surface is the model at one moment, and frames were asked for.",
            "Leave --frame and --frames out; the file's own frame is taken.",
        )
    size = arguments.size or camera_size(scene, arguments.long_side)
    captures: list[Capture] = []
    given = [] if arguments.view is None else [_read_view(arguments.view)]
    around: list[View] = []
    # Closed here, so that the scene's frame is put back after an error as well.
    with closing(through(scene, frames)) as moments:
        for number, frame in enumerate(moments):
            chosen = _asked_for(scene, arguments)
            if number == 0:
                around = _planned(arguments, given, chosen, size)
            count = len(given) + len(chosen) + len(around)
            _check_room(max(len(frames), 1) * count, size)
            seen = [capture_view(bpy.context, view) for view in given]
            if arguments.surface is not None:
                with as_in_viewports(bpy.context) as capture:
                    seen += map(capture, [*_views(chosen, size), *around])
            else:
                seen += [capture_camera(bpy.context, camera, *size) for camera in chosen]
                seen += [capture_view(bpy.context, view) for view in around]
            for capture in seen:
                if not np.isfinite(capture.depth).any():
                    moment = f" at frame {frame}" if frames else ""
                    say(f"warning: the camera {capture.view.name!r} sees nothing but sky{moment}.")
            captures += seen
    return captures


def _asked_for(scene: bpy.types.Scene, arguments: argparse.Namespace) -> list[bpy.types.Object]:
    """The cameras to capture; a model of another program has no active one, but all or none."""
    named = arguments.camera or []
    if not named and not arguments.all_cameras and (arguments.around or arguments.view):
        return []
    if not named and arguments.model is not None:
        return _cameras_of(scene)
    return _chosen(scene, named, arguments.all_cameras)


def _read_view(path: Path) -> View:
    """Raises MaquetteError("no-view")."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=View)
    except (OSError, msgspec.MsgspecError) as error:
        raise MaquetteError(
            "no-view", f"{path} holds no View: {error}.", "Give one as JSON."
        ) from error


def _planned(
    arguments: argparse.Namespace,
    given: Sequence[View],
    chosen: Sequence[bpy.types.Object],
    size: tuple[int, int],
) -> list[View]:
    """Views without a camera, with a sentence about them. Raises MaquetteError("not-seen")."""
    count = arguments.around
    if arguments.surface is not None:
        made = surface(
            bpy.context,
            arguments.object or [],
            own_uvs=not arguments.new_uvs,
            each=arguments.each,
        )
        said = [
            "" if arguments.object else left_out(bpy.context),
            made.about_uvs,
            unlike(bpy.context, made.layered_names),
        ]
        for sentence in filter(None, said):
            say(sentence)
        _write_surface(arguments.surface, made)
        size = arguments.long_side, arguments.long_side
    elif count:
        made = shape(bpy.context)
    elif chosen or given:
        return []
    else:
        views = overview(bpy.context, shape(bpy.context), *size)
        _check_seen(views)
        names = " and ".join(repr(view.name) for view in views)
        say(f"{arguments.model.name} brings no camera: it is seen from {names}.")
        return views
    there = [*given, *_views(chosen, size)]
    planned = plan(bpy.context, made, count, there, size)
    around = planned.views(*size)
    _check_seen([*there, *around])
    say(_coverage(planned, len(there) + len(around)))
    return around


def _check_seen(views: Sequence[object]) -> None:
    if not views:
        raise MaquetteError(
            "not-seen",
            "No place was found from which the surface can be seen.",
            "Uncover it in the scene, or name a camera that sees it with --camera.",
        )


def _check_room(count: int, size: tuple[int, int]) -> None:
    """Refuse more than one file of captures holds, before they are rendered."""
    limits = Limits()
    most = min(limits.captures, limits.job_bytes // (size[0] * size[1] * BYTES))
    if count > most:
        raise MaquetteError(
            "too-many-captures",
            f"{count} captures of {size[0]} x {size[1]} pixels were asked for, "
            f"and one call makes {most} at most.",
            "Ask for fewer frames or cameras at a time.",
        )


def _cameras_of(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    return [thing for thing in scene.objects if thing.type == "CAMERA"]


def _chosen(
    scene: bpy.types.Scene, names: Sequence[str], everything: bool
) -> list[bpy.types.Object]:
    """The cameras to capture. Raises MaquetteError("no-camera", "unknown-camera")."""
    there = _cameras_of(scene)
    listed = ", ".join(repr(camera.name) for camera in there)
    if not there:
        raise MaquetteError(
            "no-camera",
            f"The scene {scene.name!r} of {_file()} has no camera.",
            "Add one in Blender (Add > Camera), frame the model with it, and save the file.",
        )
    if everything:
        return there
    if not names:
        if scene.camera in there:
            return [scene.camera]
        if len(there) == 1:
            return there
        raise MaquetteError(
            "no-camera",
            f"The scene {scene.name!r} of {_file()} has no active camera.",
            f"Name one of its cameras with --camera: {listed}.",
        )
    by_name = {camera.name: camera for camera in there}
    for name in names:
        if name not in by_name:
            raise MaquetteError(
                "unknown-camera",
                f"The scene {scene.name!r} of {_file()} has no camera {name!r}.",
                f"It has {listed}.",
            )
    return [by_name[name] for name in names]


def _views(cameras: Sequence[bpy.types.Object], size: tuple[int, int]) -> list[View]:
    depsgraph = bpy.context.evaluated_depsgraph_get()
    return [
        camera_view(camera, camera_pose(camera, depsgraph), depsgraph, *size) for camera in cameras
    ]


def _coverage(planned: Plan, count: int) -> str:
    views = "The one view sees" if count == 1 else f"The {count} views see"
    return (
        f"{views} {planned.seen[-1]:.0%} of the surface's area under 75 degrees, of "
        f"{planned.reachable:.0%} that can be seen at all; the rest faces down or is hidden."
    )


def _write_surface(path: Path, made: Surface) -> None:
    """Raises MaquetteError("output-failed")."""
    try:
        made.write(path)
    except OSError as error:
        raise MaquetteError(
            "output-failed",
            f"The surface could not be written to {path}: {error.strerror or error}.",
            "Choose a folder that exists and has room.",
        ) from error


def _listing(scene: bpy.types.Scene) -> dict[str, Any]:
    return {
        "cameras": [_summary(scene, camera) for camera in _cameras_of(scene)],
        "frame": scene.frame_current,
        "frame_start": scene.frame_start,
        "frame_end": scene.frame_end,
        "frame_step": scene.frame_step,
        "frames_per_second": scene.render.fps / scene.render.fps_base,
    }


def _summary(scene: bpy.types.Scene, camera: bpy.types.Object) -> dict[str, Any]:
    data: Any = camera.data
    width, height = camera_size(scene, LONG_SIDE)
    return {
        "name": camera.name,
        "type": data.type.lower(),
        "active": camera == scene.camera,
        "width": width,
        "height": height,
    }


def _write(path: Path, captures: Sequence[Capture]) -> None:
    """Raises MaquetteError("output-failed")."""
    submit, buffers = submission(Recipe(prompt=""), captures)
    try:
        container.write(path, submit, buffers)
    except OSError as error:
        raise MaquetteError(
            "output-failed",
            f"The captures could not be written to {path}: {error.strerror or error}.",
            "Choose a folder that exists and has room.",
        ) from error


def _file() -> str:
    return Path(bpy.data.filepath).name or "the open file"


def say(sentence: str) -> None:
    """Tell the user, through whoever runs this Blender."""
    print(f"maquette: {sentence}", file=sys.stderr, flush=True)
