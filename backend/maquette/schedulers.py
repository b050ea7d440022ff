"""Sampler names (`samplers`) → diffusers schedulers.

A scheduler is made from the configuration in the model's own directory, so that its noise
schedule, prediction type and timestep spacing stay those of its training; a name only decides how
the steps are taken. Samplers that add noise while they run (`euler-a`, `lcm`, `tcd`, the SDE ones)
draw it from the picture's own generator: every sampler here gives the same picture for the same
seed.
"""

from __future__ import annotations

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

from . import samplers


@dataclass(frozen=True)
class _Sampler:
    scheduler: type[Any]
    options: Mapping[str, object] = field(default_factory=dict)


_SDE: Mapping[str, object] = {"algorithm_type": "sde-dpmsolver++"}
_KARRAS: Mapping[str, object] = {"use_karras_sigmas": True}

_SAMPLERS: dict[str, _Sampler] = {
    "ddim": _Sampler(DDIMScheduler),
    "pndm": _Sampler(PNDMScheduler, {"skip_prk_steps": True}),
    "euler": _Sampler(EulerDiscreteScheduler),
    "euler-karras": _Sampler(EulerDiscreteScheduler, _KARRAS),
    "euler-a": _Sampler(EulerAncestralDiscreteScheduler),
    "heun": _Sampler(HeunDiscreteScheduler),
    "lms": _Sampler(LMSDiscreteScheduler),
    "dpm++-2m": _Sampler(DPMSolverMultistepScheduler),
    "dpm++-2m-karras": _Sampler(DPMSolverMultistepScheduler, _KARRAS),
    "dpm++-2m-sde": _Sampler(DPMSolverMultistepScheduler, _SDE),
    "dpm++-2m-sde-karras": _Sampler(DPMSolverMultistepScheduler, {**_SDE, **_KARRAS}),
    "unipc": _Sampler(UniPCMultistepScheduler),
    "lcm": _Sampler(LCMScheduler),
    "tcd": _Sampler(TCDScheduler),
}


def check(name: str, config: Mapping[str, Any]) -> str:
    """The sampler's own name. config: the scheduler configuration of the model. Raises
    MaquetteError("unknown-sampler") for a name that isn't known, or that can't run this model's
    noise schedule."""
    key = samplers.canonical(name)
    able = samplers.able(config)
    if key not in able:
        raise MaquetteError(
            "unknown-sampler",
            f"The sampler {key!r} can't run this model, whose noise schedule ends in pure noise.",
            f"Use one of {', '.join(able)}.",
        )
    return key


def make(name: str, config: Mapping[str, Any]) -> SchedulerMixin:
    """A fresh scheduler. Arguments and errors are those of `check`."""
    sampler = _SAMPLERS[check(name, config)]
    options = dict(sampler.options)
    if "clip_sample" not in config:
        # The schedulers' default is for pictures in [-1, 1]; latents go beyond.
        options["clip_sample"] = False
    scheduler = sampler.scheduler
    known = set(scheduler._get_init_keys(scheduler))
    return scheduler.from_config(config, **{k: v for k, v in options.items() if k in known})
