"""Where checkpoints are and what is in them: nanoGPT's, nanochat's (upstream's and this book's), nGPT's, weights."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import pickles, tensorfiles
from fieldguide.checkpoint.pickles import Refused
from fieldguide.report import UsageProblem

STEP = re.compile(r"(model|meta|optim)_(\d{1,12})(?:_rank(\d{1,6}))?\.(pt|json|safetensors)$")
PREFIXES = ("_orig_mod.", "module.")  # of torch.compile and of DistributedDataParallel
NANOGPT = ("model", "optimizer", "model_args", "iter_num", "best_val_loss", "config")
OURS = "nanochat checkpoint 1"
MOST = 100_000  # files of a folder that are looked at


@dataclass
class Files:
    """The files of one step of nanochat's, or the one file of another kind."""

    folder: Path
    step: int | None = None
    model: Path | None = None
    meta: Path | None = None
    optim: dict[int, Path] = field(default_factory=dict)  # by rank

    @property
    def all(self) -> list[Path]:
        """Every file that is there."""
        return [path for path in (self.model, self.meta, *self.optim.values()) if path is not None]

    @property
    def bytes(self) -> int:
        """Their size; links count as what they are."""
        return sum(path.lstat().st_size for path in self.all)

    @property
    def repair(self) -> str:
        """The command that writes a mended copy."""
        where = shlex.quote(str(self.folder if self.nanochat else self.model))
        step = f" --step {self.step}" if self.nanochat else ""
        return f"fieldguide checkpoint repair {where}{step} --out NEW"

    @property
    def nanochat(self) -> bool:
        """Whether they are named as nanochat names them."""
        return self.step is not None

    @property
    def problem(self) -> str:
        """What keeps the step from being used, as far as names tell."""
        lacks = [name for name, path in (("model", self.model), ("meta", self.meta)) if path is None]
        if self.nanochat and lacks:
            return f"it lacks its {' and '.join(lacks)} file"
        gap = set(range(max(self.optim, default=-1) + 1)) - set(self.optim)
        return f"it lacks the optimizer of rank {min(gap)}" if gap else ""


@dataclass
class Checkpoint:
    """What was read."""

    files: Files
    kind: str
    weights: dict[str, torch.Tensor]
    whole: Any  # what the model's file holds, as it stands there
    meta: dict[str, Any] = field(default_factory=dict)
    optimizer: Any = None  # nanoGPT's

    @property
    def name(self) -> str:
        """How it is called in a report."""
        return str(self.files.model or self.files.folder)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of its GPTConfig."""
        places = (self.meta.get("model_config"), self.meta.get("model_args"))
        return next((found for found in places if isinstance(found, dict)), {})

    @property
    def plain(self) -> dict[str, torch.Tensor]:
        """The weights without what a wrapper put before their names."""
        return {stripped(name): tensor for name, tensor in self.weights.items()}


def stripped(name: str) -> str:
    """A name without the prefixes of wrappers, however many."""
    while name.startswith(PREFIXES):
        name = name.removeprefix(PREFIXES[0]).removeprefix(PREFIXES[1])
    return name


def find(path: Path) -> list[Files]:
    """The checkpoints of a folder, oldest first, and of the folders in it; of a file, itself."""
    try:
        if not path.is_dir():
            return [one_file(path)]
        inside = sorted(path.iterdir())[:MOST]
    except OSError as error:
        raise UsageProblem(f"{path} can't be read ({error}): name a folder that you may read") from error
    found = in_folder(path, inside)
    for folder in inside:
        if folder.is_dir() and not folder.is_symlink():
            found += in_folder(folder, sorted(folder.iterdir())[:MOST])
    return found


def in_folder(folder: Path, inside: list[Path]) -> list[Files]:
    """The checkpoints that lie directly in a folder."""
    steps: dict[int, Files] = {}
    others: list[Files] = []
    for path in inside:
        name = STEP.fullmatch(path.name)
        if name is None:
            if path.suffix in (".pt", ".pth", ".safetensors") and not path.is_dir():
                others.append(Files(folder, model=path))
            continue
        files = steps.setdefault(int(name[2]), Files(folder, int(name[2])))
        if name[1] == "optim":
            files.optim[int(name[3] or 0)] = path
        elif name[1] == "meta":
            files.meta = path
        else:
            files.model = path
    return [*others, *(steps[step] for step in sorted(steps))]


def one_file(path: Path) -> Files:
    """A file that was named; of nanochat's, with those that belong to it."""
    name = STEP.fullmatch(path.name)
    if name is None or not path.parent.is_dir():
        return Files(path.parent, model=path)
    return next(files for files in in_folder(path.parent, [path, *siblings(path, name[2])]) if files.step is not None)


