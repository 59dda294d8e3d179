"""How a gradient goes through an operation, in a few words: by torch's own names for the nodes of its graph.

``g`` is the gradient that comes in, by the operation's result. The rules are those of torch's ``derivatives.yaml``
(in its package ``torchgen``), in words.
"""

from __future__ import annotations

from collections.abc import Iterable

MOVED = "g moved back to where the numbers were"
SLOPE = "g × the slope at each number"
PRODUCT = "to each: g times the other matrix, transposed"
REPEATED = "g summed over the copies"
# What only says where numbers stand; it is not worth a word beside an operation that computes.
MOVES = {"View", "UnsafeView", "ReshapeAlias", "Expand", "T", "Transpose", "Permute", "Clone", "Unsqueeze"}
MOVES |= {"Squeeze", "Alias", "Unbind", "Flip", "Roll"}
BROADCASTING = {"Add", "Sub", "Mul", "Div", "Where"}  # operands of other shapes are repeated, without a word of torch's
TARGETS = "−g at each target, ÷ their number for a mean, 0 elsewhere"
RULES = {
    "Add": "g to each, as it is",
    "Sub": "g to one, −g to the other",
    "Mul": "g × the other factor",
    "Div": "g ÷ the divisor, and −g × result ÷ divisor to the divisor",
    "Neg": "−g",
    "Mm": PRODUCT,
    "Bmm": PRODUCT,
    "Addmm": f"{PRODUCT}; Σ g to the bias",
    "Linear": PRODUCT,
    "Softmax": "weight × (g − Σ weight·g) in each row",
    "LogSoftmax": "g − probability × Σ g in each row",
    "NllLoss": TARGETS,
    "NllLoss2D": TARGETS,
    "MaskedFill": "0 where it was masked, else g",
    "Where": "g where it was taken, else 0",
    "Tril": "0 above the diagonal, else g",
    "Triu": "0 below the diagonal, else g",
    "Split": "the parts' g, put together again",
    "SplitWithSizes": "the parts' g, put together again",
    "Cat": "g cut apart again",
    "Stack": "g cut apart again",
    "Slice": "g where it was cut out, 0 around it",
    "Select": "g where it was cut out, 0 around it",
    "Index": "g added where it was read, 0 elsewhere",
    "Gather": "g added where it was read, 0 elsewhere",
    "Embedding": "g added to the rows that were read",
    "NativeLayerNorm": "(g × weight, less its mean and its part along the normalised row) ÷ σ",
    "FusedRmsNorm": "(g × weight, less its part along the normalised row) ÷ root mean square",
    "ToCopy": "g in the precision of what was converted",
    "Repeat": REPEATED,
    "Mean": "g ÷ n to each",
    "Sum": "g to each",
    "CopySlices": "g where nothing was written over",
    "NativeDropout": "g × the mask of the dropout",
    "ScaledDotProductFlashAttentionForCpu": "all of attention, in one fused operation",
    "ScaledDotProductEfficientAttention": "all of attention, in one fused operation",
    "Logsumexp": "g × softmax",
    "Relu": "g where the input was above 0, else 0",
    **dict.fromkeys(("Gelu", "Silu", "Tanh", "Sigmoid", "Exp", "Log", "Sqrt", "Rsqrt", "Pow", "Sin", "Cos"), SLOPE),
    **dict.fromkeys(("Reciprocal", "Erf", "Softplus", "Abs", "Clamp"), SLOPE),
}


def rule_of(names: Iterable[str]) -> str:
    """The rules of operations, in the order in which a gradient meets them; each once, and moves only if alone.

    >>> rule_of(["Mul", "UnsafeView", "Bmm", "View"])
    'g × the other factor; to each: g times the other matrix, transposed'
    """
    met = list(dict.fromkeys(names))
    computing = [name for name in met if name not in MOVES]
    if not computing:
        return REPEATED if "Expand" in met else MOVED if met else ""
    return "; ".join(dict.fromkeys(RULES.get(name, f"torch's {name}") for name in computing))
