"""Eight pictures carried onto the texture of a building, against Cycles' bake of the same.

    python benchmarks/bake.py [--blender PROGRAM] [--threads 1] [--repeats 2] [--quick] [--planning]

The building is made of boxes, its faces divided into as many triangles as are asked for; the views
stand around it, and their depth is traced. Each way starts with surface, pictures and depth as
arrays, in a process of its own, and ends with a finished texture:

- ``Maquette``: ``texturing.bake.bake``, with matched exposure and unseen texels filled; how long it
  takes until every texel is projected, before what no view sees is filled, is told as well;
- ``Cycles``: one emission bake at one sample a texel on the CPU, of a material that projects the
  same pictures through the same cameras, each where its depth map shows the surface and in
  proportion to the same power of the cosine. What no view sees stays black. Building the scene
  and its nodes isn't counted.

``--planning`` measures how long the add-on takes to place six views of a million triangles instead;
the Python that has bpy must find msgspec and pyzmq as well.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "backend"), str(ROOT / "shared")]

Array = NDArray[np.float64]

VIEWS, PICTURE = 8, 1024
TRIANGLES, ATLAS = 100_000, 2048
GROWTH = {"triangles": (1_000, 10_000, 100_000, 1_000_000), "atlas": (1024, 2048, 4096)}
KEYS = ("seconds", "projected", "CPU", "peak GB")
"""Of the wall, of it until all is projected, of the processor, and memory of the process."""
GOAL = 10.0
SHARPNESS = 32.0
"""Power of the cosine that a view colours in proportion to, as in `texturing.bake`."""
TOLERANCE = 0.005
"""Of the distance: what the depth of a pixel may be off by for Cycles' material."""
FACES = ((0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6), (4, 5, 7, 6), (1, 0, 2, 3))
"""Corners of a box's faces, counter-clockwise from outside; bit 0 is x, bit 1 y, bit 2 z."""


def boxes() -> Array:
    """[boxes, 2, 3]: lowest and highest corners of a house with a tower, a wing and bays."""
    found: list[Any] = [
        ((-20, -7, 0), (20, 7, 22)),
        ((-20, 7, 0), (-8, 30, 16)),
        ((9, -6, 22), (19, 6, 40)),
    ]
    for floor in range(5):
        for bay in range(8):
            x, z = -18 + 5 * bay, 2 + 4 * floor
            found.append(((x, -8.2, z), (x + 2.5, -7, z + 2.6)))
    return np.array(found, np.float64)


