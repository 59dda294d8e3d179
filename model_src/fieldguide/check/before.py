"""What the training commands ask before they begin: ``fieldguide check``, with the settings that they were given.

A warning is a line, and the training begins; an error ends the command with the exit code 1. What a training refuses
of itself (sizes that don't divide, a device that is not there) it says in its own words.
"""

import argparse
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from fieldguide import check, memory
from fieldguide.check import inputs
from fieldguide.models import Subject, families
from fieldguide.report import Finding, Report, UsageProblem, escaped
from fieldguide.scale.plans import built, checkpoint_bytes


class NotReady(ValueError):
    """A training that can't go well as it was asked for: what is wrong, what to do."""


def look(command: str, *given: Any) -> None:
    """Print what is to be known before a training of this command; NotReady where it can't go well."""
    try:
        report = LOOKS[command](*given)
    except UsageProblem:
        return
    for finding in report.findings:
        if finding.level == "warning":
            print(f"check: {line(finding)}", flush=True)
    wrong = [line(finding) for finding in report.findings if finding.level == "error"]
    if wrong:
        off = "--check=False" if command in (NANOGPT, NGPT, SORT) else "--no-check"
        raise NotReady("\n  ".join([*wrong, f"({off} starts it all the same)"]))
    print(f"check: {len(report.findings)} things were looked at, nothing is in the way", flush=True)


def line(finding: Finding) -> str:
    """A finding in one line."""
    behind = [finding.evidence, f"-> {finding.advice}" if finding.advice else ""]
    return escaped(" ".join(filter(None, [finding.what, *behind])).replace("\n", "; "))


def asked(**options: Any) -> argparse.Namespace:
    """The options of ``fieldguide check``, those that are None left out."""
    parser = argparse.ArgumentParser(exit_on_error=False)
    check.add_arguments(parser)
    known = {name.replace("_", "-"): value for name, value in options.items() if value is not None}
    typed = [f"--{name}" if value is True else f"--{name}={value}" for name, value in known.items()]
    try:
        return parser.parse_args(typed)
    except argparse.ArgumentError as error:  # the training says so in its own words
        raise UsageProblem(str(error)) from error


def report_on(subject: Subject, options: argparse.Namespace, size: int | None = None, compiled: bool = False) -> Report:
    """The report about a model; ``size``: bytes of a checkpoint, where the sizes don't tell."""
    # Memory is counted by playing a step with processes that are pretended: not where there are real ones already.
    options.without_memory |= dist.is_available() and dist.is_initialized()
    question = memory.ask(options, subject)
    kept = checkpoint_bytes(subject, built(subject)) if size is None else size
    report = check.look(question, options, kept, wants_gpu=False)
    if compiled:
        report.findings = [softened(finding) for finding in report.findings]
    return report


def softened(finding: Finding) -> Finding:
    """Memory is counted without torch.compile, which mostly needs less: too much of it is a warning then."""
    if finding.level != "error" or "into memory" not in finding.what:
        return finding
    return Finding("warning", finding.what, f"{finding.evidence}; {memory.COMPILED}", finding.advice)


def nanogpt_training(train: Any, family: Callable[..., Subject] | None = None) -> Report:
    """Of nanogpt.train and ngpt.train. A model that is not made from the options is not counted, its data is read."""
    from nanogpt.device import device_type

    device = train.device if torch.cuda.is_available() else "cpu"
    cuda = device_type(device) == "cuda" or (device == "auto" and torch.cuda.is_available())
    data, scratch, kept = Path("data") / train.dataset, train.init_from == "scratch", None
    if not scratch:
        file = Path(train.out_dir) / "ckpt.pt"
        kept = file.stat().st_size if file.is_file() else 0
    options = asked(
        device="cuda" if cuda else "cpu", dtype=train.dtype if cuda else None, data=data, out=train.out_dir,
        batch=train.batch_size, processes=os.environ.get("WORLD_SIZE"), vocab=vocabulary_of(data),
        without_memory=None if scratch else True,
    )  # fmt: skip
    subject = family(options, train) if family else families.nanogpt(options, "nanogpt", train)
    return report_on(subject, options, kept, compiled=cuda and train.compile)


def vocabulary_of(data: Path) -> int:
    """The tokens of nanoGPT's data, GPT-2's where nothing says."""
    try:
        return families.meta_vocab(data) or families.PADDED
    except ValueError:
        return families.PADDED  # check_meta says what is wrong


