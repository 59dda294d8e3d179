"""nanochat's optimizer for another number of processes: each keeps a share of the memories, and these are dealt anew.

Of AdamW's tensors each process has some rows, or all where they are small or don't divide; of Muon's stacks of
matrices it has some matrices, filled up with zeros. Numbers move, none is computed.
"""

import math
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import tensorfiles
from fieldguide.checkpoint.layouts import OURS, Checkpoint
from fieldguide.checkpoint.pickles import Refused
from fieldguide.checkpoint.repairs import sealed
from fieldguide.checkpoint.shares import Memories, read_share, save_share
from fieldguide.report import Finding, UsageProblem

SMALL = 1024  # numbers of a tensor that both codes share out; below, every process has all
MOST = 65_536  # processes
TOKENIZER = "tokenizer.json"  # what this book's checkpoints have beside them


@dataclass(frozen=True)
class Place:
    """What is kept at the number of a parameter."""

    name: str
    shape: tuple[int, ...]
    matrices: int = 0  # of a stack of Muon's, which is kept at its first; 0: AdamW's

    def rows(self, processes: int, strict: bool) -> int:
        """Rows (of a stack: matrices) that each of several processes has; 0: each has all."""
        if self.matrices:
            return -(-self.matrices // processes)
        if processes == 1 or math.prod(self.shape) < SMALL:
            return 0
        if self.shape[0] % processes == 0:
            return self.shape[0] // processes
        if strict:
            raise UsageProblem(
                f"--processes {processes}: {self.name} has {self.shape[0]} rows, which upstream's optimizer can't "
                "share out evenly among them; name another number"
            )
        return 0


def places(checkpoint: Checkpoint) -> dict[int, Place]:
    """What is kept where, from the settings and the weights' shapes."""
    from fieldguide.models import families
    from fieldguide.scale.plans import built
    from nanochat.training.settings import settings_from

    assert checkpoint.files.meta is not None
    config = families.saved_config(checkpoint.files.meta)
    asked = checkpoint.meta.get("user_config") if checkpoint.meta.get("format") == OURS else {"newest": True}
    subject = families.of_config(config, settings_from(asked if isinstance(asked, dict) else {}))
    model = built(subject)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    lacks = [name for name in names.values() if name not in checkpoint.plain]
    if lacks:
        raise Refused(
            f"{checkpoint.name} has no {lacks[0]}: it is of another version, whose optimizer is not known here"
        )
    found, number = {}, 0
    for group in subject.optimizer(model, "cpu").param_groups:
        own = [names[id(parameter)] for parameter in group["params"]]
        stack = group["kind"] == "muon"
        for i, name in enumerate(own):
            if not stack or i == 0:
                shape = tuple(checkpoint.plain[name].shape)
                found[number + i] = Place(name, shape, len(own) if stack else 0)
        number += len(own)
    return found


def gathered(shares: Sequence[Memories], known: dict[int, Place]) -> Memories:
    """The memories as one process has them; Refused where the shares are not those of such a model."""
    strangers = {number for share in shares for number in share} - known.keys()
    if strangers:
        raise Refused(f"the optimizer remembers parameter {min(strangers)}, and the model has none at that place")
    whole: Memories = {}
    for number, place in known.items():
        parts = [share.get(number, {}) for share in shares]
        if len({frozenset(part) for part in parts}) > 1:
            raise Refused(f"{place.name}: the processes remember different things: these files are not of one step")
        whole[number] = {name: joined([part[name] for part in parts], place, name) for name in parts[0]}
    return {number: memories for number, memories in whole.items() if memories}


def joined(parts: list[Any], place: Place, name: str) -> Any:
    """One memory of all processes."""
    count = len(parts)
    if not isinstance(parts[0], torch.Tensor) or parts[0].dim() == 0:
        if any(part != parts[0] for part in parts):
            raise Refused(f"{place.name}: {name} is {parts[0]} and {parts[-1]}: these files are not of one step")
        return parts[0]
    rows = place.rows(count, strict=False)
    wanted = rows or place.shape[0]
    sizes = [part.shape[0] if isinstance(part, torch.Tensor) and part.dim() else 0 for part in parts]
    if any(size != wanted for size in sizes):
        raise Refused(f"{place.name}: {name} has {sizes} rows in {count} files, and {wanted} each were expected")
    if not rows:
        return parts[0]
    whole = torch.cat(parts)
    return whole[: place.matrices] if place.matrices else whole


def dealt(whole: Memories, known: dict[int, Place], processes: int, strict: bool) -> list[Memories]:
    """The memories of each of several processes."""
    shares: list[Memories] = [{} for _ in range(processes)]
    for number, memories in whole.items():
        place = known[number]
        rows = place.rows(processes, strict)
        for rank, share in enumerate(shares):
            share[number] = {name: part(value, rank, rows) for name, value in memories.items()}
    return shares


def part(value: Any, rank: int, rows: int) -> Any:
    """One process's part of a memory, filled up with zeros where a stack ends."""
    if not isinstance(value, torch.Tensor) or value.dim() == 0 or not rows:
        return value
    mine = value[rank * rows : (rank + 1) * rows]
    return torch.cat([mine, value.new_zeros(rows - len(mine), *value.shape[1:])]) if len(mine) < rows else mine.clone()


def same(one: Memories, other: Memories) -> bool:
    """Whether two are alike, bit for bit."""
    if one.keys() != other.keys() or any(one[n].keys() != other[n].keys() for n in one):
        return False
    pairs = [(value, other[n][name]) for n, memories in one.items() for name, value in memories.items()]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in pairs)


