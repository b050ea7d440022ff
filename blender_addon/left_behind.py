"""Jobs that ended Blenders left at their servers: this one takes them over, or drops them where the
user does without them. No bpy here."""

from __future__ import annotations

from maquette_wire.capture import captures_of
from maquette_wire.client import Client
from maquette_wire.messages import Cancelled, Failed, Message, Result

from .jobs import Job
from .ledger import Entry, Ledger


class LeftBehind:
    """What ended Blenders left.

    Attributes:
        entries: those of their jobs that somebody may want and nobody has taken over yet.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.entries = ledger.left_behind()
        self._ledger = ledger
        self._unwanted: dict[str, Entry] = {}

    def adopt(self, server: str, client: Client) -> list[Job]:
        """Take over the jobs at the server at this address, which is connected; it is told of those
        that nobody wants. One that it never got is sent. Raises MaquetteError("home-unusable")."""
        jobs = []
        for entry in self._ledger.adopt(server):
            if entry.unwanted:
                self._unwanted[entry.job] = entry
            else:
                kept = self._ledger.kept(entry.job)
                jobs.append(entry.recovered(captures_of(*kept) if kept else ()))
                client.resume(entry.job, kept)
        self.entries = self._ledger.left_behind()
        self.tell(server, client)
        return jobs

    def discard(self) -> list[Entry]:
        """Do without all jobs, which are returned; a server is still to be told. Raises
        MaquetteError("home-unusable")."""
        discarded = self._ledger.disown()
        self._unwanted |= {entry.job: entry for entry in discarded}
        self.entries = []
        return discarded

    def tell(self, server: str, client: Client) -> None:
        """Have the server at this address, which is connected, drop what nobody wants."""
        for entry in self._unwanted.values():
            if entry.server == server and entry.job not in client.open_jobs:
                client.resume(entry.job)
                client.cancel(entry.job)

    def take(self, job: str, message: Message, client: Client) -> None:
        """Follow a message about a job that is none of the session's."""
        if job in self._unwanted and isinstance(message, Result | Failed | Cancelled):
            del self._unwanted[job]
            self._ledger.remove(job)
            client.acknowledge(job)
