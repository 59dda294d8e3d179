"""Whether a checkpoint is whole: files, digests, names, shapes, numbers, optimizer, ranks. Each rule gives findings."""

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import pickles, tensorfiles
from fieldguide.checkpoint.checksums import sums
from fieldguide.checkpoint.layouts import OURS, PREFIXES, Checkpoint, Files, read
from fieldguide.checkpoint.parts import absurd, complete
from fieldguide.checkpoint.pickles import Refused
from fieldguide.checkpoint.resuming import moments, nanogpt_keys, shares_complete, trained
from fieldguide.checkpoint.versions import LAYER, lacking, neutral
from fieldguide.lines import sha256
from fieldguide.report import Finding

Findings = Iterator[Finding]
TABLES = ("transformer.wte.weight", "token_embed.linear.weight", "token_embed.weight")
PLAIN = (".safetensors", ".json")  # files that are no zip
PIECE = 1 << 24  # numbers that are looked at at once


def prefixes(checkpoint: Checkpoint) -> Findings:
    """Names that a wrapper has changed."""
    for prefix in PREFIXES:
        wrapped = [name for name in checkpoint.weights if prefix in name]
        if wrapped:
            by = "torch.compile" if prefix == PREFIXES[0] else "DistributedDataParallel"
            yield Finding(
                "warning", f"{len(wrapped)} names begin with {prefix}, which {by} puts there", f"such as {wrapped[0]}",
                f"{checkpoint.files.repair}; and save the state_dict of the model inside",
            )  # fmt: skip


def numbers(checkpoint: Checkpoint) -> Findings:
    """NaN and infinities, and matrices of zeros."""
    bad: list[str] = []
    for name, tensor in checkpoint.weights.items():
        if tensor.is_floating_point() and (count := not_finite(tensor)):
            bad.append(f"{name} ({count:,} of {tensor.numel():,})")
    if bad:
        yield Finding(
            "error", f"{len(bad)} of {len(checkpoint.weights)} tensors hold NaN or infinities", ", ".join(bad[:3]),
            "the training broke before this step: go back to an earlier checkpoint, with a lower rate",
        )  # fmt: skip
    wrong = [name for name, tensor in moments(checkpoint.optimizer) if not_finite(tensor)]
    if wrong:
        yield Finding(
            "error", f"{len(wrong)} of the optimizer's memories hold NaN or infinities", f"such as {wrong[0]}",
            f"go back, or keep the weights alone: {checkpoint.files.repair} --drop-optimizer",
        )  # fmt: skip
    yield from zeros(checkpoint)


def zeros(checkpoint: Checkpoint) -> Findings:
    """Matrices of zeros in some layers: where a model begins with them, as nanochat does, all layers do."""
    kinds: dict[str, dict[str, bool]] = {}
    for name, tensor in checkpoint.plain.items():
        if (found := LAYER.match(name)) and tensor.dim() > 1:
            kinds.setdefault(name[found.end() :], {})[name] = not bool(tensor.any())
    empty = [name for each in kinds.values() if not all(each.values()) for name, zero in each.items() if zero]
    if empty:
        yield Finding(
            "warning", f"{len(empty)} matrices are all zeros, and those of other layers are not", ", ".join(empty[:3]),
            "what the layer computes is lost: take an earlier checkpoint, unless you have set them so",
        )  # fmt: skip


def not_finite(tensor: torch.Tensor) -> int:
    """How many numbers are none, looked at in pieces."""
    flat = tensor.detach().reshape(-1)
    return sum(int((~torch.isfinite(flat[i : i + PIECE])).sum()) for i in range(0, flat.numel(), PIECE))


def shapes(checkpoint: Checkpoint) -> Findings:
    """Weights against the settings that are saved beside them."""
    weights, settings = checkpoint.plain, checkpoint.settings
    layers = {int(found[1]) for name in weights if (found := LAYER.match(name))}
    lacking = sorted(set(range(max(layers, default=-1) + 1)) - layers)
    if lacking:
        yield Finding("error", f"Layer {lacking[0]} is missing", f"there are {len(layers)}", "take an earlier one")
    wanted = [("n_layer", len(layers)), ("depth", len(layers)), *sizes(weights)]
    for name, here in wanted:
        said = settings.get(name)
        if isinstance(said, int) and said != here:
            if name == "vocab_size" and 0 < here - said < 128 and "nanochat" in checkpoint.kind:
                continue  # nanochat pads its tables to multiples of 64
            yield Finding(
                "error", f"The settings say {name}={said:,}, and the weights have {here:,}", "",
                "the settings are another training's: they must be those that the weights were saved with",
            )  # fmt: skip
    yield from heads_divide(checkpoint)
    yield from alike_layers(weights, layers)


def heads_divide(checkpoint: Checkpoint) -> Findings:
    """No model has heads that do not divide its width, so such settings can't be those of these weights."""
    heads, width = checkpoint.settings.get("n_head"), checkpoint.settings.get("n_embd")
    if type(heads) is int and type(width) is int and (heads < 1 or width % heads):
        yield Finding(
            "error", f"The settings say n_head={heads:,}, which does not divide n_embd={width:,}", "",
            "the model can't be made: the settings must be those that the weights were saved with",
        )  # fmt: skip


def sizes(weights: dict[str, torch.Tensor]) -> list[tuple[str, int]]:
    """What the weights say of the sizes in GPTConfig."""
    table = next((weights[name] for name in TABLES if name in weights and weights[name].dim() == 2), None)
    places = weights.get("transformer.wpe.weight")
    found = [] if places is None or places.dim() != 2 else [("block_size", places.shape[0])]
    if table is not None:
        found += [(name, table.shape[0]) for name in ("vocab_size", "num_tokens")]
        found += [(name, table.shape[1]) for name in ("n_embd", "dim")]
    return found


