"""What a capture takes as its pixels."""

from __future__ import annotations

import struct

import pytest
from maquette_wire.capture import Capture
from maquette_wire.errors import MaquetteError

from tests.shared.conftest import make_capture, make_view


@pytest.mark.parametrize(
    ("color", "depth", "words"),
    [
        (bytes(24 * 32 * 3 - 1), None, "needs u1 24 x 32 x 3"),
        (None, bytes(24 * 32 * 8), "needs f4 24 x 32"),
        (None, memoryview(struct.pack("768d", *range(768))).cast("B").cast("d"), "needs f4"),
        (memoryview(bytes(2 * 24 * 32 * 3))[::2], None, "not contiguous"),
        (memoryview(bytes(24 * 32 * 3)).cast("B", (32, 24, 3)), None, "needs u1"),
        ("a text", None, "gives no access to its memory"),
    ],
)
def test_captures_of_another_shape_or_type(color: object, depth: object, words: str) -> None:
    good = make_capture()
    with pytest.raises(MaquetteError, match=words):
        Capture(good.view, good.color if color is None else color, depth or good.depth)


def test_captures_take_arrays_as_they_are() -> None:
    numpy = pytest.importorskip("numpy")
    color = numpy.arange(24 * 32 * 3, dtype=numpy.uint8).reshape(24, 32, 3)
    depth = numpy.linspace(1, 9, 24 * 32, dtype=numpy.float32).reshape(24, 32)
    capture = Capture(make_view(), color, depth)
    assert capture.depth is depth
    flat = Capture(make_view(), color.tobytes(), depth.tobytes())
    assert numpy.asarray(flat.depth).dtype == numpy.float32
    assert (numpy.asarray(flat.depth) == depth).all()
    assert (numpy.asarray(flat.color) == color).all()
    with pytest.raises(MaquetteError, match="needs f4"):
        Capture(make_view(), color, depth.astype(numpy.float64))
    with pytest.raises(MaquetteError, match="not contiguous"):
        Capture(make_view(), color[:, ::-1], depth)
