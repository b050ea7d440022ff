"""Metadata: what every picture says of itself, for Maquette and for other programs.

A PNG carries its Recipe, its View and its Source, or its Material, as JSON, under keywords of
Maquette's own; the same once more in an XMP packet, which programs keep that drop unknown texts;
and its settings as ``parameters``, the form that AUTOMATIC1111's webui began and most tools for
diffusion read.

Follows ISO 16684-1 (XMP; in PNG by part 3 of Adobe's specification: one uncompressed iTXt) and the
IPTC Photo Metadata Standard 2025.1 for what says that a picture was generated, and with what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import msgspec

from . import png
from .errors import MaquetteError
from .material import Material
from .recipe import Recipe
from .source import Source
from .view import View

GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""IPTC's term for a picture that a trained model made."""
NAMESPACE = "https://maquette.invalid/xmp/1.0/"
"""Of Maquette's own properties in XMP: a name and no address (.invalid, RFC 2606)."""
NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "maquette": NAMESPACE,
}
_IN_XMP = {
    "Recipe": png.RECIPE_KEY,
    "View": png.VIEW_KEY,
    "Source": png.SOURCE_KEY,
    "Material": png.MATERIAL_KEY,
}
_UNFIT = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML or a text of a PNG can't hold, or that nobody can see."""
_SAMPLERS = {
    "ddim": "DDIM",
    "pndm": "PLMS",
    "euler": "Euler",
    "euler-karras": "Euler Karras",
    "euler-a": "Euler a",
    "heun": "Heun",
    "lms": "LMS",
    "dpm++-2m": "DPM++ 2M",
    "dpm++-2m-karras": "DPM++ 2M Karras",
    "dpm++-2m-sde": "DPM++ 2M SDE",
    "dpm++-2m-sde-karras": "DPM++ 2M SDE Karras",
    "unipc": "UniPC",
    "lcm": "LCM",
    "tcd": "TCD",
}
"""Our names of samplers to those that ``parameters`` has for them."""

T = TypeVar("T")


class MaterialMap(msgspec.Struct, frozen=True, kw_only=True):
    """One map of a material.

    Attributes:
        name: one of `maquette_wire.material.MAPS`, or "preview" for a picture of all.
        material: with every value filled in.
        range: of a height, the metres that black and white are.
    """

    name: str
    material: Material
    range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Metadata:
    """What a picture says of itself.

    Attributes:
        recipe: of this picture alone; its prompt is empty where it was left out.
        view: the camera; None for a texture and for a map of a material.
        source: what the capture was made of; None for those, and where it was made in Blender.
        software: the program that wrote the file.
        of_material: which map it is, and of what; None where it is none of a material.
    """

    recipe: Recipe
    view: View | None
    source: Source | None
    software: str
    of_material: MaterialMap | None = None

    @property
    def prompt_left_out(self) -> bool:
        """Whether the picture keeps its prompt, and its negative prompt, to itself."""
        return not self.recipe.prompt


def texts(
    recipe: Recipe,
    view: View | None = None,
    source: Source | None = None,
    of_material: MaterialMap | None = None,
    *,
    software: str,
    prompt: bool = True,
) -> dict[str, str]:
    """The texts of a PNG, keyword to text, for ``png.write``.

    Args:
        recipe: of this picture alone: its own seed, a count of 1, all defaults filled in.
        software: the program and its version.
        prompt: False leaves the prompt and the negative prompt out, wherever they would be.
    """
    if not prompt:
        recipe = msgspec.structs.replace(recipe, prompt="", negative_prompt="")
    own = {png.RECIPE_KEY: recipe.to_json()}
    if view is not None:
        own[png.VIEW_KEY] = _json(view)
    if source is not None:
        own[png.SOURCE_KEY] = _json(source)
    if of_material is not None:
        own[png.MATERIAL_KEY] = _json(of_material)
    return {
        **own,
        png.PARAMETERS_KEY: parameters(recipe, view, software=software),
        png.XMP_KEY: xmp(recipe, own, software=software),
        "Software": software,
    }


def read(path: Path) -> Metadata:
    """What a picture of Maquette's says of itself, in its texts or else in its XMP.

    Raises MaquetteError("no-recipe") for a PNG of another program, "bad-recipe" for damaged texts,
    and what ``png.read_text`` raises.
    """
    found = png.read_text(path)
    if png.RECIPE_KEY not in found:
        found = {**found, **_own_of(found.get(png.XMP_KEY, ""))}
    if png.RECIPE_KEY not in found:
        raise png.no_recipe(path)
    source = _decoded(found, png.SOURCE_KEY, Source)
    return Metadata(
        Recipe.from_json(found[png.RECIPE_KEY]),
        _decoded(found, png.VIEW_KEY, View),
        source and source.found_from(path.parent),
        found.get("Software", ""),
        _decoded(found, png.MATERIAL_KEY, MaterialMap),
    )