def building(triangles: int) -> tuple[Array, Array]:
    """Corners [n, 3, 3] and UVs [n, 3, 2] of about so many triangles."""
    corners = np.array([[(b[n & 1, 0], b[n >> 1 & 1, 1], b[n >> 2, 2]) for n in range(8)]
                        for b in boxes()])  # fmt: skip
    quads = corners[:, FACES].reshape(-1, 4, 3)
    cells = int(np.ceil(np.sqrt(len(quads))))
    parts = max(1, round(np.sqrt(triangles / (2 * len(quads)))))
    steps = np.linspace(0.0, 1.0, parts + 1)
    u, v = (each.ravel() for each in np.meshgrid(steps, steps))
    weights = np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], 1)
    row = np.arange(parts)
    first = (row[:, None] * (parts + 1) + row).ravel()
    split = np.array([(0, 1, parts + 2), (0, parts + 2, parts + 1)])
    indices = (first[:, None, None] + split).reshape(-1, 3)
    number = np.arange(len(quads))
    place = np.stack([number % cells, number // cells], 1) / cells
    flat = place[:, None] + (np.stack([u, v], 1) * 0.96 + 0.02) / cells
    points = np.einsum("pk,qkx->qpx", weights, quads)
    return points[:, indices].reshape(-1, 3, 3), flat[:, indices].reshape(-1, 3, 2)


def cameras() -> Iterator[tuple[Array, float]]:
    """(world to camera [4, 4], tangent of half the field) of each view."""
    middle, away, half = np.array([0.0, 8.0, 16.0]), 75.0, 0.45
    for number in range(VIEWS):
        turn, rise = 0.3 + 2 * np.pi * number / VIEWS, (0.15, 0.6)[number % 2]
        z = np.array([np.cos(turn) * np.cos(rise), np.sin(turn) * np.cos(rise), np.sin(rise)])
        x = np.array([-np.sin(turn), np.cos(turn), 0.0])
        matrix = np.eye(4)
        matrix[:3, :3] = [x, np.cross(z, x), z]
        matrix[:3, 3] = -matrix[:3, :3] @ (middle + away * z)
        yield matrix, half


def traced(matrix: Array, half: float) -> NDArray[np.float32]:
    """Depth [h, w] in metres of the boxes, +inf beside them."""
    place = (np.arange(PICTURE) + 0.5) / PICTURE * 2 - 1
    x, y = np.meshgrid(place * half, -place * half)
    # In steps of one metre along the view axis.
    way = np.stack([x, y, np.full_like(x, -1.0)], -1) @ matrix[:3, :3]
    eye = -matrix[:3, :3].T @ matrix[:3, 3]
    depth = np.full(x.shape, np.inf)
    for box in boxes():
        corners = np.array([[box[n >> axis & 1, axis] for axis in range(3)] for n in range(8)])
        at = corners @ matrix[:3, :3].T + matrix[:3, 3]
        pixels = (at[:, :2] / (-at[:, 2:] * half) * [1, -1] + 1) * PICTURE / 2
        first = np.floor(pixels.min(0)).astype(int).clip(0, PICTURE)
        last = np.ceil(pixels.max(0)).astype(int).clip(0, PICTURE)
        part = np.s_[first[1] : last[1], first[0] : last[0]]
        ends = (box[:, None, None] - eye) / way[part]
        enters, leaves = ends.min(0).max(-1), ends.max(0).min(-1)
        nearer = np.where((enters < leaves) & (enters > 0), enters, np.inf)
        depth[part] = np.minimum(depth[part], nearer)
    return depth.astype(np.float32)


def pictures() -> NDArray[np.uint8]:
    """[views, h, w, 3], smooth and each of its own colour."""
    rows, columns = np.mgrid[:PICTURE, :PICTURE] / PICTURE
    found = []
    for number in range(VIEWS):
        waves = [np.sin(9 * columns + number), np.cos(7 * rows), np.sin(40 * (rows + columns))]
        found.append(0.5 + 0.2 * np.stack(waves, -1))
    return np.rint(np.array(found) * 255).astype(np.uint8)


def ours(case: dict[str, Any], folder: Path) -> dict[str, float]:
    """Bake once; seconds and the process's peak of memory in GB."""
    import torch
    from maquette.texturing.bake import PaintedView, bake
    from maquette.texturing.surface import Surface
    from maquette_wire.view import View

    torch.set_num_threads(case["threads"])
    corners, uvs = building(case["triangles"])
    surface = Surface(corners, uvs, np.zeros(len(corners), np.int32))
    depth, painted = np.load(folder / "depth.npy"), np.load(folder / "pictures.npy")
    views = []
    for number, (matrix, half) in enumerate(cameras()):
        clip = np.array([[1 / half, 0, 0, 0], [0, 1 / half, 0, 0], [0, 0, -1, -0.2], [0, 0, -1, 0]])
        flat: list[Any] = [tuple(each.ravel().tolist()) for each in (matrix, clip)]
        view = View(view_matrix=flat[0], projection_matrix=flat[1], width=PICTURE, height=PICTURE)
        views.append(PaintedView(view, depth[number], painted[number]))
    start = time.perf_counter()
    projected = 0.0

    def progress(done: int, whole: int) -> None:
        nonlocal projected
        projected = time.perf_counter() - start

    before = time.process_time()
    bake(surface, views, case["atlas"], progress=progress)
    seconds, spent = time.perf_counter() - start, time.process_time() - before
    return {"seconds": seconds, "projected": projected, "CPU": spent, "peak GB": peak()}


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def cycles(case: dict[str, Any], folder: Path) -> dict[str, float]:
    """Bake once in Cycles; seconds and the process's peak of memory in GB."""
    import bpy

    thing = _building(case["triangles"])
    scene: Any = bpy.context.scene
    bpy.context.view_layer.objects.active = thing
    thing.select_set(True)
    thing.data.materials.append(_projection(folder, case["atlas"]))
    scene.render.engine = "CYCLES"
    scene.render.threads_mode, scene.render.threads = "FIXED", case["threads"]
    scene.cycles.device, scene.cycles.samples = "CPU", 1
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    start, before = time.perf_counter(), time.process_time()
    bpy.ops.object.bake(type="EMIT", margin=16)
    seconds, spent = time.perf_counter() - start, time.process_time() - before
    flat = np.empty(case["atlas"] ** 2 * 4, np.float32)
    bpy.data.images["atlas"].pixels.foreach_get(flat)
    assert (flat.reshape(-1, 4)[:, :3].max(1) > 0).mean() > 0.5, "Cycles baked nothing"
    return {"seconds": seconds, "projected": seconds, "CPU": spent, "peak GB": peak()}


def planning(case: dict[str, Any], folder: Path) -> dict[str, float]:
    """Place six views once; seconds and the process's peak of memory in GB."""
    import bpy

    sys.path.insert(0, str(ROOT))
    from blender_addon.capture.planning import plan
    from blender_addon.capture.surface import shape

    _building(case["triangles"])
    bpy.context.view_layer.update()
    surface = shape(bpy.context)
    start, before = time.perf_counter(), time.process_time()
    made = plan(bpy.context, surface, 6)
    seconds, spent = time.perf_counter() - start, time.process_time() - before
    assert len(made.poses) == 6, "a building has six sides to see"
    return {"seconds": seconds, "projected": seconds, "CPU": spent, "peak GB": peak()}


def _building(triangles: int) -> Any:
    """The building as the one object of an empty file."""
    import bpy

    bpy.ops.wm.read_factory_settings(use_empty=True)
    corners, uvs = building(triangles)
    mesh: Any = bpy.data.meshes.new("building")
    count = len(corners) * 3
    mesh.vertices.add(count)
    mesh.vertices.foreach_set("co", corners.astype(np.float32).ravel())
    mesh.loops.add(count)
    mesh.loops.foreach_set("vertex_index", np.arange(count, dtype=np.int32))
    mesh.polygons.add(len(corners))
    mesh.polygons.foreach_set("loop_start", np.arange(0, count, 3, dtype=np.int32))
    mesh.update(calc_edges=True)
    mesh.uv_layers.new(name="UV").uv.foreach_set("vector", uvs.astype(np.float32).ravel())
    thing = bpy.data.objects.new("building", mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def _projection(folder: Path, atlas: int) -> Any:
    """A material that shows the views' pictures where they see the surface."""
    import bpy

    material: Any = bpy.data.materials.new("projection")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()

    def image(name: str, pixels: NDArray[np.float32], raw: bool) -> Any:
        height, width = pixels.shape[:2]
        made: Any = bpy.data.images.new(name, width, height, float_buffer=raw, is_data=raw)
        whole = np.ones((height, width, 4), np.float32)
        whole[..., :3] = pixels[::-1]
        made.pixels.foreach_set(whole.ravel())
        made.update()
        return made

    def node(kind: str, operation: str | None, *values: Any) -> Any:
        """Of inputs that are sockets or constants."""
        made = tree.nodes.new(kind)
        if operation is not None:
            made.operation = operation
        for socket, value in zip(made.inputs, values, strict=False):
            if hasattr(value, "node"):
                tree.links.new(value, socket)
            else:
                socket.default_value = value
        return made

    def math(operation: str, *values: Any) -> Any:
        return node("ShaderNodeMath", operation, *values).outputs[0]

    def vector(operation: str, *values: Any) -> Any:
        made = node("ShaderNodeVectorMath", operation, *values)
        return made.outputs["Value" if operation == "DOT_PRODUCT" else "Vector"]

    def texture(name: str, pixels: NDArray[np.float32], raw: bool, place: Any) -> Any:
        made = node("ShaderNodeTexImage", None, place)
        made.image = image(name, pixels, raw)
        made.extension, made.interpolation = "CLIP", "Closest" if raw else "Linear"
        return made.outputs["Color"]

    geometry = tree.nodes.new("ShaderNodeNewGeometry")
    position, normal = geometry.outputs["Position"], geometry.outputs["True Normal"]
    depths, painted = np.load(folder / "depth.npy"), np.load(folder / "pictures.npy")
    total, colors = None, None
    for number, (matrix, half) in enumerate(cameras()):
        x, y, z = (
            math("ADD", vector("DOT_PRODUCT", position, tuple(row[:3])), row[3])
            for row in matrix[:3]
        )
        depth = math("MULTIPLY", z, -1.0)
        across = math("MULTIPLY", depth, 2.0 * half)
        u, v = (math("ADD", math("DIVIDE", each, across), 0.5) for each in (x, y))
        place = node("ShaderNodeCombineXYZ", None, u, v, 0.0).outputs[0]
        metres = np.where(np.isfinite(depths[number]), depths[number], 1e6)[..., None]
        shown = texture(f"depth {number}", metres, True, place)
        apart = math("ABSOLUTE", math("SUBTRACT", shown, depth))
        seen = math("LESS_THAN", apart, math("MULTIPLY", depth, TOLERANCE))
        eye = tuple(-matrix[:3, :3].T @ matrix[:3, 3])
        way = vector("NORMALIZE", vector("SUBTRACT", eye, position))
        cosine = math("MAXIMUM", vector("DOT_PRODUCT", way, normal), 0.0)
        weight = math("MULTIPLY", math("POWER", cosine, SHARPNESS), seen)
        picture = painted[number].astype(np.float32) / 255
        color = vector("MULTIPLY", texture(f"picture {number}", picture, False, place), weight)
        total = weight if total is None else math("ADD", total, weight)
        colors = color if colors is None else vector("ADD", colors, color)
    mixed = vector("DIVIDE", colors, total)
    emission = node("ShaderNodeEmission", None, mixed)
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(emission.outputs[0], output.inputs["Surface"])
    target = tree.nodes.new("ShaderNodeTexImage")
    target.image = image("atlas", np.zeros((atlas, atlas, 3), np.float32), False)
    tree.nodes.active = target
    return material


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--blender", type=Path, help="a Blender, or a Python that has bpy")
    parser.add_argument("--threads", type=int, default=1, help="of each way (1)")
    parser.add_argument("--repeats", type=int, default=2, help="of the comparison (2)")
    parser.add_argument("--quick", action="store_true", help="the comparison alone")
    parser.add_argument("--planning", action="store_true", help="how long placing views takes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = measure(arguments, Path(name))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from maquette import blender

    np.save(folder / "depth.npy", np.array([traced(*each) for each in cameras()]))
    np.save(folder / "pictures.npy", pictures())
    found = blender.find(arguments.blender)
    outside = [str(found.program)] if found.module else [
        str(found.program), "--background", "--factory-startup", "--python-exit-code", "1",
        "--python",
    ]  # fmt: skip
    split = [] if found.module else ["--"]

    def run(way: str, triangles: int = TRIANGLES, atlas: int = ATLAS) -> dict[str, float]:
        case = {"triangles": triangles, "atlas": atlas, "threads": arguments.threads}
        inside = way != "ours"
        words = [__file__, *(split if inside else []), way, json.dumps(case), str(folder)]
        start = outside if inside else [sys.executable]
        threads = {**os.environ, "OMP_NUM_THREADS": str(arguments.threads)}
        done = subprocess.run([*start, *words], capture_output=True, text=True, env=threads)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return json.loads((folder / f"{way}.json").read_text(encoding="utf-8"))

    figures: dict[str, Any] = {}

    def tell(what: str, results: list[dict[str, float]]) -> None:
        found = {key: statistics.median(each[key] for each in results) for key in results[0]}
        figures[what] = found
        print(f"{what:36}" + "".join(f"{found[key]:11.2f}" for key in KEYS), flush=True)

    print(f"{'':36}" + "".join(f"{key:>11}" for key in KEYS), flush=True)
    if arguments.planning:
        tell(
            "Six views of 1,000,000 triangles",
            [run("planning", 1_000_000) for _ in range(arguments.repeats)],
        )
        return figures
    mine, theirs = [], []
    for _ in range(arguments.repeats):
        mine.append(run("ours"))
        theirs.append(run("cycles"))
    tell(f"Maquette, {TRIANGLES:,} triangles, {ATLAS}²", mine)
    tell(f"Cycles, {TRIANGLES:,} triangles, {ATLAS}²", theirs)
    for key in ("seconds", "projected"):
        pairs = zip(mine, theirs, strict=True)
        figures[f"ratio {key}"] = statistics.median(b[key] / a[key] for a, b in pairs)
    print(
        f"Maquette is {figures['ratio seconds']:.1f} times as fast as Cycles, "
        f"{figures['ratio projected']:.1f} times where neither fills (goal: {GOAL:.0f})",
        flush=True,
    )
    if not arguments.quick:
        for triangles in GROWTH["triangles"]:
            tell(f"Maquette, {triangles:,} triangles", [run("ours", triangles=triangles)])
        for atlas in GROWTH["atlas"]:
            tell(f"Maquette, {atlas}² texels", [run("ours", atlas=atlas)])
    return figures


WAYS = {"ours": ours, "cycles": cycles, "planning": planning}


def part() -> int:
    """One way in a process of its own."""
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    way, case, folder = words[0], json.loads(words[1]), Path(words[2])
    if hasattr(os, "sched_setaffinity"):  # a bake of Cycles takes more threads than it is told to
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: case["threads"]])
    result = WAYS[way](case, folder)
    (folder / f"{way}.json").write_text(json.dumps(result), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(part() if WAYS.keys() & set(sys.argv) else main())
