"""The exchange folder: what comes out is what went in, and nothing else gets in or stays."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from maquette_wire import messages
from maquette_wire.errors import MaquetteError
from maquette_wire.exchange import Exchange

FRAME = bytes(range(256)) * 1024


def frames_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix != ".token"]


def test_a_frame_passes_and_leaves_nothing(tmp_path: Path) -> None:
    server = Exchange.create(tmp_path / "exchange")
    client = Exchange.join(server.offer())
    assert client is not None
    name = client.put(FRAME)
    (path,) = frames_in(tmp_path / "exchange")
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    taken = server.take(name, len(FRAME))
    assert frames_in(tmp_path / "exchange") == []
    assert bytes(taken) == FRAME  # the memory outlives the file


def test_only_who_sees_the_folder_joins(tmp_path: Path) -> None:
    server = Exchange.create(tmp_path / "exchange")
    assert Exchange.join(None) is None
    elsewhere = messages.Exchange(folder=str(tmp_path), token=server.token)
    assert Exchange.join(elsewhere) is None
    nowhere = messages.Exchange(folder="/no/such\0folder", token=server.token)
    assert Exchange.join(nowhere) is None
    climbing = messages.Exchange(folder=str(tmp_path / "exchange"), token="../../etc/passwd")
    assert Exchange.join(climbing) is None
    server.close()
    assert Exchange.join(server.offer()) is None


@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root gives files away")
def test_another_users_folder_is_not_joined(tmp_path: Path) -> None:
    server = Exchange.create(tmp_path / "exchange")
    os.chown(tmp_path / "exchange", 12345, 12345)
    assert Exchange.join(server.offer()) is None


@pytest.mark.parametrize(
    "name", [b"", b"../../../etc/passwd", b"0" * 31, b"0" * 33, b"A" * 32, b"\xff" * 32]
)
def test_names_that_are_none(tmp_path: Path, name: bytes) -> None:
    with pytest.raises(MaquetteError, match="names no file"):
        Exchange.create(tmp_path).take(name, 10)


def test_files_that_are_none_of_ours(tmp_path: Path) -> None:
    server = Exchange.create(tmp_path / "exchange")
    with pytest.raises(MaquetteError, match="no longer in the exchange folder"):
        server.take(b"0" * 32, 10)
    name = server.put(FRAME)
    with pytest.raises(MaquetteError, match="its header says"):
        server.take(name, len(FRAME) + 1)
    if os.name == "nt":
        return
    secret = tmp_path / "secret"
    secret.write_bytes(FRAME)
    (tmp_path / "exchange" / ("1" * 32)).symlink_to(secret)
    with pytest.raises(MaquetteError):
        server.take(b"1" * 32, len(FRAME))
    os.mkfifo(tmp_path / "exchange" / ("2" * 32))
    with pytest.raises(MaquetteError):  # and it doesn't wait for a writer
        server.take(b"2" * 32, 0)
    assert secret.read_bytes() == FRAME


def test_leftovers_are_swept(tmp_path: Path) -> None:
    server = Exchange.create(tmp_path)
    old, young = server.put(FRAME), server.put(FRAME)
    hours_ago = time.time() - 2 * 3600
    os.utime(tmp_path / old.decode(), (hours_ago, hours_ago))
    os.utime(tmp_path / f"{server.token}.token", (hours_ago, hours_ago))
    server.sweep()
    assert [path.name for path in frames_in(tmp_path)] == [young.decode()]
    assert Exchange.join(server.offer()) is not None
    Exchange.create(tmp_path)
    assert frames_in(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_leaves_no_half_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Exchange.create(tmp_path)
    real = os.open

    def full(path: Path, flags: int, mode: int = 0o777) -> int:
        os.close(real(path, flags, mode))
        return real("/dev/full", os.O_WRONLY)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(MaquetteError, match="No space left on device"):
        server.put(FRAME)
    monkeypatch.undo()
    assert frames_in(tmp_path) == []
