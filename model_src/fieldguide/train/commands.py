"""The commands that make a wish true: text to tokens, then the training. All they write is below one folder."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.report import UsageProblem
from fieldguide.train.wishes import Wish

LARGEST = 1 << 30  # bytes of a text whose letters are counted
VOCABULARY = {"tiny": 1024, "small": 4096, "medium": 32768}  # nanochat's, by size
GPT2_VOCABULARY = 50304


@dataclass
class Orders:
    """Commands in their order, each a list of words, and what is known beforehand."""

    prepare: list[list[str]] = field(default_factory=list)
    train: list[str] = field(default_factory=list)
    data: Path = Path()
    tokenizer: Path | None = None
    vocabulary: int = 0
    log: Path = Path()

    @property
    def all(self) -> list[list[str]]:
        return [*self.prepare, self.train]


def orders(wish: Wish, steps: int, device: str) -> Orders:
    """What is to be run."""
    made = for_nanochat(wish) if wish.model == "nanochat" else for_nanogpt(wish)
    made.train = launched(wish.processes) + (
        nanochat_options(wish, made, steps, device) if wish.model == "nanochat" else
        nanogpt_options(wish, made, steps, device)
    )  # fmt: skip
    return made


def launched(processes: int) -> list[str]:
    """How the training is started."""
    if processes == 1:
        return [sys.executable, "-m"]
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}", "-m",
            "fieldguide.distributed.recorded"]  # fmt: skip


def for_nanogpt(wish: Wish) -> Orders:
    """Letters or byte pairs as nanoGPT stores them."""
    from fieldguide.models.families import meta_vocab

    made = Orders(data=wish.text.resolve(), log=wish.out / "train.log")
    if wish.text.is_file():
        made.data = (wish.out / "data").resolve()
        made.prepare.append([sys.executable, "-m", "nanogpt.data", "char", str(wish.text), str(made.data)])
        made.vocabulary = letters(wish.text)
        return made
    if not (wish.text / "train.bin").is_file():
        raise UsageProblem(f"--text {wish.text}: {wish.model} wants train.bin and val.bin in it, or a text file")
    try:
        made.vocabulary = meta_vocab(wish.text) or GPT2_VOCABULARY
    except ValueError as error:
        raise UsageProblem(f"--text {wish.text}: {error}") from error
    return made


def letters(path: Path) -> int:
    """How many different letters a text has, which is only read."""
    if path.stat().st_size > LARGEST:
        what = f"more than {LARGEST >> 30} GiB; prepare it with python -m nanogpt.data, and name the folder"
        raise UsageProblem(f"--text {path}: {what}")
    try:
        with path.open(encoding="utf-8-sig") as file:
            found = len({letter for piece in iter(lambda: file.read(1 << 20), "") for letter in piece})
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"--text {path} can't be read as UTF-8 ({error}): convert it") from error
    if not found:
        raise UsageProblem(f"--text {path} is empty: name another")
    return found


def for_nanochat(wish: Wish) -> Orders:
    """Shards and a tokenizer."""
    made = Orders(data=wish.text.resolve(), tokenizer=(wish.out / "tokenizer").resolve(), log=wish.out / "log.jsonl")
    made.vocabulary = VOCABULARY[wish.size]
    if wish.text.is_file():
        letters(wish.text)
        made.data = (wish.out / "shards").resolve()
        made.prepare.append([sys.executable, "-m", "nanochat", "dataset", "--text", str(wish.text), "--folder",
                             str(made.data), "--shards", "4"])  # fmt: skip
    elif len(list(wish.text.glob("*.parquet"))) < 2:
        raise UsageProblem(f"--text {wish.text}: nanochat wants two or more shards (.parquet) in it, or a text file")
    made.prepare.append([sys.executable, "-m", "nanochat", "tokenizer", "--vocab-size", str(made.vocabulary), "--data",
                         str(made.data), "--out", str(made.tokenizer)])  # fmt: skip
    return made


def nanogpt_options(wish: Wish, made: Orders, steps: int, device: str) -> list[str]:
    """Of nanogpt.train and ngpt.train: twenty measurements, the rate falls to a tenth at the end."""
    size = wish.sizes
    rate = 3 * size.rate if wish.model == "ngpt" else size.rate
    given = {
        "out_dir": wish.out, "dataset": made.data, "device": device, "compile": device == "cuda",
        "n_layer": size.layers, "n_head": size.heads, "n_embd": size.width, "block_size": size.block,
        "batch_size": size.batch, "gradient_accumulation_steps": size.accumulation * wish.processes,
        "max_iters": steps, "lr_decay_iters": steps, "learning_rate": rate, "min_lr": rate / 10,
        "warmup_iters": 0 if wish.model == "ngpt" else min(100, steps // 20), "eval_interval": max(1, steps // 20),
        "eval_iters": measured(steps), "log_interval": max(1, steps // 1000), "always_save_checkpoint": False,
        "check": False,  # that has been done
    }  # fmt: skip
    if wish.processes > 1:
        given["backend"] = "nccl" if device == "cuda" else "gloo"
    return [f"{wish.model}.train", *(f"--{name}={value}" for name, value in given.items())]


def measured(steps: int) -> int:
    """Batches of a measurement of each split: twenty-one of them take a fifth of the steps' time, or two batches each.

    A forward pass is a third of a step.
    """
    return max(2, min(200, steps // 70))


def nanochat_options(wish: Wish, made: Orders, steps: int, device: str) -> list[str]:
    """Of base_train, likewise."""
    size = wish.sizes
    together = size.batch * size.block * wish.processes
    given = {
        "data": made.data, "tokenizer": made.tokenizer, "out": wish.out, "device": device, "depth": size.layers,
        "n-embd": size.width, "head-dim": size.width // size.heads, "max-seq-len": size.block,
        "device-batch-size": size.batch, "total-batch-size": together * size.accumulation, "num-iterations": steps,
        "warmdown-ratio": 0.4, "eval-every": max(1, steps // 20), "eval-tokens": 2 * measured(steps) * together,
    }  # fmt: skip
    return ["nanochat", "base_train", *(f"--{name}={value}" for name, value in given.items()), "--no-check"]
