"""What differs among the ranks of a training, who holds the others up, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.report import Finding
from fieldguide.stuck.activity import Activity
from fieldguide.stuck.processes import STATES, Process, files
from fieldguide.stuck.stacks import Stack

ADVICE = {
    "data": "fewer or shorter shards for one rank, a slow disk, or a file that nobody writes: fieldguide data looks at "
            "it; give all ranks as many batches",
    "checkpoint": "rank 0 alone writes while others go on to a collective: let them wait behind a barrier, with a "
                  "time-out longer than a write; look at the disk (df, dmesg)",
    "compile": "torch.compile takes minutes at first, on each rank for itself: wait, or use a shared cache "
               "(TORCHINDUCTOR_CACHE_DIR); fixed shapes keep it from coming again",
    "meeting": "not all ranks have come: compare --nnodes, --nproc_per_node, MASTER_ADDR and MASTER_PORT on every "
               "machine; a firewall may drop the port",
    "download": "let one rank download and the others wait for its file",
    "subprocess": "look at the program that it started",
    "evaluation": "evaluation on one rank alone must not call a collective, and the others must wait for it",
    "import": "PyTorch takes seconds to be imported, and minutes from a slow network disk",
    "sleep": "look at why it sleeps there: a retry, a lock, a file that it waits for",
    "optimizer": "a sharded optimizer calls collectives, too: each rank needs the same parameters in the same order",
    "backward": "with DistributedDataParallel each rank must use the same parameters in each step "
                "(find_unused_parameters=True says which are not)",
    "collective": "let every rank call the same collectives in the same order: no `if rank == 0:` around one, the same "
                  "number of steps and evaluations on each",
    "other": "look at that line: it runs on this rank alone, or takes longer here",
    "unknown": "install py-spy, or call fieldguide.stuck.register() in the training, to see the line",
}  # fmt: skip
BUSY = 0.5  # processors


@dataclass
class Seen:
    """One process, and all that was found out about it."""

    process: Process
    stack: Stack | None
    activity: Activity
    why: str = ""  # there is no stack
    moving: bool = False  # its stack was another one the second time

    @property
    def busy(self) -> bool:
        """Whether it gets on: its line changes, or, where no line is seen, it computes. Who spins is not busy."""
        return self.moving or (self.stack is None and (self.process.cpu >= BUSY or self.process.state == "R"))


def ranks(seen: Sequence[Seen]) -> str:
    """'rank 1', 'ranks 0 and 2', or process numbers."""
    ranked = all(each.process.rank is not None for each in seen)
    names = [str(each.process.rank if ranked else each.process.pid) for each in seen]
    word = ("rank" if ranked else "process") + ("" if len(names) == 1 else "s" if ranked else "es")
    shown = names if len(names) <= 8 else [*names[:7], f"{len(names) - 7} more"]
    return f"{word} {', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else f"{word} {shown[0]}"


def judge(seen: Sequence[Seen]) -> list[Finding]:
    """Findings about all, the one that says most first."""
    found = [finding for each in seen for finding in stopped(each)]
    alive = [each for each in seen if each.process.state not in "ZTt"]
    ranked = [each for each in alive if each.process.rank is not None]
    found += missing(seen)
    if len(ranked) > 1:
        found += among(ranked)
    else:
        found += [finding for each in alive for finding in alone(each)]
    if any(each.stack is None for each in alive):
        whys = "; ".join(dict.fromkeys(each.why for each in alive if each.why))
        found.append(Finding("note", "Not every line could be seen.", whys, ADVICE["unknown"]))
    return found


def stopped(each: Seen) -> list[Finding]:
    """Processes that do not run at all."""
    state, name = each.process.state, each.process.name
    if state == "T":
        return [Finding("error", f"{name} is stopped, by SIGSTOP or Ctrl-Z.", "", f"kill -CONT {each.process.pid}")]
    if state == "Z":
        return [Finding("error", f"{name} has ended, and who started it has not noticed.", "",
                        "its error is above in the training's output; --standalone and @record show it")]
    return []


def missing(seen: Sequence[Seen]) -> list[Finding]:
    """Ranks that should be there."""
    sizes = {each.process.environment.get("WORLD_SIZE", "") for each in seen if each.process.rank is not None}
    sizes.discard("")
    if len(sizes) != 1 or not (size := sizes.pop()).isdecimal() or int(size) > 1 << 20:
        return []
    there = {each.process.rank for each in seen}
    away = [rank for rank in range(int(size)) if rank not in there]
    if not away:
        return []
    names = ", ".join(map(str, away[:8])) + (", ..." if len(away) > 8 else "")
    return [Finding(
        "error", f"Rank {names} of {size} is not running here.", "",
        "it may be on another machine: run this there, too; else it has died, and the others wait for it: its error is "
        "the earliest in the output (torch.distributed.elastic's @record keeps it)",
    )]  # fmt: skip


def among(seen: Sequence[Seen]) -> list[Finding]:
    """Who waits for whom."""
    inside = [each for each in seen if each.activity.kind == "collective" and not each.busy]
    outside = [each for each in seen if each not in inside]
    if not inside:
        return [*apart(seen), *(finding for each in seen for finding in alone(each))]
    if outside:
        level = "warning" if all(each.busy for each in outside) else "error"
        what = f"{ranks(inside).capitalize()} {verb(inside, 'wait')} in {inside[0].activity.what}; "
        what += "; ".join(f"{ranks([each])} is not there: it {each.activity.words}" for each in outside[:4])
        evidence = f"{ranks(inside)} at {inside[0].activity.place}; " + "; ".join(load(each) for each in outside[:4])
        return [Finding(level, what + ".", evidence, ADVICE[outside[0].activity.kind])]
    places = {(each.activity.what, each.activity.place) for each in inside}
    if len(places) > 1:
        what = "The ranks are in different collectives, so none of them will end: "
        what += "; ".join(f"{ranks([each])} {each.activity.words}" for each in inside[:4])
        return [Finding("error", what + ".", "", ADVICE["collective"])]
    what, place = places.pop()
    return [Finding(
        "warning", f"All ranks wait in the same {what} at {place}.", "; ".join(load(each) for each in inside[:4]),
        "the calls fit, so look between the machines: NCCL_DEBUG=INFO, NCCL_SOCKET_IFNAME, fieldguide distributed; or "
        "at sizes that differ: TORCH_DISTRIBUTED_DEBUG=DETAIL compares shapes",
    )]  # fmt: skip


def apart(seen: Sequence[Seen]) -> list[Finding]:
    """Ranks that do different things, where nobody is known to be in a collective."""
    doing: dict[tuple[str, str], list[Seen]] = {}
    for each in seen:
        doing.setdefault((each.activity.kind, each.activity.kernel), []).append(each)
    if len(doing) < 2 or all(each.moving for each in seen):
        return []
    few = min(doing.values(), key=len)
    what = "; ".join(f"{ranks(group)} {group[0].activity.words}" for group in list(doing.values())[:4])
    advice = f"look at {ranks(few)} first: the others may wait for it"
    return [Finding("warning", f"The ranks differ: {what}.", "", advice)]


def verb(seen: Sequence[Seen], word: str) -> str:
    """With or without its s."""
    return word if len(seen) > 1 else word + "s"


def alone(each: Seen) -> list[Finding]:
    """One process by itself."""
    name, activity = each.process.name, each.activity
    if each.busy:
        how = "its line changes" if each.moving else f"it uses {each.process.cpu:.0%} of a processor"
        return [Finding("good", f"{name} is at work: {how}; it {activity.words}.", load(each),
                        "no hang; fieldguide watch shows whether steps go on")]  # fmt: skip
    level = "error" if "pipe that nobody" in activity.kernel else "warning"
    spins = f", {each.process.cpu:.1f} processors busy all the time" if each.process.cpu >= BUSY else ""
    return [Finding(level, f"{name} {activity.words}{spins}.", load(each), ADVICE[activity.kind])]


def load(each: Seen) -> str:
    """State, processor, files of one process."""
    process = each.process
    parts = [f"{process.name} {STATES.get(process.state, process.state)}", f"{process.cpu:.0%} of a processor"]
    parts += [each.activity.kernel] if each.activity.kernel else []
    opened = [name for name in files(process.pid) if name.endswith("(a named pipe)")]
    return ", ".join([*parts, *(f"open: {name}" for name in opened[:2])])
