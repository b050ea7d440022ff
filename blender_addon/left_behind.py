"""Jobs that ended Blenders left at a server and that the user did without: the server is told as
soon as it is reached. No bpy here."""

from __future__ import annotations

from maquette_wire.client import Client
from maquette_wire.messages import Cancelled, Failed, Message, Result

from .ledger import Entry, Ledger


class Unwanted:
    """What a server is still to hear of."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        self._entries[entry.job] = entry

    def tell(self, server: str, client: Client) -> None:
        """Have the server at this address, which is connected, drop them."""
        for entry in self._entries.values():
            if entry.server == server and entry.job not in client.open_jobs:
                client.resume(entry.job)
                client.cancel(entry.job)

    def take(self, job: str, message: Message, client: Client) -> None:
        """Follow a message about a job that is none of the session's."""
        if job in self._entries and isinstance(message, Result | Failed | Cancelled):
            del self._entries[job]
            self._ledger.remove(job)
            client.acknowledge(job)
