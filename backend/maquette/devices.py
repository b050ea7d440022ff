"""Devices: what there is, which precision each runs in, how much memory it has."""

from __future__ import annotations

import platform

import psutil
import torch
from maquette_wire.errors import MaquetteError


def available() -> tuple[str, ...]:
    """Names of the devices of this machine, the best first; the last one is always "cpu"."""
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return (*names, "cpu")


def find(name: str) -> torch.device:
    """The device of a name ("auto" is the best one). Raises MaquetteError("unknown-device")."""
    names = available()
    wanted = names[0] if name == "auto" else "cuda:0" if name == "cuda" else name
    if wanted not in names:
        raise MaquetteError(
            "unknown-device",
            f"This machine has no device {name!r} that PyTorch {torch.__version__} can use.",
            f"Use one of {', '.join(names)}, or install a PyTorch build for that device.",
        )
    return torch.device(wanted)


def describe(device: torch.device) -> str:
    """The device in words for a user, for instance "cuda:0 (NVIDIA RTX 4090, 24 GB)"."""
    size = f"{memory_bytes(device) / 1e9:.0f} GB"
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)}, {size})"
    chip = platform.processor() or platform.machine()
    return f"{device.type} ({chip}, {size})"


def name(device: torch.device) -> str:
    """What kind of device it is, also beside others of its kind."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} {platform.processor() or platform.machine()}"


def finish(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def memory_bytes(device: torch.device) -> int:
    """All memory of the device, whoever uses it: what is free changes, and batches must not."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return psutil.virtual_memory().total


def precision(device: torch.device) -> torch.dtype:
    """The precision that models run in.

    float16 on graphics cards: of the two halves it has the finer mantissa, and a picture that
    overflows is made again in float32. bfloat16 on processors that multiply it in hardware, where
    it halves the time; on others it is emulated and slower than float32.
    """
    if device.type in ("cuda", "mps"):
        return torch.float16
    return torch.bfloat16 if _fast_bfloat16() else torch.float32


def _fast_bfloat16() -> bool:
    # PyTorch has no public question for it; both names are used by its own compiler.
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a device, or the machine, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    # The CPU's and Apple's allocators raise a plain RuntimeError.
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "DefaultCPUAllocator" in text
        or "can't allocate memory" in text
        or "out of memory" in text.lower()
    )


def make_deterministic() -> None:
    """Make this process choose kernels by shape alone, never by timing them."""
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def release_memory(device: torch.device) -> None:
    """Hand memory that nothing uses back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
