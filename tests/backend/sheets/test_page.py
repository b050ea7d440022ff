"""The page as a file: everything is inside, nothing of a prompt is markup, nothing is overwritten.

How it behaves is for a browser to say, in `test_browser`.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from maquette.sheets import Row, rows_of, write_page
from maquette_wire.errors import MaquetteError
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.sheets.folders import batch, mottled, plain, save

EVIL = (
    "</script><script>hacked=1</script>",
    "<img src=x onerror=hacked=1>",
    "\"'><svg onload=hacked=1>&amp; {{data}} ${1} \u2028 <!--",
    "]]></title><h1>hacked",
    "<!-- <script hacked=1 ",
    "</script hacked=1 <img src=x ",
)


class Elements(HTMLParser):
    """Every element of a page by its tag, and the text in each element."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: dict[str, str] = {}
        self.place = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.place = dict(attrs).get("id") or tag

    def handle_endtag(self, tag):
        self.place = ""

    def handle_data(self, data):
        self.text[self.place] = self.text.get(self.place, "") + data


def _data(path: Path) -> dict:
    return json.loads(Elements(path).text["data"])


def test_prompts_titles_and_names_are_text_and_never_markup(tmp_path):
    name = "<b>&'\"#? %41.png"
    save(tmp_path / name, plain((1, 2, 3)))
    rows = [
        Row(number=n, source=text, view=text, file=name, recipe=Recipe(prompt=text, model=text))
        for n, text in enumerate(EVIL)
    ]
    rows.append(Row(state="failed", error=EVIL[0]))
    write_page(tmp_path, rows, tmp_path / "evil.html", "".join(EVIL))
    write_page(tmp_path, [Row(file=name)], tmp_path / "plain.html", "title")
    evil, harmless = Elements(tmp_path / "evil.html"), Elements(tmp_path / "plain.html")
    assert evil.tags == harmless.tags
    assert [key for key, _ in evil.attributes] == [key for key, _ in harmless.attributes]
    assert evil.text["title"] == "".join(EVIL)
    assert evil.text["script"] == harmless.text["script"]
    # Browsers end a script at more than this parser does.
    assert not set("<>&") & set(evil.text["data"])
    data = _data(tmp_path / "evil.html")
    assert tuple(row["recipe"]["prompt"] for row in data["rows"][:-1]) == EVIL
    assert data["rows"][-1]["error"] == EVIL[0]
    link = data["rows"][0]["picture"]["link"]
    assert re.fullmatch(r"[\w.%~-]+", link)
    assert unquote(link) == name


def test_only_the_pages_own_script_and_style_may_run(tmp_path):
    write_page(tmp_path, [Row()], tmp_path / "a.html", "title")
    page = Elements(tmp_path / "a.html")
    (policy,) = (value for _, value in page.attributes if value and "default-src" in value)
    for kind in ("script", "style"):
        digest = hashlib.sha256(page.text[kind].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert not {"src", "srcset", "onload", "onclick"} & {key for key, _ in page.attributes}


def test_thumbnails_are_small_and_each_source_is_there_once(tmp_path):
    found = rows_of(batch(tmp_path, 60, files=6))
    assert write_page(found.folder, found.rows, tmp_path / "a.html", "title") == []
    data = _data(tmp_path / "a.html")
    assert (len(data["rows"]), len(data["sources"])) == (60, 5)
    for row in data["rows"][:57]:
        picture = row["picture"]
        jpeg = base64.b64decode(picture["jpeg"])
        image = Image.open(io.BytesIO(jpeg))
        assert (image.format, image.size) == ("JPEG", (256, 171))
        assert 2000 < len(jpeg) < 12000
        assert (picture["width"], picture["height"]) == (384, 256)
        source = data["sources"][row["source"]]["name"]
        assert source == found.rows[data["rows"].index(row)].source_picture


def test_what_is_told_of_a_picture_is_what_differs(tmp_path):
    found = rows_of(batch(tmp_path, 60))
    write_page(found.folder, found.rows, tmp_path / "a.html", "title")
    data = _data(tmp_path / "a.html")
    told = [data["fields"][place]["name"] for place in data["varying"]]
    assert told == ["source", "view", "prompt", "seed"]
    assert data["rows"][21]["details"] == "model1 · Street · seed 1"


def test_links_lead_from_the_page_to_the_pictures(tmp_path):
    save(tmp_path / "runs/a b/ü.png", plain((1, 2, 3)))
    (tmp_path / "pages").mkdir()
    write_page(tmp_path / "runs", [Row(file="a b/ü.png")], tmp_path / "pages/a.html", "title")
    link = _data(tmp_path / "pages/a.html")["rows"][0]["picture"]["link"]
    assert link == "../runs/a%20b/%C3%BC.png"


def test_a_picture_that_cannot_be_read_is_said_and_its_output_stays(tmp_path):
    save(tmp_path / "a.png", mottled(1))
    (tmp_path / "b.png").write_text("no picture")
    rows = [Row(file=name, recipe=Recipe(prompt=name)) for name in ("a.png", "b.png", "c.png")]
    said = write_page(tmp_path, rows, tmp_path / "a.html", "title")
    assert ["b.png" in said[0], "c.png" in said[1], len(said)] == [True, True, 2]
    pictures = [row["picture"] for row in _data(tmp_path / "a.html")["rows"]]
    assert ["jpeg" in picture for picture in pictures] == [True, False, False]


def test_a_page_replaces_its_like_and_nothing_else(tmp_path):
    page = tmp_path / "index.html"
    write_page(tmp_path, [Row()], page, "first")
    write_page(tmp_path, [Row()], page, "second")
    assert "second" in page.read_text()
    page.write_text("<h1>mine</h1>")
    with pytest.raises(MaquetteError, match=r"no sheet of Maquette's.*--output"):
        write_page(tmp_path, [Row()], page, "third")
    assert page.read_text() == "<h1>mine</h1>"


def test_progress_counts_pictures_and_sources(tmp_path):
    found = rows_of(batch(tmp_path, 60, files=6))
    seen: list[tuple[int, int]] = []
    write_page(
        found.folder,
        found.rows,
        tmp_path / "a.html",
        "t",
        lambda done, all: seen.append((done, all)),
    )
    assert seen == [(n, 11) for n in range(1, 12)]
