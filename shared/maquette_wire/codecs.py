"""Frame codecs for slow links: zstd, with the bytes of floats grouped by significance.

Loopback and fast networks use ``raw``; a client that is far away asks for ``zstd`` in its hello.
The module comes from Blender's own Python (``zstandard``) or from Python 3.14
(``compression.zstd``); without either this end just doesn't name the codec.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Protocol

from .errors import MaquetteError
from .messages import Codec, Dtype

if TYPE_CHECKING:
    from typing_extensions import Buffer

LEVEL = 1  # a street-level capture at level 9 is a few percent smaller and ten times slower


class _Zstd(Protocol):
    """What the two zstd modules are reduced to here."""

    def compress(self, data: Buffer) -> bytes: ...

    def content_size(self, data: Buffer) -> int | None:
        """The size that the compressed frame declares; None where it declares none."""
        ...

    def decompress(self, data: Buffer, size: int) -> bytes:
        """At most ``size`` bytes. Raises ValueError for damaged data."""
        ...


class _Zstandard:
    """The third-party module."""

    def __init__(self) -> None:
        self._module = importlib.import_module("zstandard")

    def compress(self, data: Buffer) -> bytes:
        return self._module.ZstdCompressor(level=LEVEL, write_content_size=True).compress(data)

    def content_size(self, data: Buffer) -> int | None:
        try:
            size = self._module.get_frame_parameters(data).content_size
        except self._module.ZstdError as error:
            raise ValueError(str(error)) from error
        return None if size == self._module.CONTENTSIZE_UNKNOWN else size

    def decompress(self, data: Buffer, size: int) -> bytes:
        try:
            return self._module.ZstdDecompressor().decompress(data, max_output_size=size)
        except self._module.ZstdError as error:
            raise ValueError(str(error)) from error


class _Compression:
    """The standard library's module, Python 3.14 and later."""

    def __init__(self) -> None:
        self._module = importlib.import_module("compression.zstd")

    def compress(self, data: Buffer) -> bytes:
        return self._module.compress(data, level=LEVEL)

    def content_size(self, data: Buffer) -> int | None:
        try:
            return self._module.get_frame_info(data).decompressed_size
        except self._module.ZstdError as error:
            raise ValueError(str(error)) from error

    def decompress(self, data: Buffer, size: int) -> bytes:
        try:
            return self._module.ZstdDecompressor().decompress(data, max_length=size)
        except self._module.ZstdError as error:
            raise ValueError(str(error)) from error


@cache
def _zstd() -> _Zstd | None:
    for candidate in (_Compression, _Zstandard):
        try:
            return candidate()
        except ImportError:
            continue
    return None


def available() -> tuple[Codec, ...]:
    """The codecs that this Python has, for Hello and Welcome."""
    return ("raw",) if _zstd() is None else ("raw", "zstd")


def suiting(endpoint: str) -> tuple[Codec, ...]:
    """The codecs to offer: files on this machine, zstd on a way that is longer."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]").lower()
    if host == "localhost" or host == "::1" or host.startswith("127."):
        return ("raw", "file")
    return available()


def encode(buffer: Buffer, dtype: Dtype) -> bytes:
    """A frame compressed with zstd. Raises MaquetteError("no-codec") without a module."""
    return _module().compress(_grouped(buffer) if dtype == "f4" else buffer)


def decode(part: Buffer, dtype: Dtype, size: int) -> memoryview:
    """The ``size`` bytes of a frame compressed with zstd.

    The declared size is compared before anything is allocated. Raises
    MaquetteError("bad-message") for damaged data or another size.
    """
    zstd = _module()
    try:
        declared = zstd.content_size(part)
        if declared != size:
            raise MaquetteError(
                "bad-message",
                f"A compressed frame declares {declared} bytes, its header says {size}.",
            )
        data = zstd.decompress(part, size)
    except ValueError as error:
        raise MaquetteError("bad-message", f"A compressed frame is damaged: {error}.") from error
    if len(data) != size:
        raise MaquetteError("bad-message", "A compressed frame ends too early.")
    return memoryview(_ungrouped(data) if dtype == "f4" else data)


def _module() -> _Zstd:
    zstd = _zstd()
    if zstd is None:
        raise MaquetteError(
            "no-codec",
            "A frame is compressed with zstd, which this Python doesn't have.",
            "Install the package zstandard (pip install 'maquette-wire[zstd]').",
        )
    return zstd


def _grouped(buffer: Buffer) -> bytes:
    """All first bytes of the floats, then all second ones, ...: neighbouring depths share their
    sign, exponent and leading digits, so three of the four planes become long runs."""
    data = bytes(memoryview(buffer).cast("B"))
    return b"".join(data[offset::4] for offset in range(4))


def _ungrouped(data: bytes) -> bytearray:
    quarter = len(data) // 4
    result = bytearray(len(data))
    for offset in range(4):
        result[offset::4] = data[offset * quarter : (offset + 1) * quarter]
    return result
