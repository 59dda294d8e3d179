"""What the scene of attention shows: the weights that a rebuilt model gives the tokens of a text."""

import argparse
import contextlib
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fieldguide.checkpoint import layouts
from fieldguide.checkpoint.layouts import Checkpoint
from fieldguide.models.families import LARGEST_META, saved_config, sensible
from fieldguide.report import UsageProblem
from fieldguide.visualize.names import name_of, token_text

MOST = 32  # tokens whose names can be read on a stage
LONGEST = 1 << 17  # tokens of a sequence: a larger model's tables would fill the memory
Encode = Callable[[str], list[int]]
Decode = Callable[[list[int]], str]


def attention(options: argparse.Namespace) -> dict[str, Any]:
    """The drawing of a head; UsageProblem where the model can't be rebuilt or the text not be read."""
    path = options.files[0]
    checkpoint = layouts.read(layouts.choose(path, options.step))
    model, vocab, block = rebuilt(checkpoint)
    ids, names = tokens(options, checkpoint, vocab)
    if not 2 <= len(ids) <= min(MOST, block):
        raise UsageProblem(f"{len(ids)} tokens were given, 2 to {min(MOST, block)} are needed: change --text or --ids")
    layers = weights_of(model, torch.tensor([ids]))
    heads = within("--layer", options.layer, layers)
    chosen = within("--head", options.head, list(heads))
    return {
        "file": name_of(Path(checkpoint.name)), "tokens": names, "ids": ids, "layer": options.layer,
        "head": options.head, "weights": rounded(chosen), "heads": [rounded(head) for head in heads],
    }  # fmt: skip


def within(option: str, number: int, found: list[Any]) -> Any:
    """The one that is meant; UsageProblem says how many there are."""
    if not 0 <= number < len(found):
        raise UsageProblem(f"{option} {number}: there are {len(found)}, 0 to {len(found) - 1}")
    return found[number]


def rounded(weights: torch.Tensor) -> list[list[float]]:
    """A matrix as plain numbers."""
    return [[round(float(each), 5) for each in row] for row in weights]


# The model


def rebuilt(checkpoint: Checkpoint) -> tuple[nn.Module, int, int]:
    """The model of a checkpoint, its words, and the tokens that it takes at most; no code of the file is run."""
    make, vocab, block = plan(checkpoint)
    if not 0 < block <= LONGEST:
        raise UsageProblem(f"{checkpoint.name} is for {block:,} tokens: more than {LONGEST:,} are not drawn")
    said = io.StringIO()  # what models print would stand before the report
    own = {name: tensor for name, tensor in checkpoint.plain.items() if not name.endswith((".attn.bias", "freqs"))}
    try:
        # Sizes that the weights do not have would fill the memory, and are told before.
        with contextlib.redirect_stdout(said), torch.device("meta"):
            wanted = {name: tensor.shape for name, tensor in make().state_dict().items()}
        lacking = [name for name, shape in wanted.items()
                   if not name.endswith("freqs") and (name not in own or own[name].shape != shape)]  # fmt: skip
        if lacking:
            raise ValueError(f"{lacking[0]} is missing or has another shape")
        with contextlib.redirect_stdout(said):
            model = make().float()
        model.load_state_dict(own, strict=False)
    except (ValueError, RuntimeError, TypeError, AssertionError, ArithmeticError, KeyError) as error:
        raise UsageProblem(
            f"{checkpoint.name} ({checkpoint.kind}) can't be rebuilt: {error}; `fieldguide checkpoint verify` says more"
        ) from error
    return model.eval(), vocab, block


def plan(checkpoint: Checkpoint) -> tuple[Callable[[], nn.Module], int, int]:
    """How to make the model, from the settings that were saved with it."""
    settings = checkpoint.settings
    if "nanochat" in checkpoint.kind and checkpoint.files.meta is not None:
        from nanochat.gpt import GPT as Nanochat

        config = saved_config(checkpoint.files.meta)
        return lambda: Nanochat(config, torch.float32), config.vocab_size, config.sequence_len
    if checkpoint.kind.endswith("GPT-2") and settings:
        from nanogpt.model import GPT, GPTConfig

        kinds = {each.name: type(each.default) for each in fields(GPTConfig)}
        found = {name: value for name, value in settings.items() if name in kinds}
        if all(sensible(value, kinds[name]) for name, value in found.items()):
            config = GPTConfig(**{**found, "dropout": 0.0})
            return lambda: GPT(config), config.vocab_size, config.block_size
    if "(this book's)" in checkpoint.kind and "num_tokens" in settings:
        from ngpt.train import MODELS

        kind = "gpt" if "beside" in checkpoint.kind else "ngpt"
        sizes = [settings.get(name) for name in ("num_tokens", "block_size", "dim", "depth", "heads")]
        if all(sensible(size, int) for size in sizes):
            return lambda: MODELS[kind](**settings), settings["num_tokens"], settings["block_size"]
    raise UsageProblem(
        f"{checkpoint.name} is {checkpoint.kind}, without settings from which the model can be rebuilt: attention is "
        "drawn of checkpoints that nanoGPT, nanochat (with its meta file) or this book's ngpt has saved"
    )


