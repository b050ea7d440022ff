"""Building types: each builder makes the volumes of one type, deterministic from its generator."""

from .registry import TYPES, BuildingType, build_site
from .site import Site

__all__ = ["TYPES", "BuildingType", "Site", "build_site"]
