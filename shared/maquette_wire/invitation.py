"""What two machines have to tell each other once, as texts to copy and paste.

The client's key goes to the server within the command that starts it; the server's address and key
come back in one line. Neither is a secret.
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import MaquetteError
from .keys import LENGTH, is_key

QUOTES = "'\"`,;"


class Server(NamedTuple):
    """What a client needs of a server; what a text doesn't say is empty."""

    address: str
    key: str


def serve_command(client_key: str) -> str:
    """The command that runs a server for this client, for a shell of the server's machine."""
    return f"maquette serve --endpoint tcp://0.0.0.0:47820 --authorise='{client_key}'"


def line(address: str, server_key: str) -> str:
    """The line that :func:`read` reads."""
    return f"{address} {server_key}"


def read(text: str) -> Server:
    """An address and a server's key, wherever they are in a text.

    Raises MaquetteError("no-invitation") where it has neither.
    """
    words = [form for word in text.split() for form in (word, word.strip(QUOTES))]
    address = next((word for word in words if word.startswith("tcp://")), "")
    key = next((word for word in words if is_key(word)), "")
    if not address and not key:
        raise MaquetteError(
            "no-invitation",
            "The clipboard holds neither the address nor the key of a server.",
            f"Copy the line that `maquette serve` prints: tcp://, then the key's {LENGTH} "
            "characters.",
        )
    return Server(address.strip(QUOTES), key)
