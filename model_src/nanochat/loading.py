"""A checkpoint's model with the tokenizer that it was trained with: what every command that only uses a model needs."""

from pathlib import Path

from nanochat.checkpoint import CheckpointError, build_model, tokenizer_digest
from nanochat.common import compute_dtype, compute_init
from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer, get_tokenizer


def load(
    folder: Path, step: int | None = None, tokenizer: str | None = None, device: str = "auto"
) -> tuple[GPT, RustBPETokenizer]:
    """The model of a step (default: the last one) on the device, and its tokenizer.

    ``tokenizer`` says where that stands, if no longer where it was in training; another one is refused.
    """
    device = compute_init(device).device
    model, meta = build_model(folder, step, device, compute_dtype("auto", device))
    found = get_tokenizer(tokenizer or meta["user_config"]["tokenizer"] or None)
    if tokenizer_digest(found) != meta["tokenizer"]:
        raise CheckpointError(
            f"{folder} was trained with another tokenizer: name the folder of its own with --tokenizer"
        )
    return model, found
