"""The messages of the protocol; ``docs/protocol.md`` describes the same in prose.

A message travels as one multipart ZeroMQ message: the msgpack encoding of one of these structs
(a map with the message's name under ``"type"``), then one binary part for each entry of its
``frames``, in that order. Unknown map keys are ignored, so that fields can be added within a
protocol version, and so are codecs that a hello or welcome names and the other side doesn't know;
anything else that changes the meaning raises PROTOCOL.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .material import Material
from .recipe import Recipe
from .view import View

PROTOCOL = 1

Dtype = Literal["u1", "u2", "f4"]
Codec = Literal["raw", "zstd", "file"]
"""How a frame's bytes travel: as they are; zstd, with the bytes of f4 grouped by significance
first; or, between two processes of one machine, in a file of the exchange folder whose name is
the binary part."""


class FrameHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What the binary part at the same position holds: a C-ordered little-endian array.

    Attributes:
        name: ``"color"`` (u1, [height, width, 3], sRGB), ``"depth"`` (f4, [height, width], metres
            along the view axis, +inf where nothing), ``"concept"`` (u1, [height, width, 3]),
            ``"preview"`` (u1, [height, width, 3]), ``"encoded_depth"`` (u1, [height, width],
            what the model saw); of a texture ``"corners"`` (f4, [triangles, 3, 3]), ``"uvs"``
            (f4, [triangles, 3, 2]), ``"picture"`` (u1, [height, width, 3]) and ``"texture"`` (u1 or
            u2, [size, size, 3]); of
            a material, all [pixels, pixels]: ``"albedo"`` (u1, [..., 3], sRGB), ``"normal"`` (u1,
            [..., 3], tangent space, green upwards), ``"height"`` (f4, metres, its mean 0),
            ``"roughness"`` and ``"occlusion"`` (u1, linear).
        index: which capture or picture of the message it belongs to.
        dtype: element type.
        shape: array shape, rows from the top.
        codec: how the bytes are packed; only codecs that both sides named in hello and welcome.
    """

    name: str
    index: int = 0
    dtype: Dtype
    shape: tuple[int, ...]
    codec: Codec = "raw"


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=str.lower):
    """Base of all messages."""


class FramedMessage(Message, frozen=True, kw_only=True):
    """Base of the messages that carry binary parts."""

    frames: tuple[FrameHeader, ...] = ()


# --- client to server -------------------------------------------------------------------------


class Hello(Message, frozen=True, kw_only=True):
    """First message on a connection, and again after every reconnection."""

    protocol: int = PROTOCOL
    client: str
    codecs: tuple[str, ...] = ("raw",)


class Texture(msgspec.Struct, frozen=True, kw_only=True):
    """The texture that a job's pictures are carried onto, and whose triangles it covers.

    With other ``tiles`` or ``bits`` than these it is only for servers whose
    ``Welcome.understands`` names ``"tiles"``, with ``painted`` or ``even`` for those that name
    ``"finer"``.

    Attributes:
        size: side in pixels, of each tile.
        objects: number of triangles of each object, in their order in the frames.
        origin: metres in the world; the frame ``corners`` is relative to it, so that single
            precision holds a model far from the world's origin.
        tiles: UDIM numbers, rising, of the squares that the UVs lie in, each of which becomes a
            picture: 1001 is [0, 1] x [0, 1], 1002 the next along u, up to 1010; 1011 lies above.
        bits: of each channel.
        painted: pixels of the longer side that Views are painted at, at most; the picture of a
            larger one is enlarged to the exact edges of its capture.
        even: without the light that was painted, for a texture that is lit by the scene it is in.
    """

    size: int
    objects: tuple[int, ...]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tiles: tuple[int, ...] = (1001,)
    bits: Literal[8, 16] = 8
    painted: int | None = None
    even: bool = False


class Submit(FramedMessage, frozen=True, kw_only=True):
    """A job: one recipe on one or more captures.

    ``job`` is a UUID (32 hex digits) that the client makes: submitting the same job again is
    harmless, which is how a client recovers when it doesn't know whether a submit arrived.
    Frames: ``color`` and ``depth`` for each View, ``index`` being its place in ``views``.

    With ``together`` the views show one scene, and are painted as one; a ``picture`` of a View,
    where there is one, is used instead of painting that View, and the others follow it. With
    ``texture`` they are painted so as well, and end on the model's surface: the frames
    ``corners`` and ``uvs`` say what that is. With ``material`` there are no views and no frames:
    the server lays the material's pattern and paints on that; only for servers whose
    ``Welcome.understands`` names it.
    """

    job: str
    recipe: Recipe
    views: tuple[View, ...]
    previews: bool = False
    together: bool = False
    texture: Texture | None = None
    material: Material | None = None


class Resume(Message, frozen=True, kw_only=True):
    """Asks for the state of a job of an earlier connection; answered with accepted, progress,
    result, failed or cancelled, and with failed code ``unknown-job`` where there is none."""

    job: str


class Cancel(Message, frozen=True, kw_only=True):
    """Ends a job within one denoising step; answered with cancelled, or with the result where
    it was done already."""

    job: str


