"""Blender for the command line: finds one, gives it the extension, has it capture a .blend.

Blender is a program (``blender``) or a Python with the ``bpy`` wheel. Either way the extension's
own commands do the work, in a profile of its own, so that a user's Blender stays as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Submit

BLENDER_VARIABLE = "MAQUETTE_BLENDER"
EXTENSION_VARIABLE = "MAQUETTE_EXTENSION"
OLDEST = (4, 2)
ADD_ON = "bl_ext.user_default.maquette"
COMMANDS = {"maquette_capture": "command", "maquette_texture": "texture_command"}
"""The extension's commands, each with its module."""
START_SECONDS = 120
CAPTURE_SECONDS = 1800
LOG = "blender.log"
BEGINNINGS = (b"BLENDER", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""First bytes of a .blend: plain, compressed with gzip (before 3.0), or with zstd."""

INSTALL = """
import bpy, sys
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[1], repo="user_default", enable_on_install=True)
bpy.ops.wm.save_userpref()
"""
"""Installs the extension in the profile of a ``bpy`` module."""

RUN = f"""
import bpy, importlib, sys
bpy.ops.preferences.addon_enable(module="{ADD_ON}")
command = importlib.import_module("{ADD_ON}." + sys.argv[1])
if sys.argv[2]:
    bpy.ops.wm.open_mainfile(filepath=sys.argv[2], use_scripts=False)
sys.exit(command.main(sys.argv[3:]))
"""
"""Opens a file and runs a command of the extension: what ``blender --command`` does, for ``bpy``.
"""

MODELS = (
    ".glb", ".gltf", ".obj", ".usd", ".usda", ".usdc", ".usdz", ".fbx", ".stl", ".ply",
)  # fmt: skip
"""Suffixes of what the extension's command imports, in lower case."""


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
        return f"Blender {'.'.join(map(str, self.version))} ({kind} {self.program})"


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


def extension_zip(given: Path | None = None) -> Path:
    """The extension: ``given``, else $MAQUETTE_EXTENSION, else the newest in the checkout's dist.

    Raises MaquetteError("no-extension").
    """
    named = os.environ.get(EXTENSION_VARIABLE)
    chosen = given or (Path(named) if named else None)
    if chosen is not None:
        if chosen.is_file():
            return chosen.resolve()
        fix = "Correct its name." if given else f"Correct {EXTENSION_VARIABLE}, or unset it."
        raise MaquetteError("no-extension", f"There is no file {chosen}.", fix)
    folder = checkout()
    built = list((folder / "dist").glob("maquette-*.zip")) if folder else []
    if built:
        return max(built, key=lambda path: path.stat().st_mtime)
    raise MaquetteError(
        "no-extension",
        "The extension that captures for the command line has not been built.",
        f"Run 'python build.py extension', or name its zip with --extension or "
        f"{EXTENSION_VARIABLE}.",
    )


def profile(blender: Blender, extension: Path, home: Home) -> Path:
    """A profile of this Blender with the extension installed; made once for each zip.

    Raises MaquetteError("blender-failed").
    """
    version = ".".join(map(str, blender.version))
    digest = hashlib.sha256(extension.read_bytes()).hexdigest()[:12]
    folder = home.blender / f"{version}-{digest}"
    if folder.is_dir():
        return folder
    home.make(home.blender)
    for older in home.blender.glob(f"{version}-*"):
        shutil.rmtree(older, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home.blender, prefix=".new-") as name:
        fresh = Path(name) / "profile"
        fresh.mkdir()
        if blender.module:
            arguments = ["-c", INSTALL, str(extension)]
        else:
            arguments = ["--offline-mode", "--command", "extension", "install-file"]
            arguments += ["--repo", "user_default", "--enable", str(extension)]
        _run(blender, arguments, fresh, "install the extension", home)
        if not (fresh / "extensions" / "user_default" / "maquette").is_dir():
            raise _failed(blender, "install the extension", home)
        try:
            fresh.rename(folder)
        except OSError:  # another process was first, with the same files
            if not folder.is_dir():
                raise
    return folder


@dataclass(frozen=True)
class Camera:
    """A camera of a scene.

    Attributes:
        kind: "persp" or "ortho", or what else Blender has.
        active: whether it is the scene's own.
    """

    name: str
    kind: str
    active: bool


@dataclass(frozen=True)
class SceneCameras:
    """The cameras of a scene and its frames.

    Attributes:
        cameras: in the scene's order, as ``--all-cameras`` takes them.
        frame: the current one.
        start, end, step: of its animation, the last one included.
    """

    cameras: tuple[Camera, ...]
    frame: int
    start: int
    end: int
    step: int


