"""Sampler names, as users of diffusers and of A1111 know them → diffusers schedulers.

A scheduler is made from the configuration in the model's own directory, so that its noise
schedule, prediction type and timestep spacing stay those of its training; a name only decides how
the steps are taken. Samplers that add noise while they run (`euler-a`, `lcm`, `tcd`, the SDE ones)
draw it from the picture's own generator: every sampler here gives the same picture for the same
seed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import EulerAncestralDiscreteScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from diffusers.schedulers.scheduling_lcm import LCMScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from diffusers.schedulers.scheduling_tcd import TCDScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from maquette_wire.errors import MaquetteError


@dataclass(frozen=True)
class _Sampler:
    scheduler: type[Any]
    options: Mapping[str, object] = field(default_factory=dict)
    # Whether it can start at pure noise (zero terminal SNR), where the noise level has no finite
    # sigma: schedulers in sigma space that don't rescale would start from an infinite one, and the
    # Karras spacing would spend most of its steps there.
    zero_snr: bool = True


_SDE: Mapping[str, object] = {"algorithm_type": "sde-dpmsolver++"}
_KARRAS: Mapping[str, object] = {"use_karras_sigmas": True}

_SAMPLERS: dict[str, _Sampler] = {
    "ddim": _Sampler(DDIMScheduler),
    "pndm": _Sampler(PNDMScheduler, {"skip_prk_steps": True}, zero_snr=False),
    "euler": _Sampler(EulerDiscreteScheduler),
    "euler-karras": _Sampler(EulerDiscreteScheduler, _KARRAS, zero_snr=False),
    "euler-a": _Sampler(EulerAncestralDiscreteScheduler),
    "heun": _Sampler(HeunDiscreteScheduler, zero_snr=False),
    "lms": _Sampler(LMSDiscreteScheduler, zero_snr=False),
    "dpm++-2m": _Sampler(DPMSolverMultistepScheduler),
    "dpm++-2m-karras": _Sampler(DPMSolverMultistepScheduler, _KARRAS, zero_snr=False),
    "dpm++-2m-sde": _Sampler(DPMSolverMultistepScheduler, _SDE),
    "dpm++-2m-sde-karras": _Sampler(
        DPMSolverMultistepScheduler, {**_SDE, **_KARRAS}, zero_snr=False
    ),
    "unipc": _Sampler(UniPCMultistepScheduler),
    "lcm": _Sampler(LCMScheduler),
    "tcd": _Sampler(TCDScheduler),
}

NAMES: tuple[str, ...] = tuple(_SAMPLERS)
"""All sampler names, in the order that a menu shows them."""


def canonical(name: str) -> str:
    """The name as listed in `NAMES` for any common spelling ("DPM++ 2M Karras", "euler_a").

    Raises MaquetteError("unknown-sampler").
    """
    key = re.sub(r"[\s_]+", "-", name.strip().lower())
    if key in _SAMPLERS:
        return key
    raise MaquetteError(
        "unknown-sampler", f"There is no sampler {name!r}.", f"Use one of {', '.join(NAMES)}."
    )


def make(name: str, config: Mapping[str, Any]) -> SchedulerMixin:
    """A fresh scheduler for one batch.

    config: the scheduler configuration of the model. Raises MaquetteError("unknown-sampler") for a
    name that isn't known, or that can't run this model's noise schedule.
    """
    key = canonical(name)
    sampler = _SAMPLERS[key]
    if config.get("rescale_betas_zero_snr") and not sampler.zero_snr:
        able = (other for other, known in _SAMPLERS.items() if known.zero_snr)
        raise MaquetteError(
            "unknown-sampler",
            f"The sampler {key!r} can't run this model, whose noise schedule ends in pure noise.",
            f"Use one of {', '.join(able)}.",
        )
    options = dict(sampler.options)
    if "clip_sample" not in config:
        # The schedulers' default is for pictures in [-1, 1]; latents go beyond.
        options["clip_sample"] = False
    scheduler = sampler.scheduler
    known = set(scheduler._get_init_keys(scheduler))
    return scheduler.from_config(config, **{k: v for k, v in options.items() if k in known})
