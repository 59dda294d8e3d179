"""Loops: every round is walked, and drawn once. What one round hands to the next goes through a closing box."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import replace

from ...source.find import Span
from .assignments import Assignments
from .boxes import Box, Loop, Source
from .expressions import Flow, holds, merged, of_numbers


class Leave(Exception):
    """The walk leaves a block: ``return``, ``break`` or ``continue``."""


class Return(Leave):
    pass


class Break(Leave):
    pass


class Continue(Leave):
    pass


class Loops(Assignments):
    """What the walk through a function does at loops."""

    def block(self, statements: Iterable[ast.stmt]) -> None:
        raise NotImplementedError

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        taken = merged([self.expressions.value(node.iter)], plain=True)

        def again() -> bool:
            bound = list(self._bound(node.target))
            for _, name, given in bound:
                tensor = given.value.type == "tensor"
                self.variables[name] = replace(taken, tensor=tensor) if holds(given) else of_numbers(taken, given)
            return bool(bound)

        self._loop(node, again, f"for {self.expressions.code(node.target)} in {self.expressions.code(node.iter)}")

    _asyncfor = _for

    def _while(self, node: ast.While) -> None:
        def again() -> bool:
            self.expressions.value(node.test)
            record = self.timeline.take("test", self.span(node.test))
            return record is not None and bool(record.value.scalar)

        self._loop(node, again, f"while {self.expressions.code(node.test)}")

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, again: Callable[[], bool], header: str) -> None:
        """Walk every round; a box that runs again is drawn once. What one hands to the next goes through
        a closing box, unless the loop is a single box."""
        rounds, ended = 0, False
        carried: set[Source] = set()
        start = self.span(node.test if isinstance(node, ast.While) else node.body[0])
        loop = Loop(Span(*start[:2], *self.span(node.body[-1])[2:]))
        self.boxes.loops.append(loop)
        while not ended:
            loop.began = self.boxes.tape.now
            if not again():
                break
            rounds += 1
            try:
                self.block(node.body)
            except Continue:
                pass
            except Break:
                ended = True
            carried |= self._carry(loop)
        self.boxes.loops.pop()
        for name, flow in self.variables.items():
            back = tuple(replace(source, carried="") if source in carried else source for source in flow.sources)
            self.variables[name] = replace(flow, sources=tuple(dict.fromkeys(back)))
        self._close(node, header, loop, rounds)
        if not ended:
            self.block(node.orelse)

    def _carry(self, loop: Loop) -> set[Source]:
        """Mark what this round made as coming from an earlier one."""
        marked = set()
        for name, flow in self.variables.items():
            sources = [
                replace(source, carried=name) if self._is_inside(loop, source.box) and not source.carried else source
                for source in flow.sources
            ]
            marked |= {source for source in sources if self._is_inside(loop, source.box)}
            self.variables[name] = replace(flow, sources=tuple(sources))
        return marked

    def _is_inside(self, loop: Loop, box: int) -> bool:
        return loop.inside.contains(self.boxes.all[box].span)

    def _close(self, node: ast.For | ast.AsyncFor | ast.While, header: str, loop: Loop, rounds: int) -> None:
        inside = [number for number in range(len(self.boxes.all)) if self._is_inside(loop, number)]
        handed_on = sorted((box, name) for box, name in self.boxes.carried if box in inside)
        if rounds < 2 or len(inside) < 2 or not handed_on:
            return
        for number in inside:
            box = self.boxes.all[number]
            box.times = box.times // rounds if box.times % rounds == 0 else box.times
        names = tuple(sorted({name for _, name in handed_on}))
        now = merged(self.variables[name] for name in names if name in self.variables).sources
        silent = (Source(box) for box, name in handed_on if name not in self.variables)
        sources = tuple(dict.fromkeys([*now, *silent]))
        values = [self.boxes.all[source.box].value for source in sources]
        place = self.span(node.test) if isinstance(node, ast.While) else self._whole(node.target, node.iter)
        box = Box("again", header, place, values[0] if len(values) == 1 else None, names)
        box.times = rounds
        number = self.boxes.add(box, sources)
        self.boxes.tape.hand_on({source.box for source in sources}, number)
        for name in names:
            if name in self.variables:
                value = self.boxes.all[number].value
                self.variables[name] = Flow((Source(number, name),), True, value is not None)
