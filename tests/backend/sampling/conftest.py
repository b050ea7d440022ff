"""A catalogue of tiny random models, and a sampler that the tests of sampling share."""

from __future__ import annotations

import pytest
from maquette.catalogue import Catalogue
from maquette.sampling import Sampler
from maquette_wire.home import Home

from tests.backend.tiny import make_tiny_lora, make_tiny_sd2_depth


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    # "framed", "outlined", "seeing" and "inward" have the weights of "tiny".
    home = Home(tmp_path_factory.mktemp("home"))
    model = make_tiny_sd2_depth(home.models / "tiny")
    make_tiny_sd2_depth(home.models / "other", seed=5)
    make_tiny_sd2_depth(
        home.models / "taught",
        settings={
            "title": "Taught",
            "native_size": 64,
            "steps": 3,
            "sampler": "ddim",
            "guidance": 2.0,
            "dropped_depth": 0.0,
            "vocabulary": ["red", "brick", "library", "at", "dusk"],
        },
    )
    make_tiny_sd2_depth(home.models / "framed", settings={"margin": 10})
    make_tiny_sd2_depth(home.models / "outlined", settings={"outlines": 4})
    make_tiny_sd2_depth(home.models / "inward", settings={"shared_attention": False})
    choices = ["ribbon windows", "grid of large windows", "punched windows", "tall windows"]
    make_tiny_sd2_depth(
        home.models / "seeing",
        settings={
            "depth": {"recess": 0.25},
            "openings": [{"settled_by": ["window"], "choices": choices}],
        },
    )
    make_tiny_lora(home.loras / "style.safetensors", model)
    return Catalogue(home)


@pytest.fixture(scope="session")
def sampler(catalogue: Catalogue) -> Sampler:
    return Sampler("cpu", catalogue=catalogue)
