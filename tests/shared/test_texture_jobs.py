"""Jobs that paint several views of one scene, with a surface or with given pictures."""

from __future__ import annotations

from array import array

import msgspec
import pytest
from maquette_wire.capture import captures_of
from maquette_wire.limits import abilities
from maquette_wire.messages import FrameHeader, Limits, Result, Submit, Texture
from maquette_wire.packing import FROM_CLIENT, check_frames, pack, unpack
from maquette_wire.recipe import Recipe
from maquette_wire.submission import submission
from maquette_wire.surface import Surface, surface_of

from tests.shared.conftest import make_capture
from tests.shared.submits import JOB, refused


def texture_job(**changes: object) -> tuple[Submit, list[memoryview]]:
    """A texture of two objects, one triangle each, seen in two views, the second painted."""
    corners = array("f", range(18))
    uvs = array("f", [0.5] * 12)
    surface = Surface(Texture(size=256, objects=(1, 1), origin=(1e6, 2.0, 3.0)), corners, uvs)
    captures = [make_capture(64, 48), make_capture(32, 32)]
    submit, frames = submission(
        Recipe(prompt="x"), captures, surface, {1: bytes(32 * 32 * 3)}, job=JOB
    )
    return msgspec.structs.replace(submit, **changes), frames


def test_a_texture_arrives_as_it_was_sent() -> None:
    submit, frames = texture_job()
    message, arrived = unpack([bytes(part) for part in pack(submit, frames)], FROM_CLIENT)
    surface, given = surface_of(message, arrived)
    assert surface is not None and surface.texture == submit.texture
    assert memoryview(surface.corners)[1, 2, 2] == 17.0
    assert memoryview(surface.uvs).shape == (2, 3, 2)
    assert list(given) == [1] and memoryview(given[1]).shape == (32, 32, 3)
    assert len(captures_of(message, arrived)) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"texture": Texture(size=8, objects=(1, 1))}, "texture-size"),
        ({"texture": Texture(size=8192, objects=(1, 1), tiles=(1001, 1002))}, "texture-size"),
        ({"texture": Texture(size=64, objects=(1, 1), tiles=())}, "bad-message"),
        ({"texture": Texture(size=64, objects=(1, 1), tiles=(1002, 1001))}, "bad-message"),
        ({"texture": Texture(size=64, objects=(1, 1), tiles=(1000,))}, "bad-message"),
        ({"texture": Texture(size=256, objects=(3,))}, "bad-message"),
        ({"texture": Texture(size=256, objects=(2, 0))}, "no-faces"),
        ({"texture": Texture(size=256, objects=(2,), origin=(0.0, float("nan"), 0.0))}, "bad-"),
        ({"texture": Texture(size=256, objects=(1, 1), painted=1)}, "texture-size"),
        ({"texture": None}, "bad-message"),
        ({"recipe": Recipe(prompt="x", count=2)}, "bad-recipe"),
        ({"recipe": Recipe(prompt="x", size=(64, 64))}, "bad-recipe"),
    ],
)
def test_a_texture_that_cannot_be_is_refused(changes: dict[str, object], code: str) -> None:
    submit, frames = texture_job(**changes)
    assert refused(pack(submit, frames)).code.startswith(code)


@pytest.mark.parametrize("size", [1024, 2048, 4096, 8192])
def test_textures_up_to_the_largest_are_taken(size: int) -> None:
    texture = Texture(size=size, objects=(1, 1), bits=16)
    submit, frames = texture_job(texture=texture)
    message, _ = unpack([bytes(part) for part in pack(submit, frames)], FROM_CLIENT)
    assert message.texture == texture
    header = FrameHeader(name="texture", dtype="u2", shape=(size, size, 3))
    check_frames(Result(job=JOB, recipe=Recipe(prompt="x"), pictures=()), [header], Limits())


def test_what_an_older_server_would_ignore_is_known() -> None:
    plain = texture_job()[0]
    assert abilities(plain) == {} and plain.texture is not None
    for changes in ({"tiles": (1001, 1002)}, {"bits": 16}):
        texture = msgspec.structs.replace(plain.texture, **changes)
        assert list(abilities(msgspec.structs.replace(plain, texture=texture))) == ["tiles"]


def test_views_of_one_scene_arrive_with_the_pictures_that_are_given() -> None:
    captures = [make_capture(64, 48), make_capture(64, 48)]
    picture = bytes(range(256)) * 36
    submit, frames = submission(Recipe(prompt="x"), captures, given={0: picture}, together=True)
    message, arrived = unpack([bytes(part) for part in pack(submit, frames)], FROM_CLIENT)
    surface, given = surface_of(message, arrived)
    assert message.together and surface is None
    assert list(given) == [0] and bytes(memoryview(given[0]).cast("B")) == picture
    for changes, code in (
        ({"together": False}, "bad-message"),
        ({"recipe": Recipe(prompt="x", count=2)}, "bad-recipe"),
        ({"recipe": Recipe(prompt="x", size=(64, 48))}, "bad-recipe"),
    ):
        assert refused(pack(msgspec.structs.replace(submit, **changes), frames)).code == code


def test_a_surface_beyond_the_limit_is_refused_with_the_fix() -> None:
    error = refused(pack(*texture_job()), limits=Limits(triangles=1))
    assert error.code == "surface-too-large" and "fewer objects" in error.hint
