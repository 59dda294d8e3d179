"""The graph of a model's pass as torch exports it, for a page that computes it itself. Runs in the child process.

``exported(model, arguments, number_of)`` is plain data, which a trace keeps under ``live`` for ``computing/graph.py``.
Each node has the digest of what it gave for these arguments, so that whoever reads the trace finds which recorded
values it is. Axis 1 of every tensor of two axes or more, T, is left free.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..digests import digest

SHORTER = 4  # tokens less than the arguments have: at its largest size an axis would be taken for fixed
FRAME = re.compile(r'File "(.+?)", line (\d+)')


class NotExported(Exception):
    """Why there is no graph of a model, in a line."""


def exported(model: Any, arguments: Sequence[Any], number_of: Callable[[Any], int]) -> dict[str, Any]:
    """The graph as data. ``number_of`` keeps a weight and gives its value's number. NotExported says why there is none.

    ``nodes``: ``[operation, arguments, keyword arguments, module path, line, digest]`` in their order, ``%3`` stands
    for what node 3 gave; ``weight`` and ``input`` are operations, too, with the value's number and the place among
    the arguments. ``T``, ``least`` and ``most``: tokens of the arguments, and how many it takes; 0: it does not vary.
    """
    import torch

    free = [1 if isinstance(one, torch.Tensor) and one.ndim > 1 else None for one in arguments]
    T = next((one.shape[1] for one, axis in zip(arguments, free, strict=True) if axis), 0)
    short = [one[:, : max(2, T - SHORTER)] if axis else one for one, axis in zip(arguments, free, strict=True)]
    dims = [{axis: torch.export.Dim.AUTO} if axis else None for axis in free]
    try:
        program = torch.export.export(model, tuple(short), dynamic_shapes=tuple(dims), strict=False)
    except Exception as error:  # whatever torch raises about a stranger's model
        raise NotExported((str(error).strip() or type(error).__name__).splitlines()[0][:300]) from error
    least, most = _range(program)
    return {"T": T, "least": least, "most": most, "nodes": _nodes(program, list(arguments), number_of)}


def _range(program: Any) -> tuple[int, int]:
    """How many tokens the graph takes; (0, 0) where the number is fixed."""
    found = [(int(one.lower), one.upper) for one in program.range_constraints.values()]
    if not found:
        return 0, 0
    upper = min(float(one) for _, one in found)
    return max(lower for lower, _ in found), int(upper) if math.isfinite(upper) and upper < 1 << 40 else 0


def _nodes(program: Any, arguments: list[Any], number_of: Callable[[Any], int]) -> list[list[Any]]:
    import torch

    signature = program.graph_signature
    named = signature.inputs_to_parameters | signature.inputs_to_buffers | signature.inputs_to_lifted_tensor_constants
    held = {**program.state_dict, **program.constants}
    own = str(Path(torch.__file__).parent)
    numbers: dict[Any, int] = {}
    results: dict[Any, Any] = {}
    rows: list[list[Any]] = []
    given = iter(enumerate(arguments))
    for node in program.graph.nodes:
        if node.op == "output":
            continue
        row: list[Any] | None
        if node.op == "placeholder":
            if node.name in named:
                results[node] = held[named[node.name]].detach()
                row = ["weight", [number_of(results[node])], {"name": named[node.name]}, "", 0]
            else:
                at, results[node] = next(given)
                row = ["input", [at], {"name": node.name}, "", 0]
        else:
            row = _call(node, numbers, results, own)
        if row is not None:
            numbers[node] = len(rows)
            rows.append([*row, _digest(results[node])])
    return rows


def _call(node: Any, numbers: dict[Any, int], results: dict[Any, Any], own: str) -> list[Any] | None:
    """A row without its digest; the node is computed. None: it only asserts something."""
    import torch

    name = _name(node.target)
    if name.startswith("_assert"):
        return None
    if isinstance(node.target, torch._ops.HigherOrderOperator):
        raise NotExported(f"the exported graph holds {name}, which is no operation on tensors")
    with torch.no_grad():
        args, keywords = torch.fx.map_arg((node.args, node.kwargs), results.__getitem__)
        results[node] = node.target(*args, **keywords)
    frames = [(file, int(line)) for file, line in FRAME.findall(node.meta.get("stack_trace") or "")]
    lines = [line for file, line in frames if not file.startswith(own)]
    modules = [path for path, _ in (node.meta.get("nn_module_stack") or {}).values() if "metadata_hook" not in path]
    described = [_plain(one, numbers) for one in node.args]
    kept = {key: _plain(one, numbers) for key, one in node.kwargs.items() if key not in ("device", "pin_memory")}
    return [name, described, kept, modules[-1] if modules else "", lines[-1] if lines else 0]


def _name(target: Any) -> str:
    """``linear.default`` of torch's own operations, ``getitem`` of Python's."""
    import torch

    if isinstance(target, torch._ops.OpOverload):
        return str(target).removeprefix("aten.")
    return str(getattr(target, "__name__", target))


def _plain(value: Any, numbers: dict[Any, int]) -> Any:
    """An argument as JSON: ``%3`` is a node, ``inf`` and ``nan`` are words."""
    import torch

    if isinstance(value, torch.fx.Node):
        return f"%{numbers[value]}"
    if isinstance(value, list | tuple):
        return [_plain(one, numbers) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value).removeprefix("torch.")


def _digest(value: Any) -> str:
    """As the recorder's, of a tensor's numbers; of anything else none."""
    from .recorder import is_tensor, to_array

    if not is_tensor(value):
        return ""
    array, dtype = to_array(value)
    return digest(dtype, list(array.shape), array.tobytes())
