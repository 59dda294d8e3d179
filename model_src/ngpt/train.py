"""Train an nGPT, or the GPT beside it, with nanoGPT's loop and on nanoGPT's data.

    python -m ngpt.train config/char_cpu.py --dataset=shakespeare_char
    python -m ngpt.train config/char_cpu.py --dataset=shakespeare_char --model=gpt
    torchrun --standalone --nproc_per_node=8 -m ngpt.train config/paper_1k.py

Options come from config files and ``--name=value``, the last one wins; all of nanogpt.train's are known, too. Without
weight decay and without warm-up, as nGPT needs neither. ``--init_from=resume`` goes on as if nothing had happened.
``fieldguide check`` looks first whether memory, disk and data suffice; ``--check=False`` leaves that out.
"""

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from nanogpt import checkpoint as checkpoints
from nanogpt.configurator import OptionError, configure
from nanogpt.data import read_meta
from nanogpt.device import allow_tf32, device_type
from nanogpt.entry import look, recorded, without_check
from nanogpt.logs import TensorBoard
from nanogpt.train import (
    GPT2_VOCABULARY,
    SEED,
    Batches,
    State,
    TrainOptions,
    estimate_loss,
    get_lr,
    micro_steps,
    silent,
    update,
)
from nanogpt.world import World, gather_random_states, join, restore_random_states
from ngpt.baseline import GPT
from ngpt.config import Config
from ngpt.decoder import Decoder
from ngpt.model import nGPT

PRESETS = Path(__file__).parent / "config"
MODELS: dict[str, Callable[..., Decoder]] = {
    "ngpt": nGPT,
    "ngpt-lucidrains": lambda **given: nGPT(**asdict(Config.lucidrains(**given))),
    "gpt": GPT,
}


@dataclass(frozen=True)
class Options(TrainOptions):
    """Those of nanogpt.train; what stands here is new or has another default."""

    model: str = "ngpt"  # or 'ngpt-lucidrains', with the defaults of nGPT-pytorch, or 'gpt', which it is compared with
    residual: str = "lerp"  # or 'slerp': steps along the great circle
    rope: str = "rotation"  # or 'ngpt-repo', what NVIDIA's repository computes
    n_layer: int = 24
    n_head: int = 16
    n_embd: int = 1024
    learning_rate: float = 15e-4  # the highest
    weight_decay: float = 0.0
    warmup_iters: int = 0
    min_lr: float = 0.0


def model_from(checkpoint: dict[str, Any]) -> Decoder:
    """The model of a checkpoint, with its weights. Raises ValueError for one that ngpt.train did not write."""
    kind = checkpoint["config"].get("model")
    if kind not in MODELS:
        raise ValueError("the checkpoint was not written by ngpt.train: its config names no model")
    model = (GPT if kind == "gpt" else nGPT)(**checkpoint["model_args"])
    model.load_state_dict(checkpoint["model"])
    return model


def build(options: Options, resumed: dict[str, Any] | None) -> Decoder:
    """The model to train, from scratch or from a checkpoint."""
    if options.model not in MODELS:
        raise OptionError(f"model={options.model!r} is not known: one of {', '.join(MODELS)}")
    if resumed:
        kind = resumed["config"].get("model")
        if kind != options.model:
            raise OptionError(f"model={options.model}: the checkpoint was trained with model={kind}; resume with that")
        return model_from(resumed)
    if options.init_from != "scratch":
        raise OptionError(f"init_from={options.init_from!r} is not known: 'scratch' or 'resume'")
    if options.n_embd % options.n_head:
        raise OptionError(f"n_embd={options.n_embd} can't be shared out evenly among n_head={options.n_head} heads")
    meta = read_meta(Path("data") / options.dataset)
    return MODELS[options.model](
        num_tokens=meta["vocab_size"] if meta else GPT2_VOCABULARY,
        dim=options.n_embd, depth=options.n_layer, heads=options.n_head, dim_head=options.n_embd // options.n_head,
        block_size=options.block_size, residual=options.residual, rope=options.rope,
    )  # fmt: skip


