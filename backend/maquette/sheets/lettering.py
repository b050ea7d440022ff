"""Fonts and line breaks for pictures with text, and the colours of paper and ink."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

PAPER = (250, 249, 246)
INK = (28, 28, 30)
MUTED = (112, 110, 106)
RULE = (214, 211, 204)

REGULAR, MEDIUM, SEMIBOLD = 400, 500, 600

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

FACES = (
    *("Inter-Regular.ttf", "Inter-Regular.otf", "segoeui.ttf", "HelveticaNeue.ttc", "Arial.ttf"),
    *("LiberationSans-Regular.ttf", "NotoSans-Regular.ttf", "DejaVuSans.ttf"),
    *("NotoSansCJK-Regular.ttc", "msyh.ttc", "PingFang.ttc", "Hiragino Sans GB.ttc"),
    *("malgun.ttf", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf"),
)
"""Faces that systems have, the plainest first; the later ones are for other scripts."""


class Type:
    """Fonts by size and weight: an Inter variable font where its file is given, else the system's.

    Without either it is Pillow's own face, which has no letters beyond ASCII.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = file

    def face(self, size: int, weight: int = REGULAR, text: str = "") -> Font:
        """A font, where there is one a font that has every letter of ``text``."""
        if self.file is None:
            return _system_face(size, "".join(sorted({*text})))
        font = ImageFont.truetype(str(self.file), size)
        optical = max(14, min(32, size // 2))
        font.set_variation_by_axes([optical, weight])
        return font


@cache
def _system_face(size: int, letters: str) -> Font:
    fonts = [font for name in FACES if (font := _installed(name, size))]
    for font in fonts:
        unknown = _shape(font, "\U0010ffff")
        if all(letter.isspace() or _shape(font, letter) != unknown for letter in letters):
            return font
    return fonts[0] if fonts else ImageFont.load_default(size)


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> bytes:
    """A letter's pixels, to know the box that stands for every unknown one."""
    side = round(font.size * 2)
    image = Image.new("L", (side, side))
    ImageDraw.Draw(image).text((0, 0), letter, font=font, fill=255)
    return image.tobytes()


@cache
def _installed(name: str, size: int) -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def wrap(text: str, font: Font, width: float) -> list[str]:
    """Break ``text`` at blanks, and words that are too long anywhere, into lines of ``width``."""
    lines: list[str] = []
    for word in text.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(joined) <= width:
            lines[-1] = joined
            continue
        rest = word
        while font.getlength(rest) > width and len(rest) > 1:
            fits = next(n for n in range(len(rest) - 1, 0, -1) if _fits(rest[:n], font, width))
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return lines


def _fits(part: str, font: Font, width: float) -> bool:
    return len(part) == 1 or font.getlength(part) <= width
