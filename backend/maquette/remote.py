"""Files at URLs, through fsspec: `s3://`, `gs://`, `sftp://`, `https://` and others.

What a protocol needs beside fsspec (s3fs, gcsfs, paramiko, ...) is the user's to install, and each
of those packages finds its own credentials and settings. A filesystem is asked for anew in every
thread: fsspec keeps one for each, as not all of them are for several.
"""

from __future__ import annotations

import errno
import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from maquette_wire.errors import MaquetteError

BACK_OFF = (1.0, 2.0, 4.0, 8.0)
"""Seconds between trials of what a connection was lost in."""
OBJECT_STORES = frozenset(
    ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci", "tos", "hf")
)
"""Protocols whose files are there when they are there whole. Elsewhere a file grows."""
LOCAL = ("file", "local")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # of two letters at least: C: is a drive
_SIGNED = re.compile(r"x-(amz|goog|ms)-.*|sig(nature)?|(access_?)?token|awsaccesskeyid|se|expires")
"""Names of parameters by which a server lets in who has the URL."""

Result = TypeVar("Result")


def is_url(text: str) -> bool:
    """Whether a text names something that is reached through a protocol; `file://` is not."""
    found = _SCHEME.match(text)
    return found is not None and found[1].lower() not in LOCAL


def local(text: str) -> str:
    """The path that a text names, `file://` or not."""
    if not _SCHEME.match(text):
        return text
    # Takes as long to import as the rest of a small command.
    from fsspec.implementations.local import LocalFileSystem

    return LocalFileSystem._strip_protocol(text)


def protocol(url: str) -> str:
    """The protocol of a URL, lower case."""
    found = _SCHEME.match(url)
    assert found is not None
    return found[1].lower()


def public(url: str) -> str:
    """A URL as it may be kept and shown: without a password, and without the query of one that is
    signed, which is another one each time."""
    parts = urlsplit(url)
    if parts.password is not None:
        user, _, host = parts.netloc.rpartition("@")
        url = url.replace(parts.netloc, f"{user.partition(':')[0]}@{host}", 1)
    if any(_SIGNED.fullmatch(name.lower()) for name, _ in parse_qsl(parts.query, True)):
        url = url.partition("?")[0]
    return url


def location(url: str) -> PurePosixPath:
    """A URL as a path, whose name and suffix are those of its file."""
    web = protocol(url) in ("http", "https")
    return PurePosixPath(unquote(url.partition("?")[0]) if web else url)


def place(name: str) -> PurePath:
    """A path or a URL as a path, to read its name from."""
    return location(name) if is_url(name) else Path(name)


def opened(url: str) -> tuple[Any, str]:
    """The filesystem of a URL, and the path of the URL in it.

    Raises MaquetteError("no-protocol") where it isn't known, or its package isn't installed.
    """
    if "::" in url:
        raise MaquetteError(
            "no-protocol", f"{public(url)} is a chain of URLs.", "Give the URL of one place."
        )
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    try:
        return url_to_fs(url)
    except ImportError as error:
        advice = known_implementations.get(protocol(url), {}).get("err") or str(error)
        raise MaquetteError(
            "no-protocol",
            f"{public(url)} needs a package that is not installed.",
            f"{advice.rstrip('.')}, beside Maquette.",
        ) from error
    except ValueError as error:
        raise MaquetteError(
            "no-protocol",
            f"{public(url)} can't be reached: {error}.",
            "Use s3://, gs://, az://, sftp://, https:// or another protocol of fsspec's.",
        ) from error


def attempt(
    action: Callable[[], Result],
    url: str,
    *,
    wait: Callable[[float], object] = time.sleep,
) -> Result:
    """What an action on a filesystem returns, tried again where the connection is lost.

    Args:
        wait: is called with the seconds between two trials, and ends them where it returns true.

    Raises MaquetteError("not-there", "not-allowed", "connection-lost") naming the URL.
    """
    for number in itertools.count():
        try:
            return action()
        except MaquetteError:
            raise
        except Exception as raised:  # the packages of protocols have their own
            error = _cause(raised)
            what = _kind(error)
            if what != "lost" or number == len(BACK_OFF) or wait(BACK_OFF[number]):
                raise _failure(what, url, error) from raised
    raise AssertionError


def _cause(error: Exception) -> Exception:
    """What is behind an error: of HTTP, all are said to be files that aren't there."""
    cause = error.__cause__
    if isinstance(cause, OSError) or (isinstance(cause, Exception) and hasattr(cause, "status")):
        return cause
    return error


def _kind(error: Exception) -> Literal["gone", "refused", "lost"]:
    status = getattr(error, "status", None) or getattr(error, "code", None)  # of HTTP
    name = type(error).__name__
    # Not every package raises Python's own kind of an error.
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOENT, errno.ENOTDIR, errno.EISDIR):
        return "gone"
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return "gone"
    if number in (errno.EACCES, errno.EPERM) or status in (401, 403, 405):
        return "refused"
    if isinstance(error, PermissionError | NotImplementedError):
        return "refused"
    if "Credential" in name or "Authentication" in name:
        return "refused"
    return "gone" if status in (404, 410) else "lost"


def _failure(what: Literal["gone", "refused", "lost"], url: str, error: Exception) -> MaquetteError:
    shown = public(url)
    # An error may cite the URL as it was asked for.
    said = str(error).replace(url, shown).strip().rstrip(".") or type(error).__name__
    if what == "gone":
        return MaquetteError("not-there", f"There is nothing at {shown}.", "Correct the URL.")
    if what == "refused":
        return MaquetteError(
            "not-allowed",
            f"{shown} is not allowed: {said}.",
            "Give this machine the rights, as the tools of that protocol ask for them.",
        )
    return MaquetteError(
        "connection-lost",
        f"The connection to {shown} was lost: {said}.",
        "The same command goes on from here.",
    )
