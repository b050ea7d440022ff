"""Samplers of a tiny model and of the one that ships."""

from __future__ import annotations

from pathlib import Path

import maquette
import pytest
import torch
from maquette.catalogue import Catalogue
from maquette.sampling import Sampler
from maquette_wire.home import Home

from tests.backend.tiny import make_tiny_lora, make_tiny_sd2_depth


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    home = Home(tmp_path_factory.mktemp("home"))
    model = make_tiny_sd2_depth(home.models / "tiny")
    make_tiny_sd2_depth(home.models / "framed", settings={"margin": 10, "outlines": 4})
    make_tiny_sd2_depth(home.models / "narrow", settings={"native_size": 64})
    make_tiny_sd2_depth(home.models / "painter", settings={"material_lora": "surfaces"})
    make_tiny_lora(home.loras / "surfaces.safetensors", model)
    return Catalogue(home, extra=[Path(maquette.__file__).parent / "pocket"])


@pytest.fixture(scope="session")
def sampler(catalogue: Catalogue) -> Sampler:
    return Sampler("cpu", catalogue=catalogue, dtype=torch.float32)
