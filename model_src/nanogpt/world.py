"""The processes of one training: torchrun starts them, each with a device and random numbers of its own."""

import os
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.distributed as dist

from nanogpt.configurator import OptionError
from nanogpt.device import can_compile, device_type, usable_device


@dataclass(frozen=True)
class World:
    """This process among those of a training."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"


def join(options: Any) -> tuple[Any, World]:
    """Find the device; under torchrun join the others, each of which takes its part of the micro-batches."""
    device = usable_device(options.device)
    options = replace(options, device=device)
    if options.compile and not can_compile(device):
        options = replace(options, compile=False)
    if "RANK" not in os.environ:
        return options, World(device=device)
    if options.backend == "nccl" and device_type(device) == "cpu":
        print("note: nccl needs CUDA, so backend is 'gloo'")
        options = replace(options, backend="gloo")
    size = int(os.environ["WORLD_SIZE"])
    if options.gradient_accumulation_steps % size:
        raise OptionError(
            f"gradient_accumulation_steps={options.gradient_accumulation_steps} can't be shared out evenly "
            f"among {size} processes"
        )
    if device_type(device) == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group(backend=options.backend)
    return options, World(rank=int(os.environ["RANK"]), size=size, device=device)


def gather_random_states(cpu: torch.Tensor, world: World) -> list[dict[str, torch.Tensor]]:
    """For each process its random states: the given one of the CPU, and its GPU's."""
    own = {"cpu": cpu}
    if device_type(world.device) == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(world.device)
    if world.size == 1:
        return [own]
    states: list[Any] = [None] * world.size
    dist.all_gather_object(states, own)
    return states


def restore_random_states(states: list[dict[str, torch.Tensor]], world: World) -> None:
    """Go back to saved random states, if there are as many as there are processes now."""
    if len(states) != world.size:
        print(f"note: {len(states)} random states saved for {world.size} processes: other batches follow")
        return
    own = states[world.rank]
    torch.set_rng_state(own["cpu"].cpu())
    if device_type(world.device) == "cuda" and "cuda" in own:
        torch.cuda.set_rng_state(own["cuda"].cpu(), world.device)
