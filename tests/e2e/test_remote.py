"""A server that other machines may use: keys decide who may, and the refusal says what to do."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from maquette_wire import invitation, keys, local
from maquette_wire.home import Home
from PIL import Image

from .conftest import environment, make_home, maquette


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(folder / "render.png")
    np.save(folder / "depth.npy", np.full((64, 64), 9.0, np.float32))
    return folder


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of a user on another machine, whose client is authorised."""
    return Home(tmp_path_factory.mktemp("guest"))


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory, guest: Home) -> Iterator[tuple[str, str]]:
    """Address and key of a server that the guest may use."""
    home = make_home(tmp_path_factory.mktemp("host"))
    listed = home / "clients.txt"
    listed.write_text(f"{keys.client_keys(guest).public} guest\n")
    command = [sys.executable, "-m", "maquette", "serve", "--endpoint", "tcp://127.0.0.1:*"]
    command += ["--authorised-clients", str(listed)]
    process = subprocess.Popen(command, env=environment(home), stdout=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 300
        while (record := local.running(Home(home))) is None:
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.1)
        yield record.endpoint, record.public_key
    finally:
        process.terminate()
        process.wait(30)


def _words(scene: Path, remote: tuple[str, str]) -> list[object]:
    words: list[object] = ["restyle", scene / "render.png", "--depth", scene / "depth.npy"]
    words += ["--prompt", "brick", "--model", "tiny", "--steps", "2", "--output", scene / "out"]
    return [*words, "--server", remote[0], f"--server-key={remote[1]}"]


def _refusal(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_an_authorised_client_gets_its_picture(remote, guest, scene):
    done = maquette(guest.root, *_words(scene, remote))
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).exists()


def test_a_stranger_is_told_to_have_the_key_authorised(remote, scene, tmp_path):
    assert "key" in _refusal(maquette(tmp_path, *_words(scene, remote)))


def test_another_servers_key_is_refused(remote, guest, scene, tmp_path):
    other = keys.server_keys(Home(tmp_path)).public
    assert "key" in _refusal(maquette(guest.root, *_words(scene, (remote[0], other))))


def test_a_key_cut_short_is_named(remote, guest, scene):
    said = _refusal(maquette(guest.root, *_words(scene, (remote[0], remote[1][:-1]))))
    assert "40 characters" in said


def test_a_port_without_a_server_is_named(remote, guest, scene):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    said = _refusal(maquette(guest.root, *_words(scene, (address, remote[1]))))
    assert address in said


def test_a_server_beyond_this_machine_needs_a_list_of_clients(tmp_path):
    done = maquette(tmp_path, "serve", "--endpoint", "tcp://0.0.0.0:*")
    assert "authorised" in _refusal(done)


def test_a_command_and_a_line_that_are_copied_are_all_that_a_guest_needs(scene, tmp_path):
    guest, host = Home(tmp_path / "guest"), make_home(tmp_path / "host")
    words = shlex.split(invitation.serve_command(keys.client_keys(guest).public))[1:]
    words = [word.replace(":47820", ":*") for word in words]  # that port may be taken here
    command = [sys.executable, "-m", "maquette", *words]
    process = subprocess.Popen(
        command, env=environment(host), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("tcp://"))
        address, key = invitation.read(line)
        here = f"tcp://127.0.0.1:{address.rpartition(':')[2]}"
        done = maquette(guest.root, *_words(scene, (here, key)))
        assert done.returncode == 0, done.stderr
        assert Path(done.stdout.strip()).exists()
    finally:
        process.terminate()
        process.wait(30)


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refusal(maquette(tmp_path, "serve", "--endpoint", f"tcp://127.0.0.1:{port}"))
    assert f"port {port}" in said
    assert "--endpoint" in said
