"""A server whose worker is the light one: ``light_server.py HOME [option=value ...]``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from maquette.server.service import Server, Settings
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home
from maquette_wire.messages import Limits, ModelInfo
from maquette_wire.recipe import Recipe

WORKER = (sys.executable, str(Path(__file__).with_name("light_worker.py")))


class LightModels:
    """One model, called ``light``."""

    def infos(self) -> tuple[ModelInfo, ...]:
        """What a welcome says."""
        return (
            ModelInfo(
                name="light",
                title="Light",
                family="noise",
                licence="none",
                native_size=64,
                steps=2,
                sampler="ddim",
                guidance=1.0,
                samplers=("ddim",),
            ),
        )

    def check(self, recipe: Recipe) -> None:
        """Refuse any other model."""
        if recipe.model != "light":
            raise MaquetteError(
                "unknown-model", f"There is no model {recipe.model!r}.", "Use light."
            )


def main() -> int:
    """Serve until told to end; the options are those of Settings."""
    options = dict(argument.split("=", 1) for argument in sys.argv[2:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings(
        endpoint=options.get("endpoint", "tcp://127.0.0.1:*"),
        device=options.get("device", "cpu"),
        home=Home(Path(sys.argv[1])),
        disk_budget=int(options.get("disk_budget", 2**30)),
        limits=Limits(queued_jobs=int(options.get("queued_jobs", 1000))),
    )
    worker = (*WORKER, "--crash") if "crash" in options else WORKER
    try:
        Server(settings, worker, LightModels()).run(
            lambda endpoint, devices: print("ready", endpoint, *devices, flush=True)
        )
    except MaquetteError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
