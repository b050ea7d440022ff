"""The models: the built-in ones and a user's own, where they are, what they hash to.

No model library is imported here, so that the server's loop can list models at once.

A user's own model is a folder in `Home.models` in the layout of a family (`families.layouts`),
named as it is to be called, which `adding` can make; a LoRA is a safetensors file in `Home.loras`,
or in the folder `loras` of the model that it is for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import ModelInfo

from . import download, samplers
from .families.checkpoint import safetensors_of
from .families.layouts import (
    CONTROL_DEPTH,
    CONTROL_LINES,
    ESTIMATOR,
    SD2_PARTS,
    SDXL_PARTS,
    family_of,
    takes_lines,
)
from .families.settings import ModelSettings, read_settings

POCKET = "pocket"
"""The model that comes with Maquette."""
POCKET_VARIABLE = "MAQUETTE_POCKET"
"""Names a folder to use as the pocket model, while one is being made."""

OWN_LORAS = "loras"

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue.

    Attributes:
        name: what a recipe calls it.
        title, licence, family: for the user's eyes, and how it is run.
        directory: where its files are, or would be once fetched.
        sources: where it is fetched from; none for one that is only ever local.
        built_in: whether it is part of this installation, so that it can't be removed.
    """

    name: str
    title: str
    licence: str
    family: str
    directory: Path
    sources: tuple[download.Source, ...] = ()
    built_in: bool = False

    @property
    def present(self) -> bool:
        """Whether its files are on this machine, complete."""
        return (self.directory / "model_index.json").is_file()


SD2_DEPTH = download.Source(
    # A community mirror: the model's makers took their repository down in November 2025.
    repository="sd2-community/stable-diffusion-2-depth",
    # Named by several independent public projects as the mirror's commit. A commit fixes every
    # file's SHA-256; what the hub lists for it is what a download is verified against.
    revision="6cb92dd9430a7f6da8d9e99d7b60acdebcc348b7",
    parts=SD2_PARTS,
)

# Commits that many independent public projects pin.
SDXL = (
    download.Source(
        repository="stabilityai/stable-diffusion-xl-base-1.0",
        revision="462165984030d82259a11f4367a4eed129e94a7b",
        parts=SDXL_PARTS,
    ),
    download.Source(
        repository="diffusers/controlnet-depth-sdxl-1.0",
        revision="17bb97973f29801224cd66f192c5ffacf82648b4",
        into=CONTROL_DEPTH,
    ),
    download.Source(
        repository="diffusers/controlnet-canny-sdxl-1.0",
        revision="eb115a19a10d14909256db740ed109532ab1483c",
        into=CONTROL_LINES,
    ),
)


