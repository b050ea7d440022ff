"""CURVE keys: made on first use, readable by their owner only; and who may connect.

Keys are in Z85, ZeroMQ's own text form (40 characters). A pair is one file, so it is never half
there. Public keys are no secret: a user copies one from ``client.pub`` into the server's list
of authorised clients, and the server's from ``server.pub`` into the add-on's preferences.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from .errors import MaquetteError
from .home import Home, unusable

LENGTH = 40
LIST_HEADER = """\
# Clients that may use this server from another machine: one public key (the content of the
# client's client.pub) on each line, then anything as a comment. Lines that start with "# " are
# comments. The list is read again for every new connection.
"""


@dataclass(frozen=True)
class KeyPair:
    """A CURVE key pair in Z85."""

    public: str
    secret: str = field(repr=False)


def server_keys(home: Home) -> KeyPair:
    """The server's pair, made on first use. Raises MaquetteError as :func:`load_or_make`."""
    return load_or_make(home.make(home.keys) / "server.key")


def client_keys(home: Home) -> KeyPair:
    """This user's client pair, made on first use. Raises MaquetteError as :func:`load_or_make`."""
    return load_or_make(home.make(home.keys) / "client.key")


def client_list(home: Home) -> Path:
    """The list of authorised clients; made, with only its comment, where there is none."""
    path = home.make(home.keys) / "authorised_clients"
    if not path.exists():
        _write_new(path, LIST_HEADER)
    return path


def authorised_clients(home: Home, loopback: bool) -> frozenset[str]:
    """Public keys that may connect: the list's, and on loopback this home's own client.

    Raises MaquetteError("bad-client-list") naming the line.
    """
    path = client_list(home)
    listed = parse_client_list(path.read_text(encoding="utf-8", errors="replace"), path)
    return listed | {client_keys(home).public} if loopback else listed


def parse_client_list(text: str, path: Path) -> frozenset[str]:
    """The keys of a list's text; ``path`` is for the error alone."""
    keys = set()
    for number, line in enumerate(text.splitlines(), 1):
        word = line.split(maxsplit=1)[0] if line.split() else "#"
        if is_key(word):
            keys.add(word)
        elif not word.startswith("#"):
            raise MaquetteError(
                "bad-client-list",
                f"Line {number} of {path} holds no public key.",
                f'Start it with a key of {LENGTH} characters, or with "# " for a comment.',
            )
    return frozenset(keys)


def authorise(path: Path, key: str, comment: str = "") -> bool:
    """Add a client to a list of authorised ones; false where it is there already.

    Raises MaquetteError("bad-key", "bad-client-list", "home-unusable").
    """
    key = check_key(key, "client's key")
    try:
        with path.open("a+", encoding="utf-8", errors="replace") as file:
            file.seek(0)
            text = file.read()
            if key in parse_client_list(text, path):
                return False
            if text and not text.endswith("\n"):
                file.write("\n")
            file.write(f"{key} {comment}".rstrip() + "\n")
    except OSError as error:
        raise unusable(path, error) from error
    return True


def is_key(text: str) -> bool:
    """Whether a text is a key in Z85."""
    if len(text) != LENGTH or not text.isascii():
        return False
    try:
        z85.decode(text)
    except (KeyError, struct.error):  # a strange character, or a group beyond 32 bits
        return False
    return True


def check_key(text: str, whose: str) -> str:
    """A key that a user typed, without blanks around. Raises MaquetteError("bad-key")."""
    key = text.strip()
    if not is_key(key):
        raise MaquetteError(
            "bad-key",
            f"The {whose} is not a key.",
            f"Copy all {LENGTH} characters of it.",
        )
    return key


def load_or_make(path: Path) -> KeyPair:
    """The pair in a file; where there is none, a new one is stored first.

    Of two processes that come at the same moment one makes the pair and both use it.

    Raises MaquetteError("unsafe-key-file") where others may read it, ("bad-key-file") where it
    holds no pair.
    """
    if not path.exists():
        public, secret = (key.decode() for key in zmq.curve_keypair())
        text = f"# Maquette: keep the secret key to yourself.\npublic {public}\nsecret {secret}\n"
        _write_new(path, text)
    pair = _load(path)
    published = path.with_suffix(".pub")
    if not published.exists():
        _write_new(published, f"{pair.public}\n")
    return pair


def _load(path: Path) -> KeyPair:
    _check_owner_only(path)
    words = dict(
        line.split(maxsplit=1)
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(line.split()) == 2
    )
    public, secret = words.get("public", ""), words.get("secret", "")
    if not (is_key(public) and is_key(secret)) or (
        zmq.curve_public(secret.encode()).decode() != public
    ):
        raise MaquetteError(
            "bad-key-file",
            f"The file {path} holds no key pair of Maquette.",
            "Delete it: a new pair is made, whose public key the other side must be told.",
        )
    return KeyPair(public, secret)


def _check_owner_only(path: Path) -> None:
    if os.name == "nt":
        return  # a user's data folder is closed to others by its access list
    status = path.stat()
    if status.st_uid != os.getuid():
        raise MaquetteError(
            "unsafe-key-file",
            f"The private key {path} belongs to another user.",
            f"Run: chown {os.getuid()} '{path}'",
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise MaquetteError(
            "unsafe-key-file",
            f"Other users can read the private key {path}.",
            f"Run: chmod 600 '{path}'",
        )


def _write_new(path: Path, text: str) -> None:
    """Write an owner-only file in one step; an existing one stays as it is.

    Raises MaquetteError("home-unusable").
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        with contextlib.suppress(FileExistsError):
            _name(temporary, path)
    except OSError as error:
        raise unusable(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name unless that is taken. Raises FileExistsError."""
    if os.name == "nt":
        temporary.rename(path)  # refuses there to replace a file
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links has no such call; the moment between is very short.
        if path.exists():
            raise FileExistsError(path) from None
        temporary.rename(path)
