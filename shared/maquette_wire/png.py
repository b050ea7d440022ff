"""PNG with text metadata, by the standard library alone: the Recipe is inside every output.

Follows the PNG specification, third edition (W3C, 2025): chunks in §5, filters in §9, texts in
§11.3.3. Writes RGB and grey of 8 or 16 bits; reads the text of any PNG (its pixels are Blender's
and Pillow's to decode).
"""

from __future__ import annotations

import contextlib
import secrets
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .errors import MaquetteError
from .recipe import Recipe

if TYPE_CHECKING:
    from typing_extensions import Buffer

SIGNATURE = b"\x89PNG\r\n\x1a\n"
RECIPE_KEY, VIEW_KEY, SOURCE_KEY = "maquette", "maquette-view", "maquette-source"
"""Keywords of the texts that a concept carries: its Recipe, View and Source, as JSON;"""
MATERIAL_KEY = "maquette-material"
"""and of a material's maps."""
PARAMETERS_KEY, XMP_KEY = "parameters", "XML:com.adobe.xmp"
"""Keywords of what other programs read; `metadata` says what."""
LEVEL = 3
TEXT_BYTES = 4 * 1024 * 1024
"""Text of one chunk at most, when read."""
NONE, SUB, UP = 0, 1, 2
"""Filters of rows (§9.2): as they are, and less what is left of a pixel or above it."""


def encode(
    pixels: Buffer,
    width: int,
    height: int,
    text: Mapping[str, str] | None = None,
    *,
    bits: Literal[8, 16] = 8,
    linear: bool = False,
) -> bytes:
    """A PNG file.

    Args:
        pixels: uint8 [height, width, 3] (RGB) or [height, width] (grey), row 0 at the top; with 16
            bits big-endian uint16.
        text: keyword (1 to 79 Latin-1 characters) to text, written before the pixels: as iTXt
            chunks, and as tEXt where ASCII suffices, which more programs read.

        linear: the pixels are numbers; else they are sRGB, and said to be.

    Raises ValueError for pixels of another size.
    """
    data = bytes(memoryview(pixels).cast("B"))
    size = bits // 8
    channels = len(data) // max(width * height * size, 1)
    step = channels * size
    if channels not in (1, 3) or len(data) != width * height * step:
        raise ValueError(f"{len(data)} bytes are no {width} x {height} picture in RGB or grey")
    header = struct.pack(">IIBBBBB", width, height, bits, 2 if channels == 3 else 0, 0, 0, 0)
    parts = [SIGNATURE, _chunk(b"IHDR", header)]
    parts += [] if linear else [_chunk(b"sRGB", b"\0")]
    parts += [_text_chunk(keyword, value) for keyword, value in (text or {}).items()]
    parts.append(_chunk(b"IDAT", zlib.compress(_filtered(data, width * step, step), LEVEL)))
    parts.append(_chunk(b"IEND", b""))
    return b"".join(parts)


def write(
    path: Path,
    pixels: Buffer,
    width: int,
    height: int,
    text: Mapping[str, str] | None = None,
    *,
    bits: Literal[8, 16] = 8,
    linear: bool = False,
) -> None:
    """Write :func:`encode`'s file under a temporary name and rename it. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        temporary.write_bytes(encode(pixels, width, height, text, bits=bits, linear=linear))
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):  # the error that led here is the one to tell
            temporary.unlink(missing_ok=True)
        raise


def read_text(path: Path) -> dict[str, str]:
    """The texts of a PNG file (tEXt, zTXt and iTXt), keyword to text.

    Raises MaquetteError("bad-picture") for another kind of file, or one that is damaged or cut
    off; FileNotFoundError, PermissionError as the system does.
    """
    return decode_text(path.read_bytes(), str(path))


def read_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk of a PNG file. Raises as :func:`read_text` does."""
    return _chunks(path.read_bytes(), str(path))


def read_recipe(path: Path) -> Recipe:
    """The Recipe inside a picture that Maquette made.

    Raises MaquetteError("no-recipe") where there is none, and what :func:`read_text` raises.
    """
    text = read_text(path).get(RECIPE_KEY)
    if text is None:
        raise no_recipe(path)
    return Recipe.from_json(text)


def no_recipe(path: Path) -> MaquetteError:
    """What there is to say of a picture that another program made, or saved."""
    return MaquetteError(
        "no-recipe",
        f"There is no recipe in {path}.",
        "Choose a PNG as Maquette wrote it: some programs drop the metadata when they save.",
    )


