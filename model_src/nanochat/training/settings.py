"""What can be set of a training, and the command line that sets it."""

import argparse
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any

from nanochat.common import World
from nanochat.config import GPTConfig, sizes_of_depth
from nanochat.dataloader import DataLoader
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.groups import OptimConfig
from nanochat.training.schedule import Schedule

NEWEST = {
    "warmup_steps": 40, "warmdown_ratio": 0.65, "final_lr_frac": 0.05, "embedding_lr": 0.3, "unembedding_lr": 0.008,
    "weight_decay": 0.28, "grad_clip": 0.0, "packing": "best_fit", "total_batch_size": -1,
    "target_param_data_ratio": 12.0,
}  # fmt: skip


def option(default: Any, explanation: str) -> Any:
    """A field with a line for ``--help``."""
    return field(default=default, metadata={"help": explanation})


@dataclass(frozen=True)
class Settings:
    """A training; as it stands, nanochat's first release on eight GPUs. ``newest`` has the one of July 2026."""

    data: str = option("", "folder of the shards; '': base_data in $NANOCHAT_BASE_DIR")
    tokenizer: str = option("", "folder of the tokenizer; '': tokenizer in $NANOCHAT_BASE_DIR")
    newest: bool = option(False, "model, optimizer, schedule and defaults of July 2026 instead of October 2025")
    seed: int = option(42, "of the first weights")

    depth: int = option(20, "layers; the width follows from it")
    aspect_ratio: int = option(64, "numbers of width for each layer")
    head_dim: int = option(128, "numbers of a head, at which the width is rounded up")
    n_embd: int = option(0, "the width itself; 0: depth times aspect ratio")
    n_head: int = option(0, "heads; 0: width over head_dim")
    n_kv_head: int = option(0, "key/value heads; 0: as many as heads")
    max_seq_len: int = option(2048, "tokens of a row")

    num_iterations: int = option(-1, "steps; -1: as many as the next two say")
    target_flops: float = option(-1.0, "operations of the whole training; -1: as many as the next one says")
    target_param_data_ratio: float = option(20.0, "tokens for each parameter; the newest count 12, of some")
    device_batch_size: int = option(32, "rows that a device takes at once")
    total_batch_size: int = option(524288, "tokens of a step, all devices together; -1: by a power law of the tokens")
    packing: str = option("flat", "how documents become rows: flat, best_fit or greedy")
    buffer_size: int = option(1000, "documents that wait, for best_fit")

    embedding_lr: float = option(0.2, "learning rate of the embedding")
    unembedding_lr: float = option(0.004, "learning rate of the head")
    matrix_lr: float = option(0.02, "learning rate of Muon")
    scalar_lr: float = option(0.5, "learning rate of single numbers, which only the newest have")
    weight_decay: float = option(0.0, "of embedding and head; of the newest, of Muon's matrices")
    grad_clip: float = option(1.0, "largest norm of all gradients; 0: any")
    warmup_steps: int = option(0, "steps in which the rates rise")
    warmdown_ratio: float = option(0.2, "share of the steps in which they fall")
    final_lr_frac: float = option(0.0, "the last rate, as a part of the full one")

    eval_every: int = option(250, "steps from one measurement of bits per byte to the next; -1: at the end")
    eval_tokens: int = option(10485760, "tokens that it takes, at most all of the validation shard's")
    save_every: int = option(-1, "steps from one checkpoint to the next; -1: at the end")
    device: str = option("auto", "cpu, cuda, mps, or auto: the fastest that is here")
    dtype: str = option("auto", "float32, bfloat16, or auto: bfloat16 on GPUs that are made for it")
    compile: bool = option(False, "let torch.compile make it faster; that takes minutes at first")
    peak_flops: float = option(0.0, "operations a second that each device could do; 0: measured")

    def __post_init__(self) -> None:
        for name in ("depth", "max_seq_len", "device_batch_size", "eval_tokens", "head_dim", "aspect_ratio"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: 1 is the least")

    @classmethod
    def of_newest(cls, **options: Any) -> "Settings":
        """The defaults of July 2026; any field may be set otherwise."""
        return cls(**{**NEWEST, "newest": True, **options})

    def model_config(self, vocab_size: int) -> GPTConfig:
        """The model, with sizes by depth where none are given."""
        sizes = sizes_of_depth(self.depth, self.aspect_ratio, self.head_dim)
        sizes["n_embd"] = self.n_embd or sizes["n_embd"]
        sizes["n_head"] = self.n_head or max(1, sizes["n_embd"] // self.head_dim)
        sizes["n_kv_head"] = self.n_kv_head or sizes["n_head"]
        make = GPTConfig.newest if self.newest else GPTConfig
        return make(sequence_len=self.max_seq_len, vocab_size=vocab_size, **sizes)

    def optim_config(self, half: bool) -> OptimConfig:
        """What the optimizer does; the newest one orthogonalises in the precision of the model, the first in half."""
        return OptimConfig.newest(bfloat16=half) if self.newest else OptimConfig()

    def schedule(self, num_iterations: int) -> Schedule:
        """Learning rates, momentum and weight decay over the steps."""
        make = Schedule.newest if self.newest else Schedule
        names = ("warmup_steps", "warmdown_ratio", "final_lr_frac")
        return make(num_iterations, **{name: getattr(self, name) for name in names})


def make_loader(settings: Settings, world: World, tokenizer: RustBPETokenizer, split: str) -> DataLoader:
    """Batches of a split from its beginning, for this process."""
    return DataLoader(
        tokenizer, settings.device_batch_size, settings.max_seq_len, split, settings.packing, settings.buffer_size,
        world.rank, world.size, settings.data or None,
    )  # fmt: skip


# These have no influence on the weights: a training may go on with others.
FREE = ("data", "tokenizer", "eval_every", "eval_tokens", "save_every", "device", "peak_flops", "compile")


def differences(asked: Settings, found: dict[str, Any]) -> list[str]:
    """Where settings and those of a checkpoint disagree, so that the curve would not be the same."""
    return [
        f"{name} is {value!r}, the checkpoint's is {found.get(name)!r}"
        for name, value in asdict(asked).items()
        if name not in FREE and value != found.get(name)
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for each setting: ``--device-batch-size``, ``--newest``."""
    for each in fields(Settings):
        flag = "--" + each.name.replace("_", "-")
        explanation = each.metadata["help"].replace("%", "%%")
        if isinstance(each.default, bool):
            parser.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=explanation)
        else:
            parser.add_argument(
                flag, type=type(each.default), default=argparse.SUPPRESS, metavar=metavar(each),
                help=f"{explanation} (default: {shown(each)})",
            )  # fmt: skip


def metavar(each: "Field[Any]") -> str:
    return {int: "N", float: "X", str: "NAME"}[type(each.default)]


def shown(each: "Field[Any]") -> str:
    """The default, and the newest one where it is another."""
    assert each.default is not MISSING
    newest = f", newest: {NEWEST[each.name]!r}" if each.name in NEWEST else ""
    return f"{each.default!r}{newest}"


def settings_from(given: dict[str, Any]) -> Settings:
    """The settings that a command line gives, by name, and defaults for the others."""
    known = {each.name for each in fields(Settings)}
    options = {name: value for name, value in given.items() if name in known}
    return Settings.of_newest(**options) if options.pop("newest", False) else Settings(**options)
