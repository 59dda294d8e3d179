"""nanoGPT's forward and backward pass in NumPy: the rules of ``rules.py`` in the order of the model.

Weights and gradients are arrays by nanoGPT's names (``transformer.h.0.attn.c_attn.weight``). Forward functions give
their result and what must be kept for the way back; backward functions add to ``grads``, by name, and give the
gradient by their input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from micro import rules

Arrays = dict[str, np.ndarray]
WTE, WPE, LN_F = "transformer.wte.weight", "transformer.wpe.weight", "transformer.ln_f"


def loss_and_gradients(weights: Arrays, idx: np.ndarray, targets: np.ndarray, heads: int) -> tuple[float, Arrays]:
    """The loss of token ids (B, T), and its gradient by every weight; ``targets`` (B, T), -1 doesn't count."""
    logits, kept = forward(weights, idx, heads)
    counted = targets >= 0
    right = rules.softmax(logits)[counted, targets[counted]]
    return float(-np.log(right).mean()), backward(rules.cross_entropy_back(logits, targets), kept, weights)


def forward(weights: Arrays, idx: np.ndarray, heads: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Token ids (B, T) -> logits (B, T, V), and what is kept."""
    x = weights[WTE][idx] + weights[WPE][: idx.shape[1]]
    blocks: list[dict[str, Any]] = []
    while (path := f"transformer.h.{len(blocks)}") + ".ln_1.weight" in weights:
        x, kept = block_forward(x, weights, path, heads)
        blocks.append(kept)
    last, x = x, norm_forward(x, weights, LN_F)
    return x @ weights[WTE].T, {"idx": idx, "blocks": blocks, "last": last, "x": x}


def backward(grad: np.ndarray, kept: dict[str, Any], weights: Arrays) -> Arrays:
    """The gradient by the logits (B, T, V) -> the gradient by every weight, by name."""
    grads: Arrays = {}
    grad, head, _ = rules.linear_back(grad, kept["x"], weights[WTE])
    grad = norm_back(grad, kept["last"], weights, LN_F, grads)
    for number, block in reversed(list(enumerate(kept["blocks"]))):
        grad = block_back(grad, block, weights, f"transformer.h.{number}", grads)
    positions = np.broadcast_to(np.arange(grad.shape[1]), kept["idx"].shape)
    grads[WPE] = rules.embedding_back(grad, positions, len(weights[WPE]))
    # One matrix is used at both ends of the model: what arrives there adds up.
    grads[WTE] = head + rules.embedding_back(grad, kept["idx"], len(weights[WTE]))
    return grads


def block_forward(x: np.ndarray, weights: Arrays, path: str, heads: int) -> tuple[np.ndarray, dict[str, Any]]:
    """(B, T, C) -> (B, T, C), and what is kept."""
    y, attn = attention_forward(norm_forward(x, weights, f"{path}.ln_1"), weights, f"{path}.attn", heads)
    middle = x + y
    y, mlp = mlp_forward(norm_forward(middle, weights, f"{path}.ln_2"), weights, f"{path}.mlp")
    return middle + y, {"x": x, "attn": attn, "middle": middle, "mlp": mlp}


def block_back(grad: np.ndarray, kept: dict[str, Any], weights: Arrays, path: str, grads: Arrays) -> np.ndarray:
    """A sum hands its gradient to both terms; where the stream was read, what comes back is added."""
    back = mlp_back(grad, kept["mlp"], weights, f"{path}.mlp", grads)
    grad = grad + norm_back(back, kept["middle"], weights, f"{path}.ln_2", grads)
    back = attention_back(grad, kept["attn"], weights, f"{path}.attn", grads)
    return grad + norm_back(back, kept["x"], weights, f"{path}.ln_1", grads)


def attention_forward(x: np.ndarray, weights: Arrays, path: str, heads: int) -> tuple[np.ndarray, dict[str, Any]]:
    """(B, T, C) -> (B, T, C), and what is kept."""
    q, k, v = (rules.split_heads(part, heads) for part in np.split(linear(x, weights, f"{path}.c_attn"), 3, axis=-1))
    visible = np.tri(x.shape[1], dtype=bool)
    scores = np.where(visible, q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]), -np.inf)
    att = rules.softmax(scores)
    y = rules.join_heads(att @ v)
    kept = {"x": x, "q": q, "k": k, "v": v, "visible": visible, "att": att, "y": y}
    return linear(y, weights, f"{path}.c_proj"), kept


def attention_back(grad: np.ndarray, kept: dict[str, Any], weights: Arrays, path: str, grads: Arrays) -> np.ndarray:
    """From the gradient by attention's result to that by its input, by way of values, weights, scores, q, k, v."""
    grad = linear_back(grad, kept["y"], weights, f"{path}.c_proj", grads)
    grad = rules.split_heads(grad, kept["q"].shape[1])
    att, v = rules.weighted_sum_back(grad, kept["att"], kept["v"])
    scores = rules.mask_back(rules.softmax_back(att, kept["att"]), kept["visible"])
    q, k = rules.scores_back(scores, kept["q"], kept["k"])
    qkv = np.concatenate([rules.join_heads(part) for part in (q, k, v)], axis=-1)
    return linear_back(qkv, kept["x"], weights, f"{path}.c_attn", grads)


def mlp_forward(x: np.ndarray, weights: Arrays, path: str) -> tuple[np.ndarray, dict[str, Any]]:
    """(B, T, C) -> (B, T, C), and what is kept."""
    wide = linear(x, weights, f"{path}.c_fc")
    active = rules.gelu(wide)
    return linear(active, weights, f"{path}.c_proj"), {"x": x, "wide": wide, "active": active}


def mlp_back(grad: np.ndarray, kept: dict[str, Any], weights: Arrays, path: str, grads: Arrays) -> np.ndarray:
    """(B, T, C) -> (B, T, C), by way of (B, T, 4C)."""
    grad = linear_back(grad, kept["active"], weights, f"{path}.c_proj", grads)
    grad = rules.gelu_back(grad, kept["wide"])
    return linear_back(grad, kept["x"], weights, f"{path}.c_fc", grads)


def linear(x: np.ndarray, weights: Arrays, path: str) -> np.ndarray:
    return x @ weights[f"{path}.weight"].T + weights[f"{path}.bias"]


def linear_back(grad: np.ndarray, x: np.ndarray, weights: Arrays, path: str, grads: Arrays) -> np.ndarray:
    grad, grads[f"{path}.weight"], grads[f"{path}.bias"] = rules.linear_back(grad, x, weights[f"{path}.weight"])
    return grad


def norm_forward(x: np.ndarray, weights: Arrays, path: str) -> np.ndarray:
    return rules.standardised(x)[0] * weights[f"{path}.weight"] + weights[f"{path}.bias"]


def norm_back(grad: np.ndarray, x: np.ndarray, weights: Arrays, path: str, grads: Arrays) -> np.ndarray:
    grad, grads[f"{path}.weight"], grads[f"{path}.bias"] = rules.layer_norm_back(grad, x, weights[f"{path}.weight"])
    return grad
