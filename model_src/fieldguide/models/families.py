"""nanoGPT's, nanochat's and nGPT's models, sized as their own commands size them."""

import argparse
import contextlib
import io
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fieldguide.models import Subject
from fieldguide.report import UsageProblem

GPT2 = {  # layers, heads, width (Radford et al., 2019, table 2)
    "gpt2": (12, 12, 768), "gpt2-medium": (24, 16, 1024), "gpt2-large": (36, 20, 1280), "gpt2-xl": (48, 25, 1600),
}
RATE = {"weight_decay": 0.1, "learning_rate": 1e-3, "betas": (0.9, 0.95)}
PADDED = 50304  # GPT-2's vocabulary, as nanoGPT pads it
LARGEST_CONFIG = 1 << 20  # bytes
LARGEST_META = 64 << 20  # bytes; a vocabulary of characters has thousands


def train_options(defaults: Any, options: argparse.Namespace) -> Any:
    """The options of a nanoGPT-like training from its config file, which is read and not run."""
    from nanogpt import configurator

    if not options.config:
        return defaults
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            beside = Path(__file__).parents[2] / "ngpt" / "config" / Path(options.config).name
            own = options.model == "ngpt" and not Path(options.config).is_file() and beside.is_file()
            path = beside if own else configurator.find_config(options.config)
            if path.stat().st_size > LARGEST_CONFIG:
                raise UsageProblem(f"--config {path}: {path.stat().st_size:,} bytes are no config file")
            return configurator.read_config(path, defaults)
        except (OSError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            raise UsageProblem(f"--config {options.config}: {str(error) or type(error).__name__}") from error


def vocabulary(options: argparse.Namespace, train: Any) -> tuple[int, list[str]]:
    """The words of a training's data: those of its meta.pkl, or GPT-2's."""
    if options.vocab or not options.config:
        return options.vocab or PADDED, []
    folder = Path("data") / train.dataset
    try:
        found = meta_vocab(folder)
    except ValueError as error:
        raise UsageProblem(f"{error}; --vocab says it without this file") from error
    if found is None:
        return PADDED, [f"no meta.pkl in {folder}, so vocab is {PADDED}; --vocab sets another"]
    return found, [f"vocab {found} is that of {folder / 'meta.pkl'}"]


def meta_vocab(folder: Path) -> int | None:
    """The words of a ``meta.pkl``, None without one. Only plain values are read; ValueError says what is wrong."""
    from nanogpt.data import read_meta

    path = folder / "meta.pkl"
    if path.is_file() and path.stat().st_size > LARGEST_META:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes, too many for a vocabulary, and is not read")
    try:
        meta = read_meta(folder)
    except (MemoryError, RecursionError) as error:
        raise ValueError(f"{path} can't be read: {type(error).__name__}") from error
    if meta is None:
        return None
    size = meta["vocab_size"]
    if type(size) is not int or size < 1:
        raise ValueError(f"{path} has vocab_size={size!r}: a number of tokens is needed")
    return size


def nanogpt(options: argparse.Namespace, kind: str, train: Any = None) -> Subject:
    """nanoGPT's model, as a training's options, or else a config file, and the options given here size it."""
    from nanogpt.model import GPT, GPTConfig
    from nanogpt.train import TrainOptions

    train = train or train_options(TrainOptions(), options)
    vocab, notes = vocabulary(options, train)
    if (kind in GPT2 or train.init_from in GPT2) and not options.vocab:
        vocab = 50257
    started = kind if kind in GPT2 else train.init_from  # a config may go on from GPT-2's weights
    layers, heads, width = GPT2.get(started, (train.n_layer, train.n_head, train.n_embd))
    sizes = {
        "block_size": options.block or train.block_size, "vocab_size": vocab, "n_layer": options.n_layer or layers,
        "n_head": options.n_head or heads, "n_embd": options.n_embd or width, "dropout": train.dropout,
        "bias": started in GPT2 or train.bias,
    }
    must_divide(sizes["n_embd"], sizes["n_head"])
    return Subject(
        kind, sizes, vocab, sizes["block_size"],
        lambda dtype: GPT(GPTConfig(**sizes)), pair_loss,
        lambda model, device: model.configure_optimizers(**RATE, device_type=device),
        batch=train.batch_size, accumulation=train.gradient_accumulation_steps, head_count=sizes["n_head"],
        dataset=train.dataset if options.config else "", notes=notes,
    )


def ngpt(options: argparse.Namespace, train: Any = None) -> Subject:
    """nGPT, or the GPT beside it where the training's options or the config file say so."""
    from ngpt.train import MODELS, Options

    train = train or train_options(Options(), options)
    vocab, notes = vocabulary(options, train)
    heads, width = options.n_head or train.n_head, options.n_embd or train.n_embd
    must_divide(width, heads)
    sizes = {
        "num_tokens": vocab, "dim": width, "depth": options.n_layer or train.n_layer, "heads": heads,
        "dim_head": width // heads, "block_size": options.block or train.block_size,
        "residual": train.residual, "rope": train.rope,
    }
    if train.model not in MODELS:
        raise UsageProblem(f"model={train.model!r} is not known: one of {', '.join(MODELS)}")
    return Subject(
        train.model, sizes, vocab, sizes["block_size"], lambda dtype: MODELS[train.model](**sizes), pair_loss,
        lambda model, device: model.configure_optimizers(**RATE, device_type=device),
        batch=train.batch_size, accumulation=train.gradient_accumulation_steps, head_count=heads,
        dataset=train.dataset if options.config else "", notes=notes, prefill=cached_ngpt,
    )


def cached_ngpt(model: Any, x: Any) -> Any:
    """The last logits, and keys and values of all layers."""
    from ngpt.decoder import LayerCache

    cache = [LayerCache() for _ in model.layers]
    return model.logits(x, cache)[:, -1].clone(), cache


def cached_nanochat(model: Any, x: Any) -> Any:
    """The same, in a cache that is as large as the sequence from the beginning."""
    from nanochat.engine import KVCache

    c = model.config
    cache = KVCache(
        x.size(0), c.n_kv_head, x.size(1), c.n_embd // c.n_head, c.n_layer, device=x.device, dtype=model.dtype
    )
    return model(x, kv_cache=cache)[:, -1].clone(), cache  # without the other logits


def nanochat(options: argparse.Namespace, newest: bool) -> Subject:
    """nanochat's model, sized by its depth, or by what is written beside a checkpoint."""
    from nanochat.training.settings import Settings

    config = saved_config(Path(options.config)) if options.config else config_of_depth(options, newest)
    config.sequence_len, config.vocab_size = options.block or config.sequence_len, options.vocab or config.vocab_size
    newest = newest or config.value_embeds or config.window_pattern != "L"
    return of_config(config, Settings.of_newest() if newest else Settings())


def of_config(config: Any, settings: Any) -> Subject:
    """nanochat's model of such a config, trained with such settings."""
    from nanochat.config import GPTConfig
    from nanochat.gpt import GPT

    must_divide(config.n_embd, config.n_head)

    def optimizer(model: Any, device: str) -> torch.optim.Optimizer:
        return model.setup_optimizer(options=settings.optim_config(half=model.dtype == torch.bfloat16))

    sizes = {each.name: getattr(config, each.name) for each in fields(GPTConfig)}
    return Subject(
        "nanochat-newest" if settings.newest else "nanochat", sizes, config.vocab_size, config.sequence_len,
        lambda dtype: GPT(config, dtype), lambda model, x, y: (None, model(x, y)), optimizer,
        autocast=False, shares_optimizer=True, batch=settings.device_batch_size, head_count=config.n_head,
        prefill=cached_nanochat,
    )


def config_of_depth(options: argparse.Namespace, newest: bool) -> Any:
    """The sizes that nanochat derives from one number, and those that are given."""
    from nanochat.training.settings import Settings

    make = Settings.of_newest if newest else Settings
    settings = make(depth=options.n_layer or 20, n_embd=options.n_embd or 0, n_head=options.n_head or 0)
    return settings.model_config(32768 if newest else 65536)


def saved_config(path: Path) -> Any:
    """The model of a ``meta_*.json``; upstream's has fewer fields, and is the newest where it has a window pattern."""
    from nanochat.config import GPTConfig

    try:
        if path.stat().st_size > LARGEST_META:
            raise ValueError("it is too large")
        found = json.loads(path.read_text(encoding="utf-8"))["model_config"]
        known = {each.name: type(each.default) for each in fields(GPTConfig)}
        wrong = [name for name, value in found.items() if name not in known or not sensible(value, known[name])]
        if wrong or not {"n_layer", "n_head", "n_embd", "vocab_size"} <= found.keys():
            raise ValueError(f"model_config lacks sizes, or has what is none: {', '.join(wrong[:5])}")
        own = "uniform_init" in found  # ours has all fields
        return GPTConfig.newest(**found) if "window_pattern" in found and not own else GPTConfig(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageProblem(f"--config {path}: no meta_*.json of nanochat ({type(error).__name__}: {error})") from error


def sensible(value: Any, kind: type) -> bool:
    """Whether a value of a file may be a field: of its type, and no size that nobody would compute with."""
    return isinstance(value, kind) and not (type(value) is int and not 0 < value < 10_000_000)


def must_divide(width: int, heads: int) -> None:
    if width < 1 or heads < 1:
        raise UsageProblem(f"a width of {width} and {heads} heads: both are 1 or more")
    if width % heads:
        raise UsageProblem(f"a width of {width} can't be shared out evenly among {heads} heads: change one of them")


def pair_loss(model: nn.Module, x: Any, y: Any) -> tuple[Any, Any]:
    """nanoGPT's loop names both results, so the logits live as long as the loss does."""
    logits, loss = model(x, y)
    return logits, loss
