"""One scene from its seed: building, surroundings, camera, and the attributes of its finishes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import surroundings
from .cameras import Camera, choose
from .captions import default_windows
from .facade import WINDOWS
from .ground import GROUNDS
from .massing import TYPES, Site, build_site
from .palette import ROOFS, WALLS
from .render import Maps, focus_distance
from .sky import LIGHTS
from .splits import HELD_OUT_STYLE, shows_held_out_style

STYLES = ("white card", "pencil", "watercolour")
STYLE_SHARE = 0.09
UNCOLOURED = frozenset({"white card", "pencil", "blueprint"})
"""Styles that show neither materials nor light."""

ATTEMPTS = 6


@dataclass(frozen=True)
class Scene:
    """A scene ready to render."""

    seed: int
    type: str
    site: Site
    camera: Camera
    focus: float
    """Mean distance in metres of what is framed."""

    @property
    def ground_line(self) -> float | None:
        """Height of the ground in a parallel projection, as a share of the picture; None in
        perspective."""
        scale = self.camera.ortho_scale
        return None if scale is None else 0.5 - self.camera.position[2] / scale


def compose(seed: int, attempt: int = 0) -> Scene:
    """Build the scene of a seed; a further `attempt` has another camera and surroundings."""
    name, site = build_site(seed)
    kind = TYPES[name]
    rng = random.Random(f"around-{seed}-{attempt}")
    surroundings.add_ground(site)
    if kind.urban and site.corridor is None and rng.random() < 0.6:
        surroundings.add_context(site, rng)
    camera = choose(site, seed, attempt)
    focus = focus_distance(camera, np.array(site.focus))
    parallel = camera.ortho_scale is not None
    site.viewpoint = (camera.position[0], camera.position[1], 0.0 if parallel else 0.55 * focus)
    if parallel:
        surroundings.add_section(site)
    if site.corridor is not None and rng.random() < 0.6:
        surroundings.add_street_trees(site, rng)
    elif site.corridor is None and rng.random() < 0.65:
        surroundings.add_trees(site, rng, rng.choice((3, 5, 7)))
    if rng.random() < 0.4:
        surroundings.add_people(site, rng, camera.heading, rng.choice((3, 5, 8)))
    if rng.random() < 0.3:
        surroundings.add_cars(site, rng)
    if site.corridor is None and not parallel and rng.random() < (0.3 if kind.urban else 0.7):
        surroundings.add_treeline(site, rng)
    return Scene(seed, name, site, camera, focus)


def is_well_framed(maps: Maps) -> bool:
    """Whether the building is seen and nothing small stands in the way."""
    share = np.bincount(maps.parts.ravel(), minlength=10) / maps.parts.size
    building = share[2] + share[3] + share[4]
    return bool(
        building > 0.07
        and building < 0.85
        and share[5] < 0.22
        and share[7] < 0.04
        and share[8] < 0.08
    )


def finishes(scene: Scene, count: int) -> list[dict[str, Any]]:
    """Attributes of `count` finishes with different walls, grounds and lights."""
    rng = random.Random(f"finish-{scene.seed}")
    kind = TYPES[scene.type]
    walls = rng.sample(list(WALLS), count)
    grounds, lights = rng.sample(GROUNDS, count), rng.sample(list(LIGHTS), count)
    result = []
    for number, (wall, ground, light) in enumerate(zip(walls, grounds, lights, strict=True)):
        windows = default_windows(scene.type, wall)
        plain = [name for name in WINDOWS if name != "curtain wall"]
        if wall != "glass" and scene.type not in ("church", "chapel") and rng.random() < 0.25:
            windows = rng.choice(plain)
        if kind.pitched:
            roof = (
                kind.roof
                if rng.random() < 0.5
                else rng.choice([name for name in ROOFS if name not in ("flat", "green")])
            )
        else:
            roof = "green" if rng.random() < 0.15 else kind.roof
        style = rng.choice(STYLES) if rng.random() < STYLE_SHARE else "photo"
        if number == count - 1 and shows_held_out_style(scene.seed):
            style = HELD_OUT_STYLE
        attributes: dict[str, Any] = {
            "type": scene.type,
            "wall": wall,
            "roof": roof,
            "windows": windows,
            "ground": ground,
            "light": light,
            "style": style,
            "view": scene.camera.view,
            "extras": sorted(scene.site.extras),
        }
        if style in UNCOLOURED:
            attributes.update(
                wall=None,
                roof=None,
                ground=None,
                light=None,
                windows=default_windows(scene.type, ""),
            )
        result.append(attributes)
    return result
