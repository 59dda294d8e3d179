"""A checkpoint's model with the tokenizer that it was trained with: what every command that only uses a model needs."""

from dataclasses import replace
from pathlib import Path

import torch

from nanochat.common import compute_dtype, compute_init
from nanochat.data.vocabulary import FILE
from nanochat.files import get_base_dir
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer, get_tokenizer
from nanochat.training.checkpoint import CheckpointError, build_model, tokenizer_digest


def load(
    folder: Path, step: int | None = None, tokenizer: str | None = None, device: str = "auto"
) -> tuple[GPT, RustBPETokenizer]:
    """The model of a step (default: the last one) on the device, and its tokenizer.

    ``tokenizer`` names a folder that has it, if neither the checkpoint's has nor the one where it was in training;
    another one is refused.
    """
    device = compute_init(device).device
    model, meta = build_model(folder, step, device, compute_dtype("auto", device))
    found = get_tokenizer(tokenizer or find_tokenizer(folder, meta["user_config"]["tokenizer"]))
    if tokenizer_digest(found) != meta["tokenizer"]:
        raise CheckpointError(
            f"{folder} was trained with another tokenizer: name the folder of its own with --tokenizer"
        )
    return model, found


def find_tokenizer(folder: Path, remembered: str) -> Path:
    """Where a checkpoint's tokenizer stands: beside it, else where it was in training ('': in the base folder)."""
    before = Path(remembered) if remembered else get_base_dir() / "tokenizer"
    for place in (folder, before):
        if (place / FILE).is_file():
            return place
    raise CheckpointError(
        f"no tokenizer in {folder}, nor in {before}, where it was in training: name the folder that has it now with "
        "--tokenizer"
    )


def lengthened(model: GPT, length: int) -> GPT:
    """The model for rows of ``length`` tokens: the same weights, with windows and rotations that reach so far.

    A model for rows as long as that, or longer, is returned as it is.
    """
    if length <= model.config.sequence_len:
        return model
    with torch.device(model.get_device()):
        longer = GPT(replace(model.config, sequence_len=length), model.dtype)
    longer.load_state_dict(model.state_dict())
    return longer.train(model.training)
