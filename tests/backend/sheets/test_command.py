"""``maquette sheet``: what it writes and prints, and its errors in one line with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette import cli
from maquette_wire.recipe import Recipe
from PIL import Image

from tests.backend.sheets.folders import batch, plain, save

RECIPE = Recipe(prompt="red brick", seed=3)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAQUETTE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit status, what is on standard output, and on standard error but for the progress."""
    status = cli.main(["sheet", *words])
    said = capsys.readouterr()
    lines = [line for line in said.err.splitlines() if line != "reading ..."]
    return status, said.out.strip(), "\n".join(lines)


def test_a_folder_becomes_a_page_in_it_with_its_name(capsys):
    batch(Path("runs/city blocks"), 30)
    path = Path("runs/city blocks/index.html")
    assert _run(capsys, "runs/city blocks") == (0, str(path), "")
    assert "<title>city blocks</title>" in path.read_text()
    assert _run(capsys, "runs/city blocks", "--title", "Round <2>")[0] == 0
    assert "<title>Round &lt;2&gt;</title>" in path.read_text()


def test_an_output_that_ends_in_png_is_a_poster(capsys):
    batch(Path("runs"), 40)
    words = ("--rows", "prompt", "--columns", "source", "--sources")
    assert _run(capsys, "runs", "--output", "a.PNG", *words) == (0, "a.PNG", "")
    with Image.open("a.PNG") as poster:
        assert poster.width > 5 * 384


def test_pictures_of_two_folders_are_on_one_page(capsys):
    for name in ("monday/a.png", "tuesday/a.png"):
        save(Path(name), plain((1, 2, 3)), RECIPE)
    status, out, _ = _run(capsys, "monday/a.png", "tuesday")
    assert (status, Path(out).resolve()) == (0, Path("index.html").resolve())
    text = Path(out).read_text()
    assert '"link":"monday/a.png"' in text
    assert '"link":"tuesday/a.png"' in text


def test_what_is_left_out_is_said_and_long_lists_are_counted(capsys):
    save(Path("runs/a.png"), plain((1, 2, 3)), RECIPE)
    save(Path("runs/depth.png"), plain((1, 2, 3)))
    for n in range(8):
        Path(f"runs/broken{n}.png").write_text("no picture")
    status, _, said = _run(capsys, "runs")
    assert status == 0
    lines = said.splitlines()
    assert len(lines) == 7
    assert "broken0.png is not a PNG file" in lines[0]
    assert lines[5:] == [
        "maquette: 3 more are like that.",
        "maquette: 1 picture has no recipe inside and is left out.",
    ]


def test_the_page_is_opened_on_request(capsys, monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)) or True)
    save(Path("runs/a.png"), plain((1, 2, 3)), RECIPE)
    assert _run(capsys, "runs", "--open")[0] == 0
    assert opened == [Path("runs/index.html").resolve().as_uri()]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["gone"], "no file or folder gone"),
        (["empty"], "neither a PNG nor a manifest.jsonl in empty"),
        (["runs", "--output", "a.pdf"], ".html or .png"),
        (["runs", "--rows", "seed"], "--output poster.png"),
        (["runs", "--sources"], "--output poster.png"),
        (["runs", "--output", "a.png", "--rows", "sede"], "source, view, frame, prompt"),
        (["runs", "--output", "a.png", "--columns", "frame"], "none of these pictures has a frame"),
        (["runs", "--output", "runs/a.png"], "no poster of Maquette's"),
        (["runs", "--output", "mine.html"], "no sheet of Maquette's"),
        (["runs", "--output", "gone/a.html"], "can't be written"),
        (["runs", "--output", "gone/a.png"], "can't be written"),
    ],
)
def test_errors_are_one_line_with_the_way_out(words, named, capsys):
    Path("empty").mkdir()
    Path("mine.html").write_text("mine")
    save(Path("runs/a.png"), plain((1, 2, 3)), RECIPE)
    status, out, said = _run(capsys, *words)
    assert (status, out) == (1, "")
    assert said.startswith("maquette: ")
    assert len(said.splitlines()) == 1
    assert named in said


def test_a_full_disk_is_said_and_leaves_no_half_page(capsys, small_disk):
    batch(Path("runs"), 300)
    page = small_disk / "a.html"
    status, _, said = _run(capsys, "runs", "--output", str(page))
    assert status == 1
    assert "Free some space or name another folder with --output" in said
    assert list(small_disk.iterdir()) == []
