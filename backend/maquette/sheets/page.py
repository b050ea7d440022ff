"""One HTML page with all outputs, for a browser and from disk: nothing is loaded but this file.

Thumbnails and recipes are inside the page as data; only the large pictures are linked, relative to
the page. Whatever a prompt or a name holds reaches the page as JSON and is shown as text; a content
security policy lets no script run but the page's own, which it knows by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

from maquette_wire.errors import MaquetteError
from PIL import Image

from .. import images, outputs
from .fields import FIELDS, varying
from .rows import Row

THUMBNAIL = 256
QUALITY = 78
"""Long side in pixels and JPEG quality of a thumbnail: about 7 KB."""
MARK = b'<meta name="generator" content="Maquette">'
"""What a page begins with, and what says that it may be replaced by a newer one."""

Progress = Callable[[int, int], None]


def write_page(
    folder: Path,
    rows: Sequence[Row],
    path: Path,
    title: str,
    progress: Progress | None = None,
) -> list[str]:
    """Write the page of these outputs, whole or not at all.

    Args:
        folder: what the rows' paths are relative to.
        path: of the page; a page of an earlier run is replaced, nothing else is.
        progress: called with the number of pictures read, and of all.

    Returns:
        A sentence for each picture that can't be read: its output is on the page without it.

    Raises MaquetteError("output-unusable").
    """
    if path.exists() and MARK not in _beginning(path):
        raise MaquetteError(
            "output-unusable",
            f"{path} is there already, and is no sheet of Maquette's.",
            "Name another file with --output.",
        )
    done = [row.file for row in rows if row.file and row.state == "done"]
    names = list(dict.fromkeys([*done, *(row.source_picture for row in rows)]))
    thumbnails, unreadable = _thumbnails(folder, [name for name in names if name], progress)
    sources = list(dict.fromkeys(row.source_picture for row in rows if row.source_picture))
    told = varying(rows)
    record = {
        "fields": [{"name": field.name, "title": field.title} for field in FIELDS],
        "varying": [FIELDS.index(field) for field in told],
        "sources": [_picture(folder, name, thumbnails, path) for name in sources],
        "rows": [
            {
                "picture": _picture(folder, row.file, thumbnails, path),
                "source": sources.index(row.source_picture) if row.source_picture else None,
                "state": row.state,
                "error": row.error,
                "seconds": row.seconds,
                "details": " · ".join(
                    field.label(value)
                    for field in told
                    if field.name != "prompt" and (value := field.value(row)) is not None
                ),
                "values": [field.value(row) for field in FIELDS],
                "recipe": json.loads(row.recipe.to_json()) if row.recipe else None,
            }
            for row in rows
        ],
    }
    outputs.write_bytes(path, _page(title, record))
    return unreadable


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1024)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"{path} can't be replaced: {error.strerror}.",
            "Name another file with --output.",
        ) from error


def _page(title: str, record: dict[str, Any]) -> bytes:
    style, script = _template("page.css"), _template("page.js")
    parts = {
        "title": html.escape(title),
        "policy": "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"img-src 'self' file: data:; style-src {_hash(style)}; script-src {_hash(script)}",
        "style": style,
        "script": script,
        "data": _json(record),
    }
    # In one pass, so that a title which looks like a place to fill in stays what it is.
    page = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _template("page.html"))
    return page.encode("utf-8", "replace")


def _template(name: str) -> str:
    return (Path(__file__).parent / "template" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """The source expression of an inline element (W3C, Content Security Policy 3, §2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(record: dict[str, Any]) -> str:
    """JSON in ASCII, in which nothing can end the element that it stands in."""
    text = json.dumps(record, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _picture(
    folder: Path, name: str | None, thumbnails: dict[str, Any], page: Path
) -> dict[str, Any] | None:
    if name is None:
        return None
    return {"name": name, "link": _link(folder / name, page.parent), **thumbnails.get(name, {})}


def _link(file: Path, base: Path) -> str:
    """The address of a file, relative to a page in ``base`` where there is such a thing."""
    try:
        relative = Path(os.path.relpath(file, base))
    except ValueError:  # Windows: another drive
        return file.absolute().as_uri()
    return quote(os.fsencode(relative.as_posix()))


def _thumbnails(
    folder: Path, names: Sequence[str], progress: Progress | None
) -> tuple[dict[str, Any], list[str]]:
    """Size and JPEG of each picture that can be read, and a sentence for each that can't."""
    found: dict[str, Any] = {}
    unreadable: list[str] = []

    def one(name: str) -> dict[str, Any] | MaquetteError:
        try:
            return _thumbnail(folder / name)
        except MaquetteError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # Pillow works without the interpreter
        results: Iterable[dict[str, Any] | MaquetteError] = threads.map(one, names)
        for count, (name, result) in enumerate(zip(names, results, strict=True), 1):
            if isinstance(result, MaquetteError):
                unreadable.append(result.sentence)
            else:
                found[name] = result
            if progress:
                progress(count, len(names))
    return found, unreadable


def _thumbnail(path: Path) -> dict[str, Any]:
    image = Image.fromarray(images.read_color(path))
    width, height = image.size
    image.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=QUALITY, optimize=True)
    return {
        "width": width,
        "height": height,
        "jpeg": base64.b64encode(packed.getvalue()).decode(),
    }
