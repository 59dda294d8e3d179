"""How a gradient goes through an operation, in a few words: by torch's own names for the nodes of its graph.

``g`` is the gradient that comes in, by the operation's result. The rules are those of torch's derivatives.yaml; each is
derived, and compared with torch, in the chapters on the way back or in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable

MOVED = "g moved back to where the numbers were"
SLOPE = "g × the slope at each number"
PRODUCT = "g @ the other, transposed, to each"
# What only says where numbers stand; it is not worth a word beside an operation that computes.
MOVES = {"View", "UnsafeView", "Reshape", "ReshapeAlias", "Expand", "T", "Transpose", "Permute", "Clone", "Unsqueeze"}
MOVES |= {"Squeeze", "Alias", "Contiguous", "Detach", "Unbind", "Flip", "MoveDim", "Roll", "ToCopy"}
RULES = {
    "Add": "g to each, as it is",
    "Sub": "g to one, −g to the other",
    "Mul": "g × the other factor",
    "Div": "g ÷ the divisor",
    "Neg": "−g",
    "Mm": PRODUCT,
    "Bmm": PRODUCT,
    "Addmm": f"{PRODUCT}; Σ g to the bias",
    "Linear": PRODUCT,
    "Softmax": "weight × (g − Σ weight·g) in each row",
    "LogSoftmax": "g − probability × Σ g in each row",
    "NllLoss": "−g ÷ n at each target, 0 elsewhere",
    "NllLoss2D": "−g ÷ n at each target, 0 elsewhere",
    "MaskedFill": "0 where it was masked, else g",
    "Where": "g where it was taken, else 0",
    "Tril": "0 above the diagonal, else g",
    "Triu": "0 below the diagonal, else g",
    "Split": "the parts' g, put together again",
    "SplitWithSizes": "the parts' g, put together again",
    "Chunk": "the parts' g, put together again",
    "Cat": "g cut apart again",
    "Stack": "g cut apart again",
    "Slice": "g where it was cut out, 0 around it",
    "Select": "g where it was cut out, 0 around it",
    "Index": "g added where it was read, 0 elsewhere",
    "Gather": "g added where it was read, 0 elsewhere",
    "Embedding": "g added to the rows that were read",
    "NativeLayerNorm": "(g × weight, less its mean and its part along the normalised row) ÷ σ",
    "FusedRmsNorm": "(g × weight, less its part along the normalised row) ÷ root mean square",
    "Mean": "g ÷ n to each",
    "Sum": "g to each",
    "CopySlices": "g where nothing was written over",
    "NativeDropout": "g × the mask of the dropout",
    "ScaledDotProductFlashAttentionForCpu": "all of attention, in one fused operation",
    "ScaledDotProductEfficientAttention": "all of attention, in one fused operation",
    "Logsumexp": "g × softmax",
    "Relu": "g where the input was above 0, else 0",
    **dict.fromkeys(("Gelu", "Silu", "Tanh", "Sigmoid", "Exp", "Log", "Sqrt", "Rsqrt", "Pow", "Sin", "Cos"), SLOPE),
    **dict.fromkeys(("Reciprocal", "Erf", "Softplus", "Abs", "Clamp", "Square"), SLOPE),
}


def rule_of(names: Iterable[str]) -> str:
    """The rules of operations, in the order in which a gradient meets them; each once, and moves only if alone.

    >>> rule_of(["Mul", "UnsafeView", "Bmm", "View"])
    'g × the other factor; g @ the other, transposed, to each'
    """
    met = list(dict.fromkeys(names))
    computing = [name for name in met if name not in MOVES]
    if not computing:
        return MOVED if met else ""
    return "; ".join(dict.fromkeys(RULES.get(name, f"torch's {name}") for name in computing))
