"""What each action of ``fieldguide checkpoint`` reports."""

import argparse
import math
from typing import Any

import torch

from fieldguide.checkpoint import comparing, converting, repairs, resharding, thinning
from fieldguide.checkpoint.layouts import Checkpoint, Files, choose, find, read
from fieldguide.checkpoint.pickles import Refused
from fieldguide.checkpoint.resuming import moments
from fieldguide.checkpoint.soundness import not_finite, parameters, prefixes, verify
from fieldguide.checkpoint.vocabulary import fits_data
from fieldguide.report import Finding, Report, Table, UsageProblem

ROWS = 30  # of a table that is shown; --json has all
Rows = list[tuple[str, ...]]


def size(count: float) -> str:
    """Bytes in words."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def report_list(options: argparse.Namespace) -> Report:
    """All checkpoints with their step, size and validation loss."""
    found = find(options.path)
    if not found:
        raise UsageProblem(f"{options.path} has no checkpoint: .pt and .safetensors are looked for, one folder deep")
    rows: Rows = []
    data = []
    for files in found:
        number, value, problem = facts(files)
        step = "-" if number is None else f"{number:,}"
        model = files.model.name if files.model is not None else "-"
        shown = f"{value:.4f}" if math.isfinite(value) else ""
        rows.append((str(files.folder), step, model, f"{len(files.optim)}", size(files.bytes), shown, problem[:60]))
        data.append({"folder": str(files.folder), "step": number, "bytes": files.bytes, "problem": problem})
    heads = ("folder", "step", "model", "optimizers", "size", "validation", "problem")
    broken = [each for each in data if each["problem"]]
    findings = [Finding("note", f"{len(found)} checkpoints, {size(sum(files.bytes for files in found))} in all")]
    for each in broken[:5]:
        what = f"Step {each['step'] or '-'} can't be used: {each['problem']}"
        findings.append(Finding("warning", what, str(each["folder"]), "`fieldguide checkpoint verify` says more"))
    return Report(f"Checkpoints in {options.path}", findings, [Table(heads, rows[-ROWS:])], {"checkpoints": data})


def facts(files: Files) -> tuple[int | None, float, str]:
    """Step, validation loss and problem: of nanochat's by the small files, of others by what they hold."""
    if files.nanochat:
        return files.step, thinning.value_of(files), files.problem
    try:
        meta = read(files).meta
    except UsageProblem as problem:
        return None, math.inf, str(problem).removeprefix(f"{files.model} ")
    step, best = meta.get("iter_num"), meta.get("best_val_loss")
    if isinstance(best, torch.Tensor) and best.numel() == 1:
        best = best.item()
    return step if isinstance(step, int) else None, float(best) if isinstance(best, (int, float)) else math.inf, ""


def report_inspect(options: argparse.Namespace) -> Report:
    """Settings, sizes, types, the largest tensors, the optimizer."""
    checkpoint = read(choose(options.path, options.step))
    count = parameters(checkpoint)
    findings = [Finding("good", f"{checkpoint.kind}: {count:,} parameters in {len(checkpoint.weights)} tensors")]
    findings += prefixes(checkpoint)
    findings.append(about_optimizer(checkpoint))
    settings = {**checkpoint.meta, **checkpoint.settings}
    said = [(name, shortly(value)) for name, value in settings.items() if not isinstance(value, (dict, list))]
    said += [(name, shortly(value)) for name, value in settings.items() if isinstance(value, (dict, list))]
    largest = sorted(checkpoint.weights.items(), key=lambda item: -item[1].numel())
    tables = [
        Table(("setting", "value"), said[:ROWS], "Settings"),
        Table(("tensor", "shape", "type", "rms"), [row(*item) for item in largest[:12]], "The largest tensors"),
    ]
    data = {
        "kind": checkpoint.kind, "parameters": count, "settings": checkpoint.settings,
        "tensors": {name: [list(tensor.shape), str(tensor.dtype)] for name, tensor in checkpoint.weights.items()},
    }  # fmt: skip
    return Report(f"Checkpoint {checkpoint.name}", findings, tables, data)


def about_optimizer(checkpoint: Checkpoint) -> Finding:
    """Whether there is an optimizer, and how much it remembers."""
    if checkpoint.files.optim:
        ranks = len(checkpoint.files.optim)
        return Finding("note", f"The optimizer's memories were shared out among {ranks} processes", "", "")
    if checkpoint.optimizer is None:
        return Finding("note", "There is no optimizer", "", "resuming will fail; sampling works")
    kept = moments(checkpoint.optimizer)
    if not kept:
        return Finding("note", "There are no optimizer's memories", "", "it can be used; going on warms up again")
    count = sum(tensor.numel() for _, tensor in kept)
    return Finding("note", f"The optimizer remembers {count:,} numbers in {len(kept)} tensors")


def shortly(value: Any) -> str:
    """A setting in few characters."""
    text = f"{value.item():.6g}" if isinstance(value, torch.Tensor) and value.numel() == 1 else str(value)
    return text if len(text) <= 70 else text[:67] + "..."