def begin(options: Options, world: World, resumed: dict[str, Any] | None) -> State:
    """Model, optimizer and counters, where the checkpoint left them."""
    model = build(options, resumed).to(world.device)
    betas = (options.beta1, options.beta2)
    optimizer = model.configure_optimizers(
        options.weight_decay, options.learning_rate, betas, device_type(world.device)
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


def save(options: Options, state: State, rng: dict[str, Any]) -> None:
    """Write the checkpoint: nanoGPT's keys, ``model_args`` are the fields of ``Config``."""
    path = checkpoints.save(
        options.out_dir,
        {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "model_args": asdict(state.model.config),
            "iter_num": state.iter_num,
            "best_val_loss": state.best_val_loss,
            "config": asdict(options),
            "rng": rng,
        },
    )
    print(f"saved {path}")


def evaluate(state: State, options: Options, world: World, rng: dict[str, Any], report: Callable[..., None]) -> None:
    """Measure, print, and save where that is due."""
    losses = estimate_loss(state.model, options, world)
    report(state.iter_num, **{f"{split}_loss": loss.item() for split, loss in losses.items()})
    print(f"step {state.iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
    if losses["val"] < state.best_val_loss or options.always_save_checkpoint:
        state.best_val_loss = losses["val"]
        if state.iter_num > 0:
            save(options, state, rng)


def scales(model: Decoder) -> dict[str, float]:
    """Means of the learned scales as they are used, all layers together; nothing for a GPT.

    Of s_qk the mean size: it multiplies both queries and keys, so its sign means nothing.
    """
    if not isinstance(model, nGPT):
        return {}
    found: dict[str, list[torch.Tensor]] = {"s_z": [model.logit_scale()]}
    for attn, ff in model.layers:
        found.setdefault("alpha_attn", []).append(attn.alpha())
        found.setdefault("alpha_ff", []).append(ff.alpha())
        found.setdefault("s_qk", []).append(attn.fn.qk_scale().abs())
        found.setdefault("s_hidden", []).append(ff.fn.hidden_scale())
        found.setdefault("s_gate", []).append(ff.fn.gate_scale())
    return {name: torch.stack(tensors).mean().item() for name, tensors in found.items()}


def train(options: Options, world: World, report: Callable[..., None] = silent) -> State:
    """nanoGPT's loop: evaluate at times, add up gradients, step. It ends after iteration ``max_iters``.

    ``report(step, ...)`` is told ``train_loss`` and ``val_loss`` at each evaluation, and at each step that is logged
    ``loss``, ``lr``, ``grad_norm`` and the means of the learned scales.
    """
    torch.manual_seed(SEED + world.rank)
    allow_tf32()
    resumed = checkpoints.load(options.out_dir, world.device) if options.init_from == "resume" else None
    state = begin(options, world, resumed)
    if resumed:
        restore_random_states(resumed.get("rng", {}).get("ranks", []), world)
    del resumed  # its weights are copied by now
    batches, started = Batches(options, world.device), time.perf_counter()
    while True:
        lr = get_lr(state.iter_num, options) if options.decay_lr else options.learning_rate
        for group in state.optimizer.param_groups:
            group["lr"] = lr
        if state.iter_num % options.eval_interval == 0:
            rng = {"ranks": gather_random_states(batches.rng, world), "scaler": state.scaler.state_dict()}
            if world.rank == 0:
                evaluate(state, options, world, rng, report)
        if state.iter_num == 0 and options.eval_only:
            break
        losses = micro_steps(state, options, world, batches)
        norm = update(state, options)
        now = time.perf_counter()
        elapsed, started = now - started, now
        if state.iter_num % options.log_interval == 0 and world.rank == 0:
            loss = losses[-1].item()
            print(f"iter {state.iter_num}: loss {loss:.4f}, time {elapsed * 1000:.2f}ms")
            values = {"loss": loss, "lr": lr, **scales(state.model)}
            report(state.iter_num, **values, **({} if math.isnan(norm) else {"grad_norm": norm}))
        state.iter_num += 1
        if state.iter_num > options.max_iters:
            break
    return state


@contextlib.contextmanager
def listener(options: Options, world: World) -> Iterator[Callable[..., None]]:
    """Who is told how it goes: TensorBoard's log, or nobody."""
    if not options.tensorboard or world.rank > 0:
        yield silent
        return
    with contextlib.closing(TensorBoard(Path(options.out_dir) / "tensorboard")) as log:
        yield log


def preset(arg: str) -> str:
    """A config file as named from here, else nGPT's own preset of that name."""
    own = PRESETS / Path(arg).name
    return str(own) if "=" not in arg and not Path(arg).is_file() and own.is_file() else arg


def command(argv: list[str]) -> None:
    """The training that a command line asks for."""
    argv, looks = without_check(argv)
    given = configure(Options(), [preset(arg) for arg in argv], str(__doc__))
    if given.wandb_log:
        raise OptionError("wandb_log=True is not known here: --tensorboard=True writes a log")
    if looks:
        look("ngpt.train", given)
    options, world = join(given)
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
