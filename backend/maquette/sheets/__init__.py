"""Contact sheets: many concepts on one page to look through, or on one picture to print.

rows       what there is to show: a batch's manifest.jsonl, or PNGs with their Recipe inside
fields     the settings that outputs differ in, their labels and their order
page       one HTML page that works from disk; ``template/`` has its HTML, style and script
axes       which setting runs down and which across, and what lies in each cell
poster     the same outputs as one PNG, a grid with labelled axes
lettering  fonts and line breaks, for pictures with text

>>> found = rows_of(Path("concepts"))
>>> write_page(found.folder, found.rows, Path("concepts/index.html"), "Library")
"""

from .page import write_page
from .poster import write_poster
from .rows import Found, Row, rows_of

__all__ = ["Found", "Row", "rows_of", "write_page", "write_poster"]
