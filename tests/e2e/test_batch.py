"""``maquette batch``: from folders to a finished set, whatever happens on the way."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from maquette_wire import local, png
from maquette_wire.home import Home
from PIL import Image

from .conftest import EXTENSION, Run, environment, make_home, maquette

QUICK = ("--model", "tiny", "--steps", "2", "--long-side", "64")
KILLS = int(os.environ.get("MAQUETTE_TEST_KILLS", "4"))
SAMPLE = Path(__file__).parents[2] / "samples" / "courtyard.blend"


def make_source(folder: Path, name: str, near: float = 20.0) -> Path:
    """A grey render of a box on the ground, and its depth beside it."""
    depth = np.full((48, 64), np.inf, np.float32)
    depth[30:] = np.linspace(60, 6, 18)[:, None]
    depth[12:40, 20:44] = near
    grey = np.full((48, 64, 3), 190, np.uint8)
    grey[12:40, 20:44] = 230
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{name}_depth.npy", depth)
    Image.fromarray(grey).save(folder / f"{name}.png")
    return folder / f"{name}.png"


@pytest.fixture
def renders(tmp_path: Path) -> Path:
    folder = tmp_path / "renders"
    for number in range(3):
        make_source(folder, f"Höhe {number}", 15.0 + 5 * number)
    return folder


def pictures(folder: Path) -> dict[str, bytes]:
    """The finished set: every picture by its name."""
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_every_source_with_every_recipe_and_no_picture_twice(run: Run, renders: Path):
    out = renders.parent / "out"
    words = ["batch", renders, "--prompt", "red brick", *QUICK, "--output", out]
    done = run(*words, "--seed", "0-1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("6 made:")
    names = {f"Höhe-{number}-red-brick-s{seed}.png" for number in range(3) for seed in (0, 1)}
    first = pictures(out)
    assert set(first) == names
    recipe = png.read_recipe(out / "Höhe-2-red-brick-s1.png")
    assert (recipe.prompt, recipe.seed, recipe.model, recipe.steps) == ("red brick", 1, "tiny", 2)
    assert recipe.model_hash
    found = rows(out)
    assert {row["file"] for row in found} == names and {row["state"] for row in found} == {"done"}
    assert all((out / row["source_picture"]).is_file() for row in found)
    with (out / "manifest.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["seed"] for row in csv.DictReader(file)] == ["0", "1"] * 3
    assert not (out / ".captures").exists()
    page = (out / "index.html").read_text("utf-8")
    assert all(json.dumps(name)[1:-1] in page or name in page for name in names)

    # Again: nothing to do. With another prompt: that alone. A picture that is gone: that alone.
    assert run(*words, "--seed", "0-1").stdout.splitlines()[-1].startswith("0 made, 6 were there")
    done = run(*words, "--prompt", "snow")
    assert done.stdout.splitlines()[-1].startswith("3 made, 3 were there")
    (out / "Höhe-1-red-brick-s1.png").unlink()
    assert run(*words, "--seed", "0-1").stdout.splitlines()[-1].startswith("1 made, 5 were there")
    assert {name: data for name, data in pictures(out).items() if name in names} == first


def test_a_bad_source_fails_alone_and_a_changed_one_is_painted_again(run: Run, renders: Path):
    out = renders.parent / "out"
    words = ["batch", renders, "--prompt", "brick", *QUICK, "--output", out]
    (renders / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    make_source(renders, "odd")
    np.save(renders / "odd_depth.npy", np.ones((5, 5), np.float32))
    done = run(*words)
    assert done.returncode == 1
    assert "3 made, 2 sources failed" in done.stdout
    assert "broken.png" in done.stderr and "Render both at the same size" in done.stderr
    before = pictures(out)
    (renders / "broken.png").unlink()
    make_source(renders, "odd")
    make_source(renders, "Höhe 1", 9.0)
    done = run(*words)
    assert done.returncode == 0 and "2 made, 2 were there" in done.stdout
    changed = {name for name, data in pictures(out).items() if before.get(name) != data}
    assert changed == {"Höhe-1-brick.png", "odd-brick.png"}


def test_a_recipe_that_can_not_be_painted_says_so_for_each_of_its_pictures(run: Run, renders: Path):
    out = renders.parent / "out"
    words = ["--prompt", "brick", "--model", "tiny,missing", "--steps", "2", "--output", out]
    done = run("batch", renders, *words)
    assert done.returncode == 1
    assert "3 made, 3 failed" in done.stdout and "missing" in done.stderr
    failed = [row for row in rows(out) if row["state"] == "failed"]
    assert [row["recipe"]["model"] for row in failed] == ["missing"] * 3
    assert all("missing" in row["error"] for row in failed)


def test_the_same_picture_in_two_folders_is_two_sources(run: Run, tmp_path: Path):
    for name in ("a", "b"):
        make_source(tmp_path / name, "tower")
    words = [tmp_path / "a", tmp_path / "b", "--prompt", "brick", *QUICK, "--output"]
    done = run("batch", *words, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert set(pictures(tmp_path / "out")) == {"tower-brick.png", "tower-brick-2.png"}


def test_a_table_that_can_not_be_written_is_said_and_all_else_is_there(run: Run, renders: Path):
    out = renders.parent / "out"
    (out / "manifest.csv").mkdir(parents=True)
    done = run("batch", renders, "--prompt", "brick", *QUICK, "--output", out)
    assert done.returncode == 1 and "manifest.csv can't be written" in done.stderr
    assert done.stdout.splitlines()[-1] == f"3 made: {out / 'index.html'}"
    assert len(rows(out)) == 3


def test_the_prompt_can_be_left_out_of_files_and_names(run: Run, renders: Path):
    out = renders.parent / "out"
    words = ["--prompt", "secret brick", *QUICK, "--output", out, "--leave-out-prompt"]
    assert run("batch", renders, *words).returncode == 0
    assert set(pictures(out)) == {f"Höhe-{number}.png" for number in range(3)}
    assert not any(b"secret" in data for data in pictures(out).values())


def test_a_dry_run_counts_and_makes_nothing(run: Run, renders: Path):
    out = renders.parent / "out"
    words = ["--prompt", "brick", "--seed", "0-4", "--geometry", "0.2,0.9", "--output", out]
    done = run("batch", renders, *words, "--dry-run")
    assert done.returncode == 0 and "30 pictures" in done.stdout
    assert not out.exists()


@pytest.mark.slow
def test_a_batch_that_is_killed_at_any_moment_ends_as_an_undisturbed_one(tmp_path: Path):
    """With a server of its own, which is killed as well every second time."""
    home = make_home(tmp_path / "home")
    folder = tmp_path / "renders"
    for number in range(4):
        make_source(folder, f"tower {number}", 10.0 + number)
    words = [sys.executable, "-m", "maquette", "batch", folder, "--prompt", "a", "--prompt", "b"]
    words += ["--seed", "0-3", *QUICK, "--output"]
    chance = random.Random(7)
    killed, kills = tmp_path / "killed", 0
    while kills < KILLS:
        process = subprocess.Popen(
            [*map(str, words), str(killed)],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            process.wait(chance.uniform(0.3, 9.0))
        except subprocess.TimeoutExpired:
            kills += 1
            if kills % 2:
                os.kill(process.pid, signal.SIGKILL)
            else:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for path in killed.glob("*.png"):
                with Image.open(path) as image:
                    image.load()  # whole, or not there
            continue
        assert process.returncode == 0
        for path in list(killed.glob("*.png"))[::3]:
            path.unlink()  # something to do until the last kill
    done = maquette(home, *words[3:], killed)
    assert done.returncode == 0, done.stderr
    whole = tmp_path / "whole"
    assert maquette(home, *words[3:], whole).returncode == 0
    if record := local.running(Home(home)):  # outlived the batch that began it
        os.kill(record.pid, signal.SIGTERM)
    assert len(pictures(whole)) == 32
    assert pictures(killed) == pictures(whole)
    assert not (killed / ".captures").exists()
    assert {path.name for path in killed.rglob("*")} == {path.name for path in whole.rglob("*")}


@pytest.mark.slow
def test_a_batch_that_is_killed_while_it_sends_ends_with_all_pictures_at_the_url(
    home: Path, server: local.ServerRecord, renders: Path, tmp_path: Path
):
    """To a server on which files grow; `tests.backend.batch.far` is in every Python here."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import tests.backend.batch.far\n")
    given = environment(home)
    given["PYTHONPATH"] += f"{os.pathsep}{tmp_path / 'site'}"
    given["MAQUETTE_TEST_FAR_SECONDS"] = "0.4"
    command = [sys.executable, "-m", "maquette", "batch", f"far://{renders}/*.png"]
    command += ["--prompt", "a", "--prompt", "b", "--seed", "0-1", *QUICK, "--output"]
    chance, kills = random.Random(3), 0
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    while kills < max(2, KILLS // 2):
        process = subprocess.Popen(
            [*command, f"far://{killed}"], env=given, stdout=subprocess.DEVNULL
        )
        begun, parts = chance.randint(0, 3), set()
        while process.poll() is None and len(parts) <= begun:
            parts |= {path.name for path in killed.glob(".*.part")}
            time.sleep(0.01)
        time.sleep(chance.uniform(0.0, 0.3))
        process.kill()
        kills += process.wait() != 0
        for path in killed.glob("*.png"):
            with Image.open(path) as image:
                image.load()  # whole, or not there
        for path in [*killed.glob("*.png")][:-4]:
            path.unlink()  # something to send until the last kill
    for folder in (killed, whole):
        done = subprocess.run(
            [*command, f"far://{folder}"], env=given, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1].endswith(f": far://{folder}/index.html")
    assert len(pictures(whole)) == 12
    assert pictures(killed) == pictures(whole)
    assert {row["state"] for row in rows(killed)} == {"done"}
    names = {path.name for path in killed.rglob("*")}
    assert names == {path.name for path in whole.rglob("*")}
    assert len([*(whole / "sources").iterdir()]) == 3


def test_two_machines_that_write_to_one_url_do_so_one_after_the_other(
    home: Path, server: local.ServerRecord, renders: Path, tmp_path: Path
):
    """The first one falls asleep, the second takes its place, the first one wakes up."""

    def whole(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import tests.backend.batch.far\nfrom maquette.batch import lease\n"
        "lease.RENEWED, lease.SILENCE = 0.5, 2.5\n"
    )
    shutil.copytree(home / "keys", tmp_path / "other" / "keys")  # another machine's user
    out, command = tmp_path / "out", [sys.executable, "-m", "maquette", "batch", str(renders)]
    command += ["--prompt", "a", *QUICK, "--output", f"far://{out}"]
    command += ["--server", server.endpoint, "--server-key", server.public_key]
    machines = []
    for folder in (home, tmp_path / "other"):
        given = environment(folder)
        given["PYTHONPATH"] += f"{os.pathsep}{tmp_path / 'site'}"
        machines.append({"env": given, "stderr": subprocess.PIPE, "text": True})
    first = subprocess.Popen(
        [*command, "--seed", "0-999"], stdout=subprocess.DEVNULL, **machines[0]
    )
    try:
        end = time.monotonic() + 240
        while not pictures(out) and time.monotonic() < end:
            time.sleep(0.05)
        second = subprocess.run(command, timeout=240, stdout=subprocess.PIPE, **machines[1])
        assert second.returncode == 1
        assert f"Another batch writes to far://{out} (on " in second.stderr
        assert f"process {first.pid}, since " in second.stderr
        first.send_signal(signal.SIGSTOP)
        second = subprocess.run(command, timeout=240, stdout=subprocess.PIPE, **machines[1])
        assert second.returncode == 0, second.stderr
        assert "It is not running any more" in second.stderr
        then = whole(out)
        first.send_signal(signal.SIGCONT)
        _, said = first.communicate(timeout=240)
    finally:
        first.kill()
    assert first.returncode == 1, said
    assert f"maquette: Another batch has taken over far://{out}" in said.splitlines()[-1]
    assert whole(out) == then
    assert "manifest.lease" not in then


def test_a_second_batch_in_the_same_folder_is_refused(run: Run, home: Path, renders: Path):
    out = renders.parent / "out"
    words = [
        "batch",
        str(renders),
        "--prompt",
        "a",
        "--seed",
        "0-999",
        *QUICK,
        "--output",
        str(out),
    ]
    command = [sys.executable, "-m", "maquette", *words]
    said = renders.parent / "said"  # a pipe that nobody reads would hold it up
    with said.open("w") as file:
        first = subprocess.Popen(command, env=environment(home), stdout=file)
    try:
        end = time.monotonic() + 240
        while not said.stat().st_size and time.monotonic() < end:
            time.sleep(0.05)
        done = run(*words)
        assert done.returncode == 1 and "Another batch works" in done.stderr
        assert "3000 pictures" in run(*words, "--dry-run").stdout
        first.send_signal(signal.SIGINT)
        assert first.wait(240) == 130
    finally:
        first.kill()
    made = sum(row["state"] == "done" for row in rows(out))
    assert 0 < made < 3000 and len(pictures(out)) == made


@pytest.mark.skipif(not EXTENSION, reason="no extension was built: run build.py test")
def test_all_cameras_of_a_scene(run: Run, one_blender: Path, tmp_path: Path):
    words = ["--all-cameras", "--prompt", "brick", "--seed", "1-2", *QUICK, "--output", tmp_path]
    words += ["--blender", one_blender, "--extension", EXTENSION]
    begun = time.time()
    done = run("batch", SAMPLE, *words)
    assert done.returncode == 0, done.stderr
    assert "8 made" in done.stdout
    views = {row["view"] for row in rows(tmp_path)}
    assert len(views) == 4
    assert "0 made, 8 were there" in run("batch", SAMPLE, *words).stdout
    next(tmp_path.glob("*.png")).unlink()
    assert "1 made, 7 were there" in run("batch", SAMPLE, *words).stdout
    assert SAMPLE.stat().st_mtime < begun