def capture(
    blender: Blender,
    extension: Path,
    home: Home,
    scene: Path,
    arguments: Sequence[str],
    say: Callable[[str], None],
) -> list[Capture]:
    """Open ``scene`` in Blender and capture with the extension's command.

    Args:
        scene: a .blend, or a model with one of the suffixes ``MODELS``.
        arguments: which cameras, at which frames, and how large, as the extension's command takes
            them. The captures have that order: all cameras at the first frame, then at the next.
        say: is called with each sentence that the extension's command has for the user.

    Raises MaquetteError as the command says, or "blender-failed".
    """
    with tempfile.TemporaryDirectory(prefix="maquette-", ignore_cleanup_errors=True) as name:
        target = Path(name) / f"capture{container.SUFFIX}"
        words = [*arguments, "--output", str(target)]
        _command("maquette_capture", blender, extension, home, scene, words, say)
        if not target.is_file():
            raise _failed(blender, f"capture {scene.name}", home)
        submit, frames = container.read(target, kind=Submit)
        return captures_of(submit, frames)


def cameras_of(
    blender: Blender, extension: Path, home: Home, scene: Path, say: Callable[[str], None]
) -> SceneCameras:
    """The cameras and frames of a scene, without capturing; a model may have none.

    Raises MaquetteError as ``capture`` does.
    """
    words = ["--list-cameras"]
    output = _command("maquette_capture", blender, extension, home, scene, words, say)
    listed = re.search(r'^\{"cameras": .*\}$', output, re.MULTILINE)
    if listed is None:
        raise _failed(blender, f"list the cameras of {scene.name}", home)
    found = json.loads(listed[0])
    return SceneCameras(
        tuple(Camera(each["name"], each["type"], each["active"]) for each in found["cameras"]),
        found["frame"],
        found["frame_start"],
        found["frame_end"],
        found["frame_step"],
    )


def save_textured(
    blender: Blender,
    extension: Path,
    home: Home,
    scene: Path,
    arguments: Sequence[str],
    target: Path,
    say: Callable[[str], None],
) -> None:
    """Save a copy of ``scene`` with a texture on it as ``target``, a .blend.

    Args:
        arguments: the surface and the texture's files, as the extension's command takes them.

    Raises MaquetteError as ``capture`` does.
    """
    words = [*arguments, "--output", str(target.resolve())]
    _command("maquette_texture", blender, extension, home, scene, words, say)
    if not target.is_file():
        raise _failed(blender, f"save {target.name}", home)


def _command(
    name: str,
    blender: Blender,
    extension: Path,
    home: Home,
    scene: Path,
    arguments: Sequence[str],
    say: Callable[[str], None],
) -> str:
    """Run a command of the extension on a scene or model; returns all that Blender printed."""
    if not scene.is_file():
        raise MaquetteError("no-scene", f"There is no file {scene}.", "Correct its name.")
    opened, words = [str(scene.resolve())], list(arguments)
    if scene.suffix.lower() in MODELS:
        opened, words = [], ["--model", str(scene.resolve()), *words]
    else:
        with scene.open("rb") as file:
            if not file.read(8).startswith(BEGINNINGS):
                raise MaquetteError(
                    "bad-scene", f"{scene} is no file of Blender's.", "Save it again in Blender."
                )
    resources = profile(blender, extension, home)
    if blender.module:
        command = ["-c", RUN, COMMANDS[name], *(opened or [""]), *words]
    else:
        command = ["--background", "--offline-mode", "--disable-autoexec"]
        command += [*opened, "--command", name, *words]
    verb = "capture" if name == "maquette_capture" else "texture"
    output = _run(blender, command, resources, f"{verb} {scene.name}", home)
    for sentence in _said(output):
        say(sentence)
    return output


def _run(blender: Blender, arguments: Sequence[str], resources: Path, what: str, home: Home) -> str:
    """Run Blender in a profile; returns its output, which is in a log as well.

    Raises MaquetteError where it fails.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        # What this Python was told is not for Blender's.
        if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    environment["BLENDER_USER_RESOURCES"] = str(resources)
    try:
        done = subprocess.run(
            [str(blender.program), *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CAPTURE_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise MaquetteError(
            "blender-failed",
            f"{blender} didn't {what} within {CAPTURE_SECONDS // 60} minutes.",
            "Simplify the scene, or capture fewer cameras at once.",
        ) from error
    output = f"{done.stdout}\n{done.stderr}"
    (home.blender / LOG).write_text(output, encoding="utf-8")
    if done.returncode:
        said = _said(output)
        raise MaquetteError("capture-failed", said[-1]) if said else _failed(blender, what, home)
    return output


def _said(output: str) -> list[str]:
    """The sentences of the extension."""
    return re.findall(r"^maquette: (.+)$", output, re.MULTILINE)


def _failed(blender: Blender, what: str, home: Home) -> MaquetteError:
    return MaquetteError(
        "blender-failed", f"{blender} failed to {what}.", f"See {home.blender / LOG}."
    )
