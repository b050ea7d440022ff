"""Whether the views of one job show one building: painted together against apart.

    python benchmarks/consistency.py [SAMPLE | SCENE.blend ...] [--blender PATH] [--extension ZIP]
        [--prompt TEXT] [--seed N] [--model pocket] [--how together|from|in-turn]
        [--painted-light] [--side PIXELS]
        [--sheets DIR] [--json FILE]

A sample by its name (``church``) is its building, as the docs show it textured, with the prompt
that they give; a .blend is the whole scene. Where none is named, those are all samples, and the
whole quarter around the tower. The views that `maquette texture` takes of each are captured once,
for a texture of 2048 pixels, and painted apart and together, with the same seed, as that command
does: at the size that the model was trained at, or at `--side`, enlarged to exact edges, and
without painted light unless it is to be kept:

- ``differ``: the mean difference of colours, in levels of 255, of texels of the model that two
  views see well, over all pairs of views, as they are painted, before any blending or matching of
  exposures; ``ratio`` is together against apart.
- ``detail``: the energy of what a Gaussian of 2 pixels takes away, together against apart, over
  the pictures and, ``on it``, over the pixels that show the model. Agreement by blurring lowers it.
- ``seam``: how much colours change across borders of the UV map, in the texture of those painted
  together against the views themselves; ``inside``: against that from texel to texel inside of
  islands; ``smooth``: over the greater of both where the surface goes on (`benchmarks/seams.py`).
- ``time``: of the processor for the whole job, together against apart.

In place of together, ``--how from`` gives the first view as it is painted by itself, and the others
are painted together after it, as in `maquette texture --from`; with ``in-turn`` each view follows
all earlier ones, finished.

``--sheets`` writes a PNG for each: captures, views apart, views together.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))

import numpy as np
import torch
from maquette.commands.texture import AROUND
from maquette.extension import Extension
from maquette.families.settings import read_settings
from maquette.sampling import Sampler
from maquette.texturing.bake import WELL_SEEN, PaintedView, Stage, bake
from maquette.texturing.jumps import away_from_jumps
from maquette.texturing.projection import Camera, Sight, look
from maquette.texturing.raster import texels_of
from maquette.texturing.surface import Surface, read_surface
from maquette_wire.capture import Capture
from maquette_wire.home import Home
from maquette_wire.recipe import Recipe
from maquette_wire.surface import captured_side
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from seams import seams

from tools import turntables

QUARTER = Path(__file__).resolve().parents[1] / "samples" / "street_tower.blend"
PROMPT = "red brick building, grey roof, ribbon windows, day"
TEXTURE = 512
SAMPLES = 40_000
CLEAN_PIXELS = 3.0
SIGMA = 2.0
COLUMNS = (
    "differ apart",
    "together",
    "ratio",
    "detail",
    "on it",
    "time",
    "seam",
    "inside",
    "smooth",
)
ATLAS = 2048

Pictures = list[NDArray[np.uint8]]


class Asked(TypedDict):
    """What `Sampler.run` is asked for besides, as by a texture's job."""

    painted: int
    even: bool


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="SAMPLE | SCENE.blend")
    parser.add_argument("--blender", type=Path, help="a Blender, or a Python with bpy")
    parser.add_argument("--extension", type=Path, help="the extension's zip")
    parser.add_argument("--prompt", help="for all (that of each sample)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="pocket", help="a name of the catalogue (pocket)")
    parser.add_argument("--how", choices=("together", "from", "in-turn"), default="together")
    parser.add_argument("--painted-light", action="store_true", help="as it is painted")
    parser.add_argument("--side", type=int, metavar="PIXELS", help="that views are painted at")
    parser.add_argument("--sheets", type=Path, metavar="DIR", help="write the pictures there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    extension = Extension.find(Home.default(), arguments.blender, arguments.extension)
    sampler = Sampler("cpu")
    directory = sampler.catalogue.present(arguments.model).directory
    side = arguments.side or read_settings(directory).native_size
    asked: Asked = {"painted": side, "even": not arguments.painted_light}
    samples = {each.sample: each for each in turntables.SAMPLES}
    print(f"{'':24}" + "".join(f"{name:>14}" for name in COLUMNS))
    figures = {}
    for name in arguments.names or (*samples, str(QUARTER)):
        building = samples.get(name)
        scene = Path(name) if building is None else turntables.scene_of(building)
        objects = () if building is None else building.objects
        surface, captures = captured(extension, scene, side, objects)
        recipe = Recipe(
            prompt=arguments.prompt or (PROMPT if building is None else building.prompt),
            model=arguments.model,
            seed=arguments.seed,
        )
        label = scene.name if building is None else name
        figures[label], rows = measure(sampler, recipe, surface, captures, arguments.how, asked)
        shown = "".join(f"{figures[label][column]:>14.2f}" for column in COLUMNS)
        print(f"{label:24}{shown}", flush=True)
        if arguments.sheets:
            arguments.sheets.mkdir(parents=True, exist_ok=True)
            sheet = np.concatenate([np.concatenate(row, 1) for row in rows])
            Image.fromarray(sheet).save(arguments.sheets / f"{label}.png")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def captured(
    extension: Extension, scene: Path, side: int, objects: Sequence[str] = ()
) -> tuple[Surface, list[Capture]]:
    """The surface of objects, or of a whole scene, and its views as `maquette texture` takes them
    of a model that paints at a side."""
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        file = Path(folder) / "surface.npz"
        wanted = ["--surface", str(file), "--around", str(AROUND), "--long-side"]
        wanted.append(str(captured_side(side, ATLAS)))
        for name in objects:
            wanted += ["--object", name]
        captures = extension.capture(scene, wanted, lambda _sentence: None)
        return read_surface(file)[0], captures


def measure(
    sampler: Sampler,
    recipe: Recipe,
    surface: Surface,
    captures: list[Capture],
    how: str,
    asked: Asked,
) -> tuple[dict[str, float], list[Pictures]]:
    """The figures of one scene by their column, and its captures and pictures as rows."""
    sampler.run(recipe, captures[:1], painted=64)  # loads the model
    seconds, painted = [], []
    for way in ("apart", how):
        start = time.process_time()
        painted.append(paint(sampler, recipe, captures, way, asked))
        seconds.append(time.process_time() - start)
    sights = seen_well(surface, captures)
    differ = [difference(sights, pictures) for pictures in painted]
    shown = [shows_model(c, sight) for c, (sight, _) in zip(captures, sights, strict=True)]
    whole = [np.ones_like(each) for each in shown]
    energies = [[detail(p, masks) for p in painted] for masks in (whole, shown)]
    views = [
        PaintedView(capture.view, np.asarray(capture.depth), picture)
        for capture, picture in zip(captures, painted[1], strict=True)
    ]
    stage = Stage(
        surface, views, texels_of(surface, TEXTURE), torch.device("cpu"), True, even=asked["even"]
    )
    seam = seams(surface, stage, bake(surface, views, ATLAS, even=asked["even"]))
    values = (*differ, differ[1] / differ[0], *(b / a for a, b in (*energies, seconds)), *seam)
    rows = [[np.asarray(capture.color) for capture in captures], *painted]
    return dict(zip(COLUMNS, values, strict=True)), rows


def paint(
    sampler: Sampler, recipe: Recipe, captures: list[Capture], how: str, asked: Asked
) -> Pictures:
    """A picture of each view: apart, together, from the first, or in turn."""
    if how == "apart":
        return [sampler.run(recipe, [each], **asked).pictures[0][2] for each in captures]
    given: dict[int, NDArray[np.uint8]] = {}
    if how == "from":
        given[0] = sampler.run(recipe, captures[:1], **asked).pictures[0][2]
    elif how == "in-turn":
        for number in range(len(captures) - 1):
            some = captures[: number + 1]
            seen = sampler.run(recipe, some, together=True, given=given, **asked)
            given[number] = seen.pictures[number][2]
    result = sampler.run(recipe, captures, together=True, given=given, **asked)
    return [picture for _, _, picture in result.pictures]


def seen_well(surface: Surface, captures: list[Capture]) -> list[tuple[Sight, torch.Tensor]]:
    """How each view sees texels spread over the model, and which of them it sees well."""
    texels = texels_of(surface, TEXTURE)
    some = np.flatnonzero(texels.inside)
    some = some[:: max(1, len(some) // SAMPLES)]
    triangles = texels.triangles[some]
    origin = (surface.corners.min((0, 1)) + surface.corners.max((0, 1))) / 2
    corners = np.moveaxis(surface.corners - origin, 0, 2).astype(np.float32)
    points = torch.from_numpy(texels.positions(corners, some))
    normals = torch.from_numpy(surface.normals()[triangles].T.copy()).float()
    sights = []
    for capture in captures:
        depth = np.array(capture.depth)
        camera = Camera.of(capture.view, origin, torch.device("cpu"))
        sight = look(camera, torch.from_numpy(depth).flatten(), points, normals)
        away = torch.from_numpy(away_from_jumps(depth, capture.view)).reshape(-1, 1)
        well = torch.zeros(len(some), dtype=torch.bool)
        well[sight.rows] = (sight.cosine > WELL_SEEN) & (sight.gather(away)[:, 0] > CLEAN_PIXELS)
        sights.append((sight, well))
    return sights


def difference(sights: list[tuple[Sight, torch.Tensor]], pictures: Pictures) -> float:
    """Of the colours of the same texels in two views, in levels, over all pairs."""
    colors = []
    for (sight, well), picture in zip(sights, pictures, strict=True):
        color = torch.zeros(len(well), 3)
        color[sight.rows] = sight.gather(torch.from_numpy(picture).reshape(-1, 3).float())
        colors.append(color)
    apart = [
        (colors[i] - colors[j])[sights[i][1] & sights[j][1]].abs().mean(1)
        for i in range(len(colors))
        for j in range(i + 1, len(colors))
    ]
    return float(torch.cat(apart).mean())


def shows_model(capture: Capture, sight: Sight) -> NDArray[np.bool_]:
    """The pixels [h, w] that show the model, without its outline."""
    mask = np.zeros(capture.view.height * capture.view.width, bool)
    mask[sight.taps.flatten().numpy()] = True
    mask = mask.reshape(capture.view.height, capture.view.width)
    closed = ndimage.binary_closing(mask, iterations=2)
    return np.asarray(ndimage.binary_erosion(closed, iterations=3), bool)


def detail(pictures: Pictures, masks: list[NDArray[np.bool_]]) -> float:
    """The energy of high frequencies of luma (ITU-R BT.601), over the pixels of the masks that have
    any."""
    energies = []
    for picture, mask in zip(pictures, masks, strict=True):
        luma = picture @ np.array([0.299, 0.587, 0.114])
        if mask.any():
            energies.append(np.square(luma - ndimage.gaussian_filter(luma, SIGMA))[mask].mean())
    return float(np.mean(energies))


if __name__ == "__main__":
    sys.exit(main())
