"""Mend what can be mended in a checkpoint, into new files: names, masks, what another version lacks, the optimizer."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch

from fieldguide.checkpoint import tensorfiles, versions
from fieldguide.checkpoint.layouts import OURS, Checkpoint, architecture, stripped
from fieldguide.checkpoint.resuming import moments, optimizer_fits, trained
from fieldguide.checkpoint.soundness import not_finite
from fieldguide.checkpoint.versions import LAYER
from fieldguide.lines import sha256
from fieldguide.report import Finding, UsageProblem

ADAMW = {
    "lr": 6e-4, "betas": (0.9, 0.95), "eps": 1e-8, "amsgrad": False, "maximize": False, "foreach": None,
    "capturable": False, "differentiable": False, "fused": None, "decoupled_weight_decay": True,
}  # fmt: skip


def repair(checkpoint: Checkpoint, out: Path, drop_optimizer: bool, heads: int) -> list[Finding]:
    """Write a mended copy; what was done."""
    done: list[Finding] = []
    weights = strip(checkpoint, done)
    if checkpoint.files.nanochat:
        nanochat(checkpoint, weights, out, drop_optimizer, done)
    elif checkpoint.kind.startswith("nanoGPT") or architecture(weights) == "GPT-2":
        nanogpt(checkpoint, weights, out, drop_optimizer, heads, done)
    elif checkpoint.files.model is not None and checkpoint.files.model.suffix == ".safetensors":
        tensorfiles.save_safetensors(out, apart(weights), {})
    else:
        tensorfiles.save_pt(out, weights)
    return done


def strip(checkpoint: Checkpoint, done: list[Finding]) -> dict[str, torch.Tensor]:
    """The weights without prefixes and without the masks that older models kept among them."""
    changed = [name for name in checkpoint.weights if stripped(name) != name]
    weights = checkpoint.plain
    if len(weights) < len(checkpoint.weights):
        raise UsageProblem(
            f"{checkpoint.name} has names that are the same without their prefixes: two models are in it, and it stays "
            "as it is"
        )
    if changed:
        done.append(Finding("good", f"{len(changed)} names lost their prefix", f"such as {changed[0]}"))
    masks = [name for name, tensor in weights.items() if name.endswith(".attn.bias") and tensor.dim() == 4]
    for name in masks:
        del weights[name]
    if masks:
        what = f"{len(masks)} causal masks are left out, which models with fused attention do not know"
        done.append(Finding("good", what, f"such as {masks[0]}"))
    return weights


def apart(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights, none sharing memory with another: safetensors has no shared tensors."""
    return {name: tensor.clone() for name, tensor in weights.items()}


def nanogpt(
    checkpoint: Checkpoint, weights: dict[str, torch.Tensor], out: Path, drop: bool, heads: int, done: list[Finding]
) -> None:
    """Write a checkpoint with all keys that nanoGPT's train.py asks for."""
    has_keys = checkpoint.kind.startswith("nanoGPT")
    whole: dict[str, Any] = dict(checkpoint.whole) if has_keys else {}
    whole["model"] = weights
    if not isinstance(whole.get("model_args"), dict):
        whole["model_args"] = arguments(weights, heads)
        done.append(Finding("good", "model_args were read off the shapes", str(whole["model_args"])))
    for key, value in (("iter_num", 0), ("best_val_loss", 1e9), ("config", {})):
        if key not in whole:
            whole[key] = value
            done.append(Finding("good", f"{key} was missing and is {value!r} now"))
    wrong = [finding for finding in optimizer_fits(checkpoint) if finding.level == "error"]
    broken = any(not_finite(tensor) for _, tensor in moments(checkpoint.optimizer))
    if drop or wrong or broken or not isinstance(whole.get("optimizer"), dict):
        whole["optimizer"] = fresh_adamw(weights, whole["config"])
        why = "as you asked" if drop else "the old one does not fit" if wrong or broken else "there was none"
        done.append(
            Finding(
                "warning", f"The optimizer is new: {why}", "its moments are 0", "warm up again for some 100 iterations"
            )
        )
    tensorfiles.save_pt(out, whole)


def arguments(weights: dict[str, torch.Tensor], heads: int) -> dict[str, Any]:
    """nanoGPT's model_args, as the shapes have them; the number of heads leaves no trace in them."""
    table, places = weights.get("transformer.wte.weight"), weights.get("transformer.wpe.weight")
    if table is None or places is None or table.dim() != 2 or places.dim() != 2:
        raise UsageProblem("these weights are no GPT-2 of nanoGPT's, and model_args are missing: add them by hand")
    if heads < 1 or table.shape[1] % heads:
        raise UsageProblem(
            f"the checkpoint lacks model_args, and the number of heads can't be seen in weights of width "
            f"{table.shape[1]}: name it with --n-head, a divisor of that"
        )
    layers = {int(found[1]) for name in weights if (found := LAYER.match(name))}
    return {
        "n_layer": len(layers), "n_head": heads, "n_embd": table.shape[1], "block_size": places.shape[0],
        "bias": "transformer.ln_f.bias" in weights, "vocab_size": table.shape[0], "dropout": 0.0,
    }  # fmt: skip


def fresh_adamw(weights: dict[str, torch.Tensor], config: Any) -> dict[str, Any]:
    """AdamW's state_dict before its first step, in nanoGPT's two groups: matrices decay, vectors do not."""
    config = config if isinstance(config, dict) else {}
    parameters = trained({**weights, "lm_head.weight": weights.get("transformer.wte.weight", torch.empty(0))})
    matrices = sum(tensor.dim() >= 2 for tensor in parameters.values())
    total = len(parameters)
    rate = config.get("learning_rate", ADAMW["lr"])
    settings = {**ADAMW, "lr": rate, "betas": (config.get("beta1", 0.9), config.get("beta2", 0.95))}
    groups = [
        {**settings, "weight_decay": config.get("weight_decay", 0.1), "params": list(range(matrices))},
        {**settings, "weight_decay": 0.0, "params": list(range(matrices, total))},
    ]
    return {"state": {}, "param_groups": groups}


def nanochat(
    checkpoint: Checkpoint, weights: dict[str, torch.Tensor], out: Path, drop: bool, done: list[Finding]
) -> None:
    """Write the files of a step into a new folder."""
    files = checkpoint.files
    meta = dict(checkpoint.meta)
    if checkpoint.kind.startswith("nanochat (upstream"):
        done += versions.newer(weights, meta)
    if out.exists():
        raise UsageProblem(f"{out} is there already, and nothing is overwritten: name a new folder with --out")
    assert files.model is not None
    if files.model.suffix == ".pt":
        tensorfiles.save_pt(out / files.model.name, weights)
    else:
        tensorfiles.save_safetensors(out / files.model.name, apart(weights), {})
    kept = {} if drop else files.optim
    for path in kept.values():
        with tensorfiles.new_file(out / path.name) as new:
            shutil.copyfile(path, new)
    if drop and files.optim:
        done.append(Finding("warning", "The optimizer's files are left out", "as you asked", "warm up again"))
    if meta.get("format") == OURS:
        meta = sealed(meta, [out / files.model.name, *(out / path.name for path in kept.values())])
    tensorfiles.save_json(out / f"meta_{files.step:06d}.json", meta)


def sealed(meta: dict[str, Any], written: list[Path]) -> dict[str, Any]:
    """This book's meta file for the files as they are now: sizes, digests, and its own."""
    records = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in written}
    fields = {**{key: value for key, value in meta.items() if key != "sha256"}, "files": records}
    return {**fields, "sha256": hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()}
