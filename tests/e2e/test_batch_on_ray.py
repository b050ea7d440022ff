"""``maquette batch --ray``: the same pictures from a cluster, also when one of its workers dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from .conftest import Run, environment, make_home, maquette
from .test_batch import QUICK, make_source, pictures

pytest.importorskip("ray", reason="the extra 'ray' is not installed")

START = """
import sys, time
from ray.cluster_utils import Cluster
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0})
cluster.add_node(num_cpus=1, num_gpus=0)
print(cluster.address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def ray_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("ray"))


@pytest.fixture(scope="module")
def cluster(ray_home: Path) -> Iterator[str]:
    """The address of a cluster of two nodes on this machine, with a processor each."""
    process = subprocess.Popen(
        [sys.executable, "-c", START],
        env=environment(ray_home),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdin is not None
    yield process.stdout.readline().strip()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def actors(cluster: str) -> list[psutil.Process]:
    """The processes that paint."""
    found = psutil.process_iter(["cmdline"])
    return [each for each in found if " ".join(each.info["cmdline"] or ()).startswith("ray::Actor")]


@pytest.mark.slow
def test_a_cluster_makes_the_same_pictures_with_one_of_its_workers_killed(
    ray_home: Path, cluster: str, tmp_path: Path
):
    folder = tmp_path / "renders"
    for number in range(3):
        make_source(folder, f"tower {number}", 10.0 + number)
    words = ["batch", folder, "--prompt", "a", "--prompt", "b", "--seed", "0-19", *QUICK]
    alone = tmp_path / "alone"
    assert maquette(ray_home, *words, "--output", alone).returncode == 0

    spread = tmp_path / "spread"
    command = [sys.executable, "-m", "maquette", *words, "--ray", cluster, "--output", spread]
    process = subprocess.Popen(
        [*map(str, command)],
        env=environment(ray_home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while len(pictures(spread)) < 20 and time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    assert len(actors(cluster)) == 2, "one for each node"
    actors(cluster)[0].kill()
    out, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    assert "120 made" in out
    assert pictures(spread) == pictures(alone)


def test_a_cluster_that_is_not_there_is_said(run: Run, tmp_path: Path):
    source = make_source(tmp_path / "renders", "tower")
    words = [source, "--prompt", "a", *QUICK, "--output", tmp_path / "out"]
    done = run("batch", *words, "--ray", "127.0.0.1:1")
    assert done.returncode == 1
    assert "no Ray cluster at '127.0.0.1:1'" in done.stderr
