"""The time of a round trip, sampling replaced by nothing, against HTTP with PNG.

    python benchmarks/roundtrip.py [--side 1024] [--repeats 31] [--json FILE]

Colour (uint8 RGB) and depth (float32 metres) of one capture go up, a picture of the same size
comes down. Every way is run once in each round, so that whatever else the machine does falls on
all of them alike. Each way starts with arrays and ends with an array whose every value was read,
and the far end reads every value as well:

- ``server``: a real server process with its journal, its spool and a sampling process whose sampler
  does nothing; CURVE for the messages, the exchange folder for the frames;
- ``wire``: the same client against a process that does nothing but answer, so without the journal;
- ``wire, CURVE alone``: the same with the frames inside the encrypted messages, as for a server on
  another machine; ``wire, zstd``: compressed as well;
- ``HTTP, PNG``: how other tools do it. Colour as an RGB PNG and depth as a 16-bit PNG in one POST
  over a connection that stays open, a PNG as the answer; Pillow at its default, and at its fastest
  (``level 1``).

Depth in a 16-bit PNG has lost 8 of its 24 significant bits; nobody is charged for that here.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

import numpy as np
import zmq
from maquette_wire import codecs, keys
from maquette_wire import messages as m
from maquette_wire.capture import Capture, captures_of
from maquette_wire.client import Client, Connected, Received
from maquette_wire.exchange import Exchange
from maquette_wire.home import Home
from maquette_wire.local import running
from maquette_wire.packing import FROM_CLIENT, pack, unpack
from maquette_wire.recipe import Recipe
from maquette_wire.view import View
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Depth = NDArray[np.float32]
RECIPE = Recipe(prompt="nothing", model="nothing")
SECONDS_MAX = 60.0


# --- what is sent ---------------------------------------------------------------------------------


def scene(side: int) -> tuple[Pixels, Depth, Pixels]:
    """A street of boxes under a sky: colour as a viewport shades it, depth, and a "result".

    Returns colour uint8 [side, side, 3], depth float32 [side, side] (+inf where nothing), and a
    picture with a photograph's share of detail, uint8 [side, side, 3].
    """
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    depth = np.where(y > 0.55, 1.6 / np.maximum(y - 0.5, 1e-3), np.inf).astype(np.float32)
    color = np.empty((side, side, 3), np.float32)
    color[:] = (200 + 30 * y)[..., None]
    color[y > 0.55] = 150
    for _ in range(24):
        near, left = random.uniform(8, 90), random.uniform(0, 0.95)
        wide, high = random.uniform(2, 12) / near, random.uniform(4, 30) / near
        wall = (x > left) & (x < left + wide) & (y > 0.5 - high) & (y < 0.5 + 1.6 / near)
        wall &= depth > near
        depth[wall] = near + (x[wall] - left) * 6
        color[wall] = random.uniform(90, 220)
    detail = random.normal(0, 6, (side // 2, side // 2, 3)).repeat(2, 0).repeat(2, 1)
    courses = 18 * (np.sin(y * side / 3) > 0)[..., None]
    picture = color * [1.0, 0.8, 0.65] + detail + courses
    return color.astype(np.uint8), depth, np.clip(picture, 0, 255).astype(np.uint8)


def capture_of(color: Pixels, depth: Depth) -> Capture:
    """The capture that the wire sends."""
    identity = tuple(float(index % 5 == 0) for index in range(16))
    height, width = depth.shape
    view = View(
        view_matrix=identity,  # type: ignore[arg-type]
        projection_matrix=identity,  # type: ignore[arg-type]
        width=width,
        height=height,
    )
    return Capture(view, color, depth)


def look_at(*arrays: NDArray[Any]) -> None:
    """Read every value: mapped memory costs when it is read, not when it is mapped."""
    for array in arrays:
        array.max()


# --- the real server, with a sampler that does nothing --------------------------------------------


def serve_jobs(home: Home) -> None:
    """``roundtrip.py --serve-jobs HOME``: the server as it is, this file as its worker."""
    from maquette.server.service import Server, Settings

    class Models:
        def infos(self) -> tuple[m.ModelInfo, ...]:
            return ()

        def check(self, recipe: Recipe) -> None:
            pass

    worker = (sys.executable, __file__, "--worker", str(home.root))
    Server(Settings(endpoint="tcp://127.0.0.1:*", home=home), worker, Models()).run()


def work_on_nothing() -> None:
    """``roundtrip.py --worker``: a sampling process without sampling."""
    from dataclasses import dataclass, field

    from maquette.server.worker import Equipment, work

    @dataclass
    class Nothing:
        recipe: Recipe
        pictures: list[tuple[int, int, Pixels]]
        encoded_depth: list[Pixels]
        warnings: list[str] = field(default_factory=list)
        seconds: dict[str, float] = field(default_factory=dict)

    class Sampler:
        def run(self, recipe: Recipe, captures: Sequence[Capture], **_: Any) -> Nothing:
            look_at(np.asarray(captures[0].color), np.asarray(captures[0].depth))
            width, height = captures[0].view.width, captures[0].view.height
            if self.picture is None or self.picture.shape[:2] != (height, width):
                self.picture = scene(width)[2]
            return Nothing(recipe, [(0, 0, self.picture)], [np.zeros((64, 64), np.uint8)])

        def bake(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError("no textures here")

        picture: Pixels | None = None

    sampler: Any = Sampler()  # of which no job asks for more
    work(lambda _: Equipment(sampler, RuntimeError, "cpu", ("cpu",), ("none",)))


# --- a process that does nothing but answer -------------------------------------------------------


def echo(home: Home, side: int) -> None:
    """``roundtrip.py --echo HOME SIDE``: prints its port, then answers each submit."""
    picture = scene(side)[2]
    exchange = Exchange.create(home.make(home.exchange))
    router = zmq.Context().socket(zmq.ROUTER)
    router.curve_server = True
    router.curve_secretkey = keys.server_keys(home).secret.encode()
    print(router.bind_to_random_port("tcp://127.0.0.1"), flush=True)
    known = (*codecs.available(), "file")
    chosen: m.Codec = "raw"
    header = m.FrameHeader(name="concept", dtype="u1", shape=picture.shape)
    while True:
        identity, *parts = router.recv_multipart(copy=False)
        message, frames = unpack([part.buffer for part in parts], FROM_CLIENT, None, exchange)
        if isinstance(message, m.Hello):
            named = [codec for codec in ("file", "zstd") if codec in message.codecs]
            chosen = named[0] if named else "raw"  # type: ignore[assignment]
            answer: list[Any] = pack(
                m.Welcome(
                    server="echo",
                    devices=(),
                    models=(),
                    samplers=(),
                    limits=m.Limits(),
                    codecs=known,  # type: ignore[arg-type]
                    exchange=exchange.offer(),
                )
            )
        elif isinstance(message, m.Submit):
            capture = captures_of(message, frames)[0]
            look_at(np.asarray(capture.color), np.asarray(capture.depth))
            place = (m.Picture(view=0, seed=0),)
            result = m.Result(job=message.job, recipe=RECIPE, pictures=place, frames=(header,))
            answer = pack(result, [picture.data], codec=chosen, exchange=exchange)
        else:
            continue
        router.send_multipart([identity.bytes, *answer], copy=False)


# --- HTTP with PNG --------------------------------------------------------------------------------


def png_of(pixels: NDArray[Any], level: int) -> bytes:
    """Pillow's PNG; level -1 is Pillow's default."""
    from PIL import Image

    buffer = io.BytesIO()
    options = {} if level < 0 else {"compress_level": level}
    Image.fromarray(pixels).save(buffer, "PNG", **options)
    return buffer.getvalue()


def array_of(data: bytes) -> NDArray[Any]:
    """Pixels of a PNG."""
    from PIL import Image

    return np.array(Image.open(io.BytesIO(data)))


def sixteen_bits(depth: Depth) -> NDArray[np.uint16]:
    """Depth as other tools send it: scaled to its range, the sky at the far end."""
    near, far = depth.min(), depth[np.isfinite(depth)].max()
    scaled = (np.minimum(depth, far) - near) * (65535 / (far - near))
    return scaled.astype(np.uint16)


def serve_http(side: int) -> None:
    """``roundtrip.py --http SIDE``: prints its port, then answers each POST."""
    picture = scene(side)[2]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for headers and body: the faster way

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            (size,) = struct.unpack_from("<I", body)
            for image in (body[4 : 4 + size], body[4 + size :]):
                look_at(array_of(image))
            answer = png_of(picture, int(self.headers["X-Level"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


# --- measuring ------------------------------------------------------------------------------------

Way = Callable[[], Pixels]


@contextmanager
def process(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """This file as another process."""
    command = [sys.executable, __file__, *map(str, arguments)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(10)


def port_of(started: subprocess.Popen[str]) -> int:
    """The port that it prints."""
    assert started.stdout is not None
    return int(started.stdout.readline())


def connected(
    home: Home, endpoint: str, server_key: str, offer: tuple[m.Codec, ...] | None = None
) -> Client:
    """A client that has been welcomed; ``offer`` replaces the codecs that it names."""
    client = Client(keys.client_keys(home), "benchmark", offer=offer)
    client.connect(endpoint, server_key)
    until(client, Connected)
    return client


def until(client: Client, kind: type, message: type | None = None) -> Any:
    """Poll until there is such an event."""
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end:
        for event in client.poll(1.0):
            if isinstance(event, Received) and isinstance(event.message, m.Failed):
                raise SystemExit(f"failed: {event.message}")
            if isinstance(event, kind) and (
                message is None or isinstance(event.message, message)  # type: ignore[attr-defined]
            ):
                return event
    raise SystemExit("the server says nothing")


def wire_way(client: Client, color: Pixels, depth: Depth) -> Way:
    """A job through a client."""

    def run() -> Pixels:
        job = client.submit(RECIPE, [capture_of(color, depth)])
        result = until(client, Received, m.Result)
        shape = result.message.frames[0].shape
        pixels = np.frombuffer(result.frames[0], np.uint8).reshape(shape)
        look_at(pixels)
        client.acknowledge(job)
        return pixels

    return run


def http_way(port: int, level: int, color: Pixels, depth: Depth) -> Way:
    """A job through HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def run() -> Pixels:
        first, second = png_of(color, level), png_of(sixteen_bits(depth), level)
        body = struct.pack("<I", len(first)) + first + second
        connection.request("POST", "/", body, {"X-Level": str(level)})
        pixels = array_of(connection.getresponse().read())
        look_at(pixels)
        return pixels

    return run


