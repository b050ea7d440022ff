"""Spool: what a job takes of the disk, told before it is accepted."""

from __future__ import annotations

import pytest
from maquette.server.spool import result_bytes
from maquette_wire.material import Material
from maquette_wire.messages import Submit, Texture
from maquette_wire.recipe import Recipe


@pytest.mark.parametrize(("tiles", "bits"), [(1, 8), (1, 16), (3, 8), (3, 16)])
def test_a_textures_tiles_and_depth_count(tiles: int, bits: int) -> None:
    texture = Texture(
        size=256,
        objects=(12,),
        tiles=tuple(range(1001, 1001 + tiles)),
        bits=bits,  # type: ignore[arg-type]
    )
    submit = Submit(job="0" * 32, recipe=Recipe(prompt="brick"), views=(), texture=texture)
    assert result_bytes(submit) == tiles * 256 * 256 * 3 * bits // 8


def test_a_materials_maps_count() -> None:
    material = Material(pixels=256)
    submit = Submit(job="0" * 32, recipe=Recipe(prompt="brick"), views=(), material=material)
    assert result_bytes(submit) == 256 * 256 * (3 + 3 + 4 + 1 + 1)
