"""What goes when the gallery is larger than it may be. No bpy here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Held:
    """A picture of the gallery and its files.

    Attributes:
        which: the session's number of its scene, and its key there.
        extras: its depth and its capture, which its variations may share.
        kept: has a star, is of the newest job, or is used in the .blend: it doesn't go.
    """

    which: tuple[int, str]
    path: str
    extras: tuple[str, ...]
    trashed: bool
    kept: bool


@dataclass
class Cut:
    """What goes.

    Attributes:
        files: to be deleted.
        extras: those of them that pictures which stay were made of.
        pictures: which go themselves.
        over: bytes that are too many all the same: what is left is kept.
    """

    files: list[str] = field(default_factory=list)
    extras: set[str] = field(default_factory=set)
    pictures: set[tuple[int, str]] = field(default_factory=set)
    over: int = 0


def plan(held: Sequence[Held], sizes: Mapping[str, int], limit: int) -> Cut:
    """What goes so that the files take ``limit`` bytes at most.

    First what is in the trash, then what pictures were made of, which can be captured again, then
    pictures; of each the oldest first, and nothing that is kept.

    Args:
        held: all pictures, the oldest first.
        sizes: bytes of each file that is there.
    """
    users = Counter(path for each in held for path in {each.path, *each.extras})
    holding = {path for each in held if each.kept for path in (each.path, *each.extras)}
    cut = Cut(over=sum(sizes.get(path, 0) for path in users) - limit)
    gone: set[str] = set()

    def drop(paths: Sequence[str]) -> None:
        for path in paths:
            users[path] -= 1
            if users[path] == 0 and path not in gone:
                gone.add(path)
                cut.files.append(path)
                cut.over -= sizes.get(path, 0)

    def drop_pictures(trashed: bool) -> None:
        for each in held:
            if cut.over <= 0:
                return
            if each.trashed is trashed and not each.kept:
                cut.pictures.add(each.which)
                drop([each.path, *(path for path in each.extras if path not in gone)])

    drop_pictures(trashed=True)
    for each in held:
        for path in each.extras:
            if cut.over > 0 and path in sizes and path not in gone and path not in holding:
                users[path] = 1
                drop([path])
                cut.extras.add(path)
    drop_pictures(trashed=False)
    cut.over = max(cut.over, 0)
    return cut
