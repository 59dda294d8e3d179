"""Tables of bytes: of what lives at the peak, and of what each block keeps."""

from collections.abc import Callable

from fieldguide.memory.peak import AFTER, BACKWARD, BEFORE, FORWARD, STEP, Peak
from fieldguide.memory.trial import Step
from fieldguide.report import Table

GIB = 2**30
WORTH_A_ROW = 0.0005  # of all bytes


def gib(size: float) -> str:
    """As GiB, or MiB where there is less than a tenth."""
    return f"{size / GIB:.2f} GiB" if size >= GIB / 10 else f"{size / 2**20:.1f} MiB"


def peak_table(step: Step, sent: int) -> Table:
    """What lives at the moment when most does; ``sent`` are the bytes of buckets that gradients are sent in."""
    peak = step.peak
    when = "in the optimizer's step" if peak is step.update else "in the backward pass"
    kinds = [
        ("weights", peak.of("weights")), ("gradients", peak.of("gradients")), ("optimizer", peak.of("optimizer")),
        ("buckets of DDP", sent), ("activations of blocks", peak.of(FORWARD) - outside(peak)),
        ("activations around them", outside(peak)), ("passing in the backward pass", peak.of(BACKWARD)),
        ("passing in the step", peak.of(STEP)), ("batch", peak.of("batch")),
    ]
    whole = peak.bytes + sent
    rows = [(name, gib(size), f"{size / whole:.0%}") for name, size in kinds if size > WORTH_A_ROW * whole]
    return Table(("at the peak", "bytes", "share"), [*rows, ("all", gib(whole), "100%")], f"most lives {when}:")


def outside(peak: Peak) -> int:
    """Bytes of activations outside of blocks."""
    return sum(peak.parts.get((FORWARD, part), 0) for part in (BEFORE, AFTER, ""))


def layers_table(step: Step, tokens: int) -> Table:
    """What waits for the backward pass, part by part; equal neighbours share a row."""
    kept = [(part, n) for (kind, part), n in step.kept.parts.items() if kind == FORWARD and n]
    groups: list[list[tuple[str, int]]] = []
    for part, size in sorted(kept, key=lambda each: place(each[0])):
        if groups and part.startswith("block ") and alike(size, groups[-1]):
            groups[-1].append((part, size))
        else:
            groups.append([(part, size)])
    rows = [(group_name(group), span(group, gib), span(group, lambda n: f"{n / tokens:,.0f}")) for group in groups]
    return Table(("kept for the backward pass", "bytes", "per token"), rows)


def alike(size: int, group: list[tuple[str, int]]) -> bool:
    """Whether a block belongs to a group of blocks: all within a tenth of the first."""
    return group[0][0].startswith("block ") and abs(size / group[0][1] - 1) < 0.1


def span(group: list[tuple[str, int]], told: Callable[[float], str]) -> str:
    """The size of a group, or the smallest and the largest in it."""
    least, most = min(size for _, size in group), max(size for _, size in group)
    return told(least) if told(least) == told(most) else f"{told(least)} to {told(most)}"


def place(part: str) -> float:
    """Where a part stands in the order of the forward pass."""
    if part.startswith("block "):
        return int(part.removeprefix("block "))
    return -1 if part == BEFORE else float("inf")


def group_name(group: list[tuple[str, int]]) -> str:
    """'block 0 to 11, each'"""
    first, last = group[0][0], group[-1][0]
    if len(group) == 1:
        return first or "the whole model"
    return f"{first.replace('block', 'blocks')} to {last.removeprefix('block ')}, each"
