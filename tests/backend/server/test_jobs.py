"""Jobs through a real server process: what a client sees of them."""

from __future__ import annotations

import time

import numpy as np
from maquette_wire import keys
from maquette_wire.capture import frames_of
from maquette_wire.client import Connected
from maquette_wire.messages import (
    Accepted,
    Acknowledge,
    Cancel,
    Cancelled,
    Coverage,
    Failed,
    Heartbeat,
    Hello,
    Progress,
    Result,
    Resume,
    Submit,
    Welcome,
)

from tests.backend.server.harness import (
    ServerProcess,
    Talker,
    capture,
    light_recipe,
    light_server,
    new_job,
    new_pair,
    raw_client,
    talker,
    triangle,
    until,
)


def pixels(event) -> np.ndarray:
    """All pictures of a result as one array."""
    return np.concatenate([np.frombuffer(frame, np.uint8) for frame in event.frames])


def test_a_welcome_says_what_the_server_can_do(client: Talker):
    welcome = client.first(lambda event: isinstance(event, Connected), "a welcome").welcome
    assert welcome.devices == ("cpu",)
    assert [model.name for model in welcome.models] == ["light"]
    assert welcome.samplers == ("ddim",)
    assert welcome.exchange is not None and "file" in welcome.codecs


def test_a_job_is_accepted_then_runs_then_gives_its_pictures(client: Talker):
    recipe = light_recipe("steps=3", count=2, seed=7)
    captures = [capture(64, 48), capture(32, 96)]
    job = client.client.submit(recipe, captures)
    result = client.end_of(job)
    assert isinstance(result.message, Result)
    assert [(p.view, p.seed) for p in result.message.pictures] == [(0, 7), (0, 8), (1, 7), (1, 8)]
    shapes = [(f.name, f.shape) for f in result.message.frames]
    assert shapes[:4] == [("concept", (48, 64, 3))] * 2 + [("concept", (96, 32, 3))] * 2
    assert [name for name, _ in shapes[4:]] == ["encoded_depth"] * 2
    kinds = [type(event.message) for event in client.about(job)]
    assert kinds == [Accepted, Progress, Progress, Progress, Result]
    steps = [e.message.step for e in client.about(job) if isinstance(e.message, Progress)]
    assert steps == [1, 2, 3]


def test_a_texture_comes_with_its_views_and_what_they_cover(client: Talker):
    picture = np.full((48, 64, 3), 200, np.uint8)
    job = client.client.submit(
        light_recipe(), [capture(), capture()], surface=triangle(64), given={1: picture}
    )
    result = client.end_of(job)
    assert isinstance(result.message, Result), result.message
    frames = {
        (header.name, header.index): np.frombuffer(frame, np.uint8).reshape(header.shape)
        for header, frame in zip(result.message.frames, result.frames, strict=True)
    }
    assert (frames["concept", 1] == 200).all() and frames["concept", 0].std() > 10
    assert frames["texture", 0].shape == (64, 64, 3)
    assert result.message.coverage == Coverage(seen=1.0, filled=0.0)
    stages = [e.message.stage for e in client.about(job) if isinstance(e.message, Progress)]
    assert stages == ["sampling", "sampling", "baking"]


def test_previews_come_to_whom_asked_for_them_only(shared_server: ServerProcess, client: Talker):
    other = talker(shared_server)
    with_previews = client.client.submit(light_recipe(), [capture()], previews=True)
    without = other.client.submit(light_recipe(), [capture()])
    client.end_of(with_previews)
    other.end_of(without)
    shown = [e for e in client.about(with_previews) if isinstance(e.message, Progress)]
    plain = [e for e in other.about(without) if isinstance(e.message, Progress)]
    assert all(len(event.frames) == 1 for event in shown) and shown
    assert all(not event.frames for event in plain) and plain
    assert not client.about(without) and not other.about(with_previews)
    other.close()


def test_jobs_run_in_the_order_they_were_accepted(client: Talker):
    jobs = [client.client.submit(light_recipe("pause=0.05"), [capture()]) for _ in range(4)]
    for job in jobs:
        client.end_of(job)
    ended = [e.message.job for e in client.heard if isinstance(getattr(e, "message", 0), Result)]
    assert ended == jobs
    accepted = [client.message(job, Accepted).message for job in jobs]
    ahead = [message.ahead for message in accepted if isinstance(message, Accepted)]
    assert ahead[0] == 0 and ahead == sorted(ahead) and ahead[-1] >= 2


