"""What a picture says of itself: read back by us, by rules of other tools, and by an XML parser."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from maquette_wire import metadata, png
from maquette_wire.errors import MaquetteError
from maquette_wire.metadata import NAMESPACES, parameters, read, texts
from maquette_wire.recipe import Lora, Recipe
from maquette_wire.source import Source

from tests.shared.conftest import make_view

RECIPE = Recipe(
    prompt="red brick library at dusk, wet plaza",
    negative_prompt="people, cars",
    model_hash="0123456789abcdef",
    seed=7,
    steps=20,
    sampler="dpm++-2m-karras",
    guidance=7.5,
    strength=0.85,
    depth_influence=1.0,
)
VIEW = make_view(768, 512, "Straße / Süd 1")
SOURCE = Source(file="/models/house.blend", sha256="ab", capture="cd", view=VIEW.name, frame=-3)
ODD = [
    "a <b> & \"c\" 'd' ]]> <!-- &amp; </rdf:li>",
    "煉瓦 Ziegel 🏛️👩🏽‍🔧 \u2028 \u0085 \u200d",
    "nul \0 bell \x07 escape \x1b delete \x7f none \ufffe \uffff",
    "first\r\nsecond\rthird\tend",
    "brick, " * 572,
    " leading and trailing ",
]


def write(path: Path, prompt: bool = True) -> Path:
    png.write(
        path, bytes(48), 4, 4, texts(RECIPE, VIEW, SOURCE, software="Maquette 1", prompt=prompt)
    )
    return path


def with_prompt(prompt: str, negative: str = "") -> Recipe:
    return msgspec.structs.replace(RECIPE, prompt=prompt, negative_prompt=negative)


def parsed(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and settings, by the rules that readers of ``parameters`` share: the
    last line is the settings if it has three of them; values in quotes are JSON."""
    pairs = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
    *lines, last = text.strip().split("\n")
    assert len(pairs.findall(last)) >= 3
    prompts: dict[bool, list[str]] = {False: [], True: []}
    negative = False
    for line in map(str.strip, lines):
        if line.startswith("Negative prompt:"):
            negative, line = True, line[16:].strip()
        prompts[negative].append(line)
    values = {k: json.loads(v) if v[:1] == '"' else v for k, v in pairs.findall(last)}
    return "\n".join(prompts[False]), "\n".join(prompts[True]), values


def seen(text: str) -> str:
    """What readers keep of a prompt: no control characters, each line without its margins."""
    text = re.sub("[\0-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]", "", re.sub("\r\n?", "\n", text))
    return "\n".join(map(str.strip, text.strip().split("\n")))


def xmp_of(recipe: Recipe) -> dict[str, str]:
    """The properties in a recipe's XMP by their prefixed names."""
    packet = texts(recipe, VIEW, SOURCE, software="Maquette 1")[png.XMP_KEY]
    assert packet.startswith('<?xpacket begin="\ufeff"') and packet.endswith('<?xpacket end="r"?>')
    root = ElementTree.fromstring(packet.encode())
    (description,) = root.findall(".//rdf:Description", NAMESPACES)
    prefixes = {f"{{{name}}}": f"{prefix}:" for prefix, name in NAMESPACES.items()}
    found = {}
    for each in description:
        (uri,) = [uri for uri in prefixes if each.tag.startswith(uri)]
        item = each.find("rdf:Alt/rdf:li", NAMESPACES)
        found[each.tag.replace(uri, prefixes[uri])] = (each if item is None else item).text or ""
    return found


def test_a_picture_says_what_it_was_made_of(tmp_path: Path):
    found = read(write(tmp_path / "a.png"))
    assert found == metadata.Metadata(RECIPE, VIEW, SOURCE, "Maquette 1")
    assert not found.prompt_left_out


def test_the_form_that_other_tools_read():
    assert parameters(RECIPE, VIEW, software="Maquette 1") == (
        "red brick library at dusk, wet plaza\n"
        "Negative prompt: people, cars\n"
        "Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7.5, Seed: 7, Size: 768x512, "
        "Model hash: 0123456789, Model: pocket, Denoising strength: 0.85, Version: Maquette 1"
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, {}),
        (
            {"windows": "curtain wall", "storey": 4.0},
            {"Windows": "curtain wall", "Storey": "4.0"},
        ),
        ({"bay": 1.5}, {"Bay": "1.5"}),
        ({"windows": "free", "storey": 4.0, "bay": 1.5}, {"Windows": "free"}),
    ],
)
def test_of_the_windows_is_told_what_was_asked(changes: dict[str, Any], told: dict[str, str]):
    text = parameters(msgspec.structs.replace(RECIPE, **changes), VIEW, software="Maquette 1")
    found = parsed(text)[2]
    assert {key: found[key] for key in ("Windows", "Storey", "Bay") if key in found} == told
    assert found["Version"] == "Maquette 1"


def test_values_with_the_forms_own_marks_are_quoted():
    recipe = msgspec.structs.replace(RECIPE, model='a "b", c: d', sampler="own: one", seed=0)
    _, _, values = parsed(parameters(recipe, software="x"))
    assert (values["Model"], values["Sampler"], values["Seed"]) == ('a "b", c: d', "own: one", "0")
    assert "Size" not in values


