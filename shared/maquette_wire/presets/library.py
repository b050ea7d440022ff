"""The presets there are: those that come with Maquette, and a user's own in `Home`.

An own preset stands in for the one of the same name that comes with Maquette.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import MaquetteError
from ..home import Home, unusable
from . import files
from .words import CATEGORIES, NAME_CHARACTERS, Preset, by_category, checked, key_of

BUILTIN = Path(__file__).with_name("builtin")
NEAR = 3


@dataclass(frozen=True)
class Library:
    """All presets of a user.

    Attributes:
        presets: by category, in each those of Maquette first.
        own: the user's among them.
        warnings: sentences on what is wrong with the user's file.
    """

    presets: tuple[Preset, ...]
    own: tuple[Preset, ...] = ()
    warnings: tuple[str, ...] = ()

    def find(self, category: str, name: str) -> Preset | None:
        """The preset of a category and a name."""
        key = key_of(category, name)
        return next((preset for preset in self.presets if preset.key == key), None)

    def named(self, text: str) -> Preset:
        """The preset that a user means by its name, or by "category/name".

        Raises MaquetteError("unknown-preset") naming near ones, or those of several categories.
        """
        category, slash, name = text.partition("/")
        wanted = key_of(category.strip().lower(), name.strip() if slash else text.strip())
        found = [
            preset
            for preset in self.presets
            if preset.key == wanted or (key_of("", preset.name)[1] == key_of("", text.strip())[1])
        ]
        if len(found) == 1:
            return found[0]
        if found:
            spelled = " or ".join(f'"{preset.category}/{preset.name}"' for preset in found)
            raise MaquetteError(
                "unknown-preset", f'Several presets are called "{text}".', f"Write {spelled}."
            )
        names = {preset.key[1]: preset.name for preset in self.presets}
        near = difflib.get_close_matches(wanted[1], names, NEAR, 0.6)
        meant = " or ".join(f'"{names[each]}"' for each in near)
        raise MaquetteError(
            "unknown-preset",
            f'There is no preset "{text}".',
            f"Do you mean {meant}?" if meant else 'Run "maquette presets" to see all.',
        )

    def chosen(self, names: Iterable[str]) -> tuple[Preset, ...]:
        """The presets of these names, one of a category.

        Raises MaquetteError("unknown-preset", "presets-conflict").
        """
        several = self.combinations(names)
        if len(several) > 1:
            first, second = (
                next(preset for preset in each if preset not in other)
                for each, other in ((several[0], several[-1]), (several[-1], several[0]))
            )
            raise MaquetteError(
                "presets-conflict",
                f'The presets "{first.name}" and "{second.name}" are both of the category '
                f"{first.category}.",
                "Choose one of them.",
            )
        return several[0]

    def combinations(self, names: Iterable[str]) -> list[tuple[Preset, ...]]:
        """Presets of these names, one of a category in every combination: those of one category
        vary, the last category fastest. One empty combination where there are no names.

        Raises MaquetteError("unknown-preset").
        """
        wanted = list(dict.fromkeys(self.named(name) for name in names))
        axes = [presets for presets in by_category(wanted).values() if presets]
        return list(itertools.product(*axes))


@functools.cache
def built_in() -> tuple[Preset, ...]:
    """The presets that come with Maquette."""
    listed = tomllib.loads((BUILTIN / "presets.toml").read_text("utf-8"))
    return tuple(
        checked(Preset(category=category, **entry, picture=_picture(category, entry["name"])))
        for category in CATEGORIES
        for entry in listed[category]
    )


def picture_name(category: str, name: str) -> str:
    """File name of the picture of a preset that comes with Maquette."""
    return "-".join([category, *re.findall(r"[a-z0-9]+", name.lower())]) + ".jpg"


def read(home: Home) -> Library:
    """All presets of this user.

    A damaged file of the user's is set aside beside its place, and a warning says where; presets
    of a later version stay where they are, and a warning says so.
    """
    try:
        own, warnings = _distinct(files.read(home.presets), ())
    except FileNotFoundError:
        own, warnings = [], []
    except OSError as error:
        own, warnings = [], [str(unusable(home.presets, error))]
    except MaquetteError as error:
        own, warnings = [], [_kept_aside(home, error)]
    replaced = {preset.key for preset in own}
    both = [*(preset for preset in built_in() if preset.key not in replaced), *own]
    ordered = sorted(both, key=lambda preset: CATEGORIES.index(preset.category))
    return Library(tuple(ordered), tuple(own), tuple(warnings))


def add(home: Home, preset: Preset) -> Preset:
    """Add one of the user's own; returns it as it is kept.

    Raises MaquetteError("preset-exists", "bad-preset", "later-presets", "home-unusable").
    """
    preset = checked(preset)
    if read(home).find(preset.category, preset.name) is not None:
        raise _exists(preset)
    _write(home, [*_own(home), preset])
    return preset


def change(home: Home, before: Preset, after: Preset) -> Preset:
    """Put a preset in the place of another; of one that comes with Maquette, an own one then
    stands in its place. Returns it as it is kept. Raises as `add` does."""
    after = checked(after)
    if after.key != before.key and read(home).find(after.category, after.name) is not None:
        raise _exists(after)
    own = [after if each.key == before.key else each for each in _own(home)]
    _write(home, own if after in own else [*own, after])
    return after


def remove(home: Home, preset: Preset) -> None:
    """Delete one of the user's own. Raises MaquetteError("later-presets", "home-unusable")."""
    _write(home, [each for each in _own(home) if each.key != preset.key])


