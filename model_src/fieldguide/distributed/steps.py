"""Whether the ranks of a program go the same way: numbers of its weights after some steps of its optimizer.

Where gradients are averaged, all ranks have the same weights after each step; where nobody averages, each rank trains a
model of its own and no error is shown. Optimizers that hold a part of the weights on each rank are passed over.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

AT = (1, 4, 16, 64)  # steps after which numbers are kept: at the first the rate may be 0
PARAMETERS, NUMBERS = 64, 16  # of so many parameters so many numbers
APART = 1e-5  # relative to the largest: averages differ by rounding alone below it
Kept = dict[str, list[float]]


class Waiting:
    """Waits in Python's import system until the program itself has imported PyTorch, and then hears its steps."""

    def __init__(self, after: Callable[[Any, Any, Any], None]) -> None:
        self.after = after

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Find nothing, so the import goes on as if this were not here; PyTorch imports more after its optimizer."""
        register = getattr(sys.modules.get("torch.optim.optimizer"), "register_optimizer_step_post_hook", None)
        if register is not None and self in sys.meta_path:
            sys.meta_path.remove(self)
            register(self.after)


def follow() -> Kept:
    """Keep numbers from now on, of the optimizer that steps first; they are in what is returned."""
    kept: Kept = {}
    steps: dict[str, int] = {}

    def after(optimizer: Any, args: Any, kwargs: Any) -> None:
        if steps.setdefault("whose", id(optimizer)) != id(optimizer):
            return
        steps["count"] = steps.get("count", 0) + 1
        if steps["count"] in AT:
            kept[str(steps["count"])] = numbers(optimizer)

    sys.meta_path.insert(0, Waiting(after))
    return kept


def numbers(optimizer: Any) -> list[float]:
    """Some numbers of the first parameters, from all over each; none where the ranks share them out."""
    found: list[float] = []
    every = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for parameter in every[:PARAMETERS]:
        if hasattr(parameter, "placements") or hasattr(parameter, "_is_flat_param") or not parameter.numel():
            return []
        flat = parameter.detach().reshape(-1)
        found += flat[:: max(1, flat.numel() // NUMBERS)][:NUMBERS].float().cpu().tolist()
    return found


def apart(ranks: Sequence[Kept]) -> tuple[int, float] | None:
    """After how many steps weights were compared, and how far apart they are at most; None where they can't be."""
    common = [step for step in AT if all(kept.get(str(step)) for kept in ranks)]
    if len(ranks) < 2 or not common:
        return None
    last = [kept[str(common[-1])] for kept in ranks]
    if len({len(each) for each in last}) > 1:
        return None
    largest = max(max(abs(x) for x in each) for each in last)
    far = max((abs(x - y) for each in last[1:] for x, y in zip(last[0], each, strict=True)), default=0.0)
    return common[-1], far / largest if largest else 0.0
