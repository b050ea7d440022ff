"""What packing lets in and what it refuses."""

from __future__ import annotations

import msgspec
import pytest
from maquette_wire import codecs, packing
from maquette_wire.capture import Capture, captures_of
from maquette_wire.messages import (
    Cancel,
    Codec,
    FrameHeader,
    Hello,
    Limits,
    Message,
    Progress,
    Result,
    Welcome,
)
from maquette_wire.packing import FROM_CLIENT, FROM_SERVER, pack, unpack
from maquette_wire.recipe import Recipe

from tests.shared.conftest import make_capture, make_view
from tests.shared.submits import JOB, refused, submit_of


@pytest.mark.parametrize("codec", ["raw", "zstd"])
def test_captures_arrive_as_they_were_sent(codec: Codec) -> None:
    captures = [make_capture(64, 48), make_capture(33, 17)]
    submit, frames = submit_of(captures)
    message, arrived = unpack(
        [bytes(part) for part in pack(submit, frames, codec=codec)], FROM_CLIENT
    )
    assert {header.codec for header in message.frames} == {codec}
    for sent, got in zip(captures, captures_of(message, arrived), strict=True):
        assert got.view == sent.view
        assert bytes(memoryview(got.color)) == bytes(memoryview(sent.color))
        assert bytes(memoryview(got.depth)) == bytes(memoryview(sent.depth))
        assert memoryview(got.depth)[0, 0] == 5.0
        assert memoryview(got.depth)[got.view.height - 1, 0] == float("inf")


def test_zstd_makes_a_smooth_depth_much_smaller_and_noise_travels_raw() -> None:
    import random

    submit, frames = submit_of([make_capture(256, 256)])
    packed = pack(submit, frames, codec="zstd")
    assert memoryview(packed[2]).nbytes < 0.5 * frames[1].nbytes
    noise = random.Random(0).randbytes(256 * 256 * 3)
    capture = Capture(make_view(256, 256), noise, frames[1])
    submit, frames = submit_of([capture])
    message, _ = unpack(pack(submit, frames, codec="zstd"), FROM_CLIENT)
    assert [header.codec for header in message.frames] == ["raw", "zstd"]


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"\xc1",
        b"\x00" * 1000,
        msgspec.msgpack.encode({"type": "submit"}),
        msgspec.msgpack.encode({"type": "no-such-message"}),
        msgspec.msgpack.encode({"type": "welcome"}),  # not a client's to say
        msgspec.msgpack.encode({"type": "cancel", "job": 7}),
        msgspec.msgpack.encode(
            {"type": "cancel", "job": "\udc80".encode("utf-8", "surrogatepass")}
        ),
        b"\x81\xa4type\xa6cancel",
        b"\xdd\xff\xff\xff\xff",  # an array of four billion entries
        b"\xdb\xff\xff\xff\xff",  # a text of four gigabytes
        b"\x91" * 100_000,  # nested a hundred thousand deep
        b"\x82\xa4type\xa6cancel\xa1x" + b"\x91" * 100_000,
    ],
)
def test_broken_messages_are_refused(part: bytes) -> None:
    assert refused([part]).code == "bad-message"


def test_an_unknown_field_is_ignored() -> None:
    part = msgspec.msgpack.encode({"type": "cancel", "job": JOB, "added-later": [1, 2, 3]})
    assert unpack([part], FROM_CLIENT).message == Cancel(job=JOB)


def test_a_codec_that_is_named_and_unknown_is_ignored() -> None:
    hello = {"type": "hello", "client": "later", "codecs": ["raw", "a-codec-of-2030"]}
    assert unpack([msgspec.msgpack.encode(hello)], FROM_CLIENT).message.client == "later"
    welcome = msgspec.to_builtins(
        Welcome(server="later", models=(), samplers=(), devices=(), limits=Limits())
    )
    part = msgspec.msgpack.encode({**welcome, "codecs": ["a-codec-of-2030"]})
    assert unpack([part], FROM_SERVER).message.server == "later"


