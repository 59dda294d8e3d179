"""What newer versions of nanochat ask for that older checkpoints lack, with values that change nothing."""

import re
from typing import Any

import torch

from fieldguide.report import Finding

LAYER = re.compile(r"^(?:transformer\.h|layers)\.(\d+)\.")
ROWS = 64  # newer tables of tokens have a multiple of so many


def neutral(weights: dict[str, torch.Tensor], config: Any) -> dict[str, torch.Tensor]:
    """All that upstream's newest GPT has and its first release had not, in sizes that fit; else nothing.

    With lambdas of 1 and 0, gates and tables of 0, the residual stream is what it was.
    """
    table = weights.get("transformer.wte.weight")
    if not isinstance(config, dict) or table is None or table.dim() != 2:
        return {}
    heads, width = config.get("n_head"), table.shape[1]
    groups = config.get("n_kv_head", heads)
    if type(heads) is not int or type(groups) is not int or not 0 < groups <= heads <= width:  # True is an int
        return {}
    layers = len({int(found[1]) for name in weights if (found := LAYER.match(name))})
    parts = {
        "resid_lambdas": torch.ones(layers), "x0_lambdas": torch.zeros(layers),
        "smear_gate.weight": torch.zeros(1, 24), "smear_lambda": torch.zeros(1), "backout_lambda": torch.zeros(1),
    }  # fmt: skip
    shape = (-(-table.shape[0] // ROWS) * ROWS, groups * (width // heads))
    for i in range((layers - 1) % 2, layers, 2):
        parts[f"value_embeds.{i}.weight"] = torch.zeros(shape, dtype=table.dtype)
        parts[f"transformer.h.{i}.attn.ve_gate.weight"] = torch.zeros(groups, 12)
    return parts


def lacking(weights: dict[str, torch.Tensor], config: Any) -> list[str]:
    """What an upstream checkpoint has not that upstream's newest code asks for."""
    return [name for name in neutral(weights, config) if name not in weights]


def newer(weights: dict[str, torch.Tensor], meta: dict[str, Any]) -> list[Finding]:
    """Add it to the weights and the settings; what was added."""
    config = meta.get("model_config")
    parts = neutral(weights, config)
    added = [name for name in parts if name not in weights]
    weights.update({name: parts[name] for name in added})
    if parts:
        for name in ("transformer.wte.weight", "lm_head.weight"):
            if (table := weights.get(name)) is not None and (more := -table.shape[0] % ROWS):
                weights[name] = torch.cat([table, table.new_zeros(more, table.shape[1])])
                added.append(f"{more} rows of {name}")
    if isinstance(config, dict) and "window_pattern" not in config:
        meta["model_config"] = {**config, "window_pattern": "L"}
        added.append("window_pattern")
    if not added:
        return []
    advice = (
        "it loads in upstream's newest code, which also computes otherwise (rotary base 100,000, attention scaled by "
        "1.2): measure bits per byte, or use the code of its date"
    )
    what = f"{len(added)} parts that this version lacked are there, with values that change nothing"
    return [Finding("warning", what, ", ".join(added[:6]), advice)]
