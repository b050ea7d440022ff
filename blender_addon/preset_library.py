"""The presets of this user as the panel has them: read again where their file changed, with icons.

Pictures come from files, which Blender reads in the background; a preset that came in a file of
the user's has its picture in Blender's folder for temporary files.
"""

# Blender's stubs call optional what a drawn panel or a running operator always has.
# pyright: reportArgumentType=false

from __future__ import annotations

import hashlib
from pathlib import Path

import bpy
import bpy.utils.previews
from maquette_wire.home import Home
from maquette_wire.presets import library
from maquette_wire.presets.library import Library
from maquette_wire.presets.words import CATEGORIES, Category, Preset

Item = tuple[str, str, str, "int | str", int]
"""Identifier, name, description, icon and number, as Blender's enumerations have them."""

NO_PRESET = "(none)"
LOOKS: dict[Category, tuple[str, str, str]] = {
    "project": ("Project", "What kind of building it is", "HOME"),
    "material": ("Material", "What the walls are made of", "MATERIAL"),
    "ground": ("Ground", "What the building stands on and among", "WORLD"),
    "season": ("Season", "Season and weather", "FREEZE"),
    "light": ("Light", "Time of day and sky", "LIGHT_SUN"),
    "style": ("Drawing", "How the picture is drawn", "GREASEPENCIL"),
}
"""Title, description and icon of each category."""

_library: tuple[object, Library] | None = None
_icons: bpy.utils.previews.ImagePreviewCollection | None = None
_items: dict[Category, list[Item]] = {}
_kept: list[dict[Category, list[Item]]] = []
"""Blender holds on to the texts of items without saying so to Python."""


def current_library() -> Library:
    """All presets; their file is looked at each time, and read where it changed."""
    global _library
    home = Home.default()
    if _library is None or _library[0] != _stamp(home):
        found = library.read(home)  # may set a damaged file aside
        _library = _stamp(home), found
        _items.clear()
    return _library[1]


def items(category: Category) -> list[Item]:
    """The presets of a category to choose from, "none" first."""
    presets = current_library().presets
    if not _items:
        _items.update({each: _items_of(each, presets) for each in CATEGORIES})
        _kept.append(dict(_items))
    return _items[category]


def icon_of(preset: Preset) -> int:
    """The icon of a preset's picture; 0 where it has none."""
    path = picture_of(preset)
    if path is None or _icons is None:
        return 0
    if str(path) not in _icons:
        _icons.load(str(path), str(path), "IMAGE")
    return _icons[str(path)].icon_id


def _items_of(category: Category, presets: tuple[Preset, ...]) -> list[Item]:
    _title, description, symbol = LOOKS[category]
    none = (NO_PRESET, "None", f"{description}: left to the prompt", symbol, 0)
    found: list[Item] = [none]
    for preset in presets:
        if preset.category == category:
            said = f'Adds "{preset.words}" to the prompt'
            if preset.negative:
                said += f', and avoids "{preset.negative}"'
            icon = icon_of(preset) or symbol
            found.append((preset.name, preset.name, said, icon, len(found)))
    return found


def picture_of(preset: Preset) -> Path | None:
    """A file with the preset's picture."""
    if not preset.picture:
        return None
    if preset in library.built_in():
        return library.BUILTIN / library.picture_name(preset.category, preset.name)
    ending = ".jpg" if preset.picture.startswith(b"\xff") else ".png"
    name = f"maquette-{hashlib.sha256(preset.picture).hexdigest()[:16]}{ending}"
    path = Path(bpy.app.tempdir) / name
    try:
        if not path.exists():
            path.write_bytes(preset.picture)
    except OSError:  # a full disk: the names are there all the same
        return None
    return path


def _stamp(home: Home) -> object:
    """What changes whenever the file of the user's presets does."""
    try:
        status = home.presets.stat()
    except OSError:
        return home, None
    return home, (status.st_mtime_ns, status.st_size, status.st_ino)


def register() -> None:
    global _icons
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    global _icons, _library
    if _icons is not None:
        bpy.utils.previews.remove(_icons)
    _icons = _library = None
    _items.clear()
    _kept.clear()
