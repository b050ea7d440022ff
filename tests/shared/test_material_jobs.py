"""A job for a material, on its way to a server."""

from __future__ import annotations

import msgspec
import pytest
from maquette_wire.client import Client
from maquette_wire.errors import MaquetteError
from maquette_wire.material import MAPS, Material
from maquette_wire.messages import Failed, FrameHeader, Limits, Result, Submit
from maquette_wire.packing import FROM_CLIENT, FROM_SERVER, BadMessage, pack, unpack
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission

from tests.shared.conftest import hear, make_capture
from tests.shared.mock_server import MockServer
from tests.shared.submits import refused

RECIPE = Recipe(prompt="red brick")


def job(recipe: Recipe = RECIPE, **values: object) -> Submit:
    return submission(recipe, [], material=Material(**values)).message  # type: ignore[arg-type]


def refusal(submit: Submit, limits: Limits | None = None) -> BadMessage:
    error = refused(pack(submit), limits=limits)
    assert error.job == submit.job
    return error


def test_it_arrives_as_it_was_sent() -> None:
    submit = job(size=3.0, pixels=512, pattern="stack-bond", unit=(0.3, 0.1), joint=0.02)
    message, frames = unpack(pack(submit), FROM_CLIENT)
    assert message == submit and not frames and not message.views


@pytest.mark.parametrize(
    ("submit", "code", "words"),
    [
        (job(size=0.0), "bad-material", "side is 0 m"),
        (job(size=float("nan")), "bad-material", "0.1 to 50 m"),
        (job(pixels=1000), "bad-material", "multiple of 64"),
        (job(pixels=1 << 40), "bad-material", "128 to 4096 pixels"),
        (job(unit=(0.2, 0.0001)), "bad-material", "unit"),
        (job(unit=(0.2, 0.1), joint=0.2), "bad-material", "joint"),
        (job(joint=-0.01), "bad-material", "joint"),
        (job(relief=float("inf")), "bad-material", "relief"),
        (job(Recipe(prompt="brick", count=2)), "bad-recipe", "one seed"),
        (job(Recipe(prompt="brick", size=(512, 512))), "bad-recipe", "size out"),
        (msgspec.structs.replace(job(), together=True), "bad-message", "no views"),
    ],
)
def test_one_that_cannot_be_is_refused_with_the_fix(submit: Submit, code: str, words: str) -> None:
    error = refusal(submit)
    assert error.code == code
    assert words in f"{error.sentence} {error.hint}"


def test_it_has_no_views_and_a_pattern_that_there_is() -> None:
    packet = submission(RECIPE, [make_capture()], material=Material())
    with pytest.raises(BadMessage, match="no views"):
        unpack(pack(*packet), FROM_CLIENT)
    raw = msgspec.msgpack.decode(msgspec.msgpack.encode(job()))
    raw["material"]["pattern"] = "zigzag"
    with pytest.raises(BadMessage) as caught:
        unpack([msgspec.msgpack.encode(raw)], FROM_CLIENT)
    assert caught.value.code == "bad-message" and "zigzag" in caught.value.sentence


def test_a_servers_limits_hold_for_its_maps() -> None:
    assert refusal(job(pixels=2048), Limits(side_max=1024)).code == "capture-too-large"
    assert refusal(job(), Limits(prompt_characters=3)).code == "prompt-too-long"


def test_its_maps_arrive() -> None:
    headers = tuple(
        FrameHeader(name=name, dtype=dtype, shape=(128, 128, *rest))
        for name, (dtype, rest) in MAPS.items()
    )
    frames = [bytes(128 * 128 * size) for size in (3, 3, 4, 1, 1)]
    result = Result(
        job=job().job,
        recipe=RECIPE,
        pictures=(),
        material=Material(pixels=128).filled("red brick"),
        frames=headers,
    )
    message, arrived = unpack([bytes(p) for p in pack(result, frames)], FROM_SERVER)
    assert message == result and [len(frame) for frame in arrived] == [len(f) for f in frames]
    wrong = msgspec.structs.replace(headers[2], dtype="u1")
    broken = msgspec.structs.replace(result, frames=(*headers[:2], wrong, *headers[3:]))
    with pytest.raises(BadMessage, match="'height' u1"):
        unpack([msgspec.msgpack.encode(broken), *frames], FROM_SERVER)


def test_an_older_server_is_not_asked_for_a_material(client: Client, server: MockServer) -> None:
    server.welcome = {"understands": ("order",)}
    early = client.submit(RECIPE, [], material=Material())
    client.connect(server.endpoint, server.keys.public)
    failed = hear(client, Failed)
    assert failed.job == early and failed.code == "old-server"
    with pytest.raises(MaquetteError, match="can't make materials") as caught:
        client.submit(RECIPE, [], material=Material())
    assert caught.value.code == "old-server"
    assert not server.count(Submit)
