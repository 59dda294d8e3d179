"""Train a GPT: on one device, or on many with torchrun.

    python -m nanogpt.train config/train_shakespeare_char_cpu.py
    python -m nanogpt.train --batch_size=32 --compile=False
    torchrun --standalone --nproc_per_node=4 -m nanogpt.train config/train_gpt2.py

Options come from config files and ``--name=value``, the last one wins. Data is read from ``data/<dataset>/``,
the checkpoint goes to ``<out_dir>/ckpt.pt``, and ``--init_from=resume`` goes on as if nothing had happened.
``fieldguide check`` looks first whether memory, disk and data suffice; ``--check=False`` leaves that out.
"""

import contextlib
import importlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

if not __package__:  # started as `python train.py`: the package is found beside this folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from nanogpt import checkpoint as checkpoints
from nanogpt.configurator import OptionError, configure
from nanogpt.data import read_meta, read_tokens
from nanogpt.device import DEFAULT_DTYPE, allow_tf32, autocast, device_type
from nanogpt.entry import look, recorded, without_check
from nanogpt.logs import TensorBoard
from nanogpt.model import GPT, GPTConfig
from nanogpt.world import World, gather_random_states, join, restore_random_states

SEED = 1337
GPT2_VOCABULARY = 50304  # padded to a multiple of 64; for data that has no meta.pkl
FROM_MODEL = ("n_layer", "n_head", "n_embd", "block_size", "bias", "vocab_size")


@dataclass(frozen=True)
class TrainOptions:
    """What can be set; as it stands, GPT-2 small on OpenWebText with eight A100s."""

    out_dir: str = "out"
    eval_interval: int = 2000  # iterations from one evaluation to the next
    log_interval: int = 1
    eval_iters: int = 200  # batches of each split in an evaluation
    eval_only: bool = False  # evaluate once and stop
    always_save_checkpoint: bool = True  # else only when the validation loss has improved
    init_from: str = "scratch"  # or 'resume', or a folder with GPT-2's weights
    wandb_log: bool = False
    wandb_project: str = "owt"
    wandb_run_name: str = "gpt2"
    tensorboard: bool = False  # write a log for TensorBoard to out_dir/tensorboard
    dataset: str = "openwebtext"
    gradient_accumulation_steps: int = 5 * 8  # micro-batches of one iteration, of all processes together
    batch_size: int = 12  # sequences of a micro-batch
    block_size: int = 1024
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.0
    bias: bool = False
    learning_rate: float = 6e-4  # the highest
    max_iters: int = 600000
    weight_decay: float = 1e-1
    beta1: float = 0.9
    beta2: float = 0.95
    grad_clip: float = 1.0  # largest norm of all gradients; 0.0 for none
    decay_lr: bool = True
    warmup_iters: int = 2000
    lr_decay_iters: int = 600000
    min_lr: float = 6e-5
    backend: str = "nccl"  # between processes; gloo on CPUs
    device: str = "cuda"  # or cpu, mps, or auto: the fastest that is here
    dtype: str = DEFAULT_DTYPE  # float32, bfloat16 or float16
    compile: bool = True


@dataclass
class State:
    """Everything that changes while training."""

    model: GPT
    network: Any  # the model as it is called: compiled, and synchronised with other processes
    optimizer: torch.optim.Optimizer
    scaler: Any
    iter_num: int = 0
    best_val_loss: Any = 1e9


class Batches:
    """Training batches, each drawn while the one before is still at work.

    ``rng`` is the random state before the draw: from it a resumed training draws the same batch again.
    """

    def __init__(self, options: TrainOptions, device: str) -> None:
        self.options, self.device = options, device
        self.fetch()

    def fetch(self) -> None:
        self.rng = torch.get_rng_state()
        self.current = get_batch(self.options, "train", self.device)


