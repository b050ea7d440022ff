"""The docs' pictures of concepts: the demo's sheet, seeds of one prompt, and posters.

Each is what the demo, ``maquette batch`` and ``maquette sheet`` make with the pocket model. What
``maquette evaluate`` wrote, which needs a dataset, is shown too where it is given.
"""

from __future__ import annotations

import io
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .console import BuildError, root, run_logged, say

DEMO, SEEDS = Path("docs/demo.jpg"), Path("docs/seeds.jpg")
PAGE = Path("docs/images/sheet.jpg")
EVALUATED = {"sheet": 1152, "captures": 1152, "geometry": 1008, "strength": 1008}
"""The evaluation's sheets, and how wide the docs show them."""
SEED_WIDTH = 256
GAP = 12
"""Pixels between two views of a page."""
SHOWN = """
const done = arguments[arguments.length - 1];
(function look() {
  const images = [...document.images].filter((image) => image.offsetParent);
  if (images.every((image) => image.complete)) requestAnimationFrame(() => setTimeout(done, 200));
  else requestAnimationFrame(look);
})();
"""
"""Waits until all pictures in sight are painted."""
QUALITY = 86


@dataclass(frozen=True)
class Poster:
    """A labelled grid of a batch.

    Attributes:
        options: of the batch. laid: how it is laid out.
    """

    target: Path
    title: str
    samples: tuple[str, ...]
    options: tuple[str, ...]
    laid: tuple[str, ...]
    width: int


FIVE = ("church", "courtyard", "gabled_house", "office_slab", "street_tower")
MATERIALS = (
    *("--camera", "Street", "--prompt", "red brick building at dusk, wet plaza"),
    *("--prompt", "white render building, golden hour, lawn"),
    *("--prompt", "timber building in snow, overcast"),
    *("--prompt", "concrete building, day, street"),
)
TITLE = "Five massings, four materials"
POSTERS = (
    Poster(
        Path("docs/facades.jpg"),
        "Façades",
        ("office_slab", "courtyard"),
        (
            *("--camera", "Two-point", "--prompt", "pale brick building, plaza, day"),
            *("--windows", "punched,tall,ribbon,grid,curtain-wall", "--seed", "1"),
        ),
        ("--rows", "source", "--columns", "windows"),
        1500,
    ),
    Poster(
        Path("docs/images/poster.jpg"),
        TITLE,
        FIVE,
        MATERIALS,
        ("--rows", "source", "--columns", "prompt", "--sources"),
        1500,
    ),
    Poster(
        Path("docs/images/grid.jpg"),
        "red brick library at dusk",
        ("church",),
        (
            *("--camera", "Street", "--prompt", "red brick library at dusk"),
            *("--seed", "0-3", "--geometry", "0.2,0.5,0.8"),
        ),
        ("--rows", "seed", "--columns", "geometry"),
        1186,
    ),
)


def make(extension: Path, blender: Path) -> None:
    """Make all but those of an evaluation. Raises BuildError."""
    given = ("--blender", str(blender), "--extension", str(extension))
    run_logged("demo", [sys.executable, "-m", "tools.demo", *given], "docs")
    _save(_narrowed(Image.open(root() / "out" / "demo" / "sheet.png"), 1200), DEMO)
    with tempfile.TemporaryDirectory(prefix="maquette-docs-") as name:
        folder = Path(name)
        wanted = ("--camera", "Street", "--prompt", "housing block", "--seed", "0-3")
        _batch(SEEDS.stem, folder / "seeds", ("courtyard",), (*wanted, *given))
        pictures = [Image.open(path) for path in sorted((folder / "seeds").glob("*.png"))]
        small = [_narrowed(picture, SEED_WIDTH) for picture in pictures]
        row = Image.new("RGB", (SEED_WIDTH * len(small), small[0].height))
        for number, picture in enumerate(small):
            row.paste(picture, (SEED_WIDTH * number, 0))
        _save(row, SEEDS)
        for poster in POSTERS:
            stem = poster.target.stem
            _batch(stem, folder / stem, poster.samples, (*poster.options, *given))
            page = folder / f"{stem}.png"
            command = [sys.executable, "-m", "maquette", "sheet", str(folder / stem)]
            command += ["--output", str(page), "--title", poster.title, *poster.laid]
            run_logged(f"{stem} on a poster", command, "docs")
            _save(_narrowed(Image.open(page), poster.width), poster.target)
        _batch(PAGE.stem, folder / "page", FIVE, (*MATERIALS, "--seed", "0-2", *given))
        command = [sys.executable, "-m", "maquette", "sheet", str(folder / "page")]
        run_logged("a page", [*command, "--title", TITLE], "docs")
        _save(_page(folder / "page" / "index.html", folder / "profile"), PAGE)


def _page(page: Path, profile: Path) -> Image.Image:
    """A sheet's page in a browser, and below it the same with a picture beside its source."""
    from selenium.webdriver.common.by import By

    from tests.backend.sheets import browser

    if missing := browser.missing():
        raise BuildError(f"The picture of a sheet's page {missing}.")
    with browser.browser(profile, width=1440, height=885) as chrome:
        chrome.get(page.as_uri())
        chrome.set_script_timeout(60)
        chrome.execute_async_script(browser.OPENED)
        above = Image.open(io.BytesIO(chrome.get_screenshot_as_png()))
        chrome.find_elements(By.CSS_SELECTOR, ".card button")[12].click()
        chrome.find_element(By.CSS_SELECTOR, "[data-mode=side]").click()
        chrome.execute_async_script(SHOWN)
        below = Image.open(io.BytesIO(chrome.get_screenshot_as_png()))
    whole = Image.new("RGB", (above.width, above.height + below.height + GAP), (150, 150, 150))
    whole.paste(above, (0, 0))
    whole.paste(below, (0, above.height + GAP))
    return whole


def evaluated(folder: Path) -> None:
    """Show what ``maquette evaluate`` wrote into a folder."""
    for name, width in EVALUATED.items():
        _save(_narrowed(Image.open(folder / f"{name}.png"), width), Path(f"docs/pocket-{name}.jpg"))


def _batch(what: str, output: Path, samples: tuple[str, ...], options: tuple[str, ...]) -> None:
    sources = [f"samples/{sample}.blend" for sample in samples]
    command = [sys.executable, "-m", "maquette", "batch", "--output", output, *sources, *options]
    run_logged(what, command, "docs")


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    height = round(picture.height * width / picture.width)
    return picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)


def _save(picture: Image.Image, target: Path) -> None:
    picture.convert("RGB").save(root() / target, quality=QUALITY, optimize=True)
    say(f"    {target}: written")