def measure(side: int, repeats: int) -> dict[str, list[float]]:
    """Seconds of every round trip, by way."""
    color, depth, picture = scene(side)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        jobs, plain = Home(folder / "jobs"), Home(folder / "echo")
        stack.enter_context(process("--serve-jobs", jobs.root))
        echo_port = port_of(stack.enter_context(process("--echo", plain.root, side)))
        http_port = port_of(stack.enter_context(process("--http", side)))
        end = time.monotonic() + SECONDS_MAX
        while (record := running(jobs)) is None:
            if time.monotonic() > end:
                raise SystemExit("the server doesn't start")
            time.sleep(0.05)
        there = f"tcp://127.0.0.1:{echo_port}", keys.server_keys(plain).public
        clients = {
            "server": connected(jobs, record.endpoint, record.public_key),
            "wire": connected(plain, *there),
        }
        one_socket = (("wire, CURVE alone", ("raw",)), ("wire, zstd", ("raw", "zstd")))
        for name, offer in one_socket:
            if offer[-1] in codecs.available():
                clients[name] = connected(plain, *there, offer=offer)  # type: ignore[arg-type]
        ways = {name: wire_way(client, color, depth) for name, client in clients.items()}
        ways["HTTP, PNG"] = http_way(http_port, -1, color, depth)
        ways["HTTP, PNG level 1"] = http_way(http_port, 1, color, depth)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(repeats + 2):  # the first two rounds warm up
            for name, way in ways.items():
                pixels = None  # what the round before mapped is unmapped outside the measured time
                begin = time.perf_counter()
                pixels = way()
                took = time.perf_counter() - begin
                if not np.array_equal(pixels, picture):
                    raise SystemExit(f"{name} brought another picture")
                if number >= 2:
                    seconds[name].append(took)
        for client in clients.values():
            client.close()
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--side", type=int, default=1024, help="pixels of a side")
    parser.add_argument("--repeats", type=int, default=31)
    parser.add_argument("--json", type=Path, help="write the medians there as well")
    options = parser.parse_args()
    seconds = measure(options.side, options.repeats)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    baseline = medians["HTTP, PNG"]
    print(f"{options.side} x {options.side}, {options.repeats} rounds, milliseconds")
    print(f"{'':22}{'median':>9}{'fastest':>9}{'HTTP, PNG / this':>19}")
    for name, values in seconds.items():
        ratio = baseline / medians[name]
        print(f"{name:22}{medians[name] * 1e3:9.1f}{min(values) * 1e3:9.1f}{ratio:19.1f}")
    if options.json:
        options.json.write_text(json.dumps({"side": options.side, "seconds": medians}, indent=1))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve-jobs", folder]:
            serve_jobs(Home(Path(folder)))
        case ["--worker", *_]:
            work_on_nothing()
        case ["--echo", folder, side]:
            echo(Home(Path(folder)), int(side))
        case ["--http", side]:
            serve_http(int(side))
        case _:
            main()
