"""Which setting runs down a poster and which across, and what lies in each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from maquette_wire.errors import MaquetteError

from .fields import BY_NAME, FIELDS, Field, Value, varying
from .rows import Row

ACROSS = ("seed", "view")
"""What columns are of by themselves, where it varies."""
FILLED = 0.5
"""Where no more of its cells are filled, a grid says less than pictures one after the other."""


@dataclass(frozen=True)
class Axes:
    """The settings of the rows and the columns; None numbers pictures without a label."""

    down: Field | None
    across: Field | None


@dataclass(frozen=True)
class Section:
    """One grid of a poster: the outputs at (row, column), and what they have in common."""

    heading: str
    cells: dict[tuple[Value, Value], Row]


def choose_axes(rows: Sequence[Row], down: str | None, across: str | None) -> Axes | None:
    """The axes that are named, and what suits them where one isn't; None for tiles in a flow.

    By themselves rows are of prompts and columns of seeds or views, where these vary and fill
    more than half of the grid. Raises MaquetteError("bad-axis").
    """
    rows_by, columns_by = _named(rows, "--rows", down), _named(rows, "--columns", across)
    if rows_by and rows_by is columns_by:
        raise MaquetteError(
            "bad-axis", f"Rows and columns are both {down}.", "Leave one of them out."
        )
    told = varying(rows)
    names = [field.name for field in told]
    if rows_by is None and columns_by is None:
        if "prompt" not in names:
            return None
        rows_by = BY_NAME["prompt"]
        columns_by = _dense(rows, rows_by, [BY_NAME[name] for name in ACROSS if name in names])
        return Axes(rows_by, columns_by) if columns_by else None
    first = [BY_NAME[name] for name in (*ACROSS, "prompt") if name in names]
    others = [*first, *(field for field in told if field not in first)]
    if columns_by is None:
        assert rows_by
        return Axes(rows_by, _dense(rows, rows_by, [f for f in others if f is not rows_by]))
    if rows_by is None:
        others = [field for field in told if field is not columns_by]
        prompts = [field for field in others if field.name == "prompt"]
        rows_by = _dense(rows, columns_by, [*prompts, *others])
    return Axes(rows_by, columns_by)


def arrange(rows: Sequence[Row], axes: Axes) -> list[Section]:
    """Every row in a cell of a section.

    Where a third setting varies within a cell, each of its values has a section of its own.
    """
    if axes.down is None or axes.across is None:
        return [_numbered(rows, axes)]
    rest = _rest(rows, axes)
    by_rest: dict[Hashable, list[Row]] = {}
    for row in rows:
        by_rest.setdefault(tuple(field.value(row) for field in rest), []).append(row)
    sections: list[Section] = []
    for group in by_rest.values():
        labels = (field.label(field.value(group[0])) for field in rest)
        sections += _layers(group, axes, " · ".join(labels))
    return sections


def _named(rows: Sequence[Row], option: str, name: str | None) -> Field | None:
    if name is None:
        return None
    name = name.replace("-", "_")
    if name not in BY_NAME:
        raise MaquetteError(
            "bad-axis",
            f"{option} {name} is no setting of a picture.",
            f"Choose one of {', '.join(field.name for field in FIELDS)}.",
        )
    if all(BY_NAME[name].value(row) is None for row in rows):
        told = ", ".join(field.name for field in varying(rows))
        raise MaquetteError(
            "bad-axis",
            f"{option} {name}: none of these pictures has a {name}.",
            f"What varies here: {told}." if told else f"Leave {option} out: nothing varies here.",
        )
    return BY_NAME[name]


def _dense(rows: Sequence[Row], given: Field, candidates: Sequence[Field]) -> Field | None:
    """The first field that fills enough of a grid with the given one."""
    for field in candidates:
        cells = {(given.value(row), field.value(row)) for row in rows}
        size = len({a for a, _ in cells}) * len({b for _, b in cells})
        if len(cells) > FILLED * size:
            return field
    return None


def _cell(row: Row, axes: Axes) -> tuple[Value, Value]:
    assert axes.down and axes.across
    return axes.down.value(row), axes.across.value(row)


def _rest(rows: Sequence[Row], axes: Axes) -> list[Field]:
    """The settings that differ within a cell; none where each value would fill too little."""
    by_cell: dict[tuple[Value, Value], list[Row]] = {}
    for row in rows:
        by_cell.setdefault(_cell(row, axes), []).append(row)
    rest = [
        field
        for field in varying(rows)
        if field not in (axes.down, axes.across)
        and any(len({field.value(row) for row in cell}) > 1 for cell in by_cell.values())
    ]
    sections = {tuple(field.value(row) for field in rest) for row in rows}
    return rest if len(rows) > FILLED * len(sections) * len(by_cell) else []


def _layers(rows: Sequence[Row], axes: Axes, heading: str) -> list[Section]:
    """As many grids as the fullest cell has pictures: those that no setting tells apart."""
    layers: list[dict[tuple[Value, Value], Row]] = []
    taken: Counter[tuple[Value, Value]] = Counter()
    for row in rows:
        cell = _cell(row, axes)
        if taken[cell] == len(layers):
            layers.append({})
        layers[taken[cell]][cell] = row
        taken[cell] += 1
    return [Section(heading, cells) for cells in layers]


def _numbered(rows: Sequence[Row], axes: Axes) -> Section:
    """One axis is a setting, and along the other its pictures follow each other."""
    field = axes.down or axes.across
    assert field
    taken: Counter[Value] = Counter()
    cells: dict[tuple[Value, Value], Row] = {}
    for row in rows:
        value = field.value(row)
        number = taken[value]
        taken[value] += 1
        cells[(value, number) if axes.down else (number, value)] = row
    return Section("", cells)