def get_batch(options: TrainOptions, split: str, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows from random places of the data, and the same windows one token later: (B, T) each, int64."""
    # Opened anew each time: a memmap that lives long holds on to every page that it ever read.
    data = read_tokens(Path("data") / options.dataset, split)
    if len(data) <= options.block_size:
        raise ValueError(
            f"data/{options.dataset}/{split}.bin has {len(data)} tokens: "
            f"more than block_size={options.block_size} are needed"
        )
    starts = torch.randint(len(data) - options.block_size, (options.batch_size,)).tolist()
    windows = [torch.from_numpy(data[i : i + options.block_size + 1].astype("int64")) for i in starts]
    sequences = torch.stack(windows)
    x, y = sequences[:, :-1].contiguous(), sequences[:, 1:].contiguous()
    if device_type(device) == "cuda":
        return x.pin_memory().to(device, non_blocking=True), y.pin_memory().to(device, non_blocking=True)
    return x.to(device), y.to(device)


def get_lr(it: int, options: TrainOptions) -> float:
    """The learning rate of an iteration: a line up, half a cosine down, then constant."""
    if it < options.warmup_iters:
        return options.learning_rate * (it + 1) / (options.warmup_iters + 1)
    if it > options.lr_decay_iters:
        return options.min_lr
    span = options.lr_decay_iters - options.warmup_iters
    progress = (it - options.warmup_iters) / span if span else 1.0
    return options.min_lr + 0.5 * (1 + math.cos(math.pi * progress)) * (options.learning_rate -
    options.min_lr)


@torch.no_grad()
def estimate_loss(network: Any, options: TrainOptions, world: World) -> dict[str, torch.Tensor]:
    """Mean loss of ``eval_iters`` random batches of each split, in nats a token."""
    network.eval()
    means = {}
    for split in ("train", "val"):
        losses = torch.zeros(options.eval_iters)
        for k in range(options.eval_iters):
            x, y = get_batch(options, split, world.device)
            with autocast(world.device, options.dtype):
                _, loss = network(x, y)
            losses[k] = loss.item()
        means[split] = losses.mean()
    network.train()
    return means


def build(options: TrainOptions, world: World, resumed: dict[str, Any] | None) -> GPT:
    """The model to train, from scratch, from a checkpoint or from GPT-2's weights."""
    if resumed:
        if options.block_size < resumed["model_args"]["block_size"]:
            raise OptionError(
                f"block_size={options.block_size}: the checkpoint's optimizer goes with "
                f"block_size={resumed['model_args']['block_size']}; resume with that"
            )
        return checkpoints.model_from(resumed, dropout=options.dropout)
    if options.init_from == "scratch":
        meta = read_meta(Path("data") / options.dataset)
        sizes = {name: getattr(options, name) for name in FROM_MODEL if name != "vocab_size"}
        vocab_size = meta["vocab_size"] if meta else GPT2_VOCABULARY
        return GPT(GPTConfig(**sizes, vocab_size=vocab_size, dropout=options.dropout))
    model = GPT.from_pretrained(options.init_from, {"dropout": options.dropout})
    if options.block_size < model.config.block_size:
        model.crop_block_size(options.block_size)
    return model


def begin(options: TrainOptions, world: World, resumed: dict[str, Any] | None) -> State:
    """Model, optimizer and counters, where the checkpoint left them."""
    model = build(options, world, resumed).to(world.device)
    optimizer = model.configure_optimizers(
        options.weight_decay, options.learning_rate, (options.beta1, options.beta2), device_type(world.device)
    )
    scaled = options.dtype == "float16" and device_type(world.device) == "cuda"
    state = State(model, model, optimizer, torch.amp.GradScaler("cuda", enabled=scaled))
    if resumed:
        optimizer.load_state_dict(resumed["optimizer"])
        state.iter_num, state.best_val_loss = resumed["iter_num"], resumed["best_val_loss"]
        state.scaler.load_state_dict(resumed.get("rng", {}).get("scaler", {}))
    if options.compile:
        state.network = torch.compile(state.network)
    if world.size > 1:
        ids = [world.device] if device_type(world.device) == "cuda" else None
        state.network = DistributedDataParallel(state.network, device_ids=ids)
    return state


def save(options: TrainOptions, state: State, rng: dict[str, Any]) -> None:
    """Write the checkpoint."""
    model_args = {name: getattr(state.model.config, name) for name in (*FROM_MODEL, "dropout")}
    path = checkpoints.save(
        options.out_dir,
        {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "model_args": model_args,
            "iter_num": state.iter_num,
            "best_val_loss": state.best_val_loss,
            "config": asdict(options),
            "rng": rng,
        },
    )
    print(f"saved {path}")


def micro_steps(state: State, options: TrainOptions, world: World, batches: Any) -> list[torch.Tensor]:
    """Add up the gradients of this process's micro-batches; their losses."""
    count = options.gradient_accumulation_steps // world.size
    losses = []
    for k in range(count):
        if world.size > 1:
            state.network.require_backward_grad_sync = k == count - 1  # once is enough
        with autocast(world.device, options.dtype):
            _, loss = state.network(*batches.current)
        batches.fetch()
        state.scaler.scale(loss / count).backward()
        losses.append(loss.detach())
    return losses


def update(state: State, options: TrainOptions) -> float:
    """One step of the optimizer, with the gradients that are there; their norm before they were clipped, or NaN."""
    norm = math.nan
    if options.grad_clip != 0.0:
        state.scaler.unscale_(state.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(state.model.parameters(), options.grad_clip).item()
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.optimizer.zero_grad(set_to_none=True)
    return norm


def silent(step: int, **values: float) -> None:
    """Tells nobody."""


def evaluate(
    state: State, options: TrainOptions, world: World, rng: dict[str, Any], log: Any, report: Callable[..., None]
) -> None:
    """Measure, print, and save where that is due."""
    losses = estimate_loss(state.model, options, world)
    report(state.iter_num, **{f"{split}_loss": loss.item() for split, loss in losses.items()})
    print(f"step {state.iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
    log({f"{split}/loss": loss.item() for split, loss in losses.items()}, step=state.iter_num)
    if losses["val"] < state.best_val_loss or options.always_save_checkpoint:
        state.best_val_loss = losses["val"]
        if state.iter_num > 0:
            save(options, state, rng)


def wandb_logger(options: TrainOptions, world: World) -> Any:
    """A function that logs to Weights & Biases, or does nothing."""
    if not options.wandb_log or world.rank > 0:
        return lambda values, step: None
    try:
        wandb = importlib.import_module("wandb")
    except ImportError as error:
        raise OptionError("wandb_log=True needs the package wandb: pip install wandb") from error
    wandb.init(project=options.wandb_project, name=options.wandb_run_name, config=asdict(options))
    return wandb.log


def train(options: TrainOptions, world: World, report: Callable[..., None] = silent) -> State:
    """The loop: evaluate at times, add up gradients, step. It ends after iteration ``max_iters``.

    ``report(step, train_loss=..., val_loss=...)`` is told each evaluation, ``report(step, loss=..., lr=...,
    grad_norm=...)`` each step that is logged.
    """
    torch.manual_seed(SEED + world.rank)
    allow_tf32()
    log = wandb_logger(options, world)
    resumed = checkpoints.load(options.out_dir, world.device) if options.init_from == "resume" else None
    state = begin(options, world, resumed)
    options = replace(options, block_size=state.model.config.block_size)
    if resumed:
        restore_random_states(resumed.get("rng", {}).get("ranks", []), world)
    del resumed  # its weights are copied by now
    batches, mfu, first, started = Batches(options, world.device), -1.0, state.iter_num, time.perf_counter()
    while True:
        lr = get_lr(state.iter_num, options) if options.decay_lr else options.learning_rate
        for group in state.optimizer.param_groups:
            group["lr"] = lr
        if state.iter_num % options.eval_interval == 0:
            rng = {"ranks": gather_random_states(batches.rng, world), "scaler": state.scaler.state_dict()}
            if world.rank == 0:
                evaluate(state, options, world, rng, log, report)
        if state.iter_num == 0 and options.eval_only:
            break
        losses = micro_steps(state, options, world, batches)
        norm = update(state, options)
        now = time.perf_counter()
        elapsed, started = now - started, now
        if state.iter_num % options.log_interval == 0 and world.rank == 0:
            if state.iter_num - first >= 5:  # the first ones are not typical
                share = state.model.estimate_mfu(options.batch_size * len(losses), elapsed)
                mfu = share if mfu < 0 else 0.9 * mfu + 0.1 * share
            loss = losses[-1].item()
            took = f"time {elapsed * 1000:.2f}ms, mfu {mfu * 100:.2f}%"
            print(f"iter {state.iter_num}: loss {loss:.4f}, {took}")
            report(state.iter_num, loss=loss, lr=lr, grad_norm=norm)
        state.iter_num += 1
        if state.iter_num > options.max_iters:
            break
    return state


@contextlib.contextmanager
def listener(options: TrainOptions, world: World) -> Iterator[Callable[..., None]]:
    """Who is told how it goes: TensorBoard's log, or nobody."""
    if not options.tensorboard or world.rank > 0:
        yield silent
        return
    with contextlib.closing(TensorBoard(Path(options.out_dir) / "tensorboard")) as log:
        yield log


def command(argv: list[str]) -> None:
    """The training that a command line asks for."""
    argv, looks = without_check(argv)
    given = configure(TrainOptions(), argv, str(__doc__))
    if looks:
        look("nanogpt.train", given)
    options, world = join(given)
    tokens = options.gradient_accumulation_steps * options.batch_size * options.block_size
    if world.rank == 0:
        print(f"tokens per iteration: {tokens:,}")
    with listener(options, world) as report:
        train(options, world, report)


def main(argv: list[str]) -> None:
    try:
        recorded(command)(argv)
    except (OptionError, FileNotFoundError, ValueError) as error:
        raise SystemExit(f"train: {error}") from error
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1:])
