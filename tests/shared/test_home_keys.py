"""Where a user's files are, and keys that only their owner reads."""

from __future__ import annotations

import os
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zmq
from maquette_wire import keys
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

posix = pytest.mark.skipif(os.name == "nt", reason="Windows protects the folder instead")


def test_the_variable_wins(tmp_path: Path) -> None:
    assert Home.default({"MAQUETTE_HOME": str(tmp_path)}).root == tmp_path
    assert Home.default({"MAQUETTE_HOME": "~/m"}).root == Path.home() / "m"


def test_the_platforms_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert Home.default({}).root == Path.home() / ".local/share/maquette"
    assert Home.default({"XDG_DATA_HOME": "/data"}).root == Path("/data/maquette")
    assert Home.default({"XDG_DATA_HOME": "data"}).root == Path.home() / ".local/share/maquette"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert Home.default({}).root == Path.home() / "Library/Application Support/Maquette"
    monkeypatch.setattr(sys, "platform", "win32")
    assert Home.default({"LOCALAPPDATA": "/l"}).root == Path("/l/Maquette")


@posix
def test_folders_are_the_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        home = Home(tmp_path / "share" / "maquette")
        home.make(home.keys)
    finally:
        os.umask(before)
    for folder in (home.root, home.keys):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_that_cant_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MaquetteError, match="set MAQUETTE_HOME"):
        keys.client_keys(Home(tmp_path / "file" / "home"))


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("in the way")
    with pytest.raises(MaquetteError, match=r"it is a file.*Move the file away"):
        Home(tmp_path / "home").make()


def test_keys_are_made_once_and_fit_together(home: Home) -> None:
    first = keys.server_keys(home)
    assert keys.server_keys(home) == first
    assert keys.client_keys(home).public != first.public
    assert zmq.curve_public(first.secret.encode()).decode() == first.public
    assert (home.keys / "server.pub").read_text().strip() == first.public
    assert first.secret not in repr(first)


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_key_files_are_the_owners_alone_on_any_umask(home: Home, umask: int) -> None:
    before = os.umask(umask)
    try:
        keys.server_keys(home)
        keys.client_keys(home)
    finally:
        os.umask(before)
    for path in home.keys.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in home.keys.iterdir()} == {
        "server.key", "server.pub", "client.key", "client.pub"
    }  # fmt: skip


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_private_key_that_others_can_read_is_refused(home: Home, mode: int) -> None:
    keys.client_keys(home)
    path = home.keys / "client.key"
    path.chmod(mode)
    with pytest.raises(MaquetteError) as caught:
        keys.client_keys(home)
    assert caught.value.code == "unsafe-key-file"
    assert caught.value.hint == f"Run: chmod 600 '{path}'"
    path.chmod(0o600)
    keys.client_keys(home)


@pytest.mark.parametrize("content", ["", "junk", "public x\nsecret y\n"])
def test_a_damaged_key_file_is_named(home: Home, content: str) -> None:
    keys.client_keys(home)
    path = home.keys / "client.key"
    path.write_text(content)
    with pytest.raises(MaquetteError, match=r"client\.key holds no key pair"):
        keys.client_keys(home)


def test_halves_of_two_pairs_are_no_pair(home: Home) -> None:
    keys.client_keys(home)
    path = home.keys / "client.key"
    other = zmq.curve_keypair()[0].decode()
    mine = keys.client_keys(home)
    path.write_text(path.read_text().replace(mine.public, other))
    with pytest.raises(MaquetteError, match="holds no key pair"):
        keys.client_keys(home)


def test_two_at_the_same_moment_use_the_same_pair(home: Home) -> None:
    with ThreadPoolExecutor(8) as pool:
        pairs = set(pool.map(lambda _: keys.server_keys(home).public, range(32)))
    assert len(pairs) == 1
    assert {path.name for path in home.keys.iterdir()} == {"server.key", "server.pub"}


def test_the_list_of_clients(home: Home) -> None:
    own = keys.client_keys(home).public
    assert keys.authorised_clients(home, loopback=True) == {own}
    assert keys.authorised_clients(home, loopback=False) == frozenset()
    other, odd = zmq.curve_keypair()[0].decode(), "#" + zmq.curve_keypair()[0].decode()[1:]
    listing = keys.client_list(home)
    listing.write_text(f"# a comment\n\n  {other}  Anna's laptop\n#\n#off {other}\n")
    assert keys.authorised_clients(home, loopback=False) == {other}
    assert keys.authorised_clients(home, loopback=True) == {other, own}
    if keys.is_key(odd):  # a key may start with "#"
        listing.write_text(odd)
        assert keys.authorised_clients(home, loopback=False) == {odd}


def test_a_line_that_is_no_key_is_named(home: Home) -> None:
    listing = keys.client_list(home)
    listing.write_text("# fine\nnot a key\n")
    with pytest.raises(MaquetteError, match=r"Line 2 of .*authorised_clients"):
        keys.authorised_clients(home, loopback=False)


def test_keys_as_users_paste_them() -> None:
    public = zmq.curve_keypair()[0].decode()
    assert keys.check_key(f"  {public}\n", "server's key") == public
    for text in ("", public[:-1], public + "x", "~" * 40, "#" * 40, "é" * 40):
        with pytest.raises(MaquetteError, match="The server's key is not a key"):
            keys.check_key(text, "server's key")
