"""The model that a question is about: nanoGPT's, nanochat's, nGPT's by their own settings, or any module by name."""

import argparse
import contextlib
import importlib
import inspect
import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from fieldguide.report import UsageProblem

Loss = Callable[[nn.Module, Any, Any], tuple[Any, Any]]
GPT2 = {  # layers, heads, width (Radford et al., 2019, table 2)
    "gpt2": (12, 12, 768), "gpt2-medium": (24, 16, 1024), "gpt2-large": (36, 20, 1280), "gpt2-xl": (48, 25, 1600),
}
NAMES = ("nanogpt", "nanochat", "nanochat-newest", "ngpt", *GPT2)
RATE = {"weight_decay": 0.1, "learning_rate": 1e-3, "betas": (0.9, 0.95)}


@dataclass
class Subject:
    """How to make a model, its loss and its optimizer, without having made them."""

    name: str
    sizes: dict[str, Any]             # what was decided, for the title and for JSON
    vocab: int
    block: int                        # tokens of a sequence
    make: Callable[[torch.dtype], nn.Module]
    loss: Loss                        # (what the training loop holds on to, the loss)
    optimizer: Callable[[Any, str], torch.optim.Optimizer]
    autocast: bool = True             # else the model computes in the dtype that it was made with
    shares_optimizer: bool = False    # several processes keep a part of the optimizer each
    batch: int = 12                   # sequences that a device takes at once, where nothing is said
    accumulation: int = 2
    head_count: int = 0
    dataset: str = ""
    notes: list[str] = field(default_factory=list)
    prefill: Callable[[Any, Any], Any] = lambda model, x: model(x)  # what is kept when a prompt was read


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which model."""
    group = parser.add_argument_group("the model")
    group.add_argument("--model", choices=NAMES, default=None, help="whose model (default: nanogpt)")
    group.add_argument("--config", metavar="FILE", help="a config file of nanogpt.train or ngpt.train, or a preset")
    group.add_argument("--module", metavar="PACKAGE.MODULE:FACTORY", help="a function of yours that returns a module; "
                       "its module is imported, so its code runs")
    group.add_argument("--n-layer", "--depth", dest="n_layer", type=int, metavar="N", help="blocks")
    group.add_argument("--n-head", type=int, metavar="N", help="heads of an attention")
    group.add_argument("--n-embd", type=int, metavar="N", help="numbers for a token, the width")
    group.add_argument("--block", type=int, metavar="N", help="tokens of a sequence")
    group.add_argument("--vocab", type=int, metavar="N", help="words in the vocabulary")


def subject_from(options: argparse.Namespace) -> Subject:
    """The model that the options ask for."""
    for name in ("n_layer", "n_head", "n_embd", "block", "vocab"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageProblem(f"--{name.replace('_', '-')} {value}: at least 1 is needed")
    if options.module and (options.model or options.config):
        raise UsageProblem("--module names a model of its own: leave out --model and --config")
    if options.module:
        return any_module(options)
    kind = options.model or "nanogpt"
    if kind.startswith("nanochat"):
        return nanochat(options, newest=kind == "nanochat-newest")
    return ngpt(options) if kind == "ngpt" else nanogpt(options, kind)


def train_options(defaults: Any, options: argparse.Namespace) -> Any:
    """The options of a nanoGPT-like training from its config file, which is read and not run."""
    from nanogpt import configurator

    if not options.config:
        return defaults
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            return configurator.read_config(configurator.find_config(options.config), defaults)
        except (configurator.OptionError, OSError, UnicodeDecodeError) as error:
            raise UsageProblem(f"--config {options.config}: {error}") from error


def vocabulary(options: argparse.Namespace, train: Any) -> tuple[int, list[str]]:
    """The words of a training's data: those of its meta.pkl, or GPT-2's."""
    from nanogpt.data import read_meta

    if options.vocab:
        return options.vocab, []
    folder = Path("data") / train.dataset
    try:
        meta = read_meta(folder) if options.config else None
    except ValueError as error:
        raise UsageProblem(str(error)) from error
    if meta:
        return int(meta["vocab_size"]), [f"vocab {meta['vocab_size']} is that of {folder / 'meta.pkl'}"]
    return 50304, [f"no meta.pkl in {folder}, so vocab is 50304; --vocab sets another"] if options.config else []


def nanogpt(options: argparse.Namespace, kind: str) -> Subject:
    """nanoGPT's model, as its command line, a config file and the options given here size it."""
    from nanogpt.model import GPT, GPTConfig
    from nanogpt.train import TrainOptions

    train = train_options(TrainOptions(), options)
    vocab, notes = vocabulary(options, train)
    if kind in GPT2 and not options.vocab:
        vocab = 50257
    layers, heads, width = GPT2.get(kind, (train.n_layer, train.n_head, train.n_embd))
    sizes = {
        "block_size": options.block or train.block_size, "vocab_size": vocab, "n_layer": options.n_layer or layers,
        "n_head": options.n_head or heads, "n_embd": options.n_embd or width, "dropout": train.dropout,
        "bias": True if kind in GPT2 else train.bias,
    }
    must_divide(sizes["n_embd"], sizes["n_head"])
    return Subject(
        kind, sizes, vocab, sizes["block_size"],
        lambda dtype: GPT(GPTConfig(**sizes)), pair_loss,
        lambda model, device: model.configure_optimizers(**RATE, device_type=device),
        batch=train.batch_size, accumulation=train.gradient_accumulation_steps, head_count=sizes["n_head"],
        dataset=train.dataset if options.config else "", notes=notes,
    )