def test_cancelling_a_running_job_frees_the_device_within_a_step(client: Talker):
    long = client.client.submit(light_recipe("steps=1000 pause=0.2"), [capture()])
    client.message(long, Progress)
    next_one = client.client.submit(light_recipe("steps=1 pause=0"), [capture()])
    client.message(next_one, Accepted)
    client.client.cancel(long)
    assert isinstance(client.end_of(long).message, Cancelled)
    steps_then = len([e for e in client.about(long) if isinstance(e.message, Progress)])
    assert isinstance(client.end_of(next_one).message, Result)
    steps_now = len([e for e in client.about(long) if isinstance(e.message, Progress)])
    assert steps_now - steps_then <= 1


def test_a_waiting_job_whose_captures_vanish_is_failed_aloud(
    shared_server: ServerProcess, client: Talker
):
    first = client.client.submit(light_recipe("steps=10 pause=0.1"), [capture()])
    waiting = client.client.submit(light_recipe(), [capture()])
    client.message(waiting, Accepted)
    (path,) = shared_server.home.root.rglob(f"captures/{waiting}")
    path.unlink()
    lost = client.end_of(waiting)
    assert isinstance(lost.message, Failed) and lost.message.code == "captures-lost"
    assert isinstance(client.end_of(first).message, Result)


def test_cancelling_a_waiting_job_leaves_nothing_of_it(
    shared_server: ServerProcess, client: Talker
):
    first = client.client.submit(light_recipe("steps=10 pause=0.1"), [capture()])
    waiting = client.client.submit(light_recipe(), [capture()])
    client.message(waiting, Accepted)
    stored = shared_server.home.spool / "captures" / waiting
    assert stored.exists()
    client.client.cancel(waiting)
    assert isinstance(client.end_of(waiting).message, Cancelled)
    assert not stored.exists()
    assert isinstance(client.end_of(first).message, Result)
    assert not [e for e in client.about(waiting) if isinstance(e.message, Progress)]


def test_cancelling_a_finished_job_gives_its_result(shared_server: ServerProcess, client: Talker):
    job = client.client.submit(light_recipe(), [capture()])
    client.end_of(job)
    raw = raw_client(shared_server)
    raw.send(Hello(client="raw"))
    assert isinstance(raw.receive().message, Welcome)
    raw.send(Cancel(job=job))
    assert isinstance(raw.receive().message, Result)
    raw.close()


def test_the_same_submit_again_runs_once_and_gives_the_same_picture(shared_server: ServerProcess):
    raw = raw_client(shared_server)
    raw.send(Hello(client="raw"))
    assert isinstance(raw.receive().message, Welcome)
    headers, frames = frames_of([capture()])
    submit = Submit(
        job=new_job(),
        recipe=light_recipe("steps=5 pause=0.05"),
        views=(capture().view,),
        frames=headers,
    )
    for _ in range(3):
        raw.send(submit, frames)
    raw.send(submit, frames)
    seen = [raw.receive()]
    while not isinstance(seen[-1].message, Result):
        seen.append(raw.receive())
    raw.send(submit, frames)
    again = raw.receive()
    assert isinstance(again.message, Result)
    assert pixels(seen[-1]).tobytes() == pixels(again).tobytes()  # noise: a second run differs
    assert len([p for p in seen if isinstance(p.message, Progress)]) == 5
    raw.close()


def test_a_result_stays_until_it_is_acknowledged_and_is_the_same_each_time(
    shared_server: ServerProcess,
):
    first = talker(shared_server)
    job = first.client.submit(light_recipe(), [capture()])
    picture = pixels(first.end_of(job)).tobytes()
    first.close()
    for _ in range(2):
        later = talker(shared_server)
        later.client.resume(job)
        assert pixels(later.end_of(job)).tobytes() == picture
        later.close()