@pytest.mark.parametrize("wrong", [{"views": "none"}, {"recipe": {"prompt": 3}}, {"previews": 1}])
def test_a_submit_of_wrong_types_still_names_its_job(wrong: dict) -> None:
    submit = {"type": "submit", "job": JOB, "recipe": {"prompt": ""}, "views": [], **wrong}
    error = refused([msgspec.msgpack.encode(submit)])
    assert (error.code, error.job) == ("bad-message", JOB)
    unnamed = refused([msgspec.msgpack.encode({**submit, "job": "../../etc"})])
    assert unnamed.job == ""


def test_the_number_of_frames_must_fit() -> None:
    parts = pack(*submit_of([make_capture()]))
    assert refused([]).code == "bad-message"
    assert "announces 2 frames and carries 1" in str(refused(parts[:-1]))
    assert refused(parts[:-1]).job == JOB
    assert refused([*parts, b""]).code == "bad-message"
    assert refused([*pack(Hello(client="x")), b"frame"]).code == "bad-message"


def test_the_bytes_of_a_frame_must_fit_its_header() -> None:
    parts = pack(*submit_of([make_capture()]))
    assert "header says" in str(refused([parts[0], parts[1], bytes(memoryview(parts[2])[:-1])]))
    assert refused([parts[0], parts[2], parts[1]]).code == "bad-message"


def header(name: str = "color", dtype: str = "u1", shape: tuple = (16, 16, 3), index: int = 0):
    return FrameHeader(name=name, dtype=dtype, shape=shape, index=index)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        header(name="normals"),
        header(name="concept"),
        header(dtype="f4"),
        header(shape=(16, 16)),
        header(shape=(16, 16, 4)),
        header(shape=(16, 16, 3, 1)),
        header(shape=(-16, -16, 3)),
        header(shape=(0, 16, 3)),
        header(shape=()),
        header(index=-1),
        header(index=10**6),
        header(shape=(1 << 40, 1 << 40, 3)),
        header(shape=(16, 17, 3)),
    ],
)
def test_headers_that_a_submit_cant_have(bad: FrameHeader) -> None:
    good, _ = submit_of([make_capture(16, 16)])
    message = msgspec.structs.replace(good, frames=(bad, good.frames[1]))
    part = msgspec.msgpack.encode(message)
    refused([part, b"", b""])


def test_a_submit_with_the_same_frame_twice() -> None:
    good, frames = submit_of([make_capture(16, 16)])
    twice = msgspec.structs.replace(good, frames=(good.frames[0], *good.frames))
    assert refused(pack(twice, [frames[0], *frames])).code == "bad-message"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(pixels=32 * 24 - 1), "capture-too-large"),
        (Limits(side_max=31), "capture-too-large"),
        (Limits(side_min=25), "capture-too-small"),
        (Limits(job_bytes=32 * 24 * 7 - 1), "job-too-large"),
        (Limits(captures=0), "too-many-captures"),
        (Limits(pictures=1), "too-many-pictures"),
        (Limits(prompt_characters=3), "prompt-too-long"),
    ],
)
def test_limits_refuse_before_a_frame_is_read(limits: Limits, code: str) -> None:
    submit, frames = submit_of([make_capture()], recipe=Recipe(prompt="four", count=2))
    parts = pack(submit, frames, codec="zstd")
    error = refused([parts[0], b"never", b"looked at"], limits=limits)
    if code in ("capture-too-large", "job-too-large"):
        assert error.code == code  # before even the sizes of the parts are compared
    error = refused(parts, limits=limits)
    assert error.code == code
    assert error.job == JOB
    unpack(parts, FROM_CLIENT, Limits(side_min=24, side_max=32, pixels=32 * 24, pictures=2))


def test_too_many_captures() -> None:
    submit, frames = submit_of([make_capture(16, 16)] * 3)
    assert refused(pack(submit, frames), limits=Limits(captures=2)).code == "too-many-captures"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipe": Recipe(prompt="x", geometry=2.0)}, "bad-recipe"),
        ({"recipe": Recipe(prompt="x", geometry=float("nan"))}, "bad-recipe"),
        ({"recipe": Recipe(prompt="x", size=(4, 4))}, "capture-too-small"),
        ({"recipe": Recipe(prompt="x", size=(90000, 16))}, "capture-too-large"),
        ({"job": "../../../etc/passwd"}, "bad-message"),
        ({"job": JOB.upper()}, "bad-message"),
        ({"views": ()}, "bad-message"),
    ],
)
def test_submits_that_name_no_job_to_do(changes: dict, code: str) -> None:
    assert refused(pack(*submit_of([make_capture()], **changes))).code == code


