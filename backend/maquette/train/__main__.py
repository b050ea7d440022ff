"""``python -m maquette.train RECIPE.toml --out DIR``: the command without the command line."""

from __future__ import annotations

import argparse
import sys

from maquette_wire.errors import MaquetteError

from .command import configure, run

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="maquette train")
    configure(parser)
    try:
        sys.exit(run(parser.parse_args()))
    except MaquetteError as error:
        print(f"maquette: {error}", file=sys.stderr)
        sys.exit(1)
