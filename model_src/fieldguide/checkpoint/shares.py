"""One process's file of nanochat's optimizer: this book's safetensors, or upstream's pickle."""

import json
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import pickles, tensorfiles
from fieldguide.checkpoint.pickles import Refused
from fieldguide.checkpoint.repairs import apart

Memories = dict[int, dict[str, Any]]  # by the number of the parameter: tensors, and counts of steps


def read_share(path: Path) -> tuple[Memories, dict[str, Any]]:
    """One process's memories, and what else the file holds."""
    if path.suffix == ".safetensors":
        tensors, notes = tensorfiles.load_safetensors(path)
        try:
            values = {**tensors, **json.loads(notes["counters"])}
            memories: Memories = {}
            for name, value in values.items():
                number, _, memory = name.partition(".")
                memories.setdefault(int(number), {})[memory] = value
        except (KeyError, ValueError, TypeError) as error:
            raise Refused(f"{path} can't be read ({type(error).__name__}: {error}): take an earlier step") from error
        return memories, {}
    whole = pickles.load(path)
    if not isinstance(whole, dict) or not isinstance(whole.get("state"), dict) or "param_groups" not in whole:
        raise Refused(
            f"{path} holds no optimizer of nanochat's newest code: one state_dict with state and param_groups"
        )
    return whole["state"], {key: value for key, value in whole.items() if key != "state"}


def save_share(path: Path, memories: Memories, rest: dict[str, Any]) -> None:
    """One process's file, in the form in which it was."""
    if path.suffix == ".pt":
        tensorfiles.save_pt(path, {"state": memories, **rest})
        return
    values = {f"{number}.{name}": value for number, each in memories.items() for name, value in each.items()}
    tensors = {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}
    counters = {name: value for name, value in values.items() if name not in tensors}
    tensorfiles.save_safetensors(path, apart(tensors), {"counters": json.dumps(counters)})
