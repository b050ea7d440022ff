"""Run the server that Blender and the command line send their jobs to.

Blender starts a server of its own when it needs one. Run one yourself to keep it between sessions,
to choose the device, or to serve other machines:

  maquette serve
  maquette serve --device cuda:1
  maquette serve --endpoint tcp://0.0.0.0:47820 --authorise='CLIENT KEY'

The last one is what Blender's "Copy Command" copies, with its key; what it prints in return is
pasted into Blender's preferences.

Accepted jobs survive the end of the server: the next one goes on with them.
"""

from __future__ import annotations

import argparse
import logging
import socket
from pathlib import Path

from maquette_wire import invitation, keys
from maquette_wire.home import Home

from ..server.access import is_loopback, split_endpoint
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
        "--authorise",
        action="append",
        default=[],
        metavar="KEY",
        help="add a client's public key to that list; may be given several times",
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
    home = Home(args.home.absolute()) if args.home else Home.default()
    for key in args.authorise:
        keys.authorise(args.authorised_clients or keys.client_list(home), key)
    settings = Settings(
        endpoint=args.endpoint,
        device=args.device,
        home=home,
        authorised=args.authorised_clients,
        models=tuple(args.models),
        disk_budget=round(args.disk_budget * 2**30),
    )
    print("Starting the sampling process...", flush=True)
    Server(settings).run(Ready(keys.server_keys(home).public, args.endpoint).say)
    print("Ended. Jobs that aren't done go on when a server starts again.", flush=True)
    return 0


class Ready:
    """Says that the server is ready and, the first time, what a client elsewhere needs to know.

    Args:
        key: the server's public key.
        asked: where it was asked to listen; any port of this computer is nothing to tell others.
    """

    def __init__(self, key: str, asked: str) -> None:
        host, port = split_endpoint(asked)
        self._key = key
        self._said = is_loopback(host) and port == "*"

    def say(self, endpoint: str, devices: tuple[str, ...]) -> None:
        """The server is ready, or has another device."""
        print(f"Ready on {endpoint} ({', '.join(devices)}). Ctrl+C ends it.", flush=True)
        if not self._said:
            self._said = True
            host, port = split_endpoint(endpoint)
            print(_explanation(host), flush=True)
            print(invitation.line(f"tcp://{_reached_at(host)}:{port}", self._key), flush=True)


def _explanation(host: str) -> str:
    if is_loopback(host):
        return "Only this computer reaches it, and whoever has a tunnel to that port, as:"
    return "For Blender on another computer: copy the next line, then press Paste in Preferences."


def _reached_at(host: str) -> str:
    """This machine's address for others; where a server listens on all, that of the way out."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of no machine; and nothing is sent
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
