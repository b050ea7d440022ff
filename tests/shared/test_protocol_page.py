"""docs/protocol.md says what the code does."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from maquette_wire import container, keys, messages
from maquette_wire.capture import ITEM_BYTES
from maquette_wire.material import PATTERNS, Material
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.view import View

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
MESSAGES = (*messages.FromClient.__args__, *messages.FromServer.__args__)  # type: ignore[attr-defined]
STRUCTS = {
    **{kind.__name__.lower(): kind for kind in MESSAGES},
    **{
        kind.__name__: kind
        for kind in (
            messages.FrameHeader, messages.ModelInfo, messages.Limits, messages.Picture,
            messages.Exchange, messages.Texture, messages.Coverage, Material, View, Recipe, Lora,
        )
    },
}  # fmt: skip
SENT_FROM = (
    "shared/maquette_wire",
    "backend/maquette/server",
    "backend/maquette/families",
    "backend/maquette/framing.py",
    "backend/maquette/materials",
    "backend/maquette/painting.py",
    "backend/maquette/defaults.py",
    "backend/maquette/plan.py",
    "backend/maquette/runner.py",
    "backend/maquette/samplers.py",
    "backend/maquette/sampling.py",
    "backend/maquette/schedulers.py",
    "backend/maquette/texturing",
    "backend/maquette/devices.py",
)


def section(name: str) -> str:
    """The text below a message's or struct's heading."""
    match = re.search(rf"^#### `?{name}`?\n(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"no section on {name}"
    return match[1]


def rows(text: str) -> list[list[str]]:
    """The cells of a table's rows whose first cell is code."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


@pytest.mark.parametrize("name", STRUCTS)
def test_every_field_is_on_the_page_with_its_default(name: str) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(STRUCTS[name])}
    told = {row[0].strip("`"): row for row in rows(section(name))}
    assert set(told) == set(fields)
    for key, row in told.items():
        default = fields[key].default
        if default is msgspec.NODEFAULT or key == "frames":
            continue
        shown = "nil" if default is None else json.dumps(default)
        if isinstance(default, str | tuple):
            shown = f"`{shown}`"
        assert row[2] == shown, f"{name}.{key}"


def test_every_heading_is_a_struct() -> None:
    assert set(re.findall(r"^#### `?(\w+)`?$", PAGE, re.MULTILINE)) == set(STRUCTS)


def codes_in(path: Path) -> Iterator[str]:
    """The error codes that a module makes errors with."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if name in ("MaquetteError", "BadMessage", "_fail"):
            given += node.args[:1]
        for value in given:
            for part in ast.walk(value):
                if isinstance(part, ast.Constant) and re.fullmatch(r"[a-z-]{4,}", str(part.value)):
                    yield str(part.value)


def test_the_error_codes_are_those_of_the_code() -> None:
    files = [
        file
        for place in SENT_FROM
        for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
        if "presets" not in file.parts  # they are a user's own, and never travel
    ]
    in_code = {code for file in files for code in codes_in(file)}
    # The catalogue's and the annotators', which also say much locally.
    in_code |= {"unknown-model", "unknown-lora", "model-not-here", "no-annotator"}
    text = PAGE[PAGE.index("## Error codes") : PAGE.index("## Containers")]
    on_page = {code for row in rows(text) for code in re.findall(r"`([a-z-]+)`", row[0])}
    assert sorted(in_code - on_page) == [], "codes that docs/protocol.md lacks"
    assert sorted(on_page - in_code) == [], "codes that no code makes any more"


def test_frames_codecs_and_numbers() -> None:
    for codec in messages.Codec.__args__:  # type: ignore[attr-defined]
        assert f"- `{codec}`:" in PAGE
    for pattern in PATTERNS:
        assert f"`{pattern}`" in section("Material")
    for dtype in ITEM_BYTES:
        assert f"`{dtype}`" in PAGE
    assert f"# The protocol, version {messages.PROTOCOL}" in PAGE
    assert container.MAGIC.hex(" ").upper() in PAGE
    assert f"({keys.LENGTH} characters)" in PAGE
    assert len(re.findall(r"^  \|<-+ welcome\|$", PAGE, re.MULTILINE)) == 3
