"""A server of the wire without a model: it keeps to the protocol, and misbehaves when told to.

It runs in a thread of its own with its own context, so a test may block on a client, and it can
die without a word and come back at the same port. The add-on's tests use it as well.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from pathlib import Path

import zmq
from maquette_wire import codecs, keys, messages
from maquette_wire.exchange import Exchange
from maquette_wire.home import Home
from maquette_wire.material import MAPS
from maquette_wire.packing import FROM_CLIENT, BadMessage, Packet, pack, unpack
from zmq.utils import z85

MODEL = messages.ModelInfo(
    name="pocket",
    title="Pocket",
    family="sd2-depth",
    licence="CC0-1.0",
    native_size=256,
    steps=8,
    sampler="ddim",
    guidance=3.0,
)


class MockServer:
    """A scripted server on loopback.

    Attributes:
        received: messages in the order they came in, over all its lives.
        jobs: what it knows about: submits it accepted and hasn't been told to drop.
        hold: accept jobs and don't finish them.
        mute: read and don't answer.
        welcome: changes to the Welcome it sends.
        limits: what it accepts.
        authorised: public keys that may connect; None for everybody.
        paint: makes the bytes of a concept from a submit and the picture's place.
    """

    def __init__(self, home: Home, exchange: bool = True) -> None:
        self.home = home
        self.keys = keys.server_keys(home)
        self.received: list[messages.Message] = []
        self.packets: list[Packet] = []
        self.jobs: dict[str, messages.Submit] = {}
        self.hold = self.mute = False
        self.welcome: dict[str, object] = {}
        self.limits = messages.Limits()
        self.authorised: frozenset[str] | None = None
        self.paint: Callable[[messages.Submit, int], bytes] = _grey
        self.port = 0
        self._shared = Exchange.create(home.make(home.exchange)) if exchange else None
        self._codecs: dict[bytes, tuple[str, ...]] = {}
        self._where: dict[str, bytes] = {}
        self._outbox: list[tuple[messages.Message, list[bytes]]] = []
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._greet_again = False

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> MockServer:
        """Listen, at the port of the life before if there was one."""
        ready = threading.Event()
        self._stop.clear()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def die(self) -> None:
        """Close everything without a word to anybody."""
        if self._thread is not None:
            self._stop.set()
            self._thread.join(10)
            self._thread = None

    def forget(self) -> None:
        """Lose all jobs, as a server does whose disk was wiped."""
        self.jobs.clear()

    def say(self, message: messages.Message, frames: tuple[bytes, ...] = ()) -> None:
        """Send a message about a job to the client that asked about it last."""
        self._outbox.append((message, list(frames)))

    def greet_again(self) -> None:
        """Send a welcome to everybody, as a server does when it has another device."""
        self._greet_again = True

    def finish(self, job: str) -> None:
        """Send a job's result."""
        submit = self.jobs[job]
        pictures, headers, frames = [], [], []
        for index, view in enumerate(submit.views):
            width, height = submit.recipe.size or (view.width, view.height)
            for number in range(submit.recipe.count):
                pictures.append(messages.Picture(view=index, seed=submit.recipe.seed + number))
                shape = (height, width, 3)
                headers.append(
                    messages.FrameHeader(
                        name="concept", index=len(pictures) - 1, dtype="u1", shape=shape
                    )
                )
                frames.append(self.paint(submit, len(pictures) - 1))
            headers.append(
                messages.FrameHeader(
                    name="encoded_depth", index=index, dtype="u1", shape=(height, width)
                )
            )
            frames.append(bytes(height * width))
        coverage = None
        if submit.texture is not None:
            side = submit.texture.size
            for place, _tile in enumerate(submit.texture.tiles):
                size = submit.texture.bits // 8
                headers.append(
                    messages.FrameHeader(
                        name="texture",
                        index=place,
                        dtype="u2" if size == 2 else "u1",
                        shape=(side, side, 3),
                    )
                )
                color = (200, 60, 20 + place)
                frames.append(b"".join(bytes([value]) * size for value in color) * side**2)
            coverage = messages.Coverage(seen=0.9, filled=0.05)
        material = None
        if submit.material is not None:
            material = submit.material.filled(submit.recipe.prompt)
            for name, data in _maps(material.pixels).items():
                dtype, channels = MAPS[name]
                shape = (material.pixels, material.pixels, *channels)
                headers.append(messages.FrameHeader(name=name, dtype=dtype, shape=shape))
                frames.append(data)
        result = messages.Result(
            job=job,
            recipe=submit.recipe,
            pictures=tuple(pictures),
            coverage=coverage,
            material=material,
            frames=tuple(headers),
        )
        self.say(result, tuple(frames))

    def count(self, kind: type[messages.Message]) -> int:
        """How many messages of a kind came in."""
        return sum(isinstance(message, kind) for message in self.received)

    # --- its thread ---------------------------------------------------------------------------

    def _run(self, ready: threading.Event) -> None:
        context = zmq.Context()
        gate = context.socket(zmq.REP)
        gate.bind("inproc://zeromq.zap.01")
        router = context.socket(zmq.ROUTER)
        router.linger = 0
        router.curve_server = True
        router.curve_secretkey = self.keys.secret.encode()
        router.zap_domain = b"clients"
        if self.port:
            router.bind(self.endpoint)
        else:
            self.port = router.bind_to_random_port("tcp://127.0.0.1")
        ready.set()
        poller = zmq.Poller()
        poller.register(gate, zmq.POLLIN)
        poller.register(router, zmq.POLLIN)
        while not self._stop.is_set():
            waiting = dict(poller.poll(5))
            if gate in waiting:
                self._answer_gate(gate)
            if router in waiting:
                identity, *parts = router.recv_multipart()
                self._handle(router, identity, parts)
            while self._outbox and not self.mute:
                message, frames = self._outbox.pop(0)
                identity = self._where[message.job]  # type: ignore[attr-defined]
                self._send(router, identity, message, frames)
            if self._greet_again:
                self._greet_again = False
                for identity in self._codecs:
                    self._send(router, identity, self._welcome(messages.Hello(client="")), [])
        gate.close(linger=0)
        router.close(linger=0)
        context.term()

    def _answer_gate(self, gate: zmq.Socket[bytes]) -> None:
        version, request, _domain, _address, _identity, _mechanism, key = gate.recv_multipart()
        known = self.authorised is None or z85.encode(key).decode() in self.authorised
        verdict = (b"200", b"OK") if known else (b"400", b"Not authorised")
        gate.send_multipart([version, request, *verdict, b"", b""])

    def _handle(self, router: zmq.Socket[bytes], identity: bytes, parts: list[bytes]) -> None:
        try:
            packet = unpack(parts, FROM_CLIENT, self.limits, self._shared)
        except BadMessage as error:
            if error.job and not self.mute:
                refusal = messages.Failed(
                    job=error.job, code=error.code, sentence=error.sentence, hint=error.hint
                )
                self._send(router, identity, refusal, [])
            return
        message = packet.message
        self.received.append(message)
        self.packets.append(packet)
        if self.mute:
            return
        if isinstance(message, messages.Hello):
            self._codecs[identity] = message.codecs
            self._send(router, identity, self._welcome(message), [])
        elif isinstance(message, messages.Heartbeat):
            self._send(router, identity, message, [])
        elif isinstance(message, messages.Acknowledge):
            self.jobs.pop(message.job, None)
        elif not isinstance(message, messages.Order):
            self._where[message.job] = identity
            self._handle_job(message)

    def _handle_job(self, message: messages.Submit | messages.Resume | messages.Cancel) -> None:
        job = message.job
        if isinstance(message, messages.Submit):
            self.jobs.setdefault(job, message)
        if job not in self.jobs:
            self.say(messages.Failed(job=job, code="unknown-job", sentence=f"No job {job}."))
        elif isinstance(message, messages.Cancel):
            del self.jobs[job]
            self.say(messages.Cancelled(job=job))
        else:
            self.say(messages.Accepted(job=job))
            if not self.hold:
                self.say(messages.Progress(job=job, stage="sampling", step=1, steps=2))
                self.finish(job)

    def _welcome(self, hello: messages.Hello) -> messages.Message:
        if hello.protocol != messages.PROTOCOL:
            return messages.Refused(
                code="protocol-version",
                sentence=f"This server speaks protocol {messages.PROTOCOL}.",
                hint="Update the client.",
            )
        named = (*codecs.available(), "file") if self._shared else codecs.available()
        facts: dict[str, object] = {
            "server": "mock",
            "devices": ("cpu",),
            "models": (MODEL,),
            "samplers": ("ddim",),
            "limits": self.limits,
            "codecs": named,
            "exchange": self._shared.offer() if self._shared else None,
            "understands": ("material", "tiles", "finer"),
        }
        return messages.Welcome(**{**facts, **self.welcome})  # type: ignore[arg-type]

    def _send(
        self,
        router: zmq.Socket[bytes],
        identity: bytes,
        message: messages.Message,
        frames: list[bytes],
    ) -> None:
        theirs = self._codecs.get(identity, ("raw",))
        codec: messages.Codec = "raw"
        if "file" in theirs and self._shared is not None:
            codec = "file"
        elif "zstd" in theirs and "zstd" in codecs.available():
            codec = "zstd"
        router.send_multipart(
            [identity, *pack(message, frames, codec=codec, exchange=self._shared)]
        )


def _grey(submit: messages.Submit, picture: int) -> bytes:
    view = submit.views[picture // submit.recipe.count]
    width, height = submit.recipe.size or (view.width, view.height)
    return bytes([100 + picture]) * (width * height * 3)


def _maps(side: int) -> dict[str, bytes]:
    """A tile whose lower half is 4 mm higher than its upper one."""
    half = side * side // 2
    return {
        "albedo": bytes([200, 60, 20]) * side**2,
        "normal": bytes([128, 128, 255]) * side**2,
        "height": struct.pack("<f", -0.002) * half + struct.pack("<f", 0.002) * half,
        "roughness": bytes([180]) * side**2,
        "occlusion": bytes([255]) * side**2,
    }


def home_in(folder: Path) -> Home:
    """A throw-away home."""
    return Home(folder / "home")
