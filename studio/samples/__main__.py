"""Make the five sample massing models: `python -m studio.samples [--out samples]`, with Blender
4.2's `bpy`.

Files saved by 4.2 open in every later version. Each model has a ground, and four cameras named
Street, Bird, Elevation (orthographic) and Two-point (level, with lens shift).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import bpy

from ..staging import start
from .city import office_slab, street_tower
from .country import church, gabled_house
from .courtyard import courtyard

SAMPLES = {
    "gabled_house": gabled_house,
    "church": church,
    "office_slab": office_slab,
    "street_tower": street_tower,
    "courtyard": courtyard,
}


def main(arguments: list[str] | None = None) -> int:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m studio.samples", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("samples"))
    parser.add_argument("--only", choices=list(SAMPLES), help="make one model only")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, build in SAMPLES.items():
        if options.only in (None, name):
            start()
            build()
            path = options.out.resolve() / f"{name}.blend"
            bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
            print(f"{path.name}: {path.stat().st_size // 1024} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
