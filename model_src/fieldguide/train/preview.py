"""What a training will need and take: ``memory``, ``scale`` and ``check``, asked before it starts, and a timed step."""

import argparse
import time
from types import ModuleType
from typing import Any

import torch

from fieldguide import check, memory, scale
from fieldguide.ended import duration
from fieldguide.models import add_model_arguments, subject_from
from fieldguide.report import Finding, Report, UsageProblem
from fieldguide.train.commands import Orders
from fieldguide.train.wishes import Wish

SHARE = 0.8  # of the time for steps; the rest for measuring, saving and starting
LONGEST = 60.0  # seconds that timing a step may take


def device_of(wish: Wish) -> str:
    """The device that 'auto' means; UsageProblem where one that is asked for is not here."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish.device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if here[name])
    if not here[wish.device]:
        raise UsageProblem(f"--device {wish.device}: PyTorch finds none here; --device auto takes what is here")
    return wish.device


def words_of(wish: Wish, vocabulary: int) -> list[str]:
    """The model as the other tools are asked about it."""
    size = wish.sizes
    sizes = {"model": wish.model, "n-layer": size.layers, "n-head": size.heads, "n-embd": size.width,
             "block": size.block, "vocab": vocabulary}  # fmt: skip
    return [word for name, value in sizes.items() for word in (f"--{name}", str(value))]


def options_of(tool: Any, words: list[str]) -> argparse.Namespace:
    """A tool's options."""
    parser = argparse.ArgumentParser()
    (tool.add_arguments if isinstance(tool, ModuleType) else tool)(parser)
    return parser.parse_args(words)


def step_seconds(wish: Wish, vocabulary: int, device: str) -> float:
    """Seconds of a step, from one that is run; the first, which prepares much, is not counted."""
    subject = subject_from(options_of(add_model_arguments, words_of(wish, vocabulary)))
    size = wish.sizes
    kind = "cuda" if device.startswith("cuda") else device
    bfloat = kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    own = torch.bfloat16 if bfloat and not subject.autocast else torch.float32
    with memory_quiet(), torch.device(device):
        model = subject.built(own)
        optimizer = subject.optimizer(model, kind)
    tokens = torch.randint(vocabulary, (size.batch, size.block + 1), device=device)
    x, y = tokens[:, :-1].contiguous(), tokens[:, 1:].contiguous()
    took: list[float] = []
    began = time.perf_counter()
    while len(took) < 4 and time.perf_counter() - began < LONGEST:
        started = time.perf_counter()
        with torch.autocast(kind, torch.bfloat16, enabled=bfloat and subject.autocast):
            _, loss = subject.loss(model, x, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        took.append(time.perf_counter() - started)
    return size.accumulation * min(took[1:] or took)


def memory_quiet() -> Any:
    """Keeps models from printing while they are made."""
    from fieldguide.memory.trial import quiet

    return quiet()


def steps_for(wish: Wish, seconds: float) -> int:
    """As many as the time allows, unless they were said."""
    return wish.steps or max(1, int(SHARE * wish.minutes * 60 / seconds))


def look(wish: Wish, made: Orders, device: str, steps: int, seconds: float) -> Report:
    """What the other tools say: their warnings, and the numbers of the plan."""
    size, model = wish.sizes, words_of(wish, made.vocabulary)
    where = ["--device", "cuda" if device == "cuda" else "cpu", "--processes", str(wish.processes)]
    setup = [*model, *where, "--batch", str(size.batch), "--accumulation", str(size.accumulation * wish.processes)]
    need = memory.run(options_of(memory, [*setup[:-1], str(size.accumulation)]))
    tokens = steps * size.batch * size.block * size.accumulation * wish.processes
    cost = scale.run(options_of(scale, [*model, "--tokens", str(tokens)]))
    files = ["--out", str(wish.out), "--without-memory"]
    files += ["--total-batch-size", str(size.batch * size.block * size.accumulation * wish.processes)]
    if made.data.exists():
        files += ["--data", str(made.data)]
    ready = check.run(options_of(check, [*setup, *files]))
    report = Report("plan", [finding for finding in need.findings if finding.level != "note"])
    report.findings += [each for each in ready.findings if each.level in ("warning", "error")]
    report.findings += repeated(wish, made, tokens)
    report.data = {
        "parameters": need.data["parameters"], "peak_bytes": need.data["peak_bytes"], "tokens": tokens,
        "flops": cost.data["flops"], "checkpoint_bytes": cost.data["checkpoint_bytes"], "steps": steps,
        "step_seconds": seconds, "largest_batch": need.data["largest_batch"],
    }  # fmt: skip
    return report


def repeated(wish: Wish, made: Orders, tokens: int) -> list[Finding]:
    """How often the text is read, where each letter is a token."""
    if wish.model == "nanochat":
        return []
    path = wish.text if wish.text.is_file() else made.data / "train.bin"
    there = path.stat().st_size if wish.text.is_file() else path.stat().st_size // 2
    times = tokens / max(1, 0.9 * there)
    if times < 20:
        return []
    return [Finding("warning", f"The text is read about {times:,.0f} times: the model will know it by heart.",
                    f"{tokens:,} tokens of training, about {there:,} of text", "more text, or less time")]


def told(seconds: float, steps: int) -> str:
    """The time that the steps take."""
    return f"{steps:,} steps of {seconds * 1e3:,.0f} ms: {duration(seconds * steps)}, and measuring besides"
