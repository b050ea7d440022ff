"""Jobs of a cluster whose actors die or meet a fault, with a stand-in for Ray."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from maquette import sampling
from maquette.batch import cluster
from maquette.batch.cluster import TRIALS, Cluster
from maquette_wire.messages import Failed, Result
from maquette_wire.recipe import Recipe


class RayError(Exception): ...


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        self.cause = cause


class ActorUnavailableError(RayError): ...


class Died(BaseException):
    """The end of an actor's process."""


class Future:
    """A call of an actor. `error`: where it ended in one."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call, self._answer = call, None
        self.ended = False
        self.error: RayError | None = None

    def do(self) -> None:
        try:
            self._answer = self._call()
        except ImportError as error:
            self.error = RayTaskError(error)
        self.ended = True

    def fail(self) -> None:
        self.error, self.ended = ActorUnavailableError(), True

    def get(self) -> Any:
        if self.error is not None:
            raise self.error
        return self._answer


class Handle:
    """An actor, which does nothing until it is told to go on."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor
        self._calls: list[Future] = []
        self.ready = SimpleNamespace(remote=lambda: self._later(actor.ready))
        self.paint = SimpleNamespace(remote=lambda *job: self._later(self._paint, *job))

    def _later(self, method: Callable[..., Any], *given: object) -> Future:
        self._calls.append(Future(lambda: method(*given)))
        return self._calls[-1]

    def _paint(self, job: str, recipe: Recipe, sent: object) -> object:
        if recipe.prompt == "unreadable":
            raise ImportError("No module named 'later'")
        return self._actor.paint(job, recipe, sent)

    def go_on(self) -> None:
        """Do all that it was called for; where it dies, the rest fails as well."""
        calls, self._calls = self._calls, []
        try:
            for call in calls:
                call.do()
        except Died:
            for call in calls:
                if not call.ended:
                    call.fail()


class Ray:
    """A cluster of one node. An error is there at once, while results are still on their way."""

    exceptions = SimpleNamespace(
        RayError=RayError, RayTaskError=RayTaskError, ActorUnavailableError=ActorUnavailableError
    )

    def __init__(self) -> None:
        self._handles: list[Handle] = []

    def init(self, *_: object, **__: object) -> None: ...
    def shutdown(self) -> None: ...

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": 1.0}}]

    def remote(self, kind: Callable[[], Any]) -> Any:
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda: self._add(kind)))

    def _add(self, kind: Callable[[], Any]) -> Handle:
        self._handles.append(Handle(kind()))
        return self._handles[-1]

    def go_on(self) -> None:
        for handle in self._handles:
            handle.go_on()

    def wait(self, futures: list[Future], **_: object) -> tuple[list[Future], list[Future]]:
        ended = [future for future in futures if future.ended]
        return sorted(ended, key=lambda future: future.error is None)[:1], []

    def get(self, future: Future) -> Any:
        return future.get()


class Sampler:
    """Does to its process what the prompt says."""

    painted: list[str]

    def __init__(self, device: str) -> None: ...

    def run(self, recipe: Recipe, captures: object) -> Any:
        Sampler.painted.append(recipe.prompt)
        if recipe.prompt == "kills":
            raise Died
        if recipe.prompt == "raises":
            raise ValueError("shapes differ")
        return SimpleNamespace(
            recipe=recipe, pictures=[], encoded_depth=[], warnings=[], seconds={}, pack=1
        )


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    ray = Ray()
    Sampler.painted = []
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr(sampling, "Sampler", Sampler)
    monkeypatch.setattr(cluster, "POLL_SECONDS", 0.0)
    return ray


def ends(ray: Ray, *prompts: str) -> dict[str, Result | Failed]:
    """What became of jobs with these prompts, with a cluster of one actor."""
    found: dict[str, Any] = {}
    with Cluster("local") as painter:
        for prompt in prompts:
            painter.submit(Recipe(prompt=prompt), [], job=prompt)
        for _ in range(20):
            ray.go_on()  # all that can be done, before an end of it is heard
            for heard in painter.events():
                assert heard.message.job not in found, "told twice"
                found[heard.message.job] = heard.message
    return found


@pytest.mark.parametrize("prompts", [("kills", "a", "b"), ("a", "kills", "b"), ("a", "b", "kills")])
def test_a_job_that_ends_its_actor_fails_alone(ray: Ray, prompts: tuple[str, ...]):
    """Also where the one before it ended so shortly before that both ends are heard at once."""
    found = ends(ray, *prompts)
    assert len(found) == 3
    assert isinstance(found["a"], Result) and isinstance(found["b"], Result)
    assert isinstance(found["kills"], Failed) and found["kills"].code == "worker-died"
    assert Sampler.painted.count("kills") == TRIALS
    assert Sampler.painted.count("a") == 1, "what has ended well is not painted again"


def test_a_fault_in_a_job_costs_the_next_one_nothing(ray: Ray):
    found = ends(ray, "raises", "a", "b")
    failed = found["raises"]
    assert isinstance(failed, Failed) and failed.code == "internal-error"
    assert "ValueError: shapes differ" in failed.sentence
    assert isinstance(found["a"], Result) and isinstance(found["b"], Result)
    assert Sampler.painted == ["raises", "a", "b"]


def test_a_job_that_a_node_cannot_read_fails_alone(ray: Ray):
    """A node with another version of this package, for instance."""
    found = ends(ray, "unreadable", "a", "b")
    failed = found["unreadable"]
    assert isinstance(failed, Failed) and "No module named 'later'" in failed.sentence
    assert "same version" in failed.hint
    assert Sampler.painted == ["a", "b"]
