"""Pictures a minute of `maquette batch --ray` on several workers, against one in the same run.

    python benchmarks/cluster.py [--workers 2] [--model pocket] [--captures 12] [--side 256]

Each worker is a node of a Ray cluster on this machine that has one processor, on Linux for itself,
so that more workers than processors gain nothing. One and several take turns, and a round's
time is from the first picture to the last: without starting up. Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from batch import PROMPTS, ROOT, renders

START = """
import os, sys
from ray.cluster_utils import Cluster

def own(number):
    if hasattr(os, "sched_setaffinity"):  # what begins from here has this processor alone
        os.sched_setaffinity(0, {sorted(processors)[number % len(processors)]})

processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else {0}
own(0)
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0})
for number in range(1, int(sys.argv[1])):
    own(number)
    cluster.add_node(num_cpus=1, num_gpus=0)
print(cluster.address, flush=True)
sys.stdin.read()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--workers", type=int, default=2, help="against one (2)")
    parser.add_argument("--model", default="pocket", help="a name of the catalogue (pocket)")
    parser.add_argument("--captures", type=int, default=12, help="renders, of two prompts (12)")
    parser.add_argument("--side", type=int, default=256, help="pixels (256)")
    parser.add_argument("--rounds", type=int, default=3, help="of each (3)")
    arguments = parser.parse_args()
    rates: dict[int, list[float]] = {1: [], arguments.workers: []}
    with tempfile.TemporaryDirectory(prefix="maquette-") as name:
        folder = Path(name)
        renders(folder / "renders", arguments.captures, arguments.side)
        for number in range(arguments.rounds):
            for workers, found in rates.items():
                with cluster(workers) as address:
                    target = folder / f"{workers} {number}"
                    found.append(rate(folder / "renders", target, address, arguments))
    one = statistics.median(rates[1])
    print(f"{'':12}{'pictures a minute':>18}{'ratio':>8}   median of {arguments.rounds} rounds")
    for workers, found in rates.items():
        median = statistics.median(found)
        print(f"{f'{workers} workers':12}{median:>18.1f}{median / one:>8.2f}")
    return 0


def environment() -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("shared", "backend"))
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """The address of a cluster of so many nodes."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, str(workers)],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def rate(source: Path, target: Path, address: str, arguments: argparse.Namespace) -> float:
    """Pictures a minute of one batch."""
    command = [sys.executable, "-m", "maquette", "batch", str(source), "--output", str(target)]
    command += [word for prompt in PROMPTS[:2] for word in ("--prompt", prompt)]
    command += ["--model", arguments.model, "--long-side", str(arguments.side), "--ray", address]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    assert running.stdout is not None
    times = [time.perf_counter() for line in running.stdout if line.strip().endswith(".png")]
    if running.wait():
        raise SystemExit("the batch failed")
    return 60 * (len(times) - 1) / (times[-1] - times[0])


if __name__ == "__main__":
    sys.exit(main())
