"""The extension's zip: the add-on's files, a manifest that lists its wheels, and the wheels.

One zip serves every platform and every Blender from 4.2 on: Blender installs the wheels that fit.
The same sources give the same bytes: fixed order, dates and permissions, pinned wheels.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import environments
from .console import BuildError, Step, execute, root, run_logged, say

SOURCE = "blender_addon"
PINS = {
    "3.11": ("pyzmq==27.3.0", "msgspec==0.22.0"),
    "3.12": ("pyzmq==27.3.0",),  # this wheel serves every later Python as well
    "3.13": ("msgspec==0.22.0",),
    "3.14": ("msgspec==0.22.0",),
}
"""What is bundled beside maquette-wire, for each version of Python.

Blender 4.2 to 5.0 run Python 3.11, Blender 5.1 and later 3.13, Linux distributions build with 3.14.
"""
PLATFORMS = {
    "windows-x64": ("win_amd64",),
    "macos-x64": ("macosx_11_0_x86_64",),
    "macos-arm64": ("macosx_11_0_arm64",),
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
}
"""Blender's names of the platforms, and pip's tags for each."""
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644 << 16
LEFT_OUT = {"__pycache__", ".DS_Store", ".pytest_cache", "wheels"}


def version() -> str:
    """The version in the extension's manifest."""
    with (root() / SOURCE / "blender_manifest.toml").open("rb") as file:
        return tomllib.load(file)["version"]


def zip_path() -> Path:
    return root() / "dist" / f"maquette-{version()}.zip"


def _download_for(python: Path, folder: Path, platform: str) -> None:
    for number, pins in PINS.items():
        command: list[str | Path] = [python, "-m", "pip", "download", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:"]
        command += ["--implementation", "cp", "--python-version", number]
        for tag in PLATFORMS[platform]:
            command += ["--platform", tag]
        execute([*command, "--dest", folder, *pins], f"wheels-{platform}")


def _download(python: Path, folder: Path) -> None:
    """Collect the wheels of every platform and Python version in ``folder``."""
    text = f"Fetching wheels for {', '.join(PLATFORMS)}"
    with Step(text), ThreadPoolExecutor(len(PLATFORMS)) as pool:
        list(pool.map(lambda platform: _download_for(python, folder, platform), PLATFORMS))


def bundled_wheels(python: Path) -> list[Path]:
    """The wheels from the registry, downloaded once into ``build/wheels``."""
    recipe = json.dumps([PINS, PLATFORMS])
    stamp = hashlib.sha256(recipe.encode()).hexdigest()
    folder = root() / "build" / "wheels"
    marker = folder / environments.STAMP
    if not (marker.exists() and marker.read_text() == stamp):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _download(python, folder)
        marker.write_text(stamp)
    return sorted(folder.glob("*.whl"))


def wire_wheel(python: Path, folder: Path) -> Path:
    """Build the wheel of maquette-wire into ``folder``."""
    with tempfile.TemporaryDirectory() as name:  # a build leaves files beside its sources
        source = Path(name) / "shared"
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
        shutil.copytree(root() / "shared", source, ignore=ignored)
        command = [python, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-deps"]
        run_logged(
            "Building the wheel of maquette-wire",
            [*command, "--wheel-dir", folder, source],
            "extension",
            environment={"SOURCE_DATE_EPOCH": "315532800"},
        )
    return next(folder.glob("maquette_wire-*.whl"))


def with_wheels(text: str, names: Sequence[str]) -> str:
    """The manifest's text with the list of wheels, before its first table."""
    listed = "".join(f'  "./wheels/{name}",\n' for name in sorted(names))
    table = re.search(r"(?m)^\[", text)
    end = table.start() if table else len(text)
    return f"{text[:end]}wheels = [\n{listed}]\n\n{text[end:]}"


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = method
    entry.create_system = 3
    entry.external_attr = FILE_MODE
    archive.writestr(entry, content)


def write_zip(target: Path, wheels: Sequence[Path]) -> None:
    """Write the zip; the same sources and wheels give the same bytes."""
    source = root() / SOURCE
    files = sorted(
        path
        for path in source.rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.relative_to(source).parts)
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for path in files:
            content = path.read_bytes()
            if path.name == "blender_manifest.toml":
                text = content.decode().replace("\r\n", "\n")
                content = with_wheels(text, [wheel.name for wheel in wheels]).encode()
            name = path.relative_to(source).as_posix()
            _add(archive, name, content, zipfile.ZIP_DEFLATED)
        _add(archive, "LICENSE", (root() / "LICENSE").read_bytes(), zipfile.ZIP_DEFLATED)
        for wheel in sorted(wheels, key=lambda path: path.name):
            _add(archive, f"wheels/{wheel.name}", wheel.read_bytes(), zipfile.ZIP_STORED)
    partial.replace(target)


def _validate(target: Path, series: str) -> None:
    """Run Blender's own check of an extension."""
    python = environments.blender(series)
    found = sorted(python.parent.parent.rglob("addons_core/bl_pkg/cli/blender_ext.py"))
    if not found:
        raise BuildError(f"The bpy wheel {series} has no blender_ext.py to validate with.")
    command = [python, found[0], "validate", target]
    run_logged(f"Validating with Blender {series}", command, "extension")


def build(series: str = environments.DEFAULT_BLENDER) -> Path:
    """Build and validate ``dist/maquette-<version>.zip``; returns it."""
    if not (root() / SOURCE / "blender_manifest.toml").exists():
        raise BuildError(f"{SOURCE}/blender_manifest.toml is missing from this checkout.")
    python = environments.blender(series)
    wheels = bundled_wheels(python)
    target = zip_path()
    with tempfile.TemporaryDirectory() as name:
        wire = wire_wheel(python, Path(name))
        with Step(f"Writing {target.relative_to(root())}"):
            write_zip(target, [*wheels, wire])
    _validate(target, series)
    say(f"  {target.relative_to(root())}: {target.stat().st_size / 1e6:.1f} MB")
    return target