def alike_layers(weights: dict[str, torch.Tensor], layers: set[int]) -> Findings:
    """All layers have the same tensors, but for those that nanochat has in every second one."""
    shapes: dict[str, dict[int, tuple[int, ...]]] = {}
    for name, tensor in weights.items():
        if found := LAYER.match(name):
            shapes.setdefault(name[found.end() :], {})[int(found[1])] = tuple(tensor.shape)
    for name, each in shapes.items():
        if len(set(each.values())) > 1:
            yield Finding("error", f"{name} has other shapes in other layers", str(sorted(set(each.values()))[:3]), "")
        if len(each) < len(layers) and ".ve_" not in f".{name}" and "value_embed" not in name:
            without = min(layers - set(each))
            yield Finding("error", f"Layer {without} has no {name}, others have", "", "take an earlier checkpoint")


def files(found: Files) -> Findings:
    """What the names of the files say."""
    if found.problem:
        yield Finding(
            "error", f"Step {found.step}: {found.problem}",
            f"there are {', '.join(path.name for path in found.all[:4])}",
            "the writing was interrupted, or a file was not copied: copy it, or take an earlier step; nanochat takes "
            "the newest model file, so move it away",
        )  # fmt: skip
    elif found.nanochat and not found.optim:
        yield Finding("note", f"Step {found.step} has no optimizer", "", "resuming will fail; sampling works")
    for path in found.all:
        if path.is_symlink():
            yield Finding("note", f"{path.name} is a link", str(path.readlink())[:100], "a copy would not hold it")


def digests(found: Files) -> Findings:
    """This book's meta file knows each file's size and sha256, and its own."""
    if found.meta is None:
        return
    fields = tensorfiles.read_json(found.meta)
    if fields.get("format") != OURS:
        return
    body = {key: value for key, value in fields.items() if key != "sha256"}
    text = json.dumps(body, sort_keys=True).encode()
    if hashlib.sha256(text).hexdigest() != fields.get("sha256"):
        yield Finding("error", f"{found.meta.name} was changed", "its own sha256 differs", "restore it from a copy")
    records = fields.get("files")
    whole = 0
    for name, record in records.items() if isinstance(records, dict) else ():
        wrong = differs(found.folder / Path(name).name, record if isinstance(record, dict) else {})
        whole += not wrong
        if wrong:
            yield Finding("error", f"{Path(name).name} {wrong}", "by the meta file", "take an earlier step")
    if isinstance(records, dict) and whole == len(records):
        yield Finding("good", f"All {whole} files are as they were written, by their sha256")


def differs(path: Path, record: dict[str, Any]) -> str:
    """How a file differs from its record, or nothing."""
    if not path.is_file():
        return "is missing"
    if path.stat().st_size != record.get("bytes"):
        return f"has {path.stat().st_size:,} bytes, and {record.get('bytes')} were written: it is cut short"
    return "" if sha256(path) == record.get("sha256") else "was changed: its sha256 differs"


def verify(found: Files) -> tuple[Checkpoint | None, list[Finding]]:
    """All rules, as far as the files can be read."""
    result = [*files(found)]
    zips: dict[Path, dict[str, torch.Tensor]] = {path: {} for path in found.all if path.suffix not in PLAIN}
    try:
        result += digests(found)
        checkpoint = read(found)
    except Refused as refused:
        return None, [*result, Finding("error", "It can't be used", str(refused), ""), *sums(zips)]
    if found.model in zips:
        zips[found.model] = pickles.walk(checkpoint.whole, found.model)
    for rule in (prefixes, numbers, absurd, shapes, complete, nanogpt_keys, version):
        result += rule(checkpoint)
    for rank, path in sorted(found.optim.items()):
        try:
            optimizer = tensorfiles.read_tensors(path)
        except Refused as refused:
            result.append(Finding("error", f"The optimizer of rank {rank} can't be used", str(refused), ""))
            continue
        if path in zips:
            zips[path] = optimizer
        if rank == min(found.optim) and found.nanochat:
            result += shares_complete(checkpoint, optimizer)
        wrong = [name for name, tensor in optimizer.items() if tensor.is_floating_point() and not_finite(tensor)]
        if wrong:
            result.append(Finding("error", f"The optimizer of rank {rank} holds NaN", wrong[0], "go back"))
    return checkpoint, [*result, *sums(zips)]


def version(checkpoint: Checkpoint) -> Findings:
    """Whether upstream's newest nanochat can load it."""
    if not checkpoint.kind.startswith("nanochat (upstream"):
        return
    lacks, whole = lacking(checkpoint.plain, checkpoint.settings), neutral(checkpoint.plain, checkpoint.settings)
    if not lacks:
        return
    advice = f"use the code of its date, or {checkpoint.files.repair}, which adds them"
    if len(lacks) == len(whole):  # the first release had none of them
        what = f"It is of an older version of nanochat: {len(lacks)} parts are missing that newer code asks for"
        yield Finding("note", what, ", ".join(lacks[:4]), advice)
        return
    yield Finding(
        "warning", f"{len(lacks)} of {len(whole)} parts are missing that newer versions of nanochat have: the newest "
        "code fails with 'Missing key(s) in state_dict'",
        f"missing: {', '.join(lacks[:4])}; the other {len(whole) - len(lacks)} are there",
        f"if it was saved by a version in between, {advice}; else weights were lost: take an earlier checkpoint",
    )  # fmt: skip


def parameters(checkpoint: Checkpoint) -> int:
    """How many numbers are trained."""
    return sum(math.prod(tensor.shape) for tensor in trained(checkpoint.plain).values())
