"""Fetching a model from a hub that behaves, and from one that doesn't."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
from maquette import download
from maquette.download import Source
from maquette_wire.errors import MaquetteError

from tests.backend.hub import Hub, serving

NAME, REVISION = "somebody/some-depth", "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = bytes(range(256)) * 200
FILES = {
    "model_index.json": b"{}",
    "README.md": b"# A model",
    "big.ckpt": b"\x80" * 20_000,
    "scheduler/scheduler_config.json": b'{"a": 1}',
    "tokenizer/merges.txt": b"#version: 0.2",
    "unet/config.json": b'{"b": 2}',
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model.bin": b"\x80" * 20_000,
    "vae/diffusion_pytorch_model.safetensors": WEIGHTS[::-1],
    "depth_estimator/model.safetensors": WEIGHTS,
}
FETCHED = {
    "model_index.json",
    "README.md",
    "scheduler/scheduler_config.json",
    "tokenizer/merges.txt",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/diffusion_pytorch_model.safetensors",
}
UNET = "unet/diffusion_pytorch_model.safetensors"
SOURCE = Source(NAME, REVISION, ("unet", "vae", "tokenizer", "scheduler"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    for name in (download.OFFLINE_VARIABLE, "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    # The library keeps what arrived in pieces of 10 MB, more than these files have.
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)
    monkeypatch.setattr("time.sleep", lambda _: None)  # the library waits before it tries again
    with serving(Hub(NAME, REVISION, FILES)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_is_needed_arrives_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    target = tmp_path / "m"
    download.fetch([SOURCE], target, lambda *call: seen.append(call))
    assert names(target) == FETCHED
    assert all((target / name).read_bytes() == FILES[name] for name in FETCHED)
    total = sum(len(FILES[name]) for name in FETCHED)
    assert {call[2] for call in seen} == {total} and seen[-1][1] == total
    assert [call[1] for call in seen] == sorted(call[1] for call in seen)
    assert list(tmp_path.iterdir()) == [target]
    assert all(REVISION in path for _, path, _ in hub.requests)


def test_half_precision_is_preferred_where_all_parts_have_it(hub: Hub, tmp_path: Path) -> None:
    hub.files["unet/diffusion_pytorch_model.fp16.safetensors"] = WEIGHTS[:20_000]
    download.fetch([SOURCE], tmp_path / "a")
    assert UNET in names(tmp_path / "a")
    hub.files["vae/diffusion_pytorch_model.fp16.safetensors"] = WEIGHTS[:20_000]
    download.fetch([SOURCE], tmp_path / "b")
    assert {n for n in names(tmp_path / "b") if n.endswith("safetensors")} == {
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    }


def test_a_connection_cut_in_the_middle_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.cut = [30_000, 10_000]
    download.fetch([SOURCE], tmp_path / "m")
    assert (tmp_path / "m" / UNET).read_bytes() == WEIGHTS
    ranges = [asked for _, path, asked in hub.requests if path.endswith(UNET)]
    assert ranges[0] is None and ranges[1:] == ["bytes=30000-", "bytes=40000-"]


def test_an_interrupted_fetch_resumes_the_next_time(hub: Hub, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    hub.cut = [30_000] + [0] * 50
    with pytest.raises(MaquetteError, match="resumes") as caught:
        download.fetch([SOURCE], tmp_path / "m")
    assert caught.value.code == "hub-unreachable"
    assert not (tmp_path / "m").exists()
    hub.cut.clear()
    hub.requests.clear()

    def stop(path: str, here: int, total: int) -> None:
        if path.startswith("vae"):
            raise Stopped

    with pytest.raises(Stopped):
        download.fetch([SOURCE], tmp_path / "m", stop)
    download.fetch([SOURCE], tmp_path / "m")
    asked = [(path.split(f"{REVISION}/")[-1], span) for _, path, span in hub.requests]
    assert (UNET, "bytes=30000-") in asked
    assert sum(path == UNET for path, _ in asked) == 1  # not again once it was there
    assert (tmp_path / "m" / UNET).read_bytes() == WEIGHTS


@pytest.mark.parametrize("path", [UNET, "unet/config.json"])
def test_changed_content_is_not_kept(hub: Hub, tmp_path: Path, path: str) -> None:
    hub.corrupt.add(path)
    with pytest.raises(MaquetteError, match=f"{path}.*hash") as caught:
        download.fetch([SOURCE], tmp_path / "m")
    assert caught.value.code == "bad-download" and not (tmp_path / "m").exists()
    hub.corrupt.clear()
    download.fetch([SOURCE], tmp_path / "m")
    assert (tmp_path / "m" / path).read_bytes() == FILES[path]


def test_a_pinned_hash_is_held_against_the_hub(hub: Hub, tmp_path: Path) -> None:
    pinned = Source(NAME, REVISION, SOURCE.parts, {UNET: "0" * 64})
    with pytest.raises(MaquetteError, match=UNET):
        download.fetch([pinned], tmp_path / "m")


def test_another_revision_is_not_there(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(MaquetteError, match="does not have somebody/some-depth") as caught:
        download.fetch([Source(NAME, "f" * 40, SOURCE.parts)], tmp_path / "m")
    assert caught.value.code == "model-not-found"


def test_a_repository_of_pickles_alone_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.files = {k: v for k, v in FILES.items() if not k.endswith("safetensors")}
    with pytest.raises(MaquetteError, match="no safetensors"):
        download.fetch([SOURCE], tmp_path / "m")


@pytest.mark.parametrize("switch", [download.OFFLINE_VARIABLE, "HF_HUB_OFFLINE"])
def test_the_offline_switch_is_honoured(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    monkeypatch.setenv(switch, "1")
    with pytest.raises(MaquetteError, match=f"{switch} forbids downloads") as caught:
        download.fetch([SOURCE], tmp_path / "m")
    assert caught.value.code == "offline" and not hub.requests


def test_no_hub_at_all(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(MaquetteError, match=r"127\.0\.0\.1:9 failed") as caught:
        download.fetch([SOURCE], tmp_path / "m")
    assert caught.value.code == "hub-unreachable"


def test_a_full_disk_is_told_before_anything_arrives(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    with pytest.raises(MaquetteError, match=r"where 0\.0 GB are free") as caught:
        download.fetch([SOURCE], tmp_path / "m")
    assert caught.value.code == "disk-full"
    assert not [path for _, path, _ in hub.requests if "resolve" in path]
