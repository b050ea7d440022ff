"""What the loop and its worker processes say to each other.

One multipart message each: the encoding of one of these structs, then for :class:`Step` the parts
of the client's Progress message, packed by the worker, so that the loop forwards them unread.
"""

from __future__ import annotations

import msgspec


class Enlistment(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told on its standard input, as one line of JSON.

    Standard input stays open as long as the server lives: its end is the worker's end.
    """

    endpoint: str
    server_key: str
    public_key: str
    secret_key: str
    device: str
    home: str
    models: tuple[str, ...] = ()


class Note(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """Base of what follows."""


# --- loop to worker ---------------------------------------------------------------------------


class Assign(Note, frozen=True, kw_only=True):
    """Run the job whose captures are in one file, and write its result into another."""

    job: str
    captures: str
    result: str


class Stop(Note, frozen=True, kw_only=True):
    """Give this job up within a denoising step; nothing happens where it isn't in work."""

    job: str


# --- worker to loop ---------------------------------------------------------------------------


class Ready(Note, frozen=True, kw_only=True):
    """The worker takes jobs.

    Attributes:
        device: the one it uses.
        devices: all that it found.
        samplers: names of the samplers it has.
    """

    device: str
    devices: tuple[str, ...]
    samplers: tuple[str, ...]


class Unusable(Note, frozen=True, kw_only=True):
    """The worker can't start, for a reason that another attempt won't change."""

    code: str
    sentence: str
    hint: str = ""


class Step(Note, frozen=True, kw_only=True):
    """Where the job is; the parts of a Progress message follow."""

    job: str


class Finished(Note, frozen=True, kw_only=True):
    """The job's result is in this file, complete."""

    job: str
    result: str


class Broke(Note, frozen=True, kw_only=True):
    """The job can't be done."""

    job: str
    code: str
    sentence: str
    hint: str = ""


class Stopped(Note, frozen=True, kw_only=True):
    """The job was given up, as asked."""

    job: str


ToWorker = Assign | Stop
FromWorker = Ready | Unusable | Step | Finished | Broke | Stopped

_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)

encode = _encoder.encode
decode_to_worker = _to_worker.decode
decode_from_worker = _from_worker.decode
