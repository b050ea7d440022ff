"""The doctor finds what is wrong, names the fix, and says so in its exit status."""

from __future__ import annotations

import os
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest
from maquette import blender, checkup, cli
from maquette.extension import EXTENSION_VARIABLE
from maquette_wire import keys
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def _states(findings) -> list[str]:
    return [finding.state for finding in findings]


def test_keys_that_others_can_read_are_wrong_and_the_fix_is_a_command(home):
    keys.client_keys(home)
    assert _states(checkup.keys(home)) == ["fine"]
    path = home.keys / "client.key"
    path.chmod(0o644)
    (finding,) = checkup.keys(home)
    assert finding.state == "wrong"
    assert finding.fix == f"Run: chmod 600 '{path}'"


def test_a_full_disk_is_wrong(home, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 5e6))
    assert _states(checkup.folder(home)) == ["wrong"]
    assert not home.root.exists()  # the doctor changes nothing


def test_a_port_in_use_is_wrong_and_the_way_round_is_named(home):
    from maquette.server.service import DEFAULT_ENDPOINT

    port = int(DEFAULT_ENDPOINT.rpartition(":")[2])
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            pytest.skip("a server of this machine's user runs")
        taken.listen()
        finding = checkup._port()
    assert finding.state == "wrong"
    assert "maquette serve --endpoint" in finding.fix


def test_a_machine_without_blender_is_told_where_to_get_one(home, monkeypatch):
    monkeypatch.setattr(blender, "candidates", list)
    monkeypatch.delenv(blender.BLENDER_VARIABLE, raising=False)
    findings = list(checkup.all_findings(home, only="Blender"))
    assert _states(findings) == ["wrong"]
    assert "build.py extension" in findings[0].fix


def test_a_missing_pocket_model_is_wrong_and_one_to_fetch_is_not(home, monkeypatch, tmp_path):
    monkeypatch.setenv("MAQUETTE_POCKET", str(tmp_path / "nothing"))
    assert dict.fromkeys(_states(checkup.models(home))) == {"wrong": None, "note": None}


def test_a_checkpoint_with_damaged_settings_is_named(home, tmp_path, monkeypatch):
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "maquette.json").write_text("{")
    monkeypatch.setenv("MAQUETTE_POCKET", str(tmp_path))
    (wrong,) = [f for f in checkup.all_findings(home, only="model") if f.state == "wrong"]
    assert "maquette.json" in wrong.text


def test_every_damaged_model_is_named_beside_those_that_are_fine(home, tiny_model):
    for name in ("cut", "fine", "pickle"):
        shutil.copytree(tiny_model, home.models / name)
    weights = "unet/diffusion_pytorch_model.safetensors"
    with (home.models / "cut" / weights).open("r+b") as file:
        file.truncate(1000)
    pickled = home.models / "pickle" / weights
    pickled.rename(pickled.with_suffix(".bin"))
    found = {finding.text.split(":")[0]: finding for finding in checkup.models(home)}
    assert found["pocket"].state == found["fine"].state == "fine"
    assert found["cut"].state == "wrong" and "damaged or cut off" in found["cut"].text
    assert found["pickle"].state == "wrong" and "safetensors" in found["pickle"].text
    assert found["cut"].fix and found["pickle"].fix


@pytest.mark.parametrize(("state", "status"), [("wrong", 1), ("note", 0), ("fine", 0)])
def test_the_exit_status_says_whether_something_is_wrong(state, status, monkeypatch, capsys):
    finding = checkup.Finding("thing", state, "It is so.", "Do this.")
    monkeypatch.setattr(checkup, "all_findings", lambda home: iter([finding]))
    assert cli.main(["doctor"]) == status
    said = capsys.readouterr().out
    assert "It is so." in said and "-> Do this." in said


def test_an_extension_that_the_environment_names_wrongly(home, monkeypatch):
    monkeypatch.setenv(EXTENSION_VARIABLE, "/no/such.zip")
    wrong = list(checkup.all_findings(home, only="extension"))[-1]
    assert "/no/such.zip" in wrong.text and EXTENSION_VARIABLE in wrong.fix


def test_a_program_that_is_no_blender_is_refused(tmp_path):
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\necho Blender of smoothies\n")
    program.chmod(0o755)
    with pytest.raises(MaquetteError, match="neither a Blender program"):
        blender.find(program)


@pytest.mark.skipif(os.name == "nt", reason="makes a program of a shell script")
def test_an_old_blender_is_named_with_what_is_needed(tmp_path):
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\necho Blender 3.6.2\n")
    program.chmod(0o755)
    with pytest.raises(MaquetteError, match=r"3\.6\.2.*needs Blender 4\.2"):
        blender.find(program)
