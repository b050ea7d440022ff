"""Maquette's extension in a Blender of this computer: what captures scenes for the command line.

The extension's own commands do the work, in a profile of its own, so that a user's Blender stays
as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette_wire import container
from maquette_wire.capture import Capture, captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Submit

from . import blender
from .blender import Blender

EXTENSION_VARIABLE = "MAQUETTE_EXTENSION"
ADD_ON = "bl_ext.user_default.maquette"
COMMANDS = {"maquette_capture": "command", "maquette_texture": "texture_command"}
"""The extension's commands, each with its module."""
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
class Extension:
    """The extension in a Blender.

    Attributes:
        blender: what it runs in.
        file: its zip.
        home: where its profile is kept, and a log of what Blender printed last.
    """

    blender: Blender
    file: Path
    home: Home

    @classmethod
    def find(cls, home: Home, program: Path | None = None, file: Path | None = None) -> Extension:
        """In the Blender to use (`blender.find`), from the zip to use (`extension_zip`).

        Raises MaquetteError("no-blender", "blender-too-old", "no-extension").
        """
        return cls(blender.find(program), extension_zip(file), home)

    def capture(
        self, scene: Path, arguments: Sequence[str], say: Callable[[str], None]
    ) -> list[Capture]:
        """Open a scene in Blender and capture it.

        Args:
            scene: a .blend, or a model with one of the suffixes ``MODELS``.
            arguments: which cameras, at which frames, and how large, as the extension's command
                takes them. The captures have that order: all cameras at the first frame, then at
                the next.
            say: is called with each sentence that the extension's command has for the user.

        Raises MaquetteError as the command says, or "blender-failed".
        """
        with tempfile.TemporaryDirectory(prefix="maquette-", ignore_cleanup_errors=True) as name:
            target = Path(name) / f"capture{container.SUFFIX}"
            self._command("maquette_capture", scene, [*arguments, "--output", str(target)], say)
            if not target.is_file():
                raise self._failed(f"capture {scene.name}")
            submit, frames = container.read(target, kind=Submit)
            return captures_of(submit, frames)

    def save_textured(
        self, scene: Path, arguments: Sequence[str], target: Path, say: Callable[[str], None]
    ) -> None:
        """Save a copy of a scene with a texture on it as ``target``, a .blend.

        Args:
            arguments: the surface and the texture's files, as the extension's command takes them.

        Raises MaquetteError as ``capture`` does.
        """
        words = [*arguments, "--output", str(target.resolve())]
        self._command("maquette_texture", scene, words, say)
        if not target.is_file():
            raise self._failed(f"save {target.name}")

    def profile(self) -> Path:
        """A profile of this Blender with the extension installed; made once for each zip.

        Raises MaquetteError("blender-failed").
        """
        version = self.blender.release
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()[:12]
        folder = self.home.blender / f"{version}-{digest}"
        if folder.is_dir():
            return folder
        self.home.make(self.home.blender)
        for older in self.home.blender.glob(f"{version}-*"):
            shutil.rmtree(older, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.home.blender, prefix=".new-") as name:
            fresh = Path(name) / "profile"
            fresh.mkdir()
            if self.blender.module:
                arguments = ["-c", INSTALL, str(self.file)]
            else:
                arguments = ["--offline-mode", "--command", "extension", "install-file"]
                arguments += ["--repo", "user_default", "--enable", str(self.file)]
            self._run(arguments, fresh, "install the extension")
            if not (fresh / "extensions" / "user_default" / "maquette").is_dir():
                raise self._failed("install the extension")
            try:
                fresh.rename(folder)
            except OSError:  # another process was first, with the same files
                if not folder.is_dir():
                    raise
        return folder

    def _command(
        self, name: str, scene: Path, arguments: Sequence[str], say: Callable[[str], None]
    ) -> None:
        """Run a command on a scene or model."""
        if not scene.is_file():
            raise MaquetteError("no-scene", f"There is no file {scene}.", "Correct its name.")
        opened, words = [str(scene.resolve())], list(arguments)
        if scene.suffix.lower() in MODELS:
            opened, words = [], ["--model", str(scene.resolve()), *words]
        else:
            with scene.open("rb") as file:
                if not file.read(8).startswith(BEGINNINGS):
                    raise MaquetteError(
                        "bad-scene",
                        f"{scene} is no file of Blender's.",
                        "Save it again in Blender.",
                    )
        resources = self.profile()
        if self.blender.module:
            command = ["-c", RUN, COMMANDS[name], *(opened or [""]), *words]
        else:
            command = ["--background", "--offline-mode", "--disable-autoexec"]
            command += [*opened, "--command", name, *words]
        verb = "capture" if name == "maquette_capture" else "texture"
        for sentence in _said(self._run(command, resources, f"{verb} {scene.name}")):
            say(sentence)

    def _run(self, arguments: Sequence[str], resources: Path, what: str) -> str:
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
                [str(self.blender.program), *arguments],
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
                f"{self.blender} didn't {what} within {CAPTURE_SECONDS // 60} minutes.",
                "Simplify the scene, or capture fewer cameras at once.",
            ) from error
        output = f"{done.stdout}\n{done.stderr}"
        self._log.write_text(output, encoding="utf-8")
        if done.returncode:
            said = _said(output)
            raise MaquetteError("capture-failed", said[-1]) if said else self._failed(what)
        return output

    @property
    def _log(self) -> Path:
        return self.home.blender / LOG

    def _failed(self, what: str) -> MaquetteError:
        return MaquetteError(
            "blender-failed", f"{self.blender} failed to {what}.", f"See {self._log}."
        )


def _said(output: str) -> list[str]:
    """The sentences of the extension."""
    return re.findall(r"^maquette: (.+)$", output, re.MULTILINE)


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
    folder = blender.checkout()
    built = list((folder / "dist").glob("maquette-*.zip")) if folder else []
    if built:
        return max(built, key=lambda path: path.stat().st_mtime)
    raise MaquetteError(
        "no-extension",
        "The extension that captures for the command line has not been built.",
        f"Run 'python build.py extension', or name its zip with --extension or "
        f"{EXTENSION_VARIABLE}.",
    )