def test_a_client_that_vanishes_finds_its_job_done(shared_server: ServerProcess):
    first = talker(shared_server)
    job = first.client.submit(light_recipe("steps=20 pause=0.05"), [capture()])
    first.message(job, Progress)
    first.close()
    time.sleep(0.2)
    later = talker(shared_server)
    later.client.resume(job)
    assert isinstance(later.message(job, Accepted).message, Accepted)
    assert isinstance(later.end_of(job).message, Result)
    steps = [e.message.step for e in later.about(job) if isinstance(e.message, Progress)]
    assert steps and min(steps) > 1 and steps[-1] == 20  # it went on meanwhile
    later.close()


def test_another_client_can_neither_read_nor_end_a_job(shared_server: ServerProcess):
    stranger = new_pair()
    with keys.client_list(shared_server.home).open("a") as file:
        file.write(f"{stranger.public} a colleague\n")
    owner = talker(shared_server)
    job = owner.client.submit(light_recipe("steps=20 pause=0.05"), [capture()])
    owner.message(job, Progress)
    other = raw_client(shared_server, stranger)
    other.send(Hello(client="stranger"))
    assert isinstance(other.receive().message, Welcome)
    for request in (Resume(job=job), Cancel(job=job)):
        other.send(request)
        answer = other.receive().message
        assert isinstance(answer, Failed) and answer.code == "unknown-job"
    headers, frames = frames_of([capture()])
    other.send(
        Submit(job=job, recipe=light_recipe(), views=(capture().view,), frames=headers), frames
    )
    taken = other.receive().message
    assert isinstance(taken, Failed) and taken.code == "job-taken"
    other.send(Acknowledge(job=job))
    other.send(Heartbeat())
    assert isinstance(other.receive().message, Heartbeat)  # nothing is said about a stranger's job
    assert isinstance(owner.end_of(job).message, Result)
    owner.close()
    other.close()


def test_a_failed_job_says_why_and_what_to_do(client: Talker):
    job = client.client.submit(light_recipe("fail"), [capture()])
    failed = client.end_of(job).message
    assert isinstance(failed, Failed) and failed.code == "out-of-memory"
    assert failed.sentence and failed.hint


def test_a_fault_in_the_sampler_costs_its_job_alone(shared_server: ServerProcess, client: Talker):
    before = [worker.pid for worker in shared_server.workers()]
    job = client.client.submit(light_recipe("bug"), [capture()])
    failed = client.end_of(job).message
    assert isinstance(failed, Failed) and failed.code == "internal-error"
    assert "a fault in the sampler" in failed.sentence
    assert isinstance(client.end_of(client.client.submit(light_recipe(), [capture()])).message,
                      Result)  # fmt: skip
    assert [worker.pid for worker in shared_server.workers()] == before


def test_a_client_that_does_not_read_holds_nobody_up(shared_server: ServerProcess, client: Talker):
    raw = raw_client(shared_server)
    raw.socket.rcvhwm = 1
    raw.send(Hello(client="deaf"))
    headers, frames = frames_of([capture(512, 512)])
    job = new_job()
    raw.send(
        Submit(
            job=job,
            recipe=light_recipe("steps=2000 pause=0", count=4),
            views=(capture(512, 512).view,),
            previews=True,
            frames=headers,
        ),
        frames,
    )
    for _ in range(200):
        raw.send(Resume(job=job))
    started = time.monotonic()
    for _ in range(5):
        assert isinstance(
            client.end_of(client.client.submit(light_recipe("pause=0"), [capture()])).message,
            Result,
        )
    assert time.monotonic() - started < 30
    kinds = set()
    while Result not in kinds:  # when it reads at last, what matters is there
        kinds.add(type(raw.receive().message))
    raw.close()


def test_every_card_gets_a_worker(tmp_path):
    server = light_server(tmp_path, device="auto")
    record = server.start()
    until(lambda: "ready " + record.endpoint + " cpu second" in server.log, "a second worker")
    both = talker(server)
    jobs = [both.client.submit(light_recipe("steps=20 pause=0.05"), [capture()]) for _ in range(2)]
    for job in jobs:
        both.message(job, Progress)
    assert not any(isinstance(e.message, Result) for job in jobs for e in both.about(job))
    both.close()
    assert server.stop() == 0
