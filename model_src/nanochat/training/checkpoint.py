"""Checkpoints: weights and the optimizer's memories as safetensors, all else as JSON; whole or not at all.

===================================  ============================================================
``model_000100.safetensors``         the weights after 100 steps, by name
``optim_000100_rank0.safetensors``   one process's share of the optimizer's memories
``meta_000100.json``                 settings, sizes, where the data were, and each file's digest
===================================  ============================================================

The last one is written last: without it there is no checkpoint. None of these files can run code.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from nanochat.common import World, gather
from nanochat.config import GPTConfig
from nanochat.data.vocabulary import digest
from nanochat.files import replacing, sha256
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer

FORMAT = "nanochat checkpoint 1"


class CheckpointError(ValueError):
    """A checkpoint that can't be used: which file, what was found, what to do."""


def model_name(step: int) -> str:
    return f"model_{step:06d}.safetensors"


def optim_name(step: int, rank: int) -> str:
    return f"optim_{step:06d}_rank{rank}.safetensors"


def meta_name(step: int) -> str:
    return f"meta_{step:06d}.json"


def tokenizer_digest(tokenizer: RustBPETokenizer) -> str:
    """By which a tokenizer is known again: the same numbers of another one would be other words."""
    return digest({"tokens": [token.hex() for token in tokenizer.tokens()]})


def find_steps(folder: Path) -> list[int]:
    """The steps of which there are checkpoints, in order."""
    return sorted(int(path.stem.removeprefix("meta_")) for path in folder.glob("meta_[0-9]*.json"))


def keep_tokenizer(folder: Path, tokenizer: RustBPETokenizer, world: World) -> None:
    """Write the tokenizer beside the checkpoints: without it their numbers are no words, wherever they are taken."""
    if world.rank == 0:
        tokenizer.save(folder)


def clear_leftovers(folder: Path, world: World) -> None:
    """Delete what a process that was killed while it wrote left in a folder."""
    if world.rank == 0:
        for pattern in ("*.tmp", ".tmp??????"):  # ours and those of safetensors
            for left_behind in folder.glob(pattern):
                left_behind.unlink()
    gather(None, world)  # nobody writes before that is done


def save_checkpoint(
    folder: Path, step: int, model: GPT, optimizer: torch.optim.Optimizer, meta: dict[str, Any], world: World
) -> None:
    """Write it, each process its own part. Killed meanwhile, the checkpoints before are what they were."""
    mine = [write_optimizer(folder / optim_name(step, world.rank), optimizer)]
    if world.rank == 0:
        mine.append(write_tensors(folder / model_name(step), model.state_dict(), {}))
    files = {name: record for records in gather(mine, world) for name, record in records}
    if world.rank == 0:
        fields = {"format": FORMAT, "step": step, "files": files, **meta}
        text = json.dumps({**fields, "sha256": digest(fields)}, indent=1)
        with replacing(folder / meta_name(step)) as new:
            new.write_text(text + "\n", encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor], notes: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Write tensors by name, and texts in the file's head. Its name, and what the meta file is to know of it."""
    with replacing(path) as new:
        try:
            save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, new, notes)
        except SafetensorError as error:  # a full disk is among them
            raise OSError(f"{path} can't be written: {error}") from error
        return path.name, {"bytes": new.stat().st_size, "sha256": sha256(new)}


def write_optimizer(path: Path, optimizer: torch.optim.Optimizer) -> tuple[str, dict[str, Any]]:
    """Write its memories: tensors as ``<parameter>.<memory>``, counters in the head. Groups come from settings."""
    tensors: dict[str, torch.Tensor] = {}
    counters: dict[str, int] = {}
    for place, memories in optimizer.state_dict()["state"].items():
        for name, value in memories.items():
            if isinstance(value, torch.Tensor):
                tensors[f"{place}.{name}"] = value
            else:
                counters[f"{place}.{name}"] = value
    return write_tensors(path, tensors, {"counters": json.dumps(counters)})


def read_optimizer(path: Path, optimizer: torch.optim.Optimizer) -> None:
    """Give an optimizer with the same groups the memories of a file."""
    with safe_open(path, "pt") as file:
        counters = json.loads(file.metadata()["counters"])
    memories: dict[int, dict[str, Any]] = {}
    for name, value in {**load_file(path), **counters}.items():
        place, _, memory = name.partition(".")
        memories.setdefault(int(place), {})[memory] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": memories})


def read_meta(folder: Path, step: int | None = None) -> dict[str, Any]:
    """What is known of the checkpoint of a step, or of the last one, with all files compared with their digests."""
    steps = find_steps(folder)
    if not steps or (step is not None and step not in steps):
        there = f"there are those of steps {steps}" if steps else "train first, or name its folder"
        raise CheckpointError(f"no checkpoint {'' if step is None else f'of step {step} '}at {folder}: {there}")
    path = folder / meta_name(steps[-1] if step is None else step)
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        expected = fields.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CheckpointError(f"{path} can't be read ({error}): it is cut off; {advice(path)}") from error
    if (found := digest(fields)) != expected:
        raise CheckpointError(f"{path} was changed: its sha256 is {found}, and it says {expected}; {advice(path)}")
    if fields.get("format") != FORMAT:
        raise CheckpointError(f"{path} has the format {fields.get('format')!r}; this reads {FORMAT!r}")
    for name, record in fields["files"].items():
        check_file(folder / name, record, path)
    return fields


def check_file(path: Path, record: dict[str, Any], meta: Path) -> None:
    """Raise CheckpointError where a file is not what was written."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; {advice(meta)}")
    size = path.stat().st_size
    if size != record["bytes"]:
        raise CheckpointError(
            f"{path} has {size:,} bytes and should have {record['bytes']:,}: cut off or changed; {advice(meta)}"
        )
    if sha256(path) != record["sha256"]:
        raise CheckpointError(f"{path} is not what was written: its digest differs; {advice(meta)}")


def advice(meta: Path) -> str:
    """What to do about a checkpoint that is damaged."""
    return f"restore it from a copy, or delete {meta} to use the checkpoint before it"


def load_checkpoint(
    folder: Path, meta: dict[str, Any], model: GPT, optimizer: torch.optim.Optimizer, world: World
) -> None:
    """Give model and optimizer what was saved by as many processes; ``meta`` is what ``read_meta`` found whole."""
    processes = len(meta["files"]) - 1
    if processes != world.size:
        raise CheckpointError(
            f"{folder} was saved by {processes} processes, and there are {world.size} now: the optimizer's memories "
            "are shared out among them; start as many"
        )
    read_model(folder, meta, model)
    read_optimizer(folder / optim_name(meta["step"], world.rank), optimizer)


def read_model(folder: Path, meta: dict[str, Any], model: GPT) -> None:
    """Give a model the weights of a checkpoint."""
    path = folder / model_name(meta["step"])
    try:
        model.load_state_dict(load_file(path))
    except (RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{path} doesn't fit the model: {error}") from error


def build_model(
    folder: Path, step: int | None = None, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[GPT, dict[str, Any]]:
    """The model of a checkpoint, ready for use, and the meta file's fields."""
    meta = read_meta(folder, step)
    with torch.device(device):
        model = GPT(GPTConfig(**meta["model_config"]), dtype)
    read_model(folder, meta, model)
    return model.eval(), meta
