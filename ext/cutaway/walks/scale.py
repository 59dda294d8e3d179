"""Models to scale, in a cell: their matrices, operations and caches, from the source itself on PyTorch's meta device.

``scaled(name, build, tokens)`` is a text for the page's ``walk``: one configuration, one line::

    note(models=[scaled("GPT-2", lambda: GPT(GPTConfig()), 1024),
                 scaled("GPT-2 XL", lambda: GPT(GPTConfig(**XL)), 1024)])

The model runs once without numbers. Its parameters tell the sizes; torch counts the operations of each module; keys and
values are what attention was given. All layers must be alike, since one of them is drawn for all.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

LAYER = re.compile(r"^(.*?\w+\.)(\d+)\.(.+)$")
ATTENTION = "scaled_dot_product_attention"
WIDTH = 2  # bytes of a number, in bfloat16


def scaled(name: str, build: Callable[[], Any], tokens: int) -> str:
    """A model as JSON: ``{"name", "tokens", "layers", "parts": [[name, rows, columns, copies, parameters, operations,
    bytes of the cache, whether it stands in each layer]], "totals": [parameters, operations, cache]}``.

    ``build()`` makes it; ValueError where its layers differ. Operations are those of one pass over ``tokens`` tokens.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    cache = _Attention()
    with torch.device("meta"), torch.no_grad(), redirect_stdout(StringIO()):
        model = build().eval()
        ids = torch.zeros(1, tokens, dtype=torch.int64)
        with FlopCounterMode(display=False) as counter, cache:
            model(ids, ids)  # with targets, so that every position is answered
    counts = {path.partition(".")[2]: sum(by.values()) for path, by in counter.get_flop_counts().items() if "." in path}
    total = sum(counter.get_flop_counts()["Global"].values())
    parts, layers = _parts(model, counts, cache.seen, tokens)
    held = sum(p.numel() for p in model.parameters())
    drawn = sum(part[4] * (layers if part[7] else 1) for part in parts)
    if held != drawn:
        raise ValueError(f"scaled({name!r}): {held:,} parameters, of which {drawn:,} are drawn")
    kept = sum(part[6] * (layers if part[7] else 1) for part in parts)
    described = {"name": name, "tokens": tokens, "layers": layers, "parts": parts, "totals": [held, total, kept]}
    return json.dumps(described, separators=(",", ":"))


def _parts(
    model: Any, counts: Mapping[str, int], seen: list[tuple[list[int], list[int], list[int]]], tokens: int
) -> tuple[list[list[Any]], int]:
    """The parts of one layer and those outside of layers; and how many layers there are."""
    by_layer: dict[str, dict[str, list[Any]]] = defaultdict(dict)
    for path, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        if not own:
            continue
        largest = max(own.values(), key=lambda p: p.numel())
        rows, columns = largest.shape if largest.ndim == 2 else (largest.numel(), 1)
        numbers = sum(p.numel() for p in own.values())
        if path == "lm_head" and any(p is largest for n, p in model.named_parameters() if not n.startswith("lm_head")):
            numbers = 0  # the table of tokens once more
        layer, part = _place(path)
        by_layer[layer][part] = [part, rows, columns, 1, numbers, counts.get(path, 0), 0, bool(layer)]
    outside = list(by_layer.pop("", {}).values())
    for name, p in model.named_parameters(recurse=False):
        outside.append([name, p.numel(), 1, 1, p.numel(), 0, 0, False])
    for layer, (query, key, value) in zip(by_layer, seen, strict=False):
        work = next((n for path, n in counts.items() if path.endswith(f"{layer}.attn")), 0)
        inside = sum(n for path, n in counts.items() if path.rpartition(".")[0].endswith(f"{layer}.attn"))
        each = [key[1] * key[2] * key[3], value[1] * value[2] * value[3]]
        for name, size in zip(("keys", "values"), each, strict=True):
            by_layer[layer][name] = [name, size // tokens, tokens, 1, 0, 0, size * WIDTH, True]
        by_layer[layer]["scores"] = ["scores", query[2], key[2], query[1], 0, work - inside, 0, True]
    first, *others = by_layer.values()
    if any(other != first for other in others):
        raise ValueError("the layers of this model differ, so that none can be drawn for all")
    return [*first.values(), *outside], len(by_layer)


def _place(path: str) -> tuple[str, str]:
    """The layer that a module is in, ``transformer.h.0``, and its name there; "" outside of layers."""
    found = LAYER.match(path)
    return (found[1] + found[2], found[3]) if found else ("", path.rpartition(".")[2])


def _Attention() -> Any:
    """What looks at the shapes of queries, keys and values; torch is imported where a cell runs."""
    from torch.overrides import TorchFunctionMode

    class Attention(TorchFunctionMode):
        seen: list[tuple[list[int], list[int], list[int]]]

        def __init__(self) -> None:
            super().__init__()
            self.seen = []

        def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if getattr(function, "__name__", "") == ATTENTION:
                query, key, value = (list(one.shape) for one in args[:3])
                self.seen.append((query, key, value))
            return function(*args, **(kwargs or {}))

    return Attention()
