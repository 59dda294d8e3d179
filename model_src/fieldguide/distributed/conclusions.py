"""What the processes found, as findings: whether they meet, agree, average; or who failed first, and why."""

from collections.abc import Sequence
from typing import Any

from fieldguide.distributed.launching import Outcome, Rank
from fieldguide.distributed.steps import APART, apart
from fieldguide.ended import duration
from fieldguide.report import Finding

FAR = 1e-5  # relative: averages of float32 differ by rounding alone below it
Findings = list[Finding]


def of_probe(outcome: Outcome) -> Findings:
    """The findings of a look around."""
    if outcome.late or outcome.first is not None:
        return of_failure(outcome)
    found = [each.result for each in outcome.ranks]
    if any(not each for each in found):
        return [Finding("error", "A process ended without a result.", tail(outcome.ranks))]
    return [met(found), *same(found, "torch", "PyTorch"), *same(found, "python", "Python"), *code(found),
            summed(found), *seeds(found), averaged(found)]


def met(found: Sequence[dict[str, Any]]) -> Finding:
    """They reach each other."""
    slowest = max(each["met_seconds"] for each in found)
    where = ", ".join(f"rank {each['rank']} on {each['device']}" for each in found)
    return Finding("good", f"{len(found)} processes met in {slowest:.1f} s.", where)


def same(found: Sequence[dict[str, Any]], name: str, told: str) -> Findings:
    """All ranks should have the same of something."""
    values = [each.get(name) for each in found]
    if len(set(values)) == 1:
        return []
    listed = ", ".join(f"rank {each['rank']}: {each.get(name)}" for each in found)
    return [Finding("error", f"The ranks have different versions of {told}.", listed, "one environment for all")]


def code(found: Sequence[dict[str, Any]]) -> Findings:
    """The same code everywhere."""
    if "code" not in found[0]:
        return [Finding("note", "The code was not compared.", advice="--code DIR digests its Python files")]
    values = {each["code"] for each in found}
    if len(values) == 1:
        return [Finding("good", f"All ranks have the same code, digest {found[0]['code'][:12]}.", "",
                        "compare this digest on each machine")]
    listed = ", ".join(f"rank {each['rank']}: {each['code'][:12]}" for each in found)
    return [Finding("error", "The ranks have different code.", listed, "copy one version to all, or use a shared disk")]


def summed(found: Sequence[dict[str, Any]]) -> Finding:
    """Whether sums are right, and how fast they are."""
    right = float(sum(range(1, len(found) + 1)))
    wrong = [each["rank"] for each in found if each["sum"] != [right] * 3]
    if wrong:
        ranks = ", ".join(map(str, wrong))
        return Finding("error", f"all_reduce gives wrong sums on rank {ranks}.", str(found[wrong[0]]["sum"]),
                       "NCCL_P2P_DISABLE=1 and NCCL_SHM_DISABLE=1 say whether the way between the GPUs is broken")
    slow = {int(size): max(each["seconds"][size] for each in found) for size in found[0]["seconds"]}
    speeds = ", ".join(f"{size >> 20} MiB in {seconds * 1e3:.1f} ms" for size, seconds in slow.items())
    return Finding("good", "all_reduce gives the right sums.", speeds)


def seeds(found: Sequence[dict[str, Any]]) -> Findings:
    """The same first weights, other batches."""
    if len({each["weights"] for each in found}) > 1:
        listed = ", ".join(f"rank {each['rank']}: {each['weights'][:8]}" for each in found)
        return [Finding("error", "The same seed gives different first weights.", listed,
                        "the ranks have different devices or versions: let rank 0 broadcast its weights")]
    draws = {each["draw"] for each in found}
    if len(draws) < len(found):
        return [Finding("error", "Ranks draw the same batches.", "", "seed + rank for the batches")]
    seed = found[0]["seed"]
    return [Finding("good", f"Seed {seed}: the same first weights on all ranks; seed + rank: other batches on each.")]


def averaged(found: Sequence[dict[str, Any]]) -> Finding:
    """Gradients of the parts, averaged, are those of the whole."""
    far = [each["gradients_apart"] for each in found]
    apart = max(far)
    unlike = [line for each in found for line in (*each["differences"], *each["after"])]
    if unlike or not all(each <= FAR for each in far):
        evidence = f"{apart:.2g} apart, relative" + (f"; {', '.join(unlike[:3])}" if unlike else "")
        return Finding("error", "Gradients are not averaged: they are not those of one process on the whole batch.",
                       evidence, "NCCL_DEBUG=INFO; other versions of PyTorch and NCCL")
    return Finding("good", "Gradients are averaged: those of one process on the whole batch, the same on all ranks.",
                   f"{apart:.1g} apart at most, relative; after three steps the weights are the same, bit for bit")


def of_script(outcome: Outcome) -> Findings:
    """The findings of the reader's program."""
    if outcome.late or outcome.first is not None:
        return of_failure(outcome)
    ended = Finding("good", f"All {len(outcome.ranks)} processes ended well after {duration(outcome.seconds)}.")
    return [ended, *together(outcome)]


def together(outcome: Outcome) -> Findings:
    """Whether the ranks of the reader's program had the same weights after some steps."""
    compared = apart([each.result.get("weights", {}) for each in outcome.ranks])
    if compared is None:
        return []
    step, far = compared
    if far <= APART:
        return [Finding("good", f"All ranks have the same weights after step {step} of the optimizer.")]
    return [Finding(
        "error", f"The ranks have different weights after step {step} of the optimizer: nobody averages the gradients.",
        f"{far:.2g} apart at most, relative to the largest",
        "wrap the model in DistributedDataParallel, or average each gradient by all_reduce before the step; the first "
        "weights must be the same, too",
    )]  # fmt: skip


def of_failure(outcome: Outcome) -> Findings:
    """Who failed first and with what; or who waits where."""
    first = outcome.first
    if first is None:
        running = [each.rank for each in outcome.ranks if each.stopped]
        what = f"Time was up after {duration(outcome.seconds)}: rank {', '.join(map(str, running))} had not ended."
        hints = [hint for hint in outcome.hints if hint.level != "good"]
        late = Finding("error", what, "; ".join(f"rank {r.rank} {r.activity}" for r in outcome.ranks if r.activity),
                       "" if hints else "--timeout gives it more time")  # fmt: skip
        return [late, *hints]
    found = [Finding(
        "error", f"Rank {first.rank} failed first: {first.error or ending(first.code)}.", first.calls or tail([first]),
        "the others fail because of it; torchrun -m fieldguide.distributed.recorded YOUR.MODULE shows it, too",
    )]  # fmt: skip
    for each in outcome.ranks:
        if each is not first and each.failed:
            found.append(Finding("note", f"Rank {each.rank} failed later: {each.error or ending(each.code)}."))
        elif each.stopped:
            found.append(Finding("note", f"Rank {each.rank} still ran, and was ended."))
    return found


def ending(code: int | None) -> str:
    """An exit code in words."""
    if code is not None and code < 0:
        return f"signal {-code}" + (", mostly the kernel's when memory is short" if code == -9 else "")
    return f"exit code {code}"


def tail(ranks: Sequence[Rank]) -> str:
    """The last lines that they printed."""
    return "\n".join(line for each in ranks for line in each.output.splitlines()[-8:])
