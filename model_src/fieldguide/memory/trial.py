"""One step of a training, played through to see what lives at once, or really run to measure it."""

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils.checkpoint import checkpoint

from fieldguide.memory.peak import BACKWARD, FORWARD, STEP, Ledger, Peak, find_blocks, follow_blocks, follow_gradients
from fieldguide.models import Subject
from fieldguide.report import UsageProblem

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
OPTIMIZERS = ("own", "adamw", "sgd", "momentum")
# What autocast computes in float32 on CUDA and not on a CPU, as far as language models use it (PyTorch's reference
# of autocast, 2026-11).
FULL_ON_CUDA = (
    F.layer_norm, F.cross_entropy, F.softmax, F.log_softmax, torch.softmax, torch.log_softmax, torch.Tensor.softmax,
    torch.Tensor.log_softmax, torch.norm, torch.Tensor.norm, torch.Tensor.pow, torch.Tensor.sum,
)


class AsOnCuda(TorchFunctionMode):
    """Lets a CPU's operations keep what a GPU's would: autocast's list differs, and fused attention takes dropout."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is F.scaled_dot_product_attention:
            kwargs["dropout_p"] = 0.0  # a GPU keeps the state of its random numbers, not what they were
        if func in FULL_ON_CUDA and torch.is_autocast_enabled("cpu"):
            args = tuple(each.float() if is_half(each) else each for each in args)
        return func(*args, **kwargs)


def is_half(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in (torch.bfloat16, torch.float16)


@dataclass(frozen=True)
class Setup:
    """How the model is trained."""

    dtype: str = "float32"
    cuda: bool = False           # as on a GPU
    processes: int = 1
    checkpointing: bool = False  # blocks are computed again in the backward pass
    optimizer: str = "own"


@dataclass(frozen=True)
class Step:
    """What lived at once; ``update`` may be that of another step, because it is the same for all batches."""

    kept: Peak    # at the end of the forward pass: what waits for the backward pass
    passes: Peak  # the most in forward and backward passes
    update: Peak  # the most in the optimizer's step

    @property
    def peak(self) -> Peak:
        return max(self.passes, self.update, key=lambda each: each.bytes)


class Trial:
    """A model and its optimizer, ready to step. A first step, of ``batch`` sequences, has made its memories."""

    def __init__(self, subject: Subject, setup: Setup, ledger: Ledger, batch: int = 1, block: int = 16) -> None:
        self.subject, self.setup, self.ledger = subject, setup, ledger
        with ledger.making("weights"):
            self.model = subject.built(DTYPES[setup.dtype])
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.optimizer = make_optimizer(subject, self.model, setup)
        follow_blocks(self.model, ledger)
        follow_gradients(self.model, ledger)
        if setup.checkpointing:
            recompute_blocks(self.model)
        self.update, self.states = Peak(0), 0  # bytes that live between two steps, with gradients
        self.step(batch, min(block, subject.block), 1)
        self.update = Peak(0)  # the second one is like all others

    def autocast(self) -> Any:
        """The context of the forward pass: matrix products in half precision, on a GPU."""
        if not (self.subject.autocast and self.setup.cuda and self.setup.dtype != "float32"):
            return contextlib.nullcontext()
        return torch.autocast("cpu", DTYPES[self.setup.dtype])

    def step(self, batch: int, block: int, accumulation: int) -> Step:
        """Gradients of some micro-batches of (batch, block) tokens, then the optimizer's step.

        Once what that takes is known it is left out: it is the same for all batches.
        """
        ledger, held, kept = self.ledger, None, Peak(0)
        ledger.restart()
        for _ in range(min(accumulation, 2)):  # in later ones no more lives than in the second
            with ledger.making("batch"):
                x, y = (torch.zeros(batch, block, dtype=torch.long) for _ in range(2))
            with ledger.making(FORWARD), self.autocast():
                held, loss = self.subject.loss(self.model, x, y)
            kept = Peak(ledger.live, dict(ledger.sums))
            with ledger.making(BACKWARD):
                (loss / accumulation).backward()
        passes = ledger.peak
        del held, loss, x, y
        if not self.update.bytes:
            self.take_step()
        self.optimizer.zero_grad(set_to_none=True)
        return Step(kept, passes, self.update)

    def take_step(self) -> None:
        """The optimizer's step, with the gradients that are there."""
        ledger = self.ledger
        ledger.restart()
        with ledger.making(STEP):
            self.optimizer.step()
        self.update = ledger.peak
        for state in self.optimizer.state.values():
            for value in state.values():
                if isinstance(value, torch.Tensor):
                    ledger.rename(value, "optimizer")
        self.states = ledger.live

    def prefill(self, batch: int, block: int) -> Step:
        """A prompt of (batch, block) tokens goes through the model, which keeps what the next token needs."""
        self.ledger.restart()
        with torch.no_grad(), self.ledger.making(FORWARD), self.autocast():
            x = torch.zeros(batch, block, dtype=torch.long)
            held = self.subject.prefill(self.model, x)
        kept = Peak(self.ledger.live, dict(self.ledger.sums))
        del held
        return Step(kept, self.ledger.peak, Peak(0))


