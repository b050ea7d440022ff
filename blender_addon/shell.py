"""The add-on's commands, made known to Blender: ``blender --command NAME``."""

from __future__ import annotations

from typing import Any

import bpy

from . import command, texture_command
from .command_words import NAME, TEXTURE_NAME

COMMANDS = {NAME: command.main, TEXTURE_NAME: texture_command.main}

_registered: list[Any] = []


def register() -> None:
    for name, main in COMMANDS.items():
        _registered.append(bpy.utils.register_cli_command(name, main))


def unregister() -> None:
    while _registered:
        bpy.utils.unregister_cli_command(_registered.pop())
