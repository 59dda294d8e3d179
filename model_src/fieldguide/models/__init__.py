"""The model that a question is about: nanoGPT's, nanochat's, nGPT's by their own settings, or any module by name."""

import argparse
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from fieldguide.report import UsageProblem

MOST_LAYERS, MOST = 10_000, 10**9  # more is a slip of the keyboard
Loss = Callable[[nn.Module, Any, Any], tuple[Any, Any]]
NAMES = ("nanogpt", "nanochat", "nanochat-newest", "ngpt", "gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")


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

    def __post_init__(self) -> None:
        counts = {"tokens of a sequence": self.block, "words": self.vocab, "batch": self.batch,
                  "accumulation": self.accumulation, "layers": self.sizes.get("n_layer", self.sizes.get("depth", 1))}
        for name, value in counts.items():
            if not 0 < value <= (MOST_LAYERS if name == "layers" else MOST):
                raise UsageProblem(f"{self.name} with {value} {name}: that can't be meant; see --help and --config")

    def built(self, dtype: torch.dtype) -> nn.Module:
        """The model; UsageProblem where its sizes don't go together."""
        try:
            return self.make(dtype)
        except (AssertionError, ValueError, ArithmeticError, RuntimeError, TypeError) as error:
            raise UsageProblem(f"{self.name} can't be made like this: {type(error).__name__}: {error}") from error


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which model."""
    group = parser.add_argument_group("the model")
    group.add_argument("--model", choices=NAMES, default=None, help="whose model (default: nanogpt)")
    group.add_argument("--config", metavar="FILE", help="a config file of nanogpt.train or ngpt.train, a preset, "
                       "or a meta_*.json of nanochat")
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
    from fieldguide.models import families

    saved = str(options.config).endswith(".json")  # only nanochat has such
    kind = options.model or ("nanochat" if saved else "nanogpt")
    if kind.startswith("nanochat"):
        return families.nanochat(options, newest=kind == "nanochat-newest")
    return families.ngpt(options) if kind == "ngpt" else families.nanogpt(options, kind)


def any_module(options: argparse.Namespace) -> Subject:
    """A module from a function of the reader's, with AdamW."""
    factory = load_factory(options.module)
    for name in ("n_layer", "n_head", "n_embd"):
        if getattr(options, name) is not None:
            raise UsageProblem(f"--{name.replace('_', '-')} is of known models: --module sizes its own")
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
