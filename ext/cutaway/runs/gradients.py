"""Record a pass and then its way back: the gradient of one result by every tensor and parameter that was recorded.

In a run's ``trace``, beside ``record``::

    from cutaway.runs.gradients import gradients

    with gradients(record, "forward", model) as of:     # records the pass as `record("forward", model)` does
        _, loss = model(idx, targets)
        of(loss)                                        # whose gradient; torch computes it after the pass

The gradients are a pass of their own, ``forward-grad``: call for call and place for place the same, and each value is
the gradient by the value that the place gave, of its shape, with its letters. So whatever shows a value shows its
gradient; in prose ``.grad`` after a name leads there (``trace/gradients.py``). Parameters have theirs as
``params/NAME.grad``. What the result doesn't depend on, integers and masks have none.

A third pass, ``forward-rules``, has at each of these places the operations through which torch went back from there to
the recorded values before, by torch's own names for them: ``Softmax``, ``Mul Bmm Transpose``; nothing where the
tensor had been recorded at another place already. A parameter to which one of them sent something follows as
``=transformer.wte.weight``.

It works for whatever torch differentiates: hooks hear what arrives at each tensor, nothing of the source is changed.
One fused operation has no inside, on the way back either. Every recorded tensor stays in memory until the pass is over.

The recorder knows nothing of this, so traces without gradients keep their keys. A run that uses it names this file in
its ``inputs``, so that its own trace is made again when this is edited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from .recorder import Recorder, is_tensor

SUFFIX = "-grad"  # of the pass that holds the gradients
RULES = "-rules"  # of the pass that holds what torch did to compute them
MOST = 64  # items of a tuple, as the recorder keeps them


@contextmanager
def gradients(record: Recorder, name: str, model: Any = None) -> Iterator[Callable[[Any], None]]:
    """Record the pass ``name``, and as ``name-grad`` the gradient of what is handed to the callable that this gives.

    ValueError if nothing was chosen, if it is no single number, or if torch has kept no way back from it.
    """
    back = _Back(record, name)
    record._record = back.hear  # type: ignore[method-assign]
    try:
        with record(name, model):
            yield back.choose
    finally:
        del record._record  # the class's own again
    back.go(dict(model.named_parameters()) if hasattr(model, "named_parameters") else {})


class _Back:
    """What was heard of a pass, and what came back."""

    def __init__(self, record: Recorder, name: str) -> None:
        self.record, self.name = record, name
        if self.name + SUFFIX in record.passes:
            raise ValueError(f"gradients(record, {name!r}): the pass name {name + SUFFIX!r} is taken")
        self._plain = record._record
        self._result: Any = None
        self._heard: list[tuple[int, Any]] = []  # of a record: its number, and its tensors as _watched gives them
        self._arrived: dict[int, Any] = {}  # by the number of a watched tensor
        self._numbers: dict[tuple[int, int], int] = {}  # (id, version) of a tensor -> its number
        self._alive: list[Any] = []  # an id stays a tensor's while it lives
        self._made: list[Any] = []  # by number: the node of torch's graph that made the tensor, None for a leaf
        self._names: dict[int, str] = {}  # of parameters, by id
        self._copies: list[tuple[int, int]] = []  # of a value its number, and that of its gradient

    def hear(self, call: Any, site: int, value: Any, callee: str = "", is_result: bool = False) -> None:
        """Record as always, and watch the tensors of the value."""
        with self.record._lock:
            before = len(self.record.records)
            self._plain(call, site, value, callee, is_result)
            if len(self.record.records) > before and (watched := self._watched(value)) is not None:
                self._heard.append((before, watched))

    def _watched(self, value: Any) -> Any:
        """The number of a tensor; of a tuple those of its items; None where nothing can arrive."""
        if isinstance(value, tuple | list) and len(value) <= MOST:
            items = [self._watched(item) for item in value]
            return items if any(item is not None for item in items) else None
        if not is_tensor(value) or not getattr(value, "requires_grad", False):
            return None
        # A hook tells of the tensor as it is now, also when something is written into it later.
        key = id(value), value._version
        if key not in self._numbers:
            number = self._numbers[key] = len(self._numbers)
            self._alive.append(value)
            self._made.append(value.grad_fn)
            value.register_hook(lambda grad: self._arrive(number, grad))
        return self._numbers[key]

    def _arrive(self, number: int, grad: Any) -> None:
        self._arrived[number] = grad.detach().clone()

    def choose(self, result: Any) -> None:
        """Take the result whose gradient is wanted: a tensor of one number."""
        asked = f"gradients(record, {self.name!r}): of(...)"
        if self._result is not None:
            raise ValueError(f"{asked} was called twice; a pass has one result, record another pass for another")
        if not is_tensor(result) or not hasattr(result, "requires_grad") or result.numel() != 1:
            found = f"a tensor of shape {tuple(result.shape)}" if is_tensor(result) else f"a {type(result).__name__}"
            raise ValueError(f"{asked} was given {found}; choose one number, such as a loss or logits[0, 5, 1]")
        if not result.requires_grad:
            raise ValueError(f"{asked}: torch has kept no way back from it; record without torch.no_grad()")
        self._result = result

    def go(self, parameters: dict[str, Any]) -> None:
        """Let torch compute the gradients, and record them."""
        if self._result is None:
            raise ValueError(f"gradients(record, {self.name!r}): nothing was chosen; call of(loss) inside of the pass")
        import torch

        leaves = _leaves(self._result)
        by_leaf = torch.autograd.grad(self._result, leaves, allow_unused=True)  # no .grad of the model's is touched
        found = {id(leaf): grad for leaf, grad in zip(leaves, by_leaf, strict=True)}
        self._names = {id(p): key for key, p in parameters.items()}
        self._add_pass()
        by_name = {f"{key}.grad": grad for key, p in parameters.items() if (grad := found.get(id(p))) is not None}
        self.record.notices.append(
            f"gradients of the pass {self.name!r}: {len(self._arrived)} tensors, {len(by_name)} parameters"
        )
        self._finish_with(by_name)

    def _add_pass(self) -> None:
        """The passes of gradients and rules: the pass's calls, and records where something arrived."""
        record = self.record
        of_grad, of_rules = (self._calls_again(suffix) for suffix in (SUFFIX, RULES))
        told = set[str]()
        for heard, watched in self._heard:
            grad = self._gradient(watched)
            if grad is not None:
                call, site, value, callee, _ = record.records[heard]
                number = record._value(grad)
                rules = "" if str(watched) in told else self._rules(watched)  # handed on as it was: nothing was done
                told.add(str(watched))
                record.records.append((of_grad[call], site, number, callee, []))
                record.records.append((of_rules[call], site, record._value(rules), callee, []))
                self._copies.append((value, number))

    def _calls_again(self, suffix: str) -> dict[int, int]:
        """Add a pass with the calls of the recorded one; the number of each call in it."""
        record, again, name = self.record, dict[int, int](), self.name + suffix
        record.passes.append(name)
        for number, (of, function, path, caller, site, began) in enumerate(list(record.calls)):
            if of == self.name:
                again[number] = len(record.calls)
                record.calls.append((name, function, path, None if caller is None else again[caller], site, began))
        return again

    def _rules(self, watched: Any) -> str:
        """Torch's names of the operations between a tensor, or those of a tuple, and the watched ones before."""
        numbers = watched if isinstance(watched, list) else [watched]
        begun = [node for n in numbers if isinstance(n, int) and (node := self._made[n]) is not None]
        names, weights, seen, pending = [], [], set(begun), list(dict.fromkeys(begun))
        while pending:
            node = pending.pop(0)
            if hasattr(node, "variable"):
                weights += [f"={name}"] if (name := self._names.get(id(node.variable))) else []
                continue
            names.append(node.name().partition("Backward")[0])
            onward = [following for following, _ in node.next_functions if following is not None]
            new = [each for each in dict.fromkeys(onward) if each not in seen and each not in self._ends]
            seen.update(new)
            pending += new
        return " ".join(names + weights)

    @cached_property
    def _ends(self) -> set[Any]:
        """The nodes that made watched tensors: where a way back from one of them has come to the next."""
        return {node for node in self._made if node is not None}

    def _gradient(self, watched: Any) -> Any:
        if isinstance(watched, list):
            items = tuple(None if item is None else self._gradient(item) for item in watched)
            return items if any(item is not None for item in items) else None
        return self._arrived.get(watched)

    def _finish_with(self, by_name: dict[str, Any]) -> None:
        """When the run has recorded everything, letters are known and no pass replaces the parameters any more."""
        record, name_axes = self.record, self.record.name_axes
        numbers = {name: record._value(grad) for name, grad in by_name.items()}

        def finish() -> None:
            name_axes()
            record.parameters.update(numbers)
            for value, grad in self._copies:
                _copy_letters(record.values, value, grad)

        record.name_axes = finish  # type: ignore[method-assign]


def _leaves(result: Any) -> list[Any]:
    """The tensors at which torch's graph of a result ends: weights, and inputs of which somebody wants the gradient."""
    if result.grad_fn is None:
        return [result]
    found: dict[int, Any] = {}
    seen, pending = {result.grad_fn}, [result.grad_fn]
    while pending:
        node = pending.pop()
        if hasattr(node, "variable"):
            found[id(node.variable)] = node.variable
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                pending.append(following)
    return list(found.values())


def _copy_letters(values: Sequence[dict[str, Any]], value: int, grad: int) -> None:
    """Give the axes of a gradient the letters of the tensor that it belongs to; of a tuple, of each item."""
    given, mine = values[value], values[grad]
    if given["type"] == mine["type"] == "tensor" and "axes" in given:
        mine["axes"] = given["axes"]
    elif given["type"] == mine["type"] == "tuple":
        for one, other in zip(given["items"], mine["items"], strict=True):
            _copy_letters(values, one, other)