def parameters(recipe: Recipe, view: View | None = None, *, software: str) -> str:
    """A recipe in the form of AUTOMATIC1111's webui: the prompt, a line with the negative prompt,
    and a line of settings. A LoRA is named in the prompt there."""
    loras = "".join(f" <lora:{lora.name}:{lora.weight:g}>" for lora in recipe.loras)
    size = recipe.size or (None if view is None else (view.width, view.height))
    sampler = recipe.sampler and _SAMPLERS.get(recipe.sampler, recipe.sampler)
    asked = recipe.facade_words()
    settings = {
        "Steps": recipe.steps,
        "Sampler": sampler,
        "CFG scale": recipe.guidance,
        "Seed": recipe.seed,
        "Size": size and f"{size[0]}x{size[1]}",
        "Model hash": recipe.model_hash and recipe.model_hash[:10],
        "Model": recipe.model,
        "Denoising strength": recipe.strength,
        "Windows": asked.get("windows"),
        "Storey": asked.get("storey"),
        "Bay": asked.get("bay"),
        "Version": software,
    }
    lines = [
        _plain(recipe.prompt + loras).strip(),
        recipe.negative_prompt and f"Negative prompt: {_plain(recipe.negative_prompt).strip()}",
        ", ".join(f"{key}: {_quoted(str(v))}" for key, v in settings.items() if v is not None),
    ]
    return "\n".join(filter(None, lines))


def xmp(recipe: Recipe, own: Mapping[str, str], *, software: str) -> str:
    """An XMP packet, without the room for edits that one in the middle of a file would have.

    Args:
        own: the JSON texts that are repeated in Maquette's own properties.
    """
    prompts = [recipe.prompt, recipe.negative_prompt and f"Without: {recipe.negative_prompt}"]
    properties = {
        "xmp:CreatorTool": software,
        "Iptc4xmpExt:DigitalSourceType": GENERATED,
        "Iptc4xmpExt:AISystemUsed": f"Maquette, model {recipe.model}",
        "Iptc4xmpExt:AISystemVersionUsed": recipe.model_hash,
        "Iptc4xmpExt:AIPromptInformation": "\n".join(filter(None, prompts)),
    }
    lines = [f"<{key}>{escape(_plain(text))}</{key}>" for key, text in properties.items() if text]
    if recipe.prompt:
        item = f'<rdf:li xml:lang="x-default">{escape(_plain(recipe.prompt))}</rdf:li>'
        lines.append(f"<dc:description><rdf:Alt>{item}</rdf:Alt></dc:description>")
    for name, key in _IN_XMP.items():
        if key in own:
            # In JSON these stand in strings alone, where they may be escaped.
            text = _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", own[key])
            lines.append(f"<maquette:{name}>{escape(text)}</maquette:{name}>")
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
    body = "\n".join(lines)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {names}>\n<rdf:Description rdf:about="">\n'
        f"{body}\n"
        '</rdf:Description>\n</rdf:RDF></x:xmpmeta>\n<?xpacket end="r"?>'
    )


def _own_of(packet: str) -> dict[str, str]:
    """The JSON texts in an XMP packet; nothing in one that can't be read."""
    if NAMESPACE not in packet or "<!DOCTYPE" in packet:  # XMP has none; entities can be bombs
        return {}
    try:
        root = ElementTree.fromstring(packet.encode())
    except (ElementTree.ParseError, UnicodeEncodeError):
        return {}
    found = {key: root.find(f".//{{{NAMESPACE}}}{name}") for name, key in _IN_XMP.items()}
    return {key: each.text or "" for key, each in found.items() if each is not None}


def _decoded(found: Mapping[str, str], key: str, kind: type[T]) -> T | None:
    if key not in found:
        return None
    try:
        return msgspec.json.decode(found[key], type=kind)
    except msgspec.MsgspecError as error:
        raise MaquetteError(
            "bad-recipe",
            f"What the picture says as {key!r} can't be read: {error}.",
            "Choose a picture that Maquette made, with its metadata intact.",
        ) from error


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _plain(text: str) -> str:
    return _UNFIT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _quoted(text: str) -> str:
    """A value as JSON where the form's own marks are in it."""
    return json.dumps(text, ensure_ascii=False) if set(text) & set(',:\n"') else text
