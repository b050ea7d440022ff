"""One file with a message and its frames: captures and results at rest.

Layout, little-endian::

    0   8 bytes   magic, with the line endings that a text-mode copy would damage
    8   uint32    version of this layout: 1, or 2 where frames are compressed
    12  uint32    bytes of the message
    16  uint64    bytes of the whole file
    24  uint32    CRC-32 of the message
    28  uint32    zero
    32            the message as msgpack (see ``messages``); in version 2, a uint64 for each frame,
                  the bytes that it takes here; then the frames in their order, each starting at a
                  multiple of 64 bytes: raw arrays, in version 2 as their headers' codecs say

A file appears under its name only when it is complete, and is read memory-mapped: a raw frame costs
nothing until it is looked at.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import MaquetteError
from .messages import Codec, Limits, Message, Result, Submit
from .packing import MESSAGE_BYTES, Packet, decode, headers_of, pack, size_of, unpack

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAGIC = b"\x93MQT\r\n\x1a\n"
VERSION, COMPRESSED = 1, 2
SUFFIX = ".maquette"
ALIGNMENT = 64
_HEADER = struct.Struct("<8sIIQII")
_SIZE_BYTES = 8
_KINDS: Any = Submit | Result


def write(
    path: Path,
    message: Message,
    frames: Sequence[Buffer],
    *,
    codec: Codec = "raw",
    sync: bool = False,
) -> None:
    """Write a message and its frames; the file replaces an older one in one step.

    Args:
        codec: ``raw`` or ``zstd``; a frame that zstd doesn't make smaller is raw all the same.
        sync: wait until the disk has it, so that it survives a power cut as well.

    Raises OSError (a full disk, for instance); nothing is left behind then.
    """
    head, *parts = pack(message, frames, codec=codec)
    text = memoryview(head)
    sizes = [memoryview(part).nbytes for part in parts]
    table = b"" if codec == "raw" else struct.pack(f"<{len(sizes)}Q", *sizes)
    offsets = _offsets(text.nbytes + len(table), sizes)
    version = VERSION if codec == "raw" else COMPRESSED
    header = _HEADER.pack(MAGIC, version, text.nbytes, offsets[-1], zlib.crc32(text), 0)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb", buffering=0) as file:
            for piece in (header, text, table):
                _write_all(file.fileno(), piece)
            position = _HEADER.size + text.nbytes + len(table)
            for offset, size, part in zip(offsets, sizes, parts, strict=False):
                _write_all(file.fileno(), bytes(offset - position))
                _write_all(file.fileno(), part)
                position = offset + size
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
        if sync:
            _sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            temporary.unlink(missing_ok=True)
        raise


def read(path: Path, limits: Limits | None = None, kind: Any = _KINDS) -> Packet:
    """The message and frames of a file, mapped into memory.

    The mapping lives as long as one of the raw frames does; Windows can't delete the file until
    then.

    Raises MaquetteError("bad-file") naming the file where it is foreign, damaged or cut off,
    MaquetteError("no-codec") where this Python can't decompress it, and FileNotFoundError,
    PermissionError as the system does.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _HEADER.size:
            raise _bad(path, f"has only {size} bytes")
        data = memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))
    magic, version, length, whole, checksum, _ = _HEADER.unpack_from(data)
    if magic != MAGIC:
        raise _bad(path, "is no capture or result of Maquette")
    if version not in (VERSION, COMPRESSED):
        raise _bad(path, f"has layout version {version}, this Maquette reads {COMPRESSED} at most")
    if whole != size or length > min(size - _HEADER.size, MESSAGE_BYTES):
        raise _bad(path, f"has {size} bytes and says that it has {whole}: it was cut off")
    text = data[_HEADER.size : _HEADER.size + length]
    if zlib.crc32(text) != checksum:
        raise _bad(path, "is damaged: its checksum doesn't fit")
    try:
        sizes = [size_of(header) for header in headers_of(decode(text, kind))]
        head = length
        if version == COMPRESSED:
            head += _SIZE_BYTES * len(sizes)
            if _HEADER.size + head > size:
                raise _bad(path, "is damaged: its frames don't fill it")
            sizes = struct.unpack_from(f"<{len(sizes)}Q", data, _HEADER.size + length)
        offsets = _offsets(head, sizes)
        if min(sizes, default=0) < 0 or offsets[-1] != size:
            raise _bad(path, "is damaged: its frames don't fill it")
        parts = [data[start : start + count] for start, count in zip(offsets, sizes, strict=False)]
        return unpack([text, *parts], kind, limits)
    except MaquetteError as error:
        if error.code != "bad-message":
            raise
        raise _bad(path, f"can't be read: {error.sentence[:-1]}") from error


def _offsets(head_bytes: int, sizes: Sequence[int]) -> list[int]:
    """Where each frame starts, and last where the file ends."""
    offsets = []
    position = _HEADER.size + head_bytes
    for size in sizes:
        position += -position % ALIGNMENT
        offsets.append(position)
        position += size
    return [*offsets, position]


def _write_all(handle: int, data: Buffer) -> None:
    rest = memoryview(data).cast("B")
    while rest.nbytes:
        rest = rest[os.write(handle, rest) :]


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _bad(path: Path, what: str) -> MaquetteError:
    return MaquetteError("bad-file", f"The file {path} {what}.", "Make the capture or job again.")
