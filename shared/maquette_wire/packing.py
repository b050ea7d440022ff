"""Message and frames to the parts of one multipart message, and back.

Everything that comes in is a stranger's until it has passed here: the type of the message, the
number, sizes and types of its frames, and a server's limits are checked before a frame is mapped,
copied or decompressed.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from . import codecs
from .capture import ITEM_BYTES
from .errors import MaquetteError
from .exchange import WORTH_BYTES, Exchange, finish
from .limits import JOB, check_submit
from .material import MAPS
from .messages import (
    Codec,
    FramedMessage,
    FrameHeader,
    FromClient,
    FromServer,
    Limits,
    Message,
    Progress,
    Result,
    Submit,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

MESSAGE_BYTES = 4 * 1024 * 1024
"""Size of the msgpack part at most."""
RANK = 4
"""Dimensions of a frame at most."""
_PICTURES = {
    **dict.fromkeys(("color", "concept", "preview", "picture"), (("u1",), (3,))),
    "texture": (("u1", "u2"), (3,)),
    "depth": (("f4",), ()),
    "encoded_depth": (("u1",), ()),
    **{name: ((dtype,), rest) for name, (dtype, rest) in MAPS.items()},
}
"""Types and channels of frames [height, width, ...]."""
_TRIANGLES = {"corners": (("f4",), (3, 3)), "uvs": (("f4",), (3, 2))}
"""Types and what there is of each triangle, of frames [triangles, ...]."""
_CARRIED = {
    Submit: ("color", "depth", "picture", "corners", "uvs"),
    Progress: ("preview",),
    Result: ("concept", "encoded_depth", "texture", *MAPS),
}


class Packet(NamedTuple):
    """A message and the bytes of its frames, in the order of ``message.frames``."""

    message: Any
    frames: list[memoryview]


class BadMessage(MaquetteError):
    """What arrived can't be used; ``job`` is the job it names, empty where it names none."""

    def __init__(self, code: str, sentence: str, hint: str = "", job: str = "") -> None:
        super().__init__(code, sentence, hint)
        self.job = job


def pack(
    message: Message,
    frames: Sequence[Buffer] = (),
    *,
    codec: Codec = "raw",
    exchange: Exchange | None = None,
) -> list[Buffer]:
    """The parts of a multipart message.

    Args:
        message: any message; the codecs in its frame headers are replaced by those used.
        frames: one buffer for each entry of ``message.frames``.
        codec: ``raw``, ``zstd``, or ``file`` with ``exchange``. A frame that the codec doesn't
            make smaller, or that is too small for a file, travels raw.
    """
    return finish(pack_in_steps(message, frames, codec=codec, exchange=exchange))


def pack_in_steps(
    message: Message,
    frames: Sequence[Buffer] = (),
    *,
    codec: Codec = "raw",
    exchange: Exchange | None = None,
) -> Generator[None, None, list[Buffer]]:
    """:func:`pack` in steps of a few milliseconds, for a thread that has something else to do.

    Compressing is one step for each frame.
    """
    headers = headers_of(message)
    if len(headers) != len(frames):
        raise ValueError(f"{len(headers)} frame headers for {len(frames)} frames")
    used: list[FrameHeader] = []
    parts: list[Buffer] = []
    for header, frame in zip(headers, frames, strict=True):
        raw = memoryview(frame).cast("B")
        if raw.nbytes != size_of(header):
            raise ValueError(f"frame {header.name!r} has {raw.nbytes} bytes, not {header.shape}")
        chosen, part = yield from _encoded(raw, header, codec, exchange)
        used.append(msgspec.structs.replace(header, codec=chosen))
        parts.append(part)
    if headers:
        message = msgspec.structs.replace(message, frames=tuple(used))
    return [msgspec.msgpack.encode(message), *parts]


def unpack(
    parts: Sequence[Buffer],
    kind: Any,
    limits: Limits | None = None,
    exchange: Exchange | None = None,
) -> Packet:
    """The message and frames of a multipart message.

    Args:
        parts: the parts as received, without a routing id.
        kind: ``FromClient``, ``FromServer`` or one message type; anything else is refused.
        limits: what to accept; ``Limits()`` where None.
        exchange: the folder where frames with codec ``file`` are; without it they are refused.

    Raises BadMessage (a MaquetteError), also for random bytes and for a Submit beyond limits.
    """
    limits = limits or Limits()
    if not parts:
        raise BadMessage("bad-message", "A message has no parts.")
    message = decode(parts[0], kind)
    job = getattr(message, "job", "")
    try:
        headers = headers_of(message)
        if len(parts) - 1 != len(headers):
            raise MaquetteError(
                "bad-message",
                f"A message announces {len(headers)} frames and carries {len(parts) - 1}.",
            )
        check_frames(message, headers, limits)
        _check_parts(parts, headers)
        if isinstance(message, Submit):
            check_submit(message, limits)
        frames = [
            _decoded(part, header, exchange)
            for part, header in zip(parts[1:], headers, strict=True)
        ]
    except MaquetteError as error:
        raise BadMessage(error.code, error.sentence, error.hint, job) from error
    return Packet(message, frames)


