"""The operations that pages compute, by PyTorch's names without the overload. A test compares with the script's own."""

KNOWN = frozenset((
    "__and__", "_to_copy", "abs", "add", "addmm", "alias", "arange", "bitwise_and", "bitwise_not", "bitwise_or",
    "bmm", "cat", "chunk", "clamp", "clone", "contiguous", "cos", "cross_entropy_loss", "div", "dropout",
    "embedding", "eq", "erf", "exp", "expand", "flatten", "floor_divide", "floordiv", "full", "full_like", "ge",
    "gelu", "getitem", "gt", "index", "index_select", "layer_norm", "le", "linalg_vector_norm", "linear", "log",
    "log_softmax", "logical_and", "logical_not", "logical_or", "lt", "masked_fill", "matmul", "mean", "mm", "mul",
    "ne", "neg", "ones", "ones_like", "permute", "pow", "reciprocal", "relu", "repeat_interleave", "reshape",
    "rms_norm", "rsqrt", "rsub", "scaled_dot_product_attention", "select", "sigmoid", "silu", "sin", "slice",
    "softmax", "split", "split_with_sizes", "sqrt", "square", "squeeze", "stack", "sub", "sum", "sym_size", "t",
    "tanh", "to", "transpose", "tril", "triu", "unbind", "unflatten", "unsqueeze", "view", "where", "zeros",
    "zeros_like",
))  # fmt: skip
