"""Fetches a model from a hub: pinned to a commit, resumed where it stopped, verified file by file.

Files arrive in a folder of their own beside the model's and get the model's name only when all of
them are there and verified, so a model in the catalogue is always complete. An interrupted file
keeps what it has; the next attempt asks for the rest. `HF_ENDPOINT` chooses another hub,
`HF_TOKEN` an account; `MAQUETTE_OFFLINE=1` or `HF_HUB_OFFLINE=1` forbids all of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from maquette_wire.errors import MaquetteError

ProgressCallback = Callable[[str, int, int], None]
"""(file, bytes of the whole model that are here, bytes of the whole model)."""

OFFLINE_VARIABLE = "MAQUETTE_OFFLINE"
_ROOT_FILES = ("model_index.json", "maquette.json", "README.md", "LICENSE", "LICENSE.md")
_PART_FILES = ("config.json", "diffusion_pytorch_model.")
"""What the files begin with that a repository of a single part is fetched for."""
_SPARE_BYTES = 64 * 1024**2  # left free on the disk


@dataclass(frozen=True)
class Source:
    """Where a model, or a part of it, comes from.

    Attributes:
        repository: "owner/name" on the hub.
        revision: the commit, 40 hex digits.
        parts: folders that are fetched; of their weights only safetensors, in half precision where
            every part has them. Without any, the repository itself is one part.
        sha256: hashes by path that a file must have, whatever the hub says of it.
        into: the model's folder for that part.
    """

    repository: str
    revision: str
    parts: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    into: str = ""


@dataclass(frozen=True)
class _File:
    """A file of a source at its pinned revision. `sha256` is None for small ones kept in git
    itself, whose `blob` is git's hash."""

    source: Source
    path: str
    size: int
    sha256: str | None
    blob: str


def offline() -> str | None:
    """The name of the environment variable that forbids downloads, None where they are allowed."""
    for name in (OFFLINE_VARIABLE, "HF_HUB_OFFLINE"):
        if os.environ.get(name, "").strip().lower() in ("1", "true", "yes", "on"):
            return name
    return None


def partial_directory(directory: Path) -> Path:
    """Where a model's files are while they arrive."""
    return directory.with_name(f".{directory.name}.partial")


def fetch(
    sources: Sequence[Source], directory: Path, progress: ProgressCallback | None = None
) -> None:
    """Download what of a model is missing into `directory`.

    What `progress` raises ends the download, which can be resumed. Raises MaquetteError with code
    "offline", "hub-unreachable", "model-not-found", "disk-full" or "bad-download".
    """
    if (directory / "model_index.json").is_file():
        return
    check_online(sources[0].repository)
    partial = partial_directory(directory)
    with writing(partial):
        arrive(sources, partial, progress)
        partial.rename(directory)


def arrive(
    sources: Sequence[Source], partial: Path, progress: ProgressCallback | None = None
) -> None:
    """Download what of a model is missing into a folder that is not the model's yet; as `fetch`."""
    files = [file for source in sources for file in _choose(_list(source), source)]
    partial.mkdir(parents=True, exist_ok=True)
    _check_space(files, partial)
    _download_all(files, partial, progress or _silent)


@contextmanager
def writing(partial: Path) -> Iterator[None]:
    """Inside, a model's files are written; raises MaquetteError("disk-full", "bad-download")."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise MaquetteError(
            "disk-full" if error.errno == 28 else "bad-download",
            f"{partial} can't be written: {error.strerror}.",
            "Free some space or correct its permissions, and try again: it resumes.",
        ) from error


def commit_of(repository: str) -> str:
    """The commit that a repository is at now. Raises MaquetteError as `fetch` does."""
    check_online(repository)
    from huggingface_hub import HfApi

    with _hub_errors(Source(repository, "main")):
        found = HfApi(endpoint=_endpoint()).repo_info(repository).sha
    assert found is not None
    return found


def check_online(repository: str) -> None:
    """Raise MaquetteError("offline") where downloads are forbidden."""
    switch = offline()
    if switch is not None:
        raise MaquetteError(
            "offline",
            f"{switch} forbids downloads, and {repository} is not on this machine.",
            f"Unset {switch}, or take a copy of it from another machine.",
        )


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _list(source: Source) -> list[_File]:
    # Imported where it is needed: it costs half a second that a server's start need not wait for.
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    with _hub_errors(source):
        entries = HfApi(endpoint=_endpoint()).list_repo_tree(
            source.repository, recursive=True, revision=source.revision
        )
        return [
            _File(
                source,
                entry.path,
                entry.size,
                entry.lfs.sha256 if entry.lfs else None,
                entry.blob_id,
            )
            for entry in entries
            if isinstance(entry, RepoFile)
        ]


def _choose(files: Sequence[_File], source: Source) -> list[_File]:
    """What to fetch: the parts' configurations, and one kind of safetensors for all of them."""
    wanted, weights = [], []
    for file in files:
        path = PurePosixPath(file.path)
        if source.parts and file.path in _ROOT_FILES:
            wanted.append(file)
        elif path.parent.as_posix() in (source.parts or (".",)):
            if not source.parts and not path.name.startswith(_PART_FILES):
                continue
            if path.suffix == ".safetensors" or path.name.endswith(".index.json"):
                weights.append(file)
            elif path.suffix in (".json", ".txt"):
                wanted.append(file)
    half = [file for file in weights if ".fp16." in file.path]
    if _folders(half) == _folders(weights):
        weights = half
    else:
        weights = [file for file in weights if ".fp16." not in file.path]
    described = "model_index.json" if source.parts else "config.json"
    if not weights or not any(file.path == described for file in wanted):
        raise MaquetteError(
            "model-not-found",
            f"{source.repository} has no safetensors in diffusers' layout at {source.revision}.",
            "Report it, or put a copy of the model into Maquette's folder of models.",
        )
    return sorted([*wanted, *weights], key=lambda file: file.path)


