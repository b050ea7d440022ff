"""The extension's zip: the same bytes each time, and a wheel for every Blender it promises."""

from __future__ import annotations

import json
import os
import tomllib
import zipfile
from pathlib import Path

import maquette
import maquette_wire
import pytest

from tools import extension
from tools.console import root

MANIFEST = (
    'schema_version = "1.0.0"\nid = "maquette"\nversion = "0.1.0"\n\n[permissions]\na = "b"\n'
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    source = tmp_path / "blender_addon"
    (source / "__pycache__").mkdir(parents=True)
    (source / "__pycache__" / "x.pyc").write_bytes(b"x")
    (source / "ui").mkdir()
    for name in ("__init__.py", "ui/panel.py", "ui/a.py"):
        (source / name).write_text(f"# {name}\n")
    (source / "blender_manifest.toml").write_text(MANIFEST)
    (tmp_path / "LICENSE").write_text("GPL")
    monkeypatch.setattr(extension, "root", lambda: tmp_path)
    return tmp_path


def test_wheels_are_listed_in_the_manifest_before_its_tables():
    text = extension.with_wheels(MANIFEST, ["b-1.whl", "a-1.whl"])
    manifest = tomllib.loads(text)
    assert manifest["wheels"] == ["./wheels/a-1.whl", "./wheels/b-1.whl"]
    assert manifest["permissions"] == {"a": "b"}


def test_the_same_sources_give_the_same_bytes(checkout, tmp_path):
    wheel = tmp_path / "a-1.whl"
    wheel.write_bytes(b"wheel")
    extension.write_zip(tmp_path / "one.zip", [wheel])
    for path in checkout.rglob("*.py"):
        os.utime(path, (1, 1))
    extension.write_zip(tmp_path / "two.zip", [wheel])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_zip_holds_the_sources_the_licence_and_the_wheels_alone(checkout, tmp_path):
    wheel = tmp_path / "a-1.whl"
    wheel.write_bytes(b"wheel")
    extension.write_zip(tmp_path / "one.zip", [wheel])
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == [
            "__init__.py",
            "blender_manifest.toml",
            "ui/a.py",
            "ui/panel.py",
            "LICENSE",
            "wheels/a-1.whl",
        ]


def test_a_zip_that_can_not_be_finished_leaves_the_one_before(checkout, tmp_path):
    target = tmp_path / "one.zip"
    target.write_bytes(b"before")
    with pytest.raises(FileNotFoundError):
        extension.write_zip(target, [tmp_path / "missing.whl"])
    assert target.read_bytes() == b"before"


def test_all_parts_have_one_version():
    backend = tomllib.loads((root() / "backend" / "pyproject.toml").read_text())["project"]
    assert maquette.__version__ == backend["version"] == maquette_wire.__version__
    assert maquette.__version__ == extension.version()
    assert f"maquette-wire[zstd]=={maquette_wire.__version__}" in backend["dependencies"]


def test_the_manifest_promises_the_platforms_that_have_wheels():
    manifest = tomllib.loads((root() / "blender_addon" / "blender_manifest.toml").read_text())
    assert sorted(manifest["platforms"]) == sorted(extension.PLATFORMS)


@pytest.fixture
def built() -> Path:
    given = os.environ.get("MAQUETTE_TEST_EXTENSION")
    if not given:
        pytest.skip("the zip is built by 'python build.py test'")
    return Path(given)


TAGS = {
    "windows-x64": "win_amd64",
    "macos-x64": ("x86_64", "universal2"),
    "macos-arm64": ("arm64", "universal2"),
    "linux-x64": "x86_64",
}


@pytest.mark.parametrize("platform", TAGS)
@pytest.mark.parametrize("python", [11, 13, 14])
@pytest.mark.parametrize("package", ["pyzmq", "msgspec"])
def test_every_platform_and_python_has_its_wheels(built, platform, python, package):
    with zipfile.ZipFile(built) as archive:
        wheels = [Path(name).stem.split("-") for name in archive.namelist() if ".whl" in name]
    system = {"windows-x64": "win", "linux-x64": "manylinux"}.get(platform, "macosx")
    fitting = [
        tags
        for name, _version, interpreter, abi, tags in wheels
        if name == package
        and (interpreter == f"cp3{python}" or (abi == "abi3" and int(interpreter[3:]) <= python))
        and tags.startswith(system)
        and tags.endswith(TAGS[platform])
    ]
    assert len(fitting) == 1


def test_the_manifest_in_the_zip_lists_exactly_its_wheels_and_no_numpy(built):
    with zipfile.ZipFile(built) as archive:
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
        held = sorted(f"./{name}" for name in archive.namelist() if name.endswith(".whl"))
    assert manifest["wheels"] == held
    assert not [name for name in held if "numpy" in name]
    assert json.dumps(held).count("maquette_wire") == 1
