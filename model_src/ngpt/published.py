"""State dicts of the two published implementations, in and out.

lucidrains' package names its tensors as we do. NVIDIA's repository (github.com/NVIDIA/ngpt) has nanoGPT's names, and
keeps a feed-forward block's two matrices, and their scales, in one tensor each.
"""

import torch

# ours: theirs, in layer {0}
NVIDIA_LAYER = {
    "layers.{0}.0.branch_scale.scale": "transformer.h.{0}.attn_alpha",
    "layers.{0}.1.branch_scale.scale": "transformer.h.{0}.mlp_alpha",
    "layers.{0}.0.fn.qk_scale.scale": "transformer.h.{0}.sqk",
    "layers.{0}.0.fn.to_q.linear.weight": "transformer.h.{0}.query.weight",
    "layers.{0}.0.fn.to_k.linear.weight": "transformer.h.{0}.key.weight",
    "layers.{0}.0.fn.to_v.linear.weight": "transformer.h.{0}.value.weight",
    "layers.{0}.0.fn.to_out.linear.weight": "transformer.h.{0}.att_c_proj.weight",
    "layers.{0}.1.fn.to_out.linear.weight": "transformer.h.{0}.mlp_c_proj.weight",
}
NVIDIA_JOINT = {  # two of ours, one after the other, in one of theirs
    ("layers.{0}.1.fn.to_hidden.linear.weight", "layers.{0}.1.fn.to_gate.linear.weight"):
        "transformer.h.{0}.c_fc.weight",
    ("layers.{0}.1.fn.hidden_scale.scale", "layers.{0}.1.fn.gate_scale.scale"): "transformer.h.{0}.suv",
}
NVIDIA_ENDS = {
    "token_embed.linear.weight": "transformer.wte.weight",
    "to_logits.linear.weight": "lm_head.weight",
    "logit_scale.scale": "sz",
}


def from_nvidia(state, depth):
    """NVIDIA's nGPT state dict under our names, in float32. Raises ValueError that names what lacks or is too much."""
    left = {name.removeprefix("_orig_mod."): tensor.float() for name, tensor in state.items()}
    ours = {}
    try:
        for mine, theirs in one_to_one(depth):
            ours[mine] = left.pop(theirs)
        for (first, second), theirs in two_to_one(depth):
            ours[first], ours[second] = left.pop(theirs).chunk(2)
    except KeyError as error:
        raise ValueError(f"no nGPT of NVIDIA's with {depth} layers: it lacks {error.args[0]}") from error
    if left:
        raise ValueError(f"no nGPT of NVIDIA's with {depth} layers: it has {', '.join(sorted(left)[:4])} besides")
    return ours


def to_nvidia(state, depth):
    """Our state dict under NVIDIA's names; weights must be stored as they are used (``manual_norm_weights``)."""
    theirs = {name: state[mine] for mine, name in one_to_one(depth)}
    joint = {name: torch.cat((state[first], state[second])) for (first, second), name in two_to_one(depth)}
    return {**theirs, **joint}


def one_to_one(depth):
    """Our name and NVIDIA's, where a tensor of theirs is one of ours."""
    layers = [(a.format(i), b.format(i)) for i in range(depth) for a, b in NVIDIA_LAYER.items()]
    return [*NVIDIA_ENDS.items(), *layers]


def two_to_one(depth):
    """Our two names and NVIDIA's one."""
    return [
        ((first.format(i), second.format(i)), name.format(i))
        for i in range(depth)
        for (first, second), name in NVIDIA_JOINT.items()
    ]