def row(name: str, tensor: torch.Tensor) -> tuple[str, str, str, str]:
    """One tensor in a table."""
    rms = f"{tensor.float().pow(2).mean().sqrt().item():.4g}" if tensor.numel() else "-"
    return name, " x ".join(str(n) for n in tensor.shape) or "1", str(tensor.dtype).removeprefix("torch."), rms


def report_compare(options: argparse.Namespace) -> Report:
    """Settings that differ, then weights and optimizers, each for itself."""
    one, other = read(choose(options.path, options.step)), read(choose(options.other, None))
    findings: list[Finding] = []
    for name in sorted(one.settings.keys() | other.settings.keys()):
        a, b = one.settings.get(name), other.settings.get(name)
        if a != b:
            findings.append(Finding("warning", f"{name} differs: {shortly(a)} and {shortly(b)}"))
    said, apart = comparing.weights(one, other)
    about, word = comparing.optimizers(one, other)
    findings += [*said, about]
    most = sorted((key for key in apart if apart[key] != (0, 0)), key=lambda key: -apart[key][1])
    rows = [(key, f"{apart[key][0]:.3g}", f"{apart[key][1]:.3g}") for key in most[:12]]
    tables = [Table(("tensor", "largest difference", "relative"), rows, "The most different")] if rows else []
    data = {"differences": {key: list(value) for key, value in apart.items()}, "optimizer": word}
    return Report(f"{one.name} and {other.name}", findings, tables, data)


def report_verify(options: argparse.Namespace) -> Report:
    """Every rule on one checkpoint."""
    files = choose(options.path, options.step)
    newest = [each for each in find(options.path) if each.nanochat]
    chosen = newest[-1] if newest and options.step is None else files  # also one whose model file is missing
    checkpoint, findings = verify(chosen)
    if checkpoint is not None and options.data is not None:
        findings += fits_data(checkpoint, options.data)
    if checkpoint is not None and not any(finding.level in ("error", "warning") for finding in findings):
        count = parameters(checkpoint)
        findings.insert(0, Finding("good", f"{checkpoint.kind}: whole, {count:,} parameters, all finite"))
    order = ("error", "warning", "good", "note")
    findings.sort(key=lambda finding: order.index(finding.level))
    return Report(f"Checkpoint {where(chosen)}", findings, [], {"files": [str(path) for path in chosen.all]})


def where(files: Files) -> str:
    """Which checkpoint it is."""
    return str(files.model or files.folder) + (f", step {files.step}" if files.step is not None else "")


def report_repair(options: argparse.Namespace) -> Report:
    """Write a mended copy."""
    if options.processes is None and options.out is None:
        raise UsageProblem("repair writes a copy: name the place with --out")
    checkpoint = read(choose(options.path, options.step))
    bad = [name for name, t in checkpoint.weights.items() if t.is_floating_point() and not_finite(t)]
    if bad:
        raise Refused(
            f"{checkpoint.name} can't be mended: {len(bad)} tensors hold NaN or infinities, first {bad[0]}; take an "
            "earlier checkpoint"
        )
    if options.processes is not None:
        done = resharding.reshard(checkpoint, options.processes, options.out)
        where_to = f"was written to {options.out}" if options.out else "is planned"
        return Report(f"A copy of {checkpoint.name} for {options.processes} processes {where_to}", done, [],
                      {"out": str(options.out) if options.out else None, "processes": options.processes})  # fmt: skip
    done = repairs.repair(checkpoint, options.out, options.drop_optimizer, options.n_head)
    kind = "A mended copy" if done else "A copy"
    done = done or [Finding("note", "Nothing was to be mended: the copy is the same", "", "was `verify` content?")]
    return Report(f"{kind} of {checkpoint.name} was written to {options.out}", done, [], {"out": str(options.out)})


def report_thin(options: argparse.Namespace) -> Report:
    """Say which steps go, and delete them if that is asked."""
    plan = thinning.plan(options.path, options.keep_last, options.keep_every)
    rows = [(f"{files.step:,}", "stays", size(files.bytes), why) for files, why in plan.keep]
    rows += [(f"{files.step:,}", "goes", size(files.bytes), "") for files in plan.drop]
    rows.sort(key=lambda cells: int(cells[0].replace(",", "")))
    freed = plan.bytes  # before they are gone
    findings = thinning.delete(plan) if options.delete else []
    gone = len(plan.drop) - len(findings)
    if options.delete:
        findings.append(Finding("good", f"{gone} checkpoints are deleted, {size(freed)}"))
    elif plan.drop:
        what = f"{len(plan.drop)} checkpoints would go, {size(freed)}; nothing is deleted yet"
        findings.append(Finding("note", what, "", "the same command with --delete deletes them"))
    else:
        findings.append(Finding("good", "Nothing is to be deleted"))
    data = {"deleted": options.delete, "steps": [files.step for files in plan.drop], "bytes": freed}
    table = Table(("step", "", "size", "why"), rows)
    return Report(f"Thinning {options.path}", findings, [table], data)


def report_convert(options: argparse.Namespace) -> Report:
    """Write it in another form."""
    checkpoint = read(choose(options.path, options.step))
    done = converting.convert(checkpoint, options.to, options.out)
    return Report(f"{checkpoint.name} as {options.to}", done, [], {"out": str(options.out)})