def ngpt(options: argparse.Namespace) -> Subject:
    """nGPT, or the GPT beside it where the config file says so."""
    from ngpt.train import MODELS, Options

    train = train_options(Options(), options)
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
    return model.logits(x, cache)[:, -1], cache


def cached_nanochat(model: Any, x: Any) -> Any:
    """The same, in a cache that is as large as the sequence from the beginning."""
    from nanochat.engine import KVCache

    c = model.config
    cache = KVCache(
        x.size(0), c.n_kv_head, x.size(1), c.n_embd // c.n_head, c.n_layer, device=x.device, dtype=model.dtype
    )
    return model(x, kv_cache=cache)[:, -1], cache


def nanochat(options: argparse.Namespace, newest: bool) -> Subject:
    """nanochat's model, sized by its depth; the first release or the newest."""
    from nanochat.config import GPTConfig, sizes_of_depth
    from nanochat.gpt import GPT
    from nanochat.training.settings import Settings

    if options.config:
        raise UsageProblem("--config is of nanogpt.train and ngpt.train: nanochat is sized by --depth")
    settings = (Settings.of_newest if newest else Settings)(
        depth=options.n_layer or 20, n_embd=options.n_embd or 0, n_head=options.n_head or 0
    )
    least = sizes_of_depth(settings.depth)["n_embd"] if not options.n_embd else options.n_embd
    must_divide(least, settings.n_head or max(1, least // settings.head_dim))
    vocab = options.vocab or (32768 if newest else 65536)
    config: GPTConfig = settings.model_config(vocab)
    config.sequence_len = options.block or config.sequence_len

    def optimizer(model: Any, device: str) -> torch.optim.Optimizer:
        return model.setup_optimizer(options=settings.optim_config(half=model.dtype == torch.bfloat16))

    sizes = {each.name: getattr(config, each.name) for each in fields(GPTConfig)}
    return Subject(
        "nanochat-newest" if newest else "nanochat", sizes, vocab, config.sequence_len,
        lambda dtype: GPT(config, dtype), lambda model, x, y: (None, model(x, y)), optimizer,
        autocast=False, shares_optimizer=True, batch=settings.device_batch_size, head_count=config.n_head,
        prefill=cached_nanochat,
    )


def must_divide(width: int, heads: int) -> None:
    if width % heads:
        raise UsageProblem(f"a width of {width} can't be shared out evenly among {heads} heads: change one of them")


def pair_loss(model: nn.Module, x: Any, y: Any) -> tuple[Any, Any]:
    """nanoGPT's loop names both results, so the logits live as long as the loss does."""
    logits, loss = model(x, y)
    return logits, loss


def any_module(options: argparse.Namespace) -> Subject:
    """A module from a function of the reader's, with AdamW."""
    factory = load_factory(options.module)
    if not options.vocab or not options.block:
        raise UsageProblem(f"--module {options.module}: say --vocab and --block, the model can't be asked")
    return Subject(
        options.module, {"block": options.block, "vocab": options.vocab}, options.vocab, options.block,
        lambda dtype: factory(), module_loss, lambda model, device: torch.optim.AdamW(
            model.parameters(), fused=device == "cuda"
        ),
    )


def load_factory(name: str) -> Callable[[], nn.Module]:
    """The function ``package.module:factory``; the folder where one stands is looked at, too."""
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise UsageProblem(f"--module {name}: it is PACKAGE.MODULE:FACTORY, for instance mine.model:small")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # whatever the reader's module raises
        raise UsageProblem(f"--module {name} can't be had: {type(error).__name__}: {error}") from error
    if not callable(factory):
        raise UsageProblem(f"--module {name} is a {type(factory).__name__}: a function without arguments is needed")
    return factory


def module_loss(model: nn.Module, x: Any, y: Any) -> tuple[Any, Any]:
    """The loss that a module gives, or the cross entropy of its logits."""
    takes = list(inspect.signature(model.forward).parameters)
    out = model(x, y) if len(takes) > 1 and takes[1] in ("targets", "target", "labels", "y") else model(x)
    tensors = [each for each in (out if isinstance(out, (tuple, list)) else [out]) if isinstance(each, torch.Tensor)]
    for each in tensors:
        if each.dim() == 0:
            return out, each
    if not tensors or tensors[0].dim() != 3:
        raise UsageProblem("the module gives neither a loss nor logits (B, T, V), so there is nothing to train on")
    return out, F.cross_entropy(tensors[0].flatten(0, 1), y.flatten())