class Order(Message, frozen=True, kw_only=True):
    """The client's waiting jobs, the one to be painted first in front: among them they share out
    the places that they have now, so that no other client's job waits longer. Jobs that don't wait
    (any more) are passed over. Not answered; ``Progress.ahead`` tells each job's new place. Only
    for servers whose ``Welcome.understands`` names it."""

    jobs: tuple[str, ...]


class Acknowledge(Message, frozen=True, kw_only=True):
    """The client has stored the result (or noted the failure): the server may drop it."""

    job: str


# --- server to client -------------------------------------------------------------------------


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that this server can run now.

    ``native_size`` is the side in pixels that it was trained at; the defaults are what a recipe's
    ``None`` stands for; ``samplers`` are those that make a difference and fit its noise schedule;
    ``facades`` says whether it sees the openings of walls, which a recipe lays out, ``lines``
    whether it takes lines.
    """

    name: str
    title: str
    family: str
    licence: str
    native_size: int
    steps: int
    sampler: str
    guidance: float
    loras: tuple[str, ...] = ()
    samplers: tuple[str, ...] = ()
    facades: bool = False
    lines: bool = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server accepts; checked before anything is allocated."""

    pixels: int = 4096 * 4096
    side_min: int = 16
    side_max: int = 8192
    captures: int = 64
    pictures: int = 256
    prompt_characters: int = 8192
    triangles: int = 4_000_000
    texels: int = 8192 * 8192
    job_bytes: int = 2 * 1024**3
    queued_jobs: int = 1000


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of the server's machine for frames with codec ``"file"``.

    A client that finds a file called ``token`` in ``folder`` shares the server's file system and
    may use the codec; any other client ignores it. Only offered on loopback.
    """

    folder: str
    token: str


class Welcome(Message, frozen=True, kw_only=True):
    """Answer to hello: what the server can do.

    ``understands`` names what was added to this version of the protocol later: messages, the field
    ``material`` of a submit, and ``tiles``, which stands for a texture's ``tiles`` and ``bits``.
    """

    protocol: int = PROTOCOL
    server: str
    devices: tuple[str, ...]
    models: tuple[ModelInfo, ...]
    samplers: tuple[str, ...]
    limits: Limits
    codecs: tuple[str, ...] = ("raw",)
    exchange: Exchange | None = None
    understands: tuple[str, ...] = ()


class Refused(Message, frozen=True, kw_only=True):
    """The connection can't be used, for instance because of another protocol version."""

    protocol: int = PROTOCOL
    code: str
    sentence: str
    hint: str = ""


class Accepted(Message, frozen=True, kw_only=True):
    """The job is journalled: from here on nothing but its cancelling loses it."""

    job: str
    ahead: int = 0


class Progress(FramedMessage, frozen=True, kw_only=True):
    """Where a job is: ``step`` of ``steps`` over all its pictures, or how many are ``ahead`` of it
    in the queue.

    Frames: optionally one ``preview`` for each picture in work, ``index`` being the picture's
    place in the result.
    """

    job: str
    stage: Literal["queued", "loading", "sampling", "decoding", "baking"]
    step: int = 0
    steps: int = 0
    ahead: int = 0


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """Which capture and seed a concept of a result belongs to."""

    view: int
    seed: int


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How a texture came about, as shares of its texels: ``seen`` by a View under 75 degrees, and
    ``filled`` from beside as no View sees them."""

    seen: float
    filled: float


class Result(FramedMessage, frozen=True, kw_only=True):
    """A finished job.

    Frames: ``concept`` for each of ``pictures`` (``index`` = its place there), ``encoded_depth``
    for each View that was painted, and where the job had a texture one ``texture`` for each of its
    tiles (``index`` = its place there), whose ``coverage`` it has then. Of a material: ``albedo``,
    ``normal``, ``height``, ``roughness`` and ``occlusion`` alone, ``pictures`` being empty, and
    ``material`` as it was made. ``recipe`` has all defaults filled in. ``warnings`` are sentences
    for the user. ``seconds`` maps a stage to its duration. ``pack`` is how many pictures the device
    makes at once of such a job, or is to try next: more in a job are no faster.
    """

    job: str
    recipe: Recipe
    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...] = ()
    seconds: dict[str, float] = {}
    coverage: Coverage | None = None
    material: Material | None = None
    pack: int = 1


class Failed(Message, frozen=True, kw_only=True):
    """A job, or a request about one, that can't be done."""

    job: str
    code: str
    sentence: str
    hint: str = ""


class Cancelled(Message, frozen=True, kw_only=True):
    """The job was ended at the client's wish; the server has forgotten it."""

    job: str


# --- both ways --------------------------------------------------------------------------------


class Heartbeat(Message, frozen=True, kw_only=True):
    """Sent by the client when it has sent nothing for a while; the server sends it back."""


FromClient = Hello | Submit | Resume | Cancel | Order | Acknowledge | Heartbeat
FromServer = Welcome | Refused | Accepted | Progress | Result | Failed | Cancelled | Heartbeat
