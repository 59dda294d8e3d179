"""The tensors that a model of these settings has: names and shapes, against those of a checkpoint."""

from collections.abc import Iterator

import torch

from fieldguide.checkpoint.layouts import Checkpoint
from fieldguide.checkpoint.versions import LAYER
from fieldguide.report import Finding

Shape = tuple[int, ...]
MASKS = (".attn.bias", ".attn.masked_bias")  # of older models without fused attention
LARGEST = 1e4  # of a weight: trained ones stay below some hundreds


def complete(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Missing tensors, unknown ones, and shapes that the settings do not give."""
    weights, kind = checkpoint.plain, checkpoint.kind
    whole = checkpoint.whole if isinstance(checkpoint.whole, dict) else {}
    headless = "model" not in whole and bool({"model_args", "optimizer", "iter_num"} & set(whole))
    if not weights or headless:
        keys = ", ".join(str(key)[:40] for key in list(whole)[:6])
        shown = f"its keys: {keys or 'none'}; nanoGPT keeps them under model"
        yield Finding("error", "There are no weights in it", shown, "take an earlier checkpoint")
        return
    wanted = gpt2(weights, checkpoint.settings) if "GPT-2" in kind else nanochat(weights) if "nanochat" in kind else {}
    lacks = [name for name in wanted if name not in weights]
    if lacks:
        yield Finding(
            "error", f"{len(lacks)} weights are missing: loading fails with 'Missing key(s) in state_dict'",
            ", ".join(lacks[:4]), f"take an earlier checkpoint{lost(lacks, checkpoint)}",
        )  # fmt: skip
    if wanted and "GPT-2" in kind:
        yield from strangers(weights, wanted)


def lost(lacks: list[str], checkpoint: Checkpoint) -> str:
    """What can be said of the tensors that are not there."""
    biases = [name for name in lacks if name.endswith(".bias")]
    if len(biases) == len(lacks):
        return f"; or is bias={checkpoint.settings.get('bias')} in model_args wrong? These weights have no biases"
    if lacks == ["lm_head.weight"]:
        return "; nanoGPT's head is the table of tokens: set it to transformer.wte.weight"
    return ""


def strangers(weights: dict[str, torch.Tensor], wanted: dict[str, Shape]) -> Iterator[Finding]:
    """Tensors that this model does not know, and those of another shape."""
    odd = [name for name in weights if name not in wanted and not name.endswith(MASKS)]
    if odd:
        yield Finding(
            "error", f"{len(odd)} weights are unknown to nanoGPT's model: loading fails with 'Unexpected key(s)'",
            ", ".join(odd[:4]), "it was saved by changed code: load it with that, or leave these tensors out",
        )  # fmt: skip
    other = [name for name, shape in wanted.items() if name in weights and tuple(weights[name].shape) != shape]
    if other:
        name = other[0]
        yield Finding(
            "error", f"{len(other)} weights have another shape than the settings give: loading fails with "
            "'size mismatch'",
            f"{name} is {list(weights[name].shape)}, and {list(wanted[name])} by the settings",
            "settings and weights are not of one training: take the model_args that they were saved with",
        )  # fmt: skip


def layers_of(weights: dict[str, torch.Tensor]) -> int:
    """How many layers there are, by the highest number."""
    return 1 + max((int(found[1]) for name in weights if (found := LAYER.match(name))), default=-1)


def gpt2(weights: dict[str, torch.Tensor], settings: dict[str, object]) -> dict[str, Shape]:
    """nanoGPT's tensors; sizes that the settings lack are read off the tables, and without those nothing is said."""
    table, places = weights.get("transformer.wte.weight"), weights.get("transformer.wpe.weight")
    sizes = [
        number(settings.get("n_layer"), layers_of(weights)),
        number(settings.get("n_embd"), 0 if table is None or table.dim() != 2 else table.shape[1]),
        number(settings.get("vocab_size"), 0 if table is None or table.dim() != 2 else table.shape[0]),
        number(settings.get("block_size"), 0 if places is None or places.dim() != 2 else places.shape[0]),
    ]
    layers, width, words, block = sizes
    if min(sizes) < 1 or layers > 10_000:
        return {}
    biased = settings.get("bias", "transformer.ln_f.bias" in weights)
    shapes: dict[str, Shape] = {"transformer.wte.weight": (words, width), "transformer.wpe.weight": (block, width)}
    for i in range(layers):
        here = f"transformer.h.{i}."
        shapes |= {
            f"{here}ln_1.weight": (width,), f"{here}attn.c_attn.weight": (3 * width, width),
            f"{here}attn.c_proj.weight": (width, width), f"{here}ln_2.weight": (width,),
            f"{here}mlp.c_fc.weight": (4 * width, width), f"{here}mlp.c_proj.weight": (width, 4 * width),
        }  # fmt: skip
    shapes |= {"transformer.ln_f.weight": (width,), "lm_head.weight": (words, width)}
    if biased:
        inner = {name: shape for name, shape in shapes.items() if ".h." in name or ".ln_f." in name}
        shapes |= {name.removesuffix("weight") + "bias": shape[:1] for name, shape in inner.items()}
    return shapes


def nanochat(weights: dict[str, torch.Tensor]) -> dict[str, Shape]:
    """The matrices that every version of nanochat has; their shapes differ among versions, and are left empty."""
    layers = layers_of(weights)
    if not 0 < layers <= 10_000 or "transformer.h.0.attn.c_q.weight" not in weights:
        return {}
    names = ["transformer.wte.weight", "lm_head.weight"]
    for i in range(layers):
        names += [f"transformer.h.{i}.attn.{part}.weight" for part in ("c_q", "c_k", "c_v", "c_proj")]
        names += [f"transformer.h.{i}.mlp.{part}.weight" for part in ("c_fc", "c_proj")]
    return dict.fromkeys(names, ())


def number(said: object, read: int) -> int:
    """A size of the settings, or what the shapes say."""
    return said if type(said) is int else read


def absurd(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Numbers that are finite and yet no weights: very large ones, matrices of one and the same number."""
    huge, flat, matrices = [], [], 0
    for name, tensor in checkpoint.plain.items():
        if not tensor.is_floating_point() or not tensor.numel() or name.endswith(MASKS):
            continue
        matrices += tensor.dim() > 1
        low, high = (float(end) for end in tensor.detach().aminmax())
        if max(-low, high) > LARGEST and max(-low, high) < float("inf"):
            huge.append(f"{name} (up to {max(-low, high):.3g})")
        elif low == high != 0 and tensor.dim() > 1 and tensor.numel() > 1:
            flat.append(f"{name} (all {low:.3g})")
    if huge:
        yield Finding(
            "warning", f"{len(huge)} tensors hold numbers above {LARGEST:,.0f}, which no trained weight reaches",
            ", ".join(huge[:3]), "the training diverged before this step, or the file was damaged: take an earlier one",
        )  # fmt: skip
    if flat and 2 * len(flat) < matrices:  # where all are so, somebody made them so
        yield Finding(
            "warning", f"{len(flat)} matrices hold one number only", ", ".join(flat[:3]),
            "nothing was learned there, or they were overwritten: take an earlier checkpoint",
        )  # fmt: skip
