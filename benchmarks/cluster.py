"""Pictures a minute of `maquette batch --ray` on several workers, against one in the same run.

    python benchmarks/cluster.py [--workers 2] [--model pocket] [--captures 12] [--side 256]

Each worker is a node of a Ray cluster on this machine that has one processor. On Linux everything
that a round starts, the command and Ray's own processes too, has as many processors as workers, so
that more workers than processors gain nothing. What the machine can do at most is told by batches
without Ray: one, and as many side by side as there are workers, each with a processor of its own.
All take turns, and a round's time is from the first picture to the last: without starting up.
Needs the extra `ray`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
    counts = (1, arguments.workers)
    plain: dict[int, list[float]] = {count: [] for count in counts}
    spread: dict[int, list[float]] = {count: [] for count in counts}
    with tempfile.TemporaryDirectory(prefix="maquette-") as name:
        folder = Path(name)
        renders(folder / "renders", arguments.captures, arguments.side)
        for number, workers in itertools.product(range(arguments.rounds), counts):
            plain[workers].append(apart(folder, f"{workers} {number}", workers, arguments))
            with cluster(workers) as address:
                words = ["--ray", address]
                target = folder / f"ray {workers} {number}"
                spread[workers].append(rate(folder, target, words, range(workers), arguments))
    print(f"{'':20}{'pictures a minute':>18}{'ratio':>8}   median of {arguments.rounds} rounds")
    ratios = []
    for name, found in (("without Ray", plain), ("on a cluster", spread)):
        one = statistics.median(found[1])
        for workers in counts:
            median = statistics.median(found[workers])
            ratios.append(median / one)
            print(f"{f'{name}, {workers}':20}{median:>18.1f}{ratios[-1]:>8.2f}")
    print(f"of the ideal ratio: {ratios[3] / ratios[1]:.2f}")
    return 0


def environment() -> dict[str, str]:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("shared", "backend"))
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def own(places: Sequence[int]) -> None:
    """Have what begins from here some of this machine's processors alone."""
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[place % len(processors)] for place in places})


def apart(folder: Path, name: str, workers: int, arguments: argparse.Namespace) -> float:
    """Pictures a minute of as many batches side by side."""

    def one(number: int) -> float:
        return rate(folder, folder / f"apart {name} {number}", [], [number], arguments)

    with ThreadPoolExecutor(workers) as pool:
        return sum(pool.map(one, range(workers)))


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


def rate(
    folder: Path,
    target: Path,
    words: Sequence[str],
    places: Sequence[int],
    arguments: argparse.Namespace,
) -> float:
    """Pictures a minute of one batch, which has some of the processors."""
    source, home = folder / "renders", folder / f"home {target.name}"
    command = [sys.executable, "-m", "maquette", "batch", str(source), "--output", str(target)]
    command += [word for prompt in PROMPTS[:2] for word in ("--prompt", prompt)]
    command += ["--model", arguments.model, "--long-side", str(arguments.side), *words]
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**environment(), "MAQUETTE_HOME": str(home)},
        preexec_fn=lambda: own(places),
    )
    assert running.stdout is not None
    times = [time.perf_counter() for line in running.stdout if line.strip().endswith(".png")]
    if running.wait():
        raise SystemExit("the batch failed")
    return 60 * (len(times) - 1) / (times[-1] - times[0])


if __name__ == "__main__":
    sys.exit(main())
