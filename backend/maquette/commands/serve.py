"""Run the server that Blender and the command line send their jobs to.

Blender starts a server of its own when it needs one. Run one yourself to keep it between sessions,
to choose the device, or to serve other machines:

  maquette serve
  maquette serve --device cuda:1
  maquette serve --endpoint tcp://0.0.0.0:47820 --authorised-clients clients.txt

Accepted jobs survive the end of the server: the next one goes on with them.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from maquette_wire.home import Home

from ..server.service import DEFAULT_ENDPOINT, DISK_BUDGET, Server, Settings


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--endpoint",
        default=DEFAULT_ENDPOINT,
        metavar="TCP",
        help="where to listen (%(default)s); beyond this machine only with authorised clients",
    )
    parser.add_argument(
        "--device",
        default="auto",
        help="auto (every graphics card, or else the processor), cpu, mps, cuda:0, ...",
    )
    parser.add_argument(
        "--authorised-clients",
        type=Path,
        metavar="FILE",
        help="public keys of the clients that may connect, one on each line"
        " (the home's keys/authorised_clients)",
    )
    parser.add_argument(
        "--home", type=Path, metavar="DIR", help="folder of keys, models and jobs (MAQUETTE_HOME)"
    )
    parser.add_argument(
        "--models",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of a further model; may be given several times",
    )
    parser.add_argument(
        "--disk-budget",
        type=float,
        default=DISK_BUDGET / 2**30,
        metavar="GIB",
        help="disk space for captures and for results that wait to be fetched (%(default)g GiB)",
    )
    parser.add_argument("--verbose", action="store_true", help="log each connection and job")


def run(args: argparse.Namespace) -> int:
    """Serve until the process is told to end; returns the exit status."""
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    settings = Settings(
        endpoint=args.endpoint,
        device=args.device,
        home=Home(args.home.absolute()) if args.home else Home.default(),
        authorised=args.authorised_clients,
        models=tuple(args.models),
        disk_budget=round(args.disk_budget * 2**30),
    )
    print("Starting the sampling process...", flush=True)
    Server(settings).run(_say_ready)
    print("Ended. Jobs that aren't done go on when a server starts again.", flush=True)
    return 0


def _say_ready(endpoint: str, devices: tuple[str, ...]) -> None:
    print(f"Ready on {endpoint} ({', '.join(devices)}). Ctrl+C ends it.", flush=True)
