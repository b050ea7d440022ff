"""Pool: the worker processes, one for each device, kept alive and spoken to.

A worker is told its throw-away CURVE key on its standard input, connects back over loopback, and
ends by itself when that input ends. One that dies is started again after a pause that doubles
with each death without a finished job between them.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import zmq

from . import worker_messages as wm
from .access import WORKERS

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
FAILED_STARTS = 7
"""Starts in a row without a ready worker after which waiting jobs are told so."""
STOP_PATIENCE = 120.0
"""Seconds after which a worker that doesn't give a cancelled job up is ended: it may be loading a
model, but it may as well hang in a driver."""
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TOP_PAD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
"""Has GNU's C library, of Linux, keep what a worker frees, up to these bytes: a picture frees its
maps one by one, and every page that is given back is cleared anew for the next, which takes 7 % of
a picture's time."""
LAST_WORDS = 5.0
"""Seconds that workers have to end when the server does."""


@dataclass(eq=False)
class Worker:
    """One device's place in the pool, whichever process fills it at the moment.

    Attributes:
        device: as asked for; the device's own name once a worker is ready.
        process: None between a death and the next start.
        key: public key of the process.
        identity: its routing id, once it has spoken.
        ready: whether it takes jobs.
        job: what it works on.
        stop_asked: monotonic time at which it was told to give the job up.
        deaths: processes lost since the last finished job.
        failed_starts: processes lost in a row that were never ready.
        restart_at: monotonic time of the next start.
    """

    device: str
    process: subprocess.Popen[bytes] | None = None
    key: str = ""
    identity: bytes = b""
    ready: bool = False
    job: str | None = None
    stop_asked: float | None = None
    deaths: int = 0
    failed_starts: int = 0
    restart_at: float = 0.0
    unusable: wm.Unusable | None = field(default=None, repr=False)


class Said(NamedTuple):
    """What a worker says; ``worker`` is None for one that has died since."""

    worker: Worker | None
    note: wm.FromWorker
    parts: list[zmq.Frame]