def share(presets: Sequence[Preset], path: Path) -> None:
    """Write presets into a file for others. Raises MaquetteError("output-unusable")."""
    try:
        files.write(path, presets)
    except OSError as error:
        raise MaquetteError(
            "output-unusable",
            f"{path} can't be written: {error.strerror}.",
            "Choose a folder that you may write to and that has room.",
        ) from error


def take_in(home: Home, path: Path) -> tuple[list[Preset], int]:
    """Add the presets of a shared file to the user's own; returns the new ones as they are kept,
    and how many were there before.

    One whose name is taken gets a number; one that is there in the same words is left alone.
    Raises MaquetteError("no-presets", "later-presets", "home-unusable").
    """
    try:
        given = files.read(path)
    except OSError as error:
        raise MaquetteError(
            "no-presets", f"{path} can't be read: {error.strerror}.", "Choose another file."
        ) from error
    there = read(home).presets
    same = {_content(preset) for preset in there}
    fresh = [preset for preset in given if _content(preset) not in same]
    taken, _warnings = _distinct(fresh, there)
    if taken:
        _write(home, [*_own(home), *taken])
    return taken, len(given) - len(fresh)


def _distinct(
    presets: Iterable[Preset], others: Iterable[Preset]
) -> tuple[list[Preset], list[str]]:
    """Presets with a number after each name that others or an earlier one have, and what to say."""
    keys = {preset.key for preset in others}
    found, warnings = [], []
    for preset in presets:
        renamed, number = preset, 2
        while renamed.key in keys:
            ending = f" {number}"
            name = preset.name[: NAME_CHARACTERS - len(ending)] + ending
            renamed, number = msgspec.structs.replace(preset, name=name), number + 1
        if renamed is not preset:
            warnings.append(
                f'Two presets are called "{preset.name}"; one of them is now "{renamed.name}".'
            )
        keys.add(renamed.key)
        found.append(renamed)
    return found, warnings


def _content(preset: Preset) -> tuple[str, ...]:
    return (*preset.key, preset.words, preset.negative)


def _own(home: Home) -> list[Preset]:
    """The user's own, for writing them again. Raises MaquetteError("later-presets")."""
    try:
        return _distinct(files.read(home.presets), ())[0]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unusable(home.presets, error) from error
    except MaquetteError as error:
        if error.code == "later-presets":
            raise
        _kept_aside(home, error)
        return []


def _write(home: Home, presets: Sequence[Preset]) -> None:
    home.make()
    try:
        files.write(home.presets, presets)
    except OSError as error:
        raise unusable(home.presets, error) from error


def _kept_aside(home: Home, error: MaquetteError) -> str:
    """Set a damaged file aside; what to say of it."""
    if error.code == "later-presets":
        return f"{error.sentence} {error.hint}"
    place, number = home.presets.with_name("presets-damaged.json"), 2
    while place.exists():
        place, number = home.presets.with_name(f"presets-damaged-{number}.json"), number + 1
    try:
        home.presets.rename(place)
    except OSError as failure:
        return f"{error.sentence} {unusable(home.presets, failure)}"
    return f"Your own presets can't be read; their file is kept as {place}. {error.sentence}"


def _picture(category: str, name: str) -> bytes:
    path = BUILTIN / picture_name(category, name)
    return path.read_bytes() if path.is_file() else b""


def _exists(preset: Preset) -> MaquetteError:
    return MaquetteError(
        "preset-exists",
        f'There is a preset "{preset.name}" already.',
        "Choose another name, or edit that one.",
    )
