"""Reinforcement learning on a task that scores answers: the model answers, and what was right is made likelier.

    python -m nanochat chat_rl sft_checkpoints --num-steps 40 --out rl_checkpoints

Each step asks some questions, lets the model answer each of them several times, and takes one step of the optimizer
with all answers together (``reinforcement``). There is no data but questions and scores. With ``--resume`` a training
that was stopped goes on as if nothing had happened, bit for bit.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path

import torch

from nanochat.chat.finetune import RATES
from nanochat.chat.reinforcement import Group, pass_at_k, policy_loss, sample_group
from nanochat.chat.stages import Meta, Saver, add_saving, base_of, last_checkpoint, notes_of, refuse_another
from nanochat.cli.entry import add_check, look, recorded
from nanochat.common import ALONE, World, compute_cleanup, compute_init, print0, total
from nanochat.engine import Engine
from nanochat.files import get_base_dir
from nanochat.gpt import GPT
from nanochat.tasks.mixture import KINDS
from nanochat.tasks.sorting import Sorting
from nanochat.tasks.task import Task
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import clear_leftovers, keep_tokenizer, load_checkpoint, read_meta, save_checkpoint
from nanochat.training.loading import load
from nanochat.training.logs import JsonLines, Listener, silent, tell
from nanochat.training.optim import MuonAdamW
from nanochat.training.schedule import Schedule
from nanochat.training.settings import Settings

ASKED: dict[str, Callable[[str, int], Task]] = {  # what can be asked, by the name of --task
    **{name: kind for name, kind in KINDS.items() if kind.eval_type == "generative"},
    "three-letters": partial(Sorting, kinds=("letters",), most=3),  # the sorting that a small model learns soonest
}


@dataclass(frozen=True)
class RLSettings:
    """A training by rewards; as it stands, nanochat's."""

    num_steps: int = 467           # steps, one of which takes all questions below
    questions: int = 16            # of a step, all processes together
    num_samples: int = 16          # answers to each question
    device_batch_size: int = 8     # answers that a device learns from at once
    max_tokens: int = 256          # of an answer, at most
    temperature: float = 1.0       # of what is drawn; 1: the model's own distribution, which the formula asks for
    top_k: int = 50                # draw among so many best tokens
    init_lr_frac: float = 0.05     # the first learning rates, as a part of those of base training
    seed: int = 42                 # of what is drawn

    def __post_init__(self) -> None:
        if self.num_samples % self.device_batch_size:
            raise ValueError(
                f"num_samples={self.num_samples} answers can't be shared out evenly among passes of "
                f"device_batch_size={self.device_batch_size}"
            )
        for name in ("num_steps", "questions", "num_samples", "max_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: 1 is the least")


@dataclass
class Reinforcement:
    """Everything that such a training needs."""

    settings: RLSettings
    world: World
    tokenizer: RustBPETokenizer
    engine: Engine
    model: GPT
    optimizer: MuonAdamW
    schedule: Schedule
    task: Task
    step: int = 0


def begin_rl(
    settings: RLSettings, base: Settings, model: GPT, tokenizer: RustBPETokenizer, task: Task, world: World = ALONE
) -> Reinforcement:
    """A training of this model, which it changes, with a fresh optimizer and no weight decay."""
    if settings.questions % world.size:
        raise ValueError(f"{settings.questions} questions can't be shared out evenly among {world.size} processes")
    rates = {name: getattr(base, name) * settings.init_lr_frac for name in RATES}
    optimizer = model.setup_optimizer(**rates, options=base.optim_config(half=model.dtype == torch.bfloat16))
    schedule = Schedule(settings.num_steps, warmdown_ratio=1.0, momentum_start=0.95)
    return Reinforcement(settings, world, tokenizer, Engine(model, tokenizer), model, optimizer, schedule, task)


def sample_step(rl: Reinforcement) -> list[Group]:
    """This process's questions of the step, each with the model's answers."""
    settings = rl.settings
    mine = range(rl.world.rank, settings.questions, rl.world.size)
    numbers = [rl.step * settings.questions + place for place in mine]
    rl.model.eval()
    return [
        sample_group(
            rl.engine, rl.tokenizer, rl.task, rl.task[number % len(rl.task)], settings.num_samples,
            settings.max_tokens, settings.temperature, settings.top_k, seed=settings.seed + number,
        )
        for number in numbers
    ]  # fmt: skip


def learn(rl: Reinforcement, groups: list[Group]) -> float:
    """One step of the optimizer with all answers; the loss."""
    rl.model.train()
    size, device, loss_of_all = rl.settings.device_batch_size, rl.model.get_device(), 0.0
    passes = rl.settings.num_samples // size * len(groups)
    for group in groups:
        for start in range(0, rl.settings.num_samples, size):
            few = slice(start, start + size)
            few_of_each = (part[few].to(device) for part in (group.ids, group.mask, group.advantages))
            loss = policy_loss(rl.model, *few_of_each) / passes
            loss.backward()
            loss_of_all += loss.item()
    rl.schedule.apply(rl.optimizer, rl.step)
    rl.optimizer.step()
    rl.model.zero_grad(set_to_none=True)
    rl.step += 1
    return loss_of_all


