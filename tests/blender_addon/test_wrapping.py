"""Sentences in panels are broken into lines that fit, long paths and keys as well."""

from __future__ import annotations

import blf

from blender_addon import wrapping

SENTENCE = "Add the line 6K2bcA%>GggxB4&!Z#.H.4r*S<>Qb-d7Izrk]U4) to keys/authorised_clients."


def test_every_line_fits_and_nothing_is_lost(monkeypatch):
    # Without a window blf measures nothing; a letter is ten pixels here.
    monkeypatch.setattr(blf, "dimensions", lambda _font, text: (10.0 * len(text), 12.0))
    lines = wrapping.broken(SENTENCE, 120)
    assert max(map(len, lines)) <= 12
    assert "".join(lines).replace(" ", "") == SENTENCE.replace(" ", "")
    assert wrapping.broken("", 120) == []
    assert wrapping.broken("wide", 5) == ["w", "i", "d", "e"]