def moved(states: Any, processes: int) -> tuple[Any, str]:
    """Where the batches go on: each process after its share of the documents that all have seen."""
    if not isinstance(states, list) or not all(isinstance(state, dict) and "next" in state for state in states):
        return states, "at the row group of rank 0, as upstream's do"
    seen = sum(state["next"] - len(state.get("waiting", ())) for state in states)
    kept = {key: states[0][key] for key in ("corpus", "split", "packing") if key in states[0]}
    rest: dict[str, Any] = {"waiting": []} if "waiting" in states[0] else {"start": 0} if "start" in states[0] else {}
    own = [{**kept, "rank": rank, "world_size": processes} if kept else {} for rank in range(processes)]
    told = "about where they were: at the seam some documents come twice, or not in this epoch"
    return [{**each, "next": seen // processes, **rest} for each in own], told


def reshard(checkpoint: Checkpoint, processes: int, out: Path | None) -> list[Finding]:
    """Share the optimizer out anew into a new folder; without one, say what would be done."""
    files = checkpoint.files
    if not 0 < processes <= MOST:
        raise UsageProblem(f"--processes {processes}: 1 or more are needed, and at most {MOST:,}")
    if not files.nanochat or files.meta is None:
        raise UsageProblem(
            f"{checkpoint.name} is none of nanochat's: nanoGPT's optimizer is the same for any --processes"
        )
    if not files.optim or files.problem:
        raise UsageProblem(f"{checkpoint.name}: {files.problem or 'there is no optimizer to share out'}")
    read = [read_share(files.optim[rank]) for rank in sorted(files.optim)]
    known, before = places(checkpoint), len(read)
    whole = gathered([memories for memories, _ in read], known)
    shares = dealt(whole, known, processes, strict=files.optim[0].suffix == ".pt")
    if not same(gathered(shares, known), whole):
        raise Refused(
            f"{checkpoint.name}: dealt out and gathered again the memories were not the same; nothing is written"
        )
    count = sum(value.numel() for each in whole.values() for value in each.values() if isinstance(value, torch.Tensor))
    states, told = moved(checkpoint.meta.get("dataloader_state_dict"), processes)
    meta = {
        **checkpoint.meta,
        **({"dataloader_state_dict": states} if "dataloader_state_dict" in checkpoint.meta else {}),
    }
    found = [
        Finding("good", f"The optimizer of {before} processes is shared out among {processes}", f"{count:,} numbers, "
                "compared bit for bit with what they were"),
        Finding("note", f"The batches go on {told}", "", batches(checkpoint.meta, processes)),
    ]  # fmt: skip
    if out is None:
        return [*found, Finding("note", "Nothing is written yet", "", "the same command with --out NEW writes it")]
    write(checkpoint, meta, shares, read[0][1], out)
    return found


def batches(meta: dict[str, Any], processes: int) -> str:
    """What to set where the tokens of a step can't be made by so many processes."""
    asked = meta.get("user_config")
    sizes = [asked.get(key) if isinstance(asked, dict) else None for key in
             ("total_batch_size", "device_batch_size", "max_seq_len")]  # fmt: skip
    if not all(type(size) is int and size > 0 for size in sizes):
        return ""
    total, rows, block = map(int, filter(None, sizes))
    if total % (rows * block * processes) == 0:
        return f"each adds up {total // (rows * block * processes)} micro-batches for a step"
    return f"a step of {total:,} tokens can't be made of {processes} x {rows} rows of {block}: name a smaller batch"


def write(
    checkpoint: Checkpoint, meta: dict[str, Any], shares: list[Memories], rest: dict[str, Any], out: Path
) -> None:
    """All files of the step in a new folder, which has its name when it is complete."""
    files = checkpoint.files
    if os.path.lexists(out):
        raise UsageProblem(f"{out} is there already, and nothing is overwritten: name a new folder with --out")
    made = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        written = [made / f"model_{files.step:06d}{files.model.suffix}"] if files.model else []
        with tensorfiles.new_file(written[0]) as new:
            shutil.copyfile(str(files.model), new)
        for rank, memories in enumerate(shares):
            written.append(made / f"optim_{files.step:06d}_rank{rank}{files.optim[0].suffix}")
            save_share(written[-1], memories, rest)
        if (files.folder / TOKENIZER).is_file():
            shutil.copyfile(files.folder / TOKENIZER, made / TOKENIZER)
        ours = meta.get("format") == OURS
        tensorfiles.save_json(made / f"meta_{files.step:06d}.json", sealed(meta, written) if ours else meta)
        made.rename(out)
    except OSError as error:
        raise UsageProblem(f"{out} can't be written ({error}): name another place with --out") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