def decode_text(data: bytes, name: str = "the picture") -> dict[str, str]:
    """:func:`read_text` on bytes; ``name`` is for errors."""
    texts: dict[str, str] = {}
    for kind, body in _chunks(data, name):
        try:
            if kind == b"tEXt":
                keyword, _, value = body.partition(b"\0")
                texts[keyword.decode("latin-1")] = value.decode("latin-1")
            elif kind == b"zTXt":
                keyword, _, rest = body.partition(b"\0")
                texts[keyword.decode("latin-1")] = _inflate(rest[1:]).decode("latin-1")
            elif kind == b"iTXt":
                keyword, _, rest = body.partition(b"\0")
                compressed, rest = rest[:1] == b"\1", rest[2:]
                _language, _, rest = rest.partition(b"\0")
                _translated, _, value = rest.partition(b"\0")
                value = _inflate(value) if compressed else value
                texts[keyword.decode("latin-1")] = value.decode("utf-8")
        except (zlib.error, UnicodeDecodeError) as error:
            raise _bad(name, f"has a damaged text: {error}") from error
    return texts


def _filtered(data: bytes, stride: int, step: int) -> bytes:
    """Rows with their filter bytes; one filter for all rows, the one that a few rows pack best.

    A filter for each row would save a few percent more and cost a loop in Python over the rows.
    """
    rows = len(data) // stride
    sample = min(rows, 16)
    start = (rows - sample) // 2 * stride
    trial = data[start : start + sample * stride]
    kind = min(
        (NONE, SUB, UP),
        key=lambda kind: len(zlib.compress(_apply(kind, trial, stride, step), 1)),
    )
    body = _apply(kind, data, stride, step)
    lead = bytes([kind])
    return b"".join(
        piece
        for start in range(0, len(body), stride)
        for piece in (lead, body[start : start + stride])
    )


def _apply(kind: int, data: bytes, stride: int, step: int) -> bytes:
    if kind == SUB:
        left = bytes(step) + data[:-step]
        # Each row's first pixel has nothing to its left.
        keep = (bytes(step) + b"\xff" * (stride - step)) * (len(data) // stride)
        return _difference(data, left, keep)
    if kind == UP:
        return _difference(data, bytes(stride) + data[:-stride], None)
    return data


def _difference(data: bytes, other: bytes, keep: bytes | None) -> bytes:
    """``(data - other) mod 256`` for each byte, ``other`` first masked with ``keep``.

    Done on integers as wide as the picture, with the borrows kept inside each byte (Warren,
    Hacker's Delight, 2nd edition, §2-18): the standard library has no arithmetic on bytes.
    """
    size = len(data)
    x, y = int.from_bytes(data, "little"), int.from_bytes(other[:size], "little")
    if keep is not None:
        y &= int.from_bytes(keep, "little")
    high = int.from_bytes(b"\x80" * size, "little")
    low = int.from_bytes(b"\x7f" * size, "little")
    return (((x | high) - (y & low)) ^ ((x ^ y ^ high) & high)).to_bytes(size, "little")


def _text_chunk(keyword: str, value: str) -> bytes:
    key = keyword.encode("latin-1")
    if not 1 <= len(key) <= 79 or "\0" in keyword or "\0" in value:
        raise ValueError(f"{keyword!r} is no keyword for a text of a PNG")
    if value.isascii() and keyword != XMP_KEY:  # XMP is iTXt by its own specification
        return _chunk(b"tEXt", key + b"\0" + value.encode("ascii"))
    return _chunk(b"iTXt", key + b"\0\0\0\0\0" + value.encode("utf-8"))


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Type and body of each chunk, checksums compared. Raises MaquetteError("bad-picture")."""
    if not data.startswith(SIGNATURE):
        raise _bad(name, "is not a PNG file")
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        body = data[position + 8 : end]
        if struct.unpack_from(">I", data, end)[0] != zlib.crc32(body, zlib.crc32(kind)):
            raise _bad(name, "is damaged: a checksum doesn't fit")
        if kind == b"IEND":
            return
        yield kind, body
        position = end + 4
    raise _bad(name, "is cut off")


def _inflate(data: bytes) -> bytes:
    worker = zlib.decompressobj()
    text = worker.decompress(data, TEXT_BYTES)
    if worker.unconsumed_tail or not worker.eof:
        raise zlib.error("it is too long or cut off")
    return text


def _bad(name: str, what: str) -> MaquetteError:
    return MaquetteError(
        "bad-picture", f"{name} {what}.", "Choose a PNG as Maquette wrote it, undamaged."
    )