def siblings(path: Path, step: str) -> list[Path]:
    """The other files of a step."""
    return [each for each in path.parent.glob(f"*_{step}*") if each != path and STEP.fullmatch(each.name)]


def choose(path: Path, step: int | None) -> Files:
    """The one checkpoint that is meant: of a step, else the newest."""
    found = find(path)
    if step is not None:
        found = [files for files in found if files.step == step]
    whole = [files for files in found if files.model is not None] or found
    if not whole:
        asked = f"the checkpoint of step {step}" if step is not None else "a checkpoint"
        raise UsageProblem(f"{path} has none, and {asked} was asked for: `fieldguide checkpoint list` shows all")
    return whole[-1]


def read(files: Files) -> Checkpoint:
    """Read the weights of a checkpoint and what goes with them; Refused where it is not safe or not whole."""
    if files.model is None:
        raise Refused(f"{files.folder}, step {files.step}, can't be read: {files.problem}; take an earlier one")
    meta = tensorfiles.read_json(files.meta) if files.meta is not None else {}
    if files.model.suffix == ".safetensors":
        weights, notes = tensorfiles.load_safetensors(files.model)
        if tensorfiles.STRUCTURE in notes:
            return from_structure(files, weights, notes[tensorfiles.STRUCTURE])
        kind = "nanochat (this book's)" if files.nanochat else architecture(weights)
        return Checkpoint(files, kind, weights, weights, meta)
    return from_pt(files, pickles.load(files.model), meta)


def from_structure(files: Files, tensors: dict[str, torch.Tensor], text: str) -> Checkpoint:
    """A checkpoint that was converted to safetensors by ``fieldguide checkpoint convert``."""
    try:
        whole = tensorfiles.unpack(json.loads(text), tensors)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Refused(f"{files.model} can't be read ({error}): its head was changed; convert it again") from error
    return from_pt(files, whole, {})


def from_pt(files: Files, whole: Any, meta: dict[str, Any]) -> Checkpoint:
    """What torch.load gave, as one of the known kinds."""
    if not isinstance(whole, dict):
        raise Refused(f"{files.model} holds a {type(whole).__name__}, not weights by name: it is no checkpoint")
    if isinstance(whole.get("model"), dict) and all(isinstance(key, str) for key in whole):
        weights = only_tensors(whole["model"])
        rest = {key: value for key, value in whole.items() if key not in ("model", "optimizer")}
        return Checkpoint(files, f"nanoGPT's, {architecture(weights)}", weights, whole, rest, whole.get("optimizer"))
    kind = "nanochat (upstream's)" if files.nanochat else f"weights alone, {architecture(only_tensors(whole))}"
    return Checkpoint(files, kind, only_tensors(whole), whole, meta)


def only_tensors(values: dict[Any, Any]) -> dict[str, torch.Tensor]:
    """The tensors of a state dict."""
    return {str(name): value for name, value in values.items() if isinstance(value, torch.Tensor)}


def architecture(weights: dict[str, torch.Tensor]) -> str:
    """Which model has weights of such names."""
    names = {stripped(name) for name in weights}
    if any(".sqk" in name for name in names):
        return "NVIDIA's nGPT"
    if any("branch_scale" in name for name in names):
        return "nGPT (this book's)"
    if "token_embed.weight" in names:
        return "the GPT beside nGPT (this book's)"
    if "transformer.wpe.weight" in names:
        return "GPT-2"
    if "transformer.wte.weight" in names:
        return "nanochat"
    return f"{len(names)} tensors"