class Pool:
    """The workers of a server.

    Args:
        context: the server's ZeroMQ context.
        command: what starts a worker.
        device: device of the first worker; where it is ``auto``, others join for the further
            devices that the first one finds.
        home, models: passed on to the workers.
        patience: see STOP_PATIENCE.
    """

    def __init__(
        self,
        context: zmq.Context,
        command: Sequence[str],
        device: str,
        home: str,
        models: tuple[str, ...] = (),
        patience: float = STOP_PATIENCE,
    ) -> None:
        self._patience = patience
        self._command = tuple(command)
        self._home = home
        self._models = models
        self._all_devices = device == "auto"
        self._server_key, secret = (key.decode() for key in zmq.curve_keypair())
        self.socket: zmq.Socket = context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.router_mandatory = True
        self.socket.zap_domain = WORKERS
        self.socket.curve_server = True
        self.socket.curve_secretkey = secret.encode()
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self._endpoint = f"tcp://127.0.0.1:{port}"
        self.workers: list[Worker] = [Worker(device)]

    def keys(self) -> list[str]:
        """Public keys of the living workers."""
        return [worker.key for worker in self.workers if worker.process is not None]

    def devices(self) -> tuple[str, ...]:
        """Devices whose worker is ready."""
        return tuple(worker.device for worker in self.workers if worker.ready)

    def idle(self) -> Worker | None:
        """A worker that waits for a job."""
        return next((w for w in self.workers if w.ready and w.job is None), None)

    def start_missing(self) -> None:
        """Start a process for each worker that has none and whose pause is over."""
        now = time.monotonic()
        for worker in self.workers:
            if worker.process is None and now >= worker.restart_at:
                self._start(worker)

    def _start(self, worker: Worker) -> None:
        public, secret = (key.decode() for key in zmq.curve_keypair())
        enlistment = wm.Enlistment(
            endpoint=self._endpoint,
            server_key=self._server_key,
            public_key=public,
            secret_key=secret,
            device=worker.device,
            home=self._home,
            models=self._models,
        )
        # A session of its own keeps Ctrl+C in the server's terminal away from it: the server
        # ends its workers itself.
        try:
            worker.process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                start_new_session=os.name != "nt",
                env={**KEPT_MEMORY, **os.environ},
            )
        except OSError as error:  # out of memory or of processes, perhaps only now
            log.error("A worker for %s can't be started: %s", worker.device, error)
            worker.failed_starts += 1
            worker.restart_at = time.monotonic() + LONGEST_PAUSE
            return
        worker.key = public
        assert worker.process.stdin is not None
        try:
            worker.process.stdin.write(msgspec.json.encode(enlistment) + b"\n")
            worker.process.stdin.flush()
        except OSError as error:
            log.warning("The worker for %s died at its start (%s).", worker.device, error)

    def reap(self) -> list[str]:
        """Jobs that died with their workers since the last call."""
        orphans = []
        for worker in self.workers:
            if worker.process is None:
                continue
            if worker.process.poll() is None:
                if worker.stop_asked and time.monotonic() - worker.stop_asked > self._patience:
                    log.warning("The worker for %s doesn't stop; it is killed.", worker.device)
                    worker.process.kill()
                    worker.stop_asked = None
                continue
            if worker.job is not None:
                orphans.append(worker.job)
            self._bury(worker)
        return orphans

    def _bury(self, worker: Worker) -> None:
        assert worker.process is not None and worker.process.stdin is not None
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(worker.deaths, 10))
        log.warning(
            "The worker for %s ended with status %s; the next starts in %.1f s.",
            worker.device,
            worker.process.returncode,
            pause,
        )
        try:
            worker.process.stdin.close()
        except OSError as error:
            log.debug("Its input was broken: %s.", error)
        worker.failed_starts = 0 if worker.ready else worker.failed_starts + 1
        worker.deaths += 1
        worker.restart_at = time.monotonic() + pause
        worker.process, worker.key, worker.identity = None, "", b""
        worker.ready, worker.job, worker.stop_asked = False, None, None

    def receive(self) -> Said:
        """The next note that is waiting."""
        identity, note, *parts = self.socket.recv_multipart(copy=False)
        key = note.get("User-Id")
        worker = next((w for w in self.workers if w.process is not None and w.key == key), None)
        decoded = wm.decode_from_worker(note.bytes)
        if worker is not None:
            worker.identity = identity.bytes
            self._note(worker, decoded)
        return Said(worker, decoded, parts)

    def _note(self, worker: Worker, note: wm.FromWorker) -> None:
        if isinstance(note, wm.Unusable):
            worker.unusable = note
        elif isinstance(note, wm.Ready):
            worker.ready, worker.unusable = True, None
            worker.device = note.device
            if self._all_devices:
                known = {other.device for other in self.workers}
                self.workers += [Worker(name) for name in note.devices if name not in known]

    def release(self, worker: Worker | None, name: str) -> None:
        """Note that a worker has ended a job and is free for the next."""
        if worker is not None and worker.job == name:
            worker.job, worker.stop_asked, worker.deaths = None, None, 0

    def assign(self, worker: Worker, note: wm.Assign) -> None:
        """Give an idle worker a job."""
        worker.job = note.job
        self._send(worker, note)

    def stop(self, name: str) -> None:
        """Tell the worker that has this job, if one does, to give it up."""
        for worker in self.workers:
            if worker.job == name and worker.stop_asked is None:
                worker.stop_asked = time.monotonic()
                self._send(worker, wm.Stop(job=name))

    def _send(self, worker: Worker, note: wm.ToWorker) -> None:
        """Send a note; to one that just died none gets through, and :meth:`reap` tells."""
        try:
            self.socket.send_multipart([worker.identity, wm.encode(note)], zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in (zmq.EHOSTUNREACH, zmq.EAGAIN):
                raise
            log.debug("The worker for %s isn't there: %s.", worker.device, error)

    def hopeless(self) -> wm.Unusable | None:
        """Why no job can run, where every worker has failed to start."""
        reasons = []
        for worker in self.workers:
            if worker.unusable is not None:
                reasons.append(worker.unusable)
            elif worker.failed_starts >= FAILED_STARTS:
                reasons.append(
                    wm.Unusable(
                        code="no-worker",
                        sentence=f"The sampling process for {worker.device} doesn't start.",
                        hint="Run `maquette doctor`; the server's log says more.",
                    )
                )
            else:
                return None
        return reasons[0]

    def close(self) -> None:
        """End all workers, whatever they are at."""
        processes = [worker.process for worker in self.workers if worker.process is not None]
        for process in processes:
            assert process.stdin is not None
            try:
                process.stdin.close()
            except OSError as error:
                log.debug("A worker's input was broken: %s.", error)
        deadline = time.monotonic() + LAST_WORDS
        for process in processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("Worker %d doesn't end; it is killed.", process.pid)
                process.kill()
                process.wait()
        self.socket.close()
