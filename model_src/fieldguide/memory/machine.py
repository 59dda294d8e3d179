"""The memory that is there, or that a reader names."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from fieldguide import devices
from fieldguide.report import UsageProblem

GIB = 2**30
SLACK = 0.05  # of tensors' bytes: rounded up and scattered by the allocator; 5 to 10 % are often named, unverified


@dataclass(frozen=True)
class Target:
    """Where it is to fit."""

    name: str
    bytes: int
    room: int  # for tensors
    cuda: bool
    how: str   # why room is less than bytes
    bfloat16: bool = True

    def holds(self, size: int) -> bool:
        """Whether so many bytes of tensors fit."""
        return size <= self.room

    @property
    def default_dtype(self) -> str:
        """What the training commands choose on such a device."""
        if not self.cuda:
            return "float32"
        return "bfloat16" if self.bfloat16 else "float16"


def target_from(options: argparse.Namespace) -> Target:
    """The device that the options name, else the one that is here."""
    asked = devices.asked(options)
    reserve = int(options.reserve_gb * GIB)
    if asked:
        if options.device == "cpu":
            raise UsageProblem("--device cpu and --gpu ask for two devices: leave out one of them")
        if asked.memory_gb is None:
            raise UsageProblem("--tflops alone does not say how much fits: add --memory-gb")
        return target(asked.name, int(asked.memory_gb * GIB), reserve, True, asked.tflops is not None or not asked.note)
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UsageProblem("--device cuda: PyTorch finds no GPU here; name one with --gpu or --memory-gb")
    if options.device != "cpu" and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return target(f"{torch.cuda.get_device_name()} (free now)", free, reserve, True, bf16)
    return target("this CPU (free now)", available_memory(), reserve, False, True)


def target(name: str, size: int, reserve: int, cuda: bool, bfloat16: bool) -> Target:
    """A device with some of its memory set aside."""
    room = max(0, int((size - reserve) / (1 + SLACK)))
    how = f"{reserve / GIB:g} GiB are set aside for what is no tensor, and {SLACK:.0%} for gaps between tensors"
    return Target(name, size, room, cuda, how, bfloat16)


def available_memory() -> int:
    """Bytes that this process could still take: the machine's, or what a container leaves of it."""
    found = [limit for limit in (meminfo(), cgroup()) if limit is not None]
    if found:
        return min(found)
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def meminfo(path: Path = Path("/proc/meminfo")) -> int | None:
    """What Linux says is available."""
    try:
        for line in path.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def cgroup(folder: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What the container's limit leaves; None where there is no limit."""
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None
