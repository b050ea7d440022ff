"""The time until a contact sheet is there to look at, against a plain page with the same pictures.

    python benchmarks/sheet.py [--outputs 1000] [--rounds 7] [--json FILE]

Both pages have the same thumbnails and captions inside, each thumbnail another one, and open from
disk in the same Chromium, in turns:

- ``sheet``: the page of ``maquette sheet``;
- ``plain``: all pictures as ``<img>`` in a grid of HTML, a filter hides those that don't match.

``open`` is the time from following the link until all pictures in the window are painted,
``filter`` until the page is painted after a word in the search field, ``all`` the same after the
word is deleted. ``write`` is the time of the command's own work for the sheet: reading the
pictures, scaling them and writing the page.
"""

from __future__ import annotations

import argparse
import html
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "backend"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from maquette.sheets import rows_of, write_page

from tests.backend.sheets import browser
from tests.backend.sheets.folders import batch

WORD = "snow"
STEPS = ("open", "filter", "all")
PLAIN = """<!doctype html><meta charset="utf-8"><title>plain</title><style>
body {{ font: 15px sans-serif; margin: 32px }} [hidden] {{ display: none !important }}
ol {{ list-style: none; padding: 0; display: grid; gap: 28px 20px;
      grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)) }}
img {{ width: 100%; aspect-ratio: 1.5; object-fit: contain }}</style>
<input id="find"><ol>{cards}</ol><script>
document.getElementById("find").addEventListener("input", ({{ target }}) => {{
  for (const card of document.querySelectorAll(".card"))
    card.hidden = !card.textContent.includes(target.value);
}});</script>"""
CARD = (
    '<li class="card"><button><img src="data:image/jpeg;base64,{jpeg}"></button>'
    "<p>{prompt}</p><p>{details}</p></li>"
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--outputs", type=int, default=1000, help="pictures on a page (1000)")
    parser.add_argument("--rounds", type=int, default=7, help="each page is opened so often (7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    if browser.missing():
        parser.exit(1, f"{browser.missing()}\n")
    with tempfile.TemporaryDirectory() as name:
        figures = measure(Path(name), arguments.outputs, arguments.rounds)
    print(f"{'':8}{'sheet':>10}{'plain':>10}{'ratio':>8}   milliseconds, median (worst)")
    for step in STEPS:
        ours, theirs = figures[f"sheet {step}"], figures[f"plain {step}"]
        worst = f"({figures[f'sheet {step} worst']:.0f}, {figures[f'plain {step} worst']:.0f})"
        print(f"{step:<8}{ours:>10.0f}{theirs:>10.0f}{theirs / ours:>8.2f}   {worst}")
    print(
        f"write   {figures['write']:.1f} s; {figures['megabytes']:.1f} MB for "
        f"{arguments.outputs} outputs"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(folder: Path, outputs: int, rounds: int) -> dict[str, float]:
    """Median and worst milliseconds of each page and step, and what the sheet costs."""
    found = rows_of(batch(folder / "batch", outputs, files=outputs, failed=0))
    sheet = folder / "batch/index.html"
    began = time.perf_counter()
    write_page(found.folder, found.rows, sheet, "sheet")
    wrote = time.perf_counter() - began
    pages = {"sheet": sheet, "plain": _plain(sheet)}
    taken: dict[str, list[float]] = {}
    with browser.browser(folder / "profile") as chrome:
        for round_number in range(rounds + 1):
            for name, page in pages.items():
                chrome.get("about:blank")
                chrome.get(page.as_uri())
                steps = [chrome.execute_async_script(browser.OPENED)]
                steps += [chrome.execute_async_script(browser.FILTERED, w) for w in (WORD, "")]
                for step, milliseconds in zip(STEPS, steps, strict=True):
                    if round_number:  # the first one warms up
                        taken.setdefault(f"{name} {step}", []).append(milliseconds)
    medians = {name: statistics.median(values) for name, values in taken.items()}
    worst = {f"{name} worst": max(values) for name, values in taken.items()}
    return {**medians, **worst, "write": wrote, "megabytes": sheet.stat().st_size / 1e6}


def _plain(sheet: Path) -> Path:
    """The plain page with what the sheet has inside."""
    text = sheet.read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text.split('id="data">')[1].split("</script>")[0])
    cards = (
        CARD.format(
            jpeg=row["picture"]["jpeg"],
            prompt=html.escape(row["recipe"]["prompt"]),
            details=html.escape(row["details"]),
        )
        for row in data["rows"]
    )
    path = sheet.with_name("plain.html")
    path.write_text(PLAIN.format(cards="".join(cards)), encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
