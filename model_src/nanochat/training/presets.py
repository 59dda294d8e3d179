"""Settings of base training for a machine and a text: sizes from the one, steps from the other.

A preset is a proposal: what the command line says besides is kept, and the rest is fitted to it. The text decides how
long the training is, because a model that reads little text again and again learns it by heart.
"""

import math
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch

from nanochat.data.manifest import read_manifest
from nanochat.dataset import documents, get_data_dir
from nanochat.gpt import GPT
from nanochat.tokenizer import bytes_per_token, get_tokenizer
from nanochat.training.horizon import counted_parameters
from nanochat.training.loss_eval import tokens_of_epoch
from nanochat.training.settings import Settings, settings_from
from nanochat.training.step import Training

Options = dict[str, Any]  # fields of Settings, by name

EPOCHS = 5           # so often the text is read at most
STEPS = 600          # so many there are at least, where the text allows
MEASURED = 500       # documents from which the tokens of the whole text are estimated
MEASUREMENTS = 20    # of bits per byte in a training
CHECKPOINTS = 4      # in a training


@dataclass(frozen=True)
class Preset:
    """What suits a machine."""

    explanation: str
    sizes: Options = field(default_factory=dict)
    depths: tuple[int, ...] = ()  # the text decides which; (): nothing is fitted
    rows: int = 0                 # of a process in a step, at most


PRESETS = {
    "laptop": Preset(
        "a processor and minutes",
        {"n_embd": 128, "head_dim": 32, "max_seq_len": 256, "device_batch_size": 8, "warmdown_ratio": 0.4},
        depths=(4,), rows=8,
    ),
    "gpu": Preset(
        "one GPU and minutes to hours",
        {"head_dim": 64, "max_seq_len": 1024, "device_batch_size": 32, "warmdown_ratio": 0.4},
        depths=(4, 6, 8, 10, 12), rows=128,
    ),
    "8xh100": Preset("eight GPUs, hours and gigabytes of text: nanochat's own settings, which are the defaults"),
}  # fmt: skip


def with_preset(name: str, typed: Options, world_size: int) -> Options:
    """What was typed, completed by a preset and fitted to the text; ValueError or OSError where there is none."""
    preset = PRESETS[name]
    if not preset.depths:
        return typed
    options = {**preset.sizes, **typed}
    tokens = count_tokens(settings_from(options))
    options.setdefault("depth", depth_for(preset, options, tokens))
    shown = min(EPOCHS * tokens, wanted_tokens(settings_from(options)))
    options |= batch_for(preset, options, typed, shown, world_size)
    if not {"num_iterations", "target_flops", "target_param_data_ratio"} & typed.keys():
        options["num_iterations"] = max(1, round(shown / options["total_batch_size"]))
    steps = options.get("num_iterations", STEPS)
    return {"eval_every": max(1, steps // MEASUREMENTS), "save_every": max(1, steps // CHECKPOINTS), **options}


def count_tokens(settings: Settings) -> int:
    """About how many tokens the training shards have: their bytes, over the bytes of a token in some documents."""
    manifest = read_manifest(get_data_dir(settings.data or None))
    some = islice(documents("val", settings.data or None), MEASURED)
    train = 1 - 1 / manifest.shard_count  # the last shard is for validation
    return int(manifest.size["bytes"] * train / bytes_per_token(get_tokenizer(settings.tokenizer or None), some))


def wanted_tokens(settings: Settings) -> float:
    """The tokens that a model of these settings is to be shown, if there is text enough."""
    vocab_size = get_tokenizer(settings.tokenizer or None).get_vocab_size()
    with torch.device("meta"):  # counted without being made
        model = GPT(settings.model_config(vocab_size))
    return settings.target_param_data_ratio * counted_parameters(model, settings.newest)


def depth_for(preset: Preset, options: Options, tokens: int) -> int:
    """The deepest model of the preset for which there is text enough; where there is for none, the flattest."""
    wanted = {depth: wanted_tokens(settings_from({**options, "depth": depth})) for depth in preset.depths}
    return max((depth for depth in preset.depths if wanted[depth] <= EPOCHS * tokens), default=preset.depths[0])


def batch_for(preset: Preset, options: Options, typed: Options, shown: float, world_size: int) -> Options:
    """Tokens of a step and rows that a device takes at once, where they were not typed.

    A step is so small that ``shown`` tokens make enough of them.
    """
    row, most = options["max_seq_len"] * world_size, options["device_batch_size"]  # tokens of a row of each process
    rows = 2 ** int(math.log2(max(1.0, min(preset.rows, shown / STEPS / row))))    # of each process in a step
    if "device_batch_size" in typed:
        rows = most * max(1, rows // most)
    batch = typed.get("total_batch_size", rows * row)
    rows = max(1, batch // row)
    at_once = max(size for size in range(1, min(most, rows) + 1) if rows % size == 0)
    return {"total_batch_size": batch, "device_batch_size": typed.get("device_batch_size", at_once)}


def as_options(options: Options) -> str:
    """The same as one would type it: ``--depth 4 --newest``."""
    words = [("--" + name.replace("_", "-"), value) for name, value in options.items()]
    return " ".join(flag if value is True else f"{flag} {value}" for flag, value in words)


def warn_of_repetition(training: Training) -> str | None:
    """What to say where one step reads the text of this process more than once, else None."""
    asked = training.plan.total_batch_size // training.world.size
    there = tokens_of_epoch(training.loader, asked)
    if there >= asked:
        return None
    return (
        f"warning: a step takes {training.plan.total_batch_size:,} tokens, {asked / there:.1f} times the whole text; "
        "--preset laptop and --preset gpu fit the training to it, --total-batch-size alone makes the steps smaller"
    )