def make_optimizer(subject: Subject, model: nn.Module, setup: Setup) -> torch.optim.Optimizer:
    """The model's own, or one of PyTorch's by name."""
    if setup.optimizer == "own":
        return subject.optimizer(model, "cuda" if setup.cuda else "cpu")
    if setup.optimizer == "adamw":
        return torch.optim.AdamW(model.parameters(), fused=setup.cuda)
    return torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9 if setup.optimizer == "momentum" else 0.0)


def recompute_blocks(model: nn.Module) -> None:
    """Keep of each block its input alone, and compute the rest again when its gradients are due."""
    for block in find_blocks(model):
        for module in block:
            again = partial(checkpoint, module.forward, use_reentrant=False, preserve_rng_state=False)
            module.forward = again


@contextlib.contextmanager
def played(subject: Subject, setup: Setup, batch: int = 1, block: int = 16) -> Iterator[Trial]:
    """A trial without numbers: what it tells is what the training would take, and it takes nothing.

    It is faster where ``batch`` and ``block``, those of its first step, are asked about again.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(readers_mistakes(subject))
        if setup.processes > 1 and subject.shares_optimizer:
            stack.enter_context(pretended_processes(setup.processes))
        if setup.cuda:
            stack.enter_context(variable("NANOCHAT_BFLOAT16", "native"))
            stack.enter_context(AsOnCuda())
        stack.enter_context(FakeTensorMode())
        yield Trial(subject, setup, stack.enter_context(Ledger()), batch, block)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what models print when they are made, and without warnings about tensors that are none."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def readers_mistakes(subject: Subject) -> Iterator[None]:
    """What a reader's own module raises is told without our traceback."""
    try:
        yield
    except UsageProblem:
        raise
    except Exception as error:
        if ":" not in subject.name:
            raise
        raise UsageProblem(
            f"{subject.name} can't be played through: {type(error).__name__}: {str(error).partition(chr(10))[0]}"
        ) from error


@contextlib.contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """An environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name) if before is None else os.environ.update({name: before})


@contextlib.contextmanager
def pretended_processes(count: int) -> Iterator[None]:
    """A group of processes of which there is only this one, and which answer nothing."""
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group("fake", rank=0, world_size=count, store=FakeStore())
    try:
        yield
    finally:
        dist.destroy_process_group()


def measure(subject: Subject, setup: Setup, batch: int, block: int, accumulation: int) -> int:
    """Run a step with real tensors; the most bytes that PyTorch's own allocator had given out at once, on this CPU."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler says when it starts
    from torch.profiler import ProfilerActivity, profile

    with quiet():
        trial = Trial(subject, setup, Ledger(), batch, block)  # the ledger is not entered: it counts nothing
        before = sum(each.nbytes() for each in storages(trial))
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            trial.step(batch, block, accumulation)
    events = [each for each in recorded.profiler.kineto_results.events() if each.name() == "[memory]"]
    live = most = 0
    for event in sorted(events, key=lambda each: each.start_ns()):
        live += event.nbytes()
        most = max(most, live)
    return before + most


def storages(trial: Trial) -> list[torch.UntypedStorage]:
    """Those of weights, buffers and the optimizer's memories, each once."""
    tensors = [*trial.model.parameters(), *trial.model.buffers()]
    tensors += [v for state in trial.optimizer.state.values() for v in state.values() if isinstance(v, torch.Tensor)]
    return list({each.untyped_storage()._cdata: each.untyped_storage() for each in tensors}.values())