class Catalogue:
    """The models and LoRAs that one user can name in a recipe.

    extra: folders of further models, each used under its own name; they win over equal names.
    """

    def __init__(self, home: Home | None = None, extra: Sequence[Path] = ()) -> None:
        self.home = home or Home.default()
        self._extra = tuple(extra)

    def entries(self) -> tuple[Entry, ...]:
        """All models: the built-in ones, then the user's by name."""
        built_in = (self._pocket(), self._sd2_depth(), self._sdxl())
        found = {entry.name: entry for entry in built_in}
        own = sorted(self.home.models.iterdir()) if self.home.models.is_dir() else []
        for folder in (*own, *self._extra):
            if folder.name in found and folder.parent == self.home.models:
                continue
            if (folder / "model_index.json").is_file() and NAME.fullmatch(folder.name):
                found[folder.name] = self._local(folder)
        return tuple(found.values())

    def find(self, name: str) -> Entry:
        """The entry of a name. Raises MaquetteError("unknown-model") listing those there are."""
        entries = {entry.name: entry for entry in self.entries()}
        if name not in entries:
            here = [entry.name for entry in entries.values() if entry.present]
            away = [entry.name for entry in entries.values() if not entry.present and entry.sources]
            fetch = f", fetch {' or '.join(away)}" if away else ""
            raise MaquetteError(
                "unknown-model",
                f"There is no model {name!r}.",
                f"Use {' or '.join(here)}{fetch}, or put its folder into {self.home.models}.",
            )
        return entries[name]

    def present(self, name: str) -> Entry:
        """The entry of a name whose files are here. Raises MaquetteError also where they aren't."""
        entry = self.find(name)
        if entry.present:
            return entry
        if not entry.sources:
            raise MaquetteError(
                "model-not-here",
                f"The model {name!r} is not in {entry.directory}.",
                "Install Maquette again, or use another model.",
            )
        raise MaquetteError(
            "model-not-here",
            f"The model {name!r} has not been fetched yet.",
            f"Run: maquette models fetch {name}",
        )

    def infos(self) -> tuple[ModelInfo, ...]:
        """What a client is told about the models that can run now.

        One whose `maquette.json` can't be read is left out; asking for it by name says why.
        """
        loras = self.lora_names()
        infos = []
        for entry in self.entries():
            if not entry.present:
                continue
            try:
                settings = read_settings(entry.directory)
            except MaquetteError:
                continue
            lines = takes_lines(entry.directory)
            infos.append(
                ModelInfo(
                    name=entry.name,
                    title=entry.title,
                    family=entry.family,
                    licence=entry.licence,
                    native_size=settings.native_size,
                    steps=settings.steps,
                    sampler=settings.sampler,
                    guidance=settings.guidance,
                    loras=loras,
                    samplers=samplers.offered(entry.directory, settings.sampler, settings.steps),
                    facades=settings.depth.recess > 0.0 or lines,
                    lines=lines,
                )
            )
        return tuple(infos)

    def fetch(self, name: str, progress: download.ProgressCallback | None = None) -> Entry:
        """Download a model, or what of it is missing; see `download.fetch`."""
        entry = self.find(name)
        if entry.sources:
            self.home.make(self.home.models)
            download.fetch(entry.sources, entry.directory, progress)
        return self.present(name)

    def remove(self, name: str) -> int:
        """Delete a model's files; returns the bytes freed. Raises MaquetteError.

        A model outside `Home.models` is somebody else's and stays.
        """
        entry = self.find(name)
        if entry.built_in or entry.directory.parent != self.home.models:
            raise MaquetteError(
                "model-not-removable",
                f"The model {name!r} is in {entry.directory}, which is not Maquette's to delete.",
                "Remove that folder yourself if you don't need it.",
            )
        partial = download.partial_directory(entry.directory)
        folders = [folder for folder in (entry.directory, partial) if folder.is_dir()]
        size = sum(p.stat().st_size for f in folders for p in f.rglob("*") if p.is_file())
        for folder in folders:
            shutil.rmtree(folder)
        return size

    # --- LoRAs ----------------------------------------------------------------------------------

    def lora_names(self) -> tuple[str, ...]:
        """Names of the LoRAs in `Home.loras`."""
        folder = self.home.loras
        return tuple(sorted(path.stem for path in folder.glob("*.safetensors")))

    def lora(self, name: str, entry: Entry) -> Path:
        """The file of a LoRA for a model: one that came with it, else one of the user's.

        Raises MaquetteError("unknown-lora").
        """
        own = entry.directory / OWN_LORAS / f"{name}.safetensors"
        if NAME.fullmatch(name) and own.is_file():
            return own
        names = self.lora_names()
        if name not in names:
            raise MaquetteError(
                "unknown-lora",
                f"There is no LoRA {name!r}.",
                f"Use one of {', '.join(names)}."
                if names
                else f"Put its safetensors file into {self.home.loras}.",
            )
        return self.home.loras / f"{name}.safetensors"

    # --- hashes ---------------------------------------------------------------------------------

    def hash_of(self, entry: Entry) -> str:
        """SHA-256 over a model's safetensors files: of lines "path sha256", sorted by path. The
        LoRAs that came with it and its depth estimator, which don't paint, are left out.

        A file's own hash is kept with its size and time of change, and only computed again where
        these differ. Raises MaquetteError("bad-checkpoint") for a file that can't be read.
        """
        known = self._known_hashes()
        fresh = dict(known)
        total = hashlib.sha256()
        for file in safetensors_of(entry.directory):
            if file.relative_to(entry.directory).parts[0] in (OWN_LORAS, ESTIMATOR):
                continue  # what they do is named by a recipe, and by a source
            try:
                stat = file.stat()
                key, stamp = str(file.absolute()), f"{stat.st_size} {stat.st_mtime_ns}"
                if fresh.get(key, ["", ""])[0] != stamp:
                    fresh[key] = [stamp, download.sha256_of(file)]
            except OSError as error:
                raise MaquetteError(
                    "bad-checkpoint",
                    f"{file} can't be read: {error.strerror}.",
                    "Check its permissions and the disk.",
                ) from error
            relative = file.relative_to(entry.directory).as_posix()
            total.update(f"{relative} {fresh[key][1]}\n".encode())
        if fresh != known:
            self._keep_hashes(fresh)
        return total.hexdigest()

    def _known_hashes(self) -> dict[str, list[str]]:
        try:
            kept = json.loads(self.home.hashes.read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # a cache: what isn't there is computed
        return kept if isinstance(kept, dict) else {}

    def _keep_hashes(self, hashes: dict[str, list[str]]) -> None:
        self.home.make()
        temporary = self.home.hashes.with_suffix(f".{os.getpid()}.tmp")
        existing = {key: value for key, value in hashes.items() if Path(key).exists()}
        temporary.write_text(json.dumps(existing, indent=1), "utf-8")
        temporary.replace(self.home.hashes)

    # --- the entries ----------------------------------------------------------------------------

    def _pocket(self) -> Entry:
        given = os.environ.get(POCKET_VARIABLE)
        directory = Path(given) if given else Path(__file__).parent / "pocket"
        settings = _settings_or_default(directory)
        return Entry(
            name=POCKET,
            title=settings.title or "Pocket",
            licence=settings.licence,
            family=family_of(directory),
            directory=directory,
            built_in=True,
        )

    def _sd2_depth(self) -> Entry:
        return Entry(
            name="sd2-depth",
            title="Stable Diffusion 2 depth",
            licence="openrail++",
            family="sd2-depth",
            directory=self.home.models / "sd2-depth",
            sources=(SD2_DEPTH,),
        )

    def _sdxl(self) -> Entry:
        return Entry(
            name="sdxl",
            title="Stable Diffusion XL, depth and lines",
            licence="openrail++",
            family="sdxl-controlnet",
            directory=self.home.models / "sdxl",
            sources=SDXL,
        )

    def _local(self, folder: Path) -> Entry:
        settings = _settings_or_default(folder)
        return Entry(
            name=folder.name,
            title=settings.title or folder.name,
            licence=settings.licence,
            family=family_of(folder),
            directory=folder,
        )


def _settings_or_default(directory: Path) -> ModelSettings:
    """For a list of models, which one unreadable file must not empty."""
    try:
        return read_settings(directory)
    except MaquetteError:
        return ModelSettings()
