"""Colours and measures of wall and roof materials, by word."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class WallLook:
    """Colours (sRGB) and unit sizes (metres) of a wall material."""

    a: Rgb
    b: Rgb
    joint: Rgb
    width: float = 1.0
    height: float = 1.0
    joint_size: float = 0.0
    swap: bool = False
    gloss: float = 0.0
    trim: Rgb = (222, 218, 208)
    frame: Rgb = (238, 236, 230)
    spandrel: Rgb = (70, 76, 82)
    course: bool = False


WALLS: dict[str, WallLook] = {
    "red brick": WallLook((162, 74, 52), (140, 60, 44), (150, 112, 96), 0.36, 0.12, 0.014),
    "pale brick": WallLook(
        (224, 188, 122), (208, 170, 104), (214, 194, 156), 0.36, 0.12, 0.014, frame=(70, 60, 52)
    ),
    "white render": WallLook(
        (243, 241, 236), (243, 241, 236), (243, 241, 236), frame=(74, 78, 84), trim=(232, 230, 226)
    ),
    "concrete": WallLook(
        (150, 149, 145),
        (142, 141, 138),
        (104, 103, 101),
        2.4,
        1.4,
        0.03,
        frame=(52, 54, 58),
        trim=(168, 166, 162),
    ),
    "timber": WallLook(
        (176, 112, 60),
        (150, 92, 48),
        (92, 54, 30),
        4.0,
        0.18,
        0.022,
        swap=True,
        frame=(48, 44, 42),
        trim=(120, 82, 52),
    ),
    "stone": WallLook(
        (206, 198, 180),
        (188, 180, 162),
        (146, 138, 122),
        0.95,
        0.48,
        0.03,
        trim=(222, 216, 202),
        frame=(86, 78, 68),
        course=True,
    ),
    "metal": WallLook(
        (92, 106, 122),
        (84, 98, 114),
        (50, 60, 72),
        6.0,
        0.5,
        0.035,
        swap=True,
        gloss=0.55,
        frame=(36, 40, 46),
        trim=(70, 80, 92),
    ),
    "glass": WallLook(
        (66, 76, 86),
        (66, 76, 86),
        (50, 56, 64),
        gloss=0.4,
        trim=(70, 76, 82),
        frame=(56, 62, 68),
        spandrel=(58, 84, 98),
    ),
}
CARD = WallLook(
    (240, 238, 234),
    (240, 238, 234),
    (240, 238, 234),
    trim=(240, 238, 234),
    frame=(226, 224, 220),
    spandrel=(226, 224, 220),
)

ROOFS: dict[str, tuple[Rgb, Rgb, Rgb, float, float]] = {
    # first and second colour, joint, unit width and height in metres
    "clay tile": ((188, 92, 58), (164, 76, 48), (112, 50, 34), 0.3, 0.42),
    "slate": ((76, 82, 92), (62, 68, 78), (40, 44, 52), 0.4, 0.34),
    "zinc": ((150, 162, 170), (142, 154, 162), (104, 114, 122), 0.6, 9.0),
    "flat": ((76, 82, 92), (62, 68, 78), (40, 44, 52), 0.4, 0.34),
    "green": ((96, 128, 62), (82, 114, 52), (70, 98, 46), 1.1, 1.1),
}
