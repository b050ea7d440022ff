"""Checks the files of a checkpoint before anything of it is loaded; which ones a family has is in
`layouts`.

Everything that can be wrong with a directory a user points at is found here, from names, sizes
and headers alone, and said in one sentence that names the file: no error of a model library
reaches a user from a damaged download.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from maquette_wire.errors import MaquetteError

PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl", ".msgpack", ".h5")
_RENAMED = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_HEADER_LIMIT = 100_000_000  # the format's own limit, in bytes


def check_layout(directory: Path, parts: Sequence[str]) -> str | None:
    """Check a directory in the layout of a diffusers pipeline; returns the weights' variant.

    parts: its folders, of which only the scheduler's and the tokenizers' have no weights. The
    variant is "fp16" where only half-precision files are there, else None. Raises
    MaquetteError("bad-checkpoint", "missing-part" or "pickle-checkpoint") naming the file and the
    fix.
    """
    if not directory.is_dir():
        raise MaquetteError(
            "missing-part",
            f"There is no model at {directory}.",
            "Give the folder that holds model_index.json.",
        )
    read_json(directory / "model_index.json")
    read_json(directory / "scheduler" / "scheduler_config.json")
    tokenizers = [directory / part for part in parts if part.startswith("tokenizer")]
    for tokenizer in tokenizers:
        if not any((tokenizer / file).is_file() for file in ("tokenizer.json", "vocab.json")):
            raise _missing(tokenizer / "vocab.json")
    rest = [part for part in parts if part != "scheduler" and not part.startswith("tokenizer")]
    return check_parts(directory, rest)


def check_parts(directory: Path, parts: Sequence[str]) -> str | None:
    """Check folders with weights, which are of one variant; returns that, as `check_layout`."""
    for part in parts:
        read_json(directory / part / "config.json")
    for variant in (None, "fp16"):
        found = [weight_files(directory / part, variant) for part in parts]
        if all(found):
            for files in found:
                for file in files:
                    check_safetensors(file)
            return variant
    raise _no_weights(directory, parts)


def weight_files(part: Path, variant: str | None = None) -> list[Path]:
    """The safetensors files of one part, sorted; all shards where it is sharded, [] for none."""
    stem = _stem(part)
    suffix = f".{variant}.safetensors" if variant else ".safetensors"
    single = part / f"{stem}{suffix}"
    if single.is_file():
        return [single]
    index = part / f"{stem}.safetensors.index{f'.{variant}' if variant else ''}.json"
    if not index.is_file():
        return []
    shards = sorted({str(name) for name in read_json(index).get("weight_map", {}).values()})
    for shard in shards:
        if not (part / shard).is_file():
            raise _missing(part / shard)
    return [part / shard for shard in shards]


def safetensors_of(directory: Path) -> list[Path]:
    """Every safetensors file below a directory, sorted by its path inside."""
    return sorted(directory.rglob("*.safetensors"), key=lambda path: path.as_posix())


def check_safetensors(path: Path) -> dict[str, Any]:
    """The header of a safetensors file whose size agrees with it.

    Raises MaquetteError("bad-checkpoint") for a file that is cut off or isn't of that format.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else _HEADER_LIMIT + 1
            header = json.loads(file.read(length)) if length <= _HEADER_LIMIT else None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _damaged(path, "its header is not readable") from error
    except OSError as error:
        raise MaquetteError(
            "bad-checkpoint", f"{path} can't be read: {error.strerror}.", "Check its permissions."
        ) from error
    if not isinstance(header, dict):
        raise _damaged(path, "it is not a safetensors file")
    header.pop("__metadata__", None)
    try:
        end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (TypeError, KeyError, IndexError) as error:
        raise _damaged(path, "its header is not readable") from error
    if size != 8 + length + end:
        raise _damaged(path, f"it has {size:,} bytes and should have {8 + length + end:,}")
    return header


def check_keys(part: str, expected: Sequence[str], files: Sequence[Path]) -> None:
    """Raise MaquetteError("bad-checkpoint") where the files lack tensors that the part needs."""
    stored = {_present_name(name) for file in files for name in check_safetensors(file)}
    missing = sorted(set(expected) - stored)
    if missing:
        raise MaquetteError(
            "bad-checkpoint",
            f"{files[0]} lacks {len(missing)} of the {len(expected)} tensors of the {part} "
            f"that its config.json describes, the first being {missing[0]}.",
            "Fetch the model again, or export it again with save_pretrained.",
        )


def _present_name(name: str) -> str:
    """A tensor of a VAE's attention by its name of today; checkpoints of 2022, Stable Diffusion 2
    depth among them, have others, which diffusers translates too."""
    path, _, last = name.rpartition(".")
    block, _, layer = path.rpartition(".")
    return f"{block}.{_RENAMED[layer]}.{last}" if layer in _RENAMED else name


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of the checkpoint. Raises MaquetteError naming the file."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _damaged(path, "it is not readable JSON") from error
    if not isinstance(value, dict):
        raise _damaged(path, "it is not a JSON object")
    return value


def _stem(part: Path) -> str:
    """What the files with a part's weights begin with: transformers and diffusers differ."""
    return "model" if part.name.startswith("text_encoder") else "diffusion_pytorch_model"


def _no_weights(directory: Path, parts: Sequence[str]) -> MaquetteError:
    for part in parts:
        if weight_files(directory / part) or weight_files(directory / part, "fp16"):
            continue
        pickle = next(_pickles(directory / part), None)
        if pickle is None:
            return _missing(directory / part / f"{_stem(Path(part))}.safetensors")
        return MaquetteError(
            "pickle-checkpoint",
            f"{pickle} is a pickle, which can run code when it is opened; only safetensors are "
            "loaded.",
            "Get the model's safetensors files, or convert it where you trust it: load it with "
            "diffusers and call save_pretrained(folder, safe_serialization=True).",
        )
    return MaquetteError(
        "missing-part",
        f"The weights in {directory} are partly full and partly half precision files.",
        f"Keep one kind for {' and '.join(parts)}.",
    )


def _pickles(part: Path) -> Iterator[Path]:
    return (path for path in sorted(part.glob("*")) if path.suffix in PICKLES)


def _missing(path: Path) -> MaquetteError:
    return MaquetteError(
        "missing-part",
        f"The model lacks {path}.",
        "Fetch the model again, or export it again with save_pretrained.",
    )


def _damaged(path: Path, reason: str) -> MaquetteError:
    return MaquetteError(
        "bad-checkpoint",
        f"{path} is damaged or cut off: {reason}.",
        "Fetch the model again, or export it again with save_pretrained.",
    )