def test_loras_stand_in_the_prompt_as_tags():
    loras = (Lora(name="clay", weight=0.5), Lora(name="ink"))
    prompt, _, _ = parsed(parameters(msgspec.structs.replace(RECIPE, loras=loras), software="x"))
    assert prompt == f"{RECIPE.prompt} <lora:clay:0.5> <lora:ink:1>"


@pytest.mark.parametrize("prompt", ODD)
def test_any_prompt_in_the_form_and_in_xmp(prompt: str, tmp_path: Path):
    recipe = with_prompt(prompt, prompt)
    found, negative, values = parsed(parameters(recipe, VIEW, software="x"))
    assert (found, negative) == (seen(prompt), seen(prompt))
    assert values["Seed"] == "7"
    properties = xmp_of(recipe)
    assert seen(properties["dc:description"]) == seen(prompt)
    assert Recipe.from_json(properties["maquette:Recipe"]) == recipe
    path = tmp_path / "a.png"
    png.write(path, bytes(48), 4, 4, texts(recipe, software="x"))
    assert read(path).recipe == recipe


def test_xmp_says_that_the_picture_was_generated_and_with_what():
    found = xmp_of(RECIPE)
    assert found["Iptc4xmpExt:DigitalSourceType"] == (
        "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    )
    assert found["xmp:CreatorTool"] == "Maquette 1"
    assert found["dc:description"] == RECIPE.prompt
    assert found["Iptc4xmpExt:AIPromptInformation"] == f"{RECIPE.prompt}\nWithout: people, cars"
    assert found["Iptc4xmpExt:AISystemUsed"] == "Maquette, model pocket"
    assert found["Iptc4xmpExt:AISystemVersionUsed"] == RECIPE.model_hash
    assert msgspec.json.decode(found["maquette:Source"], type=Source) == SOURCE


def test_a_file_holds_xmp_as_its_specification_says(tmp_path: Path):
    data = write(tmp_path / "a.png").read_bytes()
    assert b"iTXtXML:com.adobe.xmp\0\0\0\0\0<?xpacket" in data  # uncompressed, no language
    assert b"tEXtparameters\0red brick" in data


def test_another_reader_finds_all_of_it(tmp_path: Path):
    Image = pytest.importorskip("PIL.Image")
    image = Image.open(io.BytesIO(write(tmp_path / "a.png").read_bytes()))
    assert parsed(image.info["parameters"])[2]["Model hash"] == "0123456789"
    assert ElementTree.fromstring(image.info["XML:com.adobe.xmp"].encode()) is not None
    assert image.info["Software"] == "Maquette 1"


def test_a_picture_whose_texts_were_dropped_is_read_from_its_xmp(tmp_path: Path):
    path = tmp_path / "a.png"
    packet = texts(with_prompt(ODD[2]), VIEW, SOURCE, software="x")[png.XMP_KEY]
    png.write(path, bytes(48), 4, 4, {png.XMP_KEY: packet})
    found = read(path)
    assert (found.recipe.prompt, found.view, found.source) == (ODD[2], VIEW, SOURCE)


def test_a_prompt_that_is_left_out_is_nowhere(tmp_path: Path):
    path = write(tmp_path / "a.png", prompt=False)
    for word in (b"brick", b"plaza", b"people", b"Negative", b"dc:desc", b"AIPrompt"):
        assert word not in path.read_bytes()
    found = read(path)
    assert found.prompt_left_out
    assert found.recipe == with_prompt("")
    assert parsed(png.read_text(path)["parameters"])[0] == ""


@pytest.mark.parametrize(
    "text",
    [
        {},
        {"parameters": "a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"},
        {png.XMP_KEY: "<x"},
        {png.XMP_KEY: f"<a xmlns:m='{metadata.NAMESPACE}'><m:Recip"},
        {png.XMP_KEY: f"<!DOCTYPE a [<!ENTITY b 'c'>]><a xmlns='{metadata.NAMESPACE}'>&b;</a>"},
    ],
)
def test_a_picture_of_another_program(text: dict[str, str], tmp_path: Path):
    path = tmp_path / "other.png"
    png.write(path, bytes(48), 4, 4, text)
    with pytest.raises(MaquetteError, match=r"no recipe in .*other\.png"):
        read(path)


def test_damaged_metadata_is_said(tmp_path: Path):
    path = tmp_path / "a.png"
    for key in (png.RECIPE_KEY, png.VIEW_KEY, png.SOURCE_KEY):
        png.write(path, bytes(48), 4, 4, {**texts(RECIPE, VIEW, SOURCE, software="x"), key: "{"})
        with pytest.raises(MaquetteError, match="metadata intact"):
            read(path)


def test_a_source_is_named_from_the_picture_s_folder(tmp_path: Path):
    """So that a project can be moved, and a picture tells little of the machine."""
    project = tmp_path / "project"
    source = msgspec.structs.replace(
        SOURCE, file=str(project / "house.blend"), depth=str(project / "z.exr")
    )
    told = source.seen_from(project / "out")
    assert (told.file, told.depth) == ("../house.blend", "../z.exr")
    assert told.found_from(project / "out") == source
    moved = told.found_from(tmp_path / "elsewhere" / "out")
    assert moved.file == str(tmp_path / "elsewhere" / "house.blend")