def sorting(options: Any) -> Report:
    """Of nanogpt.train_sort, which makes its own data."""
    from nanogpt import sort

    sizes = sort.config()
    shape = {"n_layer": sizes.n_layer, "n_head": sizes.n_head, "n_embd": sizes.n_embd, "block": sizes.block_size}
    made = asked(device="cpu", out=options.out_dir, batch=sort.BATCH_SIZE, accumulation=1)
    return report_on(families.nanogpt(asked(vocab=sizes.vocab_size, **shape), "nanogpt"), made)


def base_training(settings: Any, out: Path, processes: int, device: str, kind: str = "nanochat") -> Report:
    """Of base_train, and of ngpt.shards, where ``kind`` is 'ngpt' or 'gpt'."""
    from nanochat.data import vocabulary
    from nanochat.files import get_base_dir

    base = get_base_dir()
    tokenizer = Path(settings.tokenizer or base / "tokenizer")
    try:
        tokens, _, special = vocabulary.load(tokenizer)
        size = len(tokens) + len(special)
    except (ValueError, OSError, KeyError, TypeError):
        size = 32768  # any: check_tokenizer says what is wrong
    total = settings.total_batch_size
    options = asked(
        **placed(settings, out, processes, device), data=settings.data or base / "base_data", tokenizer=tokenizer,
        batch=settings.device_batch_size, block=settings.max_seq_len,
        total_batch_size=total if total > 0 else settings.device_batch_size * settings.max_seq_len * processes,
    )  # fmt: skip
    config = settings.model_config(size)
    if kind != "nanochat":
        return beside(config, kind, options)
    compiled = options.device == "cuda" and settings.compile
    return report_on(families.of_config(config, settings), options, compiled=compiled)


def placed(settings: Any, out: Path, processes: int, device: str) -> dict[str, Any]:
    """Where it computes and writes."""
    dtype = None if settings.dtype == "auto" else settings.dtype
    return {"device": "cuda" if device.startswith("cuda") else "cpu", "dtype": dtype, "processes": processes,
            "out": out}  # fmt: skip


def beside(config: Any, kind: str, options: argparse.Namespace) -> Report:
    """Of nGPT or the GPT beside it, in nanochat's sizes and on nanochat's shards."""
    from nanochat.training.settings import Settings
    from ngpt.train import Options

    train = Options(model=kind, n_layer=config.n_layer, n_head=config.n_head, n_embd=config.n_embd,
                    block_size=config.sequence_len)  # fmt: skip
    options.accumulation = options.total_batch_size // (options.batch * options.block)
    shards, options.data = options.data, None
    report = report_on(families.ngpt(asked(vocab=config.vocab_size), train), options)
    report.findings += inputs.check_data(shards, families.of_config(config, Settings()))
    return report


def chat_stage(given: argparse.Namespace, out: Path, processes: int, device: str) -> Report:
    """Of mid_train and chat_sft, sized by the checkpoint that they begin with; its conversations they look at."""
    from nanochat.training.checkpoint import find_steps, meta_name
    from nanochat.training.settings import settings_from

    steps = find_steps(given.folder)
    if not steps:
        raise UsageProblem(f"{given.folder} has no checkpoint")
    path = given.folder / meta_name(steps[-1] if given.step is None else given.step)
    config = families.saved_config(path)
    before = settings_from(json.loads(path.read_text(encoding="utf-8"))["user_config"])
    rewarded = "max_seq_len" not in given  # chat_rl, whose questions are of any length
    config.sequence_len = block = config.sequence_len if rewarded else given.max_seq_len or before.max_seq_len
    batch = given.device_batch_size or before.device_batch_size
    total = None if rewarded else given.total_batch_size
    if not total:
        rows = max(1, before.total_batch_size // before.max_seq_len) if not rewarded else batch * processes
        total = rows * block
    options = asked(
        **placed(before, out, processes, device), tokenizer=given.tokenizer, batch=batch, block=block,
        total_batch_size=total, without_memory=True if rewarded else None,
    )  # fmt: skip
    return report_on(families.of_config(config, before), options)


NANOGPT, NGPT, SORT = "nanogpt.train", "ngpt.train", "nanogpt.train_sort"
LOOKS: dict[str, Callable[..., Report]] = {
    NANOGPT: nanogpt_training, NGPT: partial(nanogpt_training, family=families.ngpt), SORT: sorting,
    "base_train": base_training, "ngpt": partial(base_training, kind="ngpt"),
    "gpt": partial(base_training, kind="gpt"),
    "mid_train": chat_stage, "chat_sft": chat_stage, "chat_rl": chat_stage,
}  # fmt: skip