def weights_of(model: nn.Module, ids: torch.Tensor) -> list[torch.Tensor]:
    """The weights of every layer, (H, T, T) each, in the order in which the layers are computed."""
    with watched() as found, torch.no_grad():
        model(ids)
    if not found:
        raise UsageProblem("this PyTorch has no scaled_dot_product_attention to watch: take version 2.0 or newer")
    return found


@contextlib.contextmanager
def watched() -> Iterator[list[torch.Tensor]]:
    """Notes the weights of each attention that is computed meanwhile."""
    found: list[torch.Tensor] = []
    computed = nn.functional.scaled_dot_product_attention

    def attend(q: Any, k: Any, v: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
               scale: float | None = None, enable_gqa: bool = False) -> Any:  # fmt: skip
        keys = k.repeat_interleave(q.size(1) // k.size(1), dim=1)
        scores = q @ keys.transpose(-2, -1) * (1 / math.sqrt(q.size(-1)) if scale is None else scale)
        if is_causal:
            scores = scores.masked_fill(~torch.ones_like(scores, dtype=torch.bool).tril(), -math.inf)
        if attn_mask is not None:
            scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
        found.append(scores.softmax(-1)[0])
        return computed(q, k, v, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)

    nn.functional.scaled_dot_product_attention = attend
    try:
        yield found
    finally:
        nn.functional.scaled_dot_product_attention = computed


# The text


def tokens(options: argparse.Namespace, checkpoint: Checkpoint, vocab: int) -> tuple[list[int], list[str]]:
    """The ids, and how each is shown."""
    if (options.text is None) == (options.ids is None):
        raise UsageProblem("visualize attention: say what the model reads, with --text TEXT or --ids 1,2,3")
    if options.ids is not None:
        if not re.fullmatch(r"\s*\d{1,7}(\s*,\s*\d{1,7})*\s*", options.ids):
            raise UsageProblem(f"--ids {options.ids}: numbers with commas between them are needed, as in 1,2,3")
        ids = [int(each) for each in options.ids.split(",")]
        names = [str(each) for each in ids]
    else:
        encode, decode = codec(options, checkpoint)
        try:
            ids = encode(options.text)
            names = [token_text(decode([each])) for each in ids]
        except (ValueError, KeyError, TypeError, UnicodeError) as error:
            raise UsageProblem(f"--text {options.text[:40]!r} can't be made tokens: {error}") from error
    known = range(vocab)
    if wrong := [each for each in ids if each not in known]:
        raise UsageProblem(f"token {wrong[0]} is none of the model's: it has {vocab:,}, 0 to {vocab - 1:,}")
    return ids, names


def codec(options: argparse.Namespace, checkpoint: Checkpoint) -> tuple[Encode, Decode]:
    """How text becomes tokens, from plain files: nanoGPT's meta.pkl, whose values alone are read, or tokenizer.json."""
    config = checkpoint.meta.get("config")
    dataset = config.get("dataset") if isinstance(config, dict) else None
    given: Path | None = options.tokenizer
    folders = [given] if given is not None else [
        checkpoint.files.folder, checkpoint.files.folder / "tokenizer", checkpoint.files.folder.parent / "tokenizer",
        *([Path("data") / dataset] if isinstance(dataset, str) and re.fullmatch(r"[\w.-]+", dataset) else []),
    ]  # fmt: skip
    for folder in folders:
        try:
            if (folder / "tokenizer.json").is_file():
                from nanochat.tokenizer import RustBPETokenizer

                found = RustBPETokenizer.from_directory(folder)
                return partial(found.encode, prepend=found.get_bos_token_id()), found.decode
            if (folder / "meta.pkl").is_file():
                from nanogpt import data

                if (folder / "meta.pkl").stat().st_size > LARGEST_META:
                    raise ValueError(f"{folder / 'meta.pkl'} is too large for a vocabulary")
                return data.codec(folder)
        except (ValueError, OSError, KeyError, TypeError, RuntimeError) as error:
            raise UsageProblem(f"the tokenizer in {folder} can't be read: {error}") from error
    looked = ", ".join(str(folder) for folder in folders)
    raise UsageProblem(f"no meta.pkl and no tokenizer.json in {looked}: name their folder with --tokenizer, or say "
                       "--ids 1,2,3 in place of --text")  # fmt: skip
