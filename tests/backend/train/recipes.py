"""Recipes that train in seconds, for tests."""

from __future__ import annotations

from pathlib import Path

SMALL = """
name = "small"
seed = 3
stages = ["vae", "text", "unet"]

[architecture]
vae = [16, 24, 32]
unet = [32, 32, 64, 64]
text = 64
text_layers = 1
tokens = 24

[depth]
power = 0.5

[vae]
crop = 32
[vae.schedule]
steps = {vae}
batch = 2
save_every = 4

[text]
[text.schedule]
steps = {text}
batch = 16
save_every = 50

[unet]
crop = 8
precision = "{precision}"
{unet_settings}
[unet.schedule]
steps = {unet}
batch = 4
save_every = {save_every}
sheet_every = 1000
optimizer = "{optimizer}"
rate = {rate}
"""

ADVERSARY = """
late_from = 400
tinted = 0.5
[unet.adversary]
widths = [16, 16, 32]
"""

FINETUNE = """
name = "finetune"
seed = 1
base = "{base}"
stages = ["unet"]

[unet]
crop = 8
weighting = "min-snr"
{unet_settings}
[unet.schedule]
steps = 3
batch = 2
save_every = 3
sheet_every = 1000
"""

ADAPTER = """
name = "adapter"
seed = 1
base = "{base}"
stages = ["unet"]

[unet]
crop = 8
lora = 4
{unet_settings}
[unet.schedule]
steps = {steps}
batch = 2
rate = 1e-2
save_every = 2
sheet_every = 1000
"""


def write_small(path: Path, **changed: object) -> Path:
    values = {
        "vae": 4,
        "text": 30,
        "unet": 6,
        "save_every": 2,
        "optimizer": "adamw",
        "precision": "full",
        "unet_settings": "",
        "rate": 1e-3,
        **changed,
    }
    path.write_text(SMALL.format(**values), "utf-8")
    return path


def write_finetune(path: Path, base: Path, *, unet_settings: str = "") -> Path:
    path.write_text(FINETUNE.format(base=base, unet_settings=unet_settings), "utf-8")
    return path


def write_adapter(path: Path, base: Path, *, steps: int = 4, unet_settings: str = "") -> Path:
    path.write_text(ADAPTER.format(base=base, steps=steps, unet_settings=unet_settings), "utf-8")
    return path