def _folders(files: Sequence[_File]) -> set[str]:
    return {PurePosixPath(file.path).parent.as_posix() for file in files}


def _check_space(files: Sequence[_File], partial: Path) -> None:
    here = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    needed = sum(file.size for file in files) - here + _SPARE_BYTES
    free = shutil.disk_usage(partial).free
    if needed > free:
        raise MaquetteError(
            "disk-full",
            f"The model needs {needed / 1e9:.1f} GB more in {partial.parent}, where "
            f"{free / 1e9:.1f} GB are free.",
            "Free some space, or set MAQUETTE_HOME to a folder on another disk.",
        )


def _download_all(files: Sequence[_File], partial: Path, progress: ProgressCallback) -> None:
    total = sum(file.size for file in files)
    before = 0
    for file in files:
        target = partial / file.source.into / file.path
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            # Named by content: what is left of another version is never resumed.
            arriving = target.with_name(f"{target.name}.{(file.sha256 or file.blob)[:12]}.part")
            _download(file, arriving, _counter(progress, file.path, before, total))
            _verify(file, arriving)
            arriving.replace(target)
        before += file.size
        progress(file.path, before, total)


def _download(file: _File, arriving: Path, bar: type[Any]) -> None:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    source = file.source
    url = hf_hub_url(source.repository, file.path, revision=source.revision, endpoint=_endpoint())
    with arriving.open("ab") as stream, _hub_errors(source):
        here = stream.tell()
        if here < file.size:
            http_get(
                url,
                stream,
                resume_size=here,
                headers=build_hf_headers(),
                expected_size=file.size,
                tqdm_class=bar,
            )


def _verify(file: _File, arriving: Path) -> None:
    """Delete a file that isn't what the pinned commit says, and say so."""
    source = file.source
    pinned = source.sha256.get(file.path)
    if file.sha256 is None and pinned is None:
        whole = arriving.read_bytes()
        start = f"blob {len(whole)}\0".encode()
        good = hashlib.sha1(start + whole, usedforsecurity=False).hexdigest() == file.blob
    else:
        found = sha256_of(arriving)
        good = all(found == wanted for wanted in (file.sha256, pinned) if wanted is not None)
    if not good:
        arriving.unlink()
        raise MaquetteError(
            "bad-download",
            f"{file.path} of {source.repository} arrived with another content than its hash says.",
            "Fetch again; where it happens twice, the source or a proxy on the way is not to be "
            "trusted.",
        )


class _hub_errors(AbstractContextManager[None]):
    """Turns the hub library's errors into ours."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        from httpx2 import HTTPError  # what the hub library speaks HTTP with
        from huggingface_hub.errors import (
            EntryNotFoundError,
            HfHubHTTPError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )

        name = self._source.repository
        if isinstance(error, RepositoryNotFoundError | RevisionNotFoundError | EntryNotFoundError):
            raise MaquetteError(
                "model-not-found",
                f"{_endpoint() or 'The hub'} does not have {name} at {self._source.revision}.",
                "It may have been taken down: put a copy of the model into Maquette's folder of "
                "models.",
            ) from error
        lost = isinstance(error, OSError) and error.errno is None  # the hub's consistency check
        if lost or isinstance(error, HTTPError | HfHubHTTPError | ConnectionError | TimeoutError):
            raise MaquetteError(
                "hub-unreachable",
                f"The connection to {_endpoint() or 'the hub'} failed while fetching {name}: "
                f"{_first_line(error)}.",
                "Check the network and fetch again: it resumes where it stopped.",
            ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


def _endpoint() -> str | None:
    # Read at each call: the library itself reads it once, when it is imported.
    return os.environ.get("HF_ENDPOINT") or None


def _counter(progress: ProgressCallback, path: str, before: int, total: int) -> type[Any]:
    """What the hub library takes for a progress bar: a class that counts for `progress`."""

    class Counter:
        def __init__(self, *, initial: int = 0, **_: object) -> None:
            self._here = initial

        def __enter__(self) -> Counter:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing is drawn, so nothing is to be closed."""

        def update(self, count: float = 1) -> None:
            self._here += int(count)
            progress(path, min(before + self._here, total), total)

    return Counter


def _silent(path: str, here: int, total: int) -> None:
    """Nobody watches."""
