"""A user's own model, put together of folders of this machine and repositories of the hub.

It arrives in a folder of its own and gets its name only when it is whole and right, as models that
are fetched do. Files of this machine are linked where that is possible, so that they take no room a
second time.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError

from . import download
from .catalogue import NAME, Catalogue, Entry
from .families.checkpoint import check_layout, check_parts, read_json, weight_files
from .families.layouts import (
    CONTROL_DEPTH,
    CONTROL_LINES,
    SD2_PARTS,
    SDXL_PARTS,
    check,
    family_of,
)
from .families.settings import FILE, read_settings

_HUB = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+?)(?:@(?P<revision>[0-9a-f]{40}))?")


def add(
    catalogue: Catalogue,
    name: str,
    base: str,
    controls: Mapping[str, str],
    settings: Mapping[str, Any],
    progress: download.ProgressCallback | None = None,
) -> Entry:
    """Make a model of the catalogue and return its entry.

    Args:
        name: what recipes will call it.
        base: a folder in diffusers' layout, or OWNER/NAME or OWNER/NAME@COMMIT on the hub.
        controls: likewise, the ControlNet for each of `layouts.CONTROL_DEPTH` and `CONTROL_LINES`.
        settings: what its `maquette.json` says, beside what that of the base does.

    Raises MaquetteError("bad-name", "model-exists", "bad-arguments", "no-source"), for what is
    wrong with the files as `layouts.check` does, and for downloads as `download.fetch`.
    """
    _check_name(catalogue, name)
    directory = catalogue.home.models / name
    catalogue.home.make(catalogue.home.models)
    partial = download.partial_directory(directory)
    found = {part: _found(text) for part, text in controls.items()}
    origin = _found(base)
    with download.writing(partial):
        _base(origin, partial, found, progress)
        try:
            for part, where in found.items():
                _control(where, partial, part, progress)
            _configure(partial, settings)
            check(partial)
        except MaquetteError:
            # What the hub gave of the base stays, for another try.
            rest = [partial] if isinstance(origin, Path) else [partial / part for part in found]
            for folder in rest:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        partial.rename(directory)
    return catalogue.present(name)


def _check_name(catalogue: Catalogue, name: str) -> None:
    if not NAME.fullmatch(name):
        raise MaquetteError(
            "bad-name",
            f"{name!r} can't be the name of a model.",
            "Use letters, digits, dots, hyphens and underscores.",
        )
    if name in (entry.name for entry in catalogue.entries()):
        raise MaquetteError(
            "model-exists",
            f"There is a model {name!r} already.",
            f"Choose another name, or run: maquette models remove {name}",
        )


def _found(text: str) -> Path | download.Source:
    """Where a model or a ControlNet is meant to come from."""
    path = Path(text)
    if path.is_dir():
        return path
    if path.is_file():
        raise MaquetteError(
            "no-source",
            f"{path} is a single file, which doesn't hold all of a model.",
            "Give a folder as diffusers writes it; docs/models.md says how to make one of a file.",
        )
    match = _HUB.fullmatch(text)
    if match is None:
        raise MaquetteError(
            "no-source",
            f"There is no folder {text}, and it is no repository either.",
            "Give a folder, or OWNER/NAME of the Hugging Face hub.",
        )
    repository, revision = match["repository"], match["revision"]
    return download.Source(repository, revision or download.commit_of(repository))


def _base(
    origin: Path | download.Source,
    partial: Path,
    controls: Collection[str],
    progress: download.ProgressCallback | None,
) -> None:
    """All but the ControlNets that are given for these folders."""
    if isinstance(origin, download.Source):
        parts = SDXL_PARTS if controls else SD2_PARTS
        whole = download.Source(origin.repository, origin.revision, parts)
        download.arrive([whole], partial, progress)
    folder = origin if isinstance(origin, Path) else partial
    is_xl = family_of(folder) == "sdxl-controlnet"
    if controls and not is_xl:
        raise MaquetteError(
            "bad-arguments",
            "ControlNets are for models of Stable Diffusion XL, which this is not.",
            "Leave --depth and --lines out.",
        )
    if is_xl and CONTROL_DEPTH not in controls and not (folder / CONTROL_DEPTH).is_dir():
        raise MaquetteError(
            "bad-arguments",
            "A model of Stable Diffusion XL is held to depth by a ControlNet, and none is given.",
            "Give --depth FOLDER, or --depth OWNER/NAME of the Hugging Face hub.",
        )
    if isinstance(origin, Path):
        parts = SDXL_PARTS if is_xl else SD2_PARTS
        variant = check_layout(origin, parts)
        for part in parts:
            _take(origin / part, partial / part, variant)
        for part in (CONTROL_DEPTH, CONTROL_LINES):
            if part not in controls and (origin / part).is_dir():
                _control(origin / part, partial, part, progress)
        for name in ("model_index.json", FILE):
            if (origin / name).is_file():
                _link(origin / name, partial / name)


def _control(
    where: Path | download.Source,
    partial: Path,
    part: str,
    progress: download.ProgressCallback | None,
) -> None:
    if isinstance(where, download.Source):
        download.arrive([dataclasses.replace(where, into=part)], partial, progress)
    else:
        _take(where, partial / part, check_parts(where.parent, [where.name]))


def _take(folder: Path, target: Path, variant: str | None) -> None:
    """What a part consists of: its weights of one variant, and all that describes it."""
    target.mkdir(parents=True, exist_ok=True)
    described = [path for path in folder.iterdir() if path.suffix in (".json", ".txt")]
    for path in (*described, *weight_files(folder, variant)):
        _link(path, target / path.name)


def _link(path: Path, target: Path) -> None:
    """The same file by another name, or a copy where file systems don't do that."""
    target.unlink(missing_ok=True)
    try:
        os.link(path.resolve(), target)  # what a hub's cache has are links themselves
    except OSError:
        shutil.copyfile(path, target)


def _configure(partial: Path, settings: Mapping[str, Any]) -> None:
    if settings:
        own = read_json(partial / FILE) if (partial / FILE).is_file() else {}
        # Never into a file that is linked with the base's.
        (partial / FILE).unlink(missing_ok=True)
        (partial / FILE).write_text(json.dumps(own | dict(settings), indent=2) + "\n", "utf-8")
    read_settings(partial)