def take_rl_step(rl: Reinforcement) -> dict[str, float]:
    """Ask, score, learn. What there is to say about it, by name."""
    groups = sample_step(rl)
    values = described(rl, groups)
    return {"loss": learn(rl, groups), **values}


def described(rl: Reinforcement, groups: list[Group]) -> dict[str, float]:
    """Of all processes' answers: the mean reward, the share of groups that teach nothing, the mean length."""
    rewards = torch.stack([group.rewards for group in groups])                 # (questions, N)
    alike = (rewards == rewards[:, :1]).all(dim=1).float().mean()
    chosen = sum(group.mask.sum() for group in groups) / rewards.numel()
    numbers = total(torch.tensor([rewards.mean(), alike, chosen], device=rl.world.device), rl.world) / rl.world.size
    return dict(zip(("reward", "alike", "tokens"), numbers.tolist(), strict=True))


def run_rl(rl: Reinforcement, report: Listener = silent) -> None:
    """Take all steps; ``report`` hears each."""
    while rl.step < rl.settings.num_steps:
        step = rl.step
        report(step, **take_rl_step(rl))


def evaluate_passes(
    engine: Engine, tokenizer: RustBPETokenizer, task: Task, num_samples: int, max_tokens: int, seed: int = 42
) -> dict[str, float]:
    """``pass@k`` for every k up to ``num_samples``: the mean over all questions of the task."""
    rewards = [
        sample_group(engine, tokenizer, task, task[number], num_samples, max_tokens, seed=seed + number).rewards
        for number in range(len(task))
    ]
    ks = range(1, num_samples + 1)
    return {f"pass@{k}": sum(pass_at_k(each.tolist(), k) for each in rewards) / len(rewards) for k in ks}


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat chat_rl", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="CHECKPOINTS", help="of the model to begin with")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the last one)")
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("--out", type=Path, help="where it goes (default: chat_rl_checkpoints in the base folder)")
    add_saving(parser)
    parser.add_argument("--task", choices=ASKED, default="arithmetic", help="what is asked (default: arithmetic)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    for each in fields(RLSettings):
        flag = "--" + each.name.replace("_", "-")
        parser.add_argument(flag, type=type(each.default), default=each.default, help=f"(default: {each.default})")
    add_check(parser)
    parser.set_defaults(device_batch_size=None)
    return parser.parse_args(argv)


def settings_of(given: argparse.Namespace) -> RLSettings:
    """What the command asks for. By default a device takes as many answers at once as share them out evenly."""
    options = {each.name: getattr(given, each.name) for each in fields(RLSettings)}
    if given.device_batch_size is None:
        most = min(RLSettings.device_batch_size, max(1, given.num_samples))
        options["device_batch_size"] = max(size for size in range(1, most + 1) if given.num_samples % size == 0)
    return RLSettings(**options)


def command(given: argparse.Namespace) -> None:
    """Load, ask and learn, and save as it goes."""
    world = compute_init(given.device)
    out = given.out or get_base_dir() / "chat_rl_checkpoints"
    found = last_checkpoint(out, given.resume)
    settings = settings_of(given)
    if given.check:
        look("chat_rl", given, out, world)
    model, tokenizer = load(given.folder, given.step, given.tokenizer, world.device)
    before = read_meta(given.folder, given.step)
    base = base_of(before, model)
    base = replace(base, tokenizer=given.tokenizer or base.tokenizer)
    task = ASKED[given.task]("train", settings.num_steps * settings.questions)
    rl = begin_rl(settings, base, model, tokenizer, task, world)
    notes = notes_of("chat_rl", before, base, {"task": given.task, **asdict(settings)}, tokenizer)
    if found is not None:
        refuse_another(out, found, notes, base)
        load_checkpoint(out, found, model, rl.optimizer, world)
        rl.step = found["step"]
    clear_leftovers(out, world)
    saver = Saver(lambda: save(rl, out, notes, base), given.save_every, settings.num_steps)
    with closing(JsonLines(out / "log.jsonl", rl.step)) if world.rank == 0 else nullcontext(silent) as log:
        run_rl(rl, tell(log, show, saver))


def save(rl: Reinforcement, out: Path, notes: Meta, base: Settings) -> None:
    """Write a checkpoint of this moment."""
    meta = {**notes, "model_config": asdict(rl.model.config), "user_config": asdict(base)}
    keep_tokenizer(out, rl.tokenizer, rl.world)
    save_checkpoint(out, rl.step, rl.model, rl.optimizer, meta, rl.world)


def show(step: int, **values: float) -> None:
    """A line for each step."""
    print0(f"step {step}: reward {values['reward']:.3f}, {values['alike']:.0%} of the questions taught nothing")


def main(argv: list[str]) -> None:
    try:
        given = parse(argv)
        recorded(command)(given)
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"chat_rl: {error}") from error
    finally:
        compute_cleanup()


if __name__ == "__main__":
    main(sys.argv[1:])
