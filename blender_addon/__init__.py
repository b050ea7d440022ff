"""Maquette in Blender: restyles a massing model into concept images, in place.

This module only registers and unregisters; importing it imports neither bpy nor the wheels.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

MODULES = (
    "view_looks",
    "properties",
    "panels.preferences",
    "session",
    "overlay.view3d",
    "overlay.coverage",
    "handlers",
    "engine",
    "operators",
    "panels",
    "keymaps",
    "shell",
)
"""In the order in which they register; each has ``register()`` and ``unregister()``."""

# A reload executes this module again in the same namespace: what was registered must stay known,
# and the submodules of the code before must not be used again.
_registered: list[ModuleType] = globals().get("_registered", [])
for _stale in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
    del sys.modules[_stale]


def register() -> None:
    """Make the add-on's classes, properties and handlers known to Blender; safe to call twice."""
    unregister()
    try:
        modules = [importlib.import_module(f".{name}", __name__) for name in MODULES]
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("maquette_wire", "msgspec", "zmq", "numpy"):
            raise
        raise RuntimeError(
            f"Maquette can't start because its Python package {package} is missing; remove the "
            "extension and install it again from the zip file made for this Blender version."
        ) from error
    for module in modules:
        module.register()
        _registered.append(module)


def unregister() -> None:
    """Undo ``register``; jobs that are still open stay on the server and are offered later."""
    while _registered:
        _registered.pop().unregister()
