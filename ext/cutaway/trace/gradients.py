"""``.grad`` after the name of a recorded value: the gradient by it, where its pass was recorded with gradients.

``backward.forward/h.0.attn/attention-forward-softmax.grad[0, 0, 5]`` is what that place has in the pass
``forward-grad`` (``runs/gradients.py``). Cells and scenes write the pass: ``backward.forward-grad/h.0.attn/att``.
A parameter's gradient stands beside it in both: ``backward.params/h.0.attn.c_attn.weight.grad``.
"""

from __future__ import annotations

from .names import Found, Names, UnknownName
from .reading import Trace

ENDING, SUFFIX = ".grad", "-grad"


class GradientNames(Names):
    """Resolves names of values, and of gradients by them."""

    def _inside(self, trace: Trace, pass_: str, nth: str | None, parts: list[str]) -> Found:
        name = parts[-1]
        if not name.endswith(ENDING) or pass_ in ("params", "log"):
            return super()._inside(trace, pass_, nth, parts)
        if pass_ + SUFFIX in trace.passes:
            return super()._inside(trace, pass_ + SUFFIX, nth, [*parts[:-1], name.removesuffix(ENDING)])
        try:
            return super()._inside(trace, pass_, nth, parts)  # code may have a variable of that name: p.grad
        except UnknownName as error:
            passes = [each.removesuffix(SUFFIX) for each in trace.passes if each.endswith(SUFFIX)]
            there = f"those with gradients are {', '.join(passes)}" if passes else "no pass of this run has gradients"
            raise UnknownName(f"{error}; '{trace.run}.{pass_}' was recorded without gradients: {there}") from None