def decode(part: Buffer, kind: Any) -> Any:
    """A message from its msgpack part. Raises BadMessage."""
    size = memoryview(part).nbytes
    if size > MESSAGE_BYTES:
        raise BadMessage(
            "bad-message", f"A message of {size} bytes is larger than {MESSAGE_BYTES} allowed."
        )
    try:
        return _decoder(kind).decode(part)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadMessage(
            "bad-message",
            f"These bytes are not a message of Maquette's protocol: {error}.",
            "Check that both ends are Maquette, of versions that fit together.",
            _job_of(part),
        ) from error


class _OfJob(msgspec.Struct):
    """What a message about a job has, whatever else is wrong with it."""

    job: str = ""


def _job_of(part: Buffer) -> str:
    """The job that a message which can't be read is about; empty where that can't be told."""
    try:
        named = _decoder(_OfJob).decode(part).job
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    return named if JOB.fullmatch(named) else ""


def headers_of(message: Message) -> tuple[FrameHeader, ...]:
    """The frame headers of a message; none for a message without frames."""
    return message.frames if isinstance(message, FramedMessage) else ()


def size_of(header: FrameHeader) -> int:
    """Bytes of a frame as an array."""
    return ITEM_BYTES[header.dtype] * math.prod(header.shape)


def check_frames(message: Message, headers: Sequence[FrameHeader], limits: Limits) -> None:
    """Check what headers announce against what this kind of message may carry.

    Raises MaquetteError("bad-message"), ("capture-too-large") or ("job-too-large").
    """
    allowed = _CARRIED.get(type(message), ())
    most = max(limits.captures, limits.pictures)
    if len(headers) > 3 * most + len(_TRIANGLES):
        raise MaquetteError("bad-message", f"A message announces {len(headers)} frames.")
    total = 0
    for header in headers:
        name, shape = header.name, header.shape
        dtypes, rest = _PICTURES.get(name) or _TRIANGLES.get(name) or ((), ())
        leading = 2 if name in _PICTURES else 1
        if (
            name not in allowed
            or header.dtype not in dtypes
            or len(shape) != leading + len(rest)
            or shape[leading:] != rest
            or min(shape) < 1
            or not 0 <= header.index < most
        ):
            raise MaquetteError(
                "bad-message",
                f"A {type(message).__name__.lower()} can't carry the frame {name[:40]!r} "
                f"{header.dtype} {list(shape[:RANK])}.",
            )
        if name in _PICTURES:
            _check_picture(header, limits)
        elif shape[0] > limits.triangles:
            raise MaquetteError(
                "surface-too-large",
                f"The model has {shape[0]} triangles, the server takes {limits.triangles}.",
                "Texture fewer objects at a time, or simplify them.",
            )
        total += size_of(header)
    if total > limits.job_bytes:
        raise MaquetteError(
            "job-too-large",
            f"The frames of a message hold {total / 2**20:.0f} MiB.",
            f"Use fewer or smaller views: at most {limits.job_bytes / 2**20:.0f} MiB are accepted.",
        )


def _check_picture(header: FrameHeader, limits: Limits) -> None:
    height, width = header.shape[:2]
    most = limits.texels if header.name == "texture" else limits.pixels
    if max(height, width) > limits.side_max or height * width > most:
        raise MaquetteError(
            "capture-too-large",
            f"A {header.name} frame is {width} x {height} pixels.",
            f"Use at most {limits.side_max} pixels a side and {most / 1e6:.1f} megapixels.",
        )


def _check_parts(parts: Sequence[Buffer], headers: Sequence[FrameHeader]) -> None:
    for header, part in zip(headers, parts[1:], strict=True):
        size, limit = memoryview(part).nbytes, size_of(header)
        if size != limit if header.codec == "raw" else size > limit:
            raise MaquetteError(
                "bad-message",
                f"The frame {header.name!r} has {size} bytes, its header says {limit}.",
            )


def _encoded(
    raw: memoryview, header: FrameHeader, codec: Codec, exchange: Exchange | None
) -> Generator[None, None, tuple[Codec, Buffer]]:
    if codec == "file" and exchange is not None and raw.nbytes >= WORTH_BYTES:
        return "file", (yield from exchange.put_in_steps(raw))
    if codec == "zstd":
        packed = codecs.encode(raw, header.dtype)
        yield
        if len(packed) < raw.nbytes:
            return "zstd", packed
    return "raw", raw


def _decoded(part: Buffer, header: FrameHeader, exchange: Exchange | None) -> memoryview:
    if header.codec == "raw":
        return memoryview(part).cast("B")
    if header.codec == "zstd":
        return codecs.decode(part, header.dtype, size_of(header))
    if exchange is None:
        raise MaquetteError(
            "bad-message", "A frame names a file, and this connection has no exchange folder."
        )
    return exchange.take(part, size_of(header))


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


FROM_CLIENT: Any = FromClient
FROM_SERVER: Any = FromServer
# A decoder takes some 10 ms to make: now, as an add-on is switched on, not while its user works.
for _kind in (FROM_CLIENT, FROM_SERVER):
    _decoder(_kind)