def test_a_view_with_nan_in_its_matrix() -> None:
    view = make_view(name="Camera")
    broken = msgspec.structs.replace(view, view_matrix=(float("nan"), *view.view_matrix[1:]))
    capture = make_capture()
    submit, frames = submit_of([Capture(broken, capture.color, capture.depth)])
    error = refused(pack(submit, frames))
    assert (error.code, "Capture 'Camera'" in str(error)) == ("bad-capture", True)


def test_a_compressed_bomb_is_refused_without_inflating_it() -> None:
    zstandard = pytest.importorskip("zstandard")
    submit, frames = submit_of([make_capture(64, 64)])
    message = msgspec.structs.replace(
        submit,
        frames=tuple(msgspec.structs.replace(h, codec="zstd") for h in submit.frames),
    )
    part = msgspec.msgpack.encode(message)
    bomb = zstandard.ZstdCompressor().compress(bytes(256 * 2**20))
    assert len(bomb) < 64 * 64 * 3
    good = codecs.encode(frames[1], "f4")
    assert "declares 268435456 bytes" in str(refused([part, bomb, good]))
    # Nor may a frame leave its size open, be cut off, or be damaged.
    whole = bytes(frames[0])
    open_size = zstandard.ZstdCompressor(write_content_size=False).compress(whole)
    fitting = zstandard.ZstdCompressor(level=3).compress(whole)
    for part_color in (open_size, fitting[:-4], b"\x28\xb5\x2f\xfd" + bytes(40), b"", b"junk"):
        assert refused([part, part_color, good]).code == "bad-message"
    unpack([part, fitting, good], FROM_CLIENT)


def test_a_file_codec_without_an_exchange_folder() -> None:
    submit, _ = submit_of([make_capture(16, 16)])
    message = msgspec.structs.replace(
        submit,
        frames=tuple(msgspec.structs.replace(h, codec="file") for h in submit.frames),
    )
    parts = [msgspec.msgpack.encode(message), b"0" * 32, b"0" * 32]
    assert "no exchange folder" in str(refused(parts))


def test_messages_of_the_server_carry_only_their_own_frames() -> None:
    preview = header(name="preview", shape=(8, 8, 3))
    progress = Progress(job=JOB, stage="sampling", frames=(preview,))
    assert unpack(pack(progress, [bytes(192)]), FROM_SERVER).frames[0].nbytes == 192
    result = Result(job=JOB, recipe=Recipe(prompt="x"), pictures=(), frames=(preview,))
    assert refused(pack(result, [bytes(192)]), FROM_SERVER).code == "bad-message"
    assert refused(pack(Hello(client="x")), FROM_SERVER).code == "bad-message"


def test_a_message_part_of_absurd_size() -> None:
    part = msgspec.msgpack.encode({"type": "hello", "client": "x" * packing.MESSAGE_BYTES})
    assert "larger than" in str(refused([part]))


def test_what_the_caller_gets_wrong_is_the_callers_error() -> None:
    submit, frames = submit_of([make_capture()])
    with pytest.raises(ValueError, match="2 frame headers for 1 frames"):
        pack(submit, frames[:1])
    with pytest.raises(ValueError, match="bytes"):
        pack(submit, [frames[0], frames[0]])


def test_every_message_survives_the_way() -> None:
    welcome = Welcome(server="s", devices=("cpu",), models=(), samplers=("ddim",), limits=Limits())
    messages: list[tuple[Message, object]] = [
        (welcome, FROM_SERVER),
        (Cancel(job=JOB), FROM_CLIENT),
    ]
    for message, kind in messages:
        assert unpack(pack(message), kind).message == message
