"""Captures and results at rest."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from maquette_wire import container
from maquette_wire.capture import captures_of
from maquette_wire.errors import MaquetteError
from maquette_wire.messages import Cancel, FrameHeader, Limits, Picture, Result, Submit
from maquette_wire.recipe import Recipe

from tests.shared.conftest import make_capture
from tests.shared.submits import JOB, submit_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tower.maquette"
    container.write(path, *submit_of([make_capture(33, 17), make_capture(64, 48)]))
    return path


def test_captures_come_back_as_they_were(file: Path) -> None:
    message, frames = container.read(file)
    assert isinstance(message, Submit)
    sent, _ = submit_of([make_capture(33, 17), make_capture(64, 48)])
    assert message == sent
    for capture, original in zip(
        captures_of(message, frames), (make_capture(33, 17), make_capture(64, 48)), strict=True
    ):
        assert bytes(memoryview(capture.depth)) == bytes(memoryview(original.depth))
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.fixture
def compressed(tmp_path: Path) -> Path:
    path = tmp_path / "compressed.maquette"
    container.write(path, *submit_of([make_capture(33, 17), make_capture(256, 192)]), codec="zstd")
    return path


def test_compressed_captures_come_back_as_they_were_and_are_small(compressed: Path) -> None:
    message, frames = container.read(compressed)
    assert {header.codec for header in message.frames} == {"zstd"}
    for capture, original in zip(
        captures_of(message, frames), (make_capture(33, 17), make_capture(256, 192)), strict=True
    ):
        assert capture.view == original.view
        for name in ("color", "depth"):
            found, sent = getattr(capture, name), getattr(original, name)
            assert bytes(memoryview(found)) == bytes(memoryview(sent))
    assert compressed.stat().st_size < 256 * 192 * 7 / 2


def test_every_cut_and_every_wrong_size_of_a_compressed_file_is_noticed(compressed: Path) -> None:
    data = compressed.read_bytes()
    for cut in (16, 40, len(data) // 2, len(data) - 1):
        compressed.write_bytes(data[:cut])
        with pytest.raises(MaquetteError, match=r"compressed\.maquette") as caught:
            container.read(compressed)
        assert caught.value.code == "bad-file"
    (length,) = struct.unpack_from("<I", data, 12)
    for size in (0, 2**63, 2**64 - 1):
        wrong = bytearray(data)
        struct.pack_into("<Q", wrong, 32 + length, size)
        compressed.write_bytes(wrong)
        with pytest.raises(MaquetteError, match="damaged"):
            container.read(compressed)


def test_the_memory_outlives_the_file(file: Path) -> None:
    _, frames = container.read(file)
    if os.name != "nt":
        file.unlink()
    assert bytes(frames[0]) == bytes(memoryview(make_capture(33, 17).color).cast("B"))


def test_a_result_comes_back_and_replaces_an_older_file(file: Path) -> None:
    shape = (16, 16, 3)
    result = Result(
        job=JOB,
        recipe=Recipe(prompt="x"),
        pictures=(Picture(view=0, seed=1),),
        frames=(FrameHeader(name="concept", dtype="u1", shape=shape),),
        seconds={"sampling": 1.5},
    )
    container.write(file, result, [bytes(range(256)) * 3], sync=True)
    message, frames = container.read(file, kind=Result)
    assert message == result
    assert bytes(frames[0]) == bytes(range(256)) * 3


def test_every_cut_is_noticed_and_names_the_file(file: Path) -> None:
    whole = file.read_bytes()
    for size in (0, 1, 8, 31, 32, 33, 100, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(MaquetteError, match=r"tower\.maquette") as caught:
            container.read(file)
        assert caught.value.code == "bad-file"
    file.write_bytes(whole + b"\0")
    with pytest.raises(MaquetteError, match="cut off"):
        container.read(file)


def test_foreign_and_damaged_files(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    file.write_bytes(b"BLENDER-v405" + bytes(100))
    with pytest.raises(MaquetteError, match="is no capture or result of Maquette"):
        container.read(file)
    newer = bytearray(whole)
    newer[8] = 3
    file.write_bytes(newer)
    with pytest.raises(MaquetteError, match="layout version 3, this Maquette reads 2"):
        container.read(file)
    damaged = bytearray(whole)
    damaged[40] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(MaquetteError, match="checksum"):
        container.read(file)


def test_the_kind_that_was_asked_for(file: Path) -> None:
    with pytest.raises(MaquetteError, match="can't be read"):
        container.read(file, kind=Result)
    container.write(file, Cancel(job=JOB), [])
    with pytest.raises(MaquetteError, match=r"tower\.maquette"):
        container.read(file)


def test_limits_hold_for_files_as_well(file: Path) -> None:
    with pytest.raises(MaquetteError, match="64 x 48 pixels"):
        container.read(file, Limits(side_max=60))


def test_a_write_that_fails_leaves_the_old_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    calls = iter(range(100))
    real = os.write

    def fail(handle: int, data: memoryview) -> int:
        if next(calls) > 2:
            raise OSError(28, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(OSError, match="No space left"):
        container.write(file, *submit_of([make_capture()]))
    monkeypatch.undo()
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
