"""Random bytes never end in anything but a MaquetteError."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

pytest.importorskip("hypothesis")  # the environments with Blender don't have it
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from maquette_wire import container, metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.keys import is_key
from maquette_wire.messages import Limits
from maquette_wire.packing import FROM_CLIENT, FROM_SERVER, pack, unpack
from maquette_wire.recipe import Recipe

from tests.shared.conftest import make_capture, make_view
from tests.shared.submits import submit_of

# Machines that test on one busy core are slow, which is no finding.
fuzz = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(fuzz, max_examples=300)
SMALL = Limits(pixels=4096, side_max=128, job_bytes=1 << 20)
SUBMIT = [bytes(part) for part in pack(*submit_of([make_capture(16, 16)]))]
ZSTD = [bytes(part) for part in pack(*submit_of([make_capture(64, 64)]), codec="zstd")]
PNG = png.encode(bytes(range(256)) * 3, 16, 16, {"maquette": Recipe(prompt="é").to_json()})

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=40),
    st.binary(max_size=40),
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner)
)


def only_our_error(call: Any, *arguments: Any) -> None:
    with contextlib.suppress(MaquetteError):
        call(*arguments)


def mutated(data: Any, whole: bytes) -> bytes:
    """``whole`` with a few bytes changed, and perhaps cut."""
    changed = bytearray(whole)
    for position in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=6)):
        changed[position] = data.draw(st.integers(0, 255))
    return bytes(changed[: data.draw(st.integers(0, len(whole)) | st.just(len(whole)))])


@fuzz
@given(st.lists(st.binary(max_size=300), max_size=4))
def test_random_parts(parts: list[bytes]) -> None:
    only_our_error(unpack, parts, FROM_CLIENT, SMALL)
    only_our_error(unpack, parts, FROM_SERVER, SMALL)


@fuzz
@given(st.dictionaries(st.sampled_from(["type", "job", "frames", "views", "recipe"]), values))
def test_random_values_in_a_message(fields: dict[str, Any]) -> None:
    for name in ("hello", "submit", "cancel", "welcome", "progress", "result"):
        part = msgspec.msgpack.encode({**fields, "type": name})
        only_our_error(unpack, [part], FROM_CLIENT, SMALL)
        only_our_error(unpack, [part], FROM_SERVER, SMALL)


@fuzz
@given(values)
def test_random_values_in_a_real_submit(value: Any) -> None:
    whole = msgspec.msgpack.decode(SUBMIT[0])
    for key in whole:
        part = msgspec.msgpack.encode({**whole, key: value})
        only_our_error(unpack, [part, *SUBMIT[1:]], FROM_CLIENT, SMALL)


@thorough
@given(st.data())
def test_damaged_submits(data: Any) -> None:
    for parts in (SUBMIT, ZSTD):
        only_our_error(unpack, [mutated(data, part) for part in parts], FROM_CLIENT, SMALL)


@thorough
@given(st.data())
def test_damaged_containers(data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        container.write(path, *submit_of([make_capture(16, 16)]))
        path.write_bytes(mutated(data, path.read_bytes()))
        only_our_error(container.read, path, SMALL)


@fuzz
@given(st.binary(max_size=400))
def test_random_containers(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for start in (b"", container.MAGIC, container.MAGIC + b"\1\0\0\0"):
            path.write_bytes(start + content)
            only_our_error(container.read, path, SMALL)


@thorough
@given(st.data())
def test_damaged_pictures(data: Any) -> None:
    only_our_error(png.decode_text, mutated(data, PNG))


@fuzz
@given(st.text(max_size=60) | st.text("0123456789abcXYZ#<>()", min_size=40, max_size=40))
def test_keys_are_recognised_without_an_error(text: str) -> None:
    assert is_key(text) in (True, False)


@fuzz
@given(values)
def test_random_recipes(value: Any) -> None:
    with contextlib.suppress(TypeError):  # not every value is JSON
        only_our_error(Recipe.from_json, msgspec.json.encode(value))
        only_our_error(Recipe.from_json, msgspec.json.encode({"prompt": "x", "size": value}))


@thorough
@given(st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_any_prompt_is_read_back_from_a_picture(prompt: str, negative: str, xmp: bool) -> None:
    recipe = Recipe(prompt=prompt, negative_prompt=negative)
    written = metadata.texts(recipe, make_view(), software="x")
    kept = {png.XMP_KEY: written[png.XMP_KEY]} if xmp else written
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        png.write(path, bytes(48), 4, 4, kept)
        assert metadata.read(path).recipe == recipe


@thorough
@given(st.data())
def test_a_mutated_xmp_packet(data: Any) -> None:
    packet = metadata.texts(Recipe(prompt="é"), software="x")[png.XMP_KEY].encode()
    text = mutated(data, packet).decode(errors="replace").replace("\0", "")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        png.write(path, bytes(48), 4, 4, {png.XMP_KEY: text})
        only_our_error(metadata.read, path)
