"""Checkpoints: one file, nanoGPT's six keys and one more, ``rng``, without which a resumed run would differ.

======================  =================================================================
``model``               weights by name
``optimizer``           AdamW's moments and settings
``model_args``          the fields of GPTConfig
``iter_num``            iterations done
``best_val_loss``       the best so far, a tensor of no dimension
``config``              all options of the training
``rng``                 random states of all processes, and the scale of float16 losses
======================  =================================================================
"""

import os
import pickle
import re
from pathlib import Path
from typing import Any

import torch

from nanogpt.model import GPT, GPTConfig

NAME = "ckpt.pt"
KEYS = ("model", "optimizer", "model_args", "iter_num", "best_val_loss", "config")
PREFIX = "_orig_mod."  # what torch.compile puts before the names of a module


def save(folder: str | Path, checkpoint: dict[str, Any]) -> Path:
    """Write it whole or not at all: a run that is killed meanwhile leaves the previous file."""
    path = Path(folder) / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{NAME}.{os.getpid()}.tmp")
    try:
        with new.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)
    return path


def load(folder: str | Path, device: str) -> dict[str, Any]:
    """Read ours or nanoGPT's; ``weights_only``, so that a file from elsewhere can't run code."""
    path = Path(folder) / NAME
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint at {path}: train first, or name its folder: --out_dir=FOLDER")
    try:
        checkpoint = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:  # PyTorch's own advice is to let it run what it asks for
        asked = re.search(r"GLOBAL ([\w.]+\.\w+) ", str(error))
        if not asked:
            raise ValueError(f"{path} can't be read as a checkpoint: it is damaged, or no file of weights") from error
        raise ValueError(
            f"{path} is refused: it holds more than weights and settings (it asks for {asked[1]}), and reading that "
            "could run any code. Train one with nanogpt.train, or ask whoever sent the file for its state_dict alone"
        ) from error
    except Exception as error:
        raise ValueError(f"{path} can't be read as a checkpoint: {error}") from error
    if not isinstance(checkpoint, dict):
        raise ValueError(f"{path} is no training checkpoint: it holds a {type(checkpoint).__name__}")
    missing = [key for key in KEYS if key not in checkpoint]
    if missing:
        raise ValueError(f"{path} is no training checkpoint: it lacks {', '.join(missing)}")
    checkpoint["model"] = {name.removeprefix(PREFIX): tensor for name, tensor in checkpoint["model"].items()}
    return checkpoint


def model_from(checkpoint: dict[str, Any], **overrides: Any) -> GPT:
    """The model of a checkpoint, with its weights. Attention's mask may be missing on either side."""
    model = GPT(GPTConfig(**{**checkpoint["model_args"], **overrides}))
    missing, unexpected = model.load_state_dict(checkpoint["model"], strict=False)
    wrong = [name for name in (*missing, *unexpected) if not name.endswith(".attn.bias")]
    if wrong:
        raise ValueError(f"the checkpoint's weights don't fit its model_args: {', '.join(wrong[:8])}")
    return model
