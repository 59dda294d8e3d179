"""The processes of one training: torchrun starts them, each with a device of its own; else there is one."""

import os
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class World:
    """This process among those of a training."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"


ALONE = World()


def autodetect_device_type() -> str:
    """'cuda', 'mps' (Apple) or 'cpu': the fastest that is here."""
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def compute_init(device: str = "auto") -> World:
    """Choose the device; under torchrun, meet the other processes. ``compute_cleanup`` is the end of it."""
    if device == "auto":
        device = autodetect_device_type()
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # what PyTorch raises where it was built without
        reason = str(error).splitlines()[0]
        raise ValueError(f"device={device!r} can't be used here ({reason}); 'auto' takes what is here") from error
    torch.set_float32_matmul_precision("high")  # recent GPUs round factors to 10 bits: several times faster
    if "RANK" not in os.environ:
        return World(device=device)
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group(backend="nccl" if device.startswith("cuda") else "gloo")
    return World(dist.get_rank(), dist.get_world_size(), device)


def compute_cleanup() -> None:
    """Take leave of the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def compute_dtype(name: str, device: str) -> torch.dtype:
    """The number format of a name; 'auto' is bfloat16 on GPUs that multiply it fast, else float32."""
    if name == "auto":
        fast = device.startswith("cuda") and torch.cuda.get_device_capability() >= (8, 0)
        return torch.bfloat16 if fast else torch.float32
    if name not in DTYPES:
        raise ValueError(f"dtype={name!r}: it is 'auto' or one of {', '.join(DTYPES)}")
    return DTYPES[name]


def print0(text: str) -> None:
    """Print once, however many processes there are."""
    if int(os.environ.get("RANK", "0")) == 0:
        print(text, flush=True)


def total(x: torch.Tensor, world: World) -> torch.Tensor:
    """The sum of all processes' tensors, in place."""
    if world.size > 1:
        dist.all_reduce(x)
    return x


def gather(value: Any, world: World) -> list[Any]:
    """What each process has, by rank; nobody goes on before all have given theirs."""
    if world.size == 1:
        return [value]
    values = [None] * world.size
    dist.all_gather_object(values, value)
    return values
