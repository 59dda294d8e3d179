"""What is inside of one operation: fused attention as the operations that it stands for, so that a walk shows scores.

torch may compute attention in a single operation, of which nothing is recorded but the result. Scores and weights are
then computed here, from the same queries and keys, and the graph holds them in its place.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..computing.graph import INPUT, WEIGHT, Graph, Node
from ..computing.interpret import UnknownOperation, reference, run

FUSED = "scaled_dot_product_attention"
NAMES = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")


class Opened(Graph):
    """A graph whose fused attention is several nodes. ``inside``: those of which nothing was recorded."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph.trace, graph.pass_)
        values = run(graph, graph.inputs)
        self.inside: dict[int, str] = {}  # with their names
        self._letters: dict[int, tuple[str | None, ...]] = {}
        self.nodes = []
        place: dict[int, int] = {}
        for number, node in enumerate(graph.nodes):
            moved = Node(node.op, _moved(node.args, place), _moved(node.kwargs, place), *_rest(node))
            if is_fused(node):
                query, key = (np.shape(values[at]) for at in _taken(node)[:2])
                self._open(moved, query, key, _letters(graph, node))
            else:
                self.nodes.append(moved)
            place[number] = len(self.nodes) - 1

    def _open(
        self, node: Node, query: tuple[int, ...], key: tuple[int, ...], letters: tuple[str | None, ...] | None
    ) -> None:
        """Append what a fused operation does, the last with its digest."""
        given = dict(zip(NAMES, node.args, strict=False)) | node.kwargs

        def add(op: str, *args: Any, name: str = "", **kwargs: Any) -> str:
            self.nodes.append(Node(op, list(args), kwargs, node.module, node.line, ""))
            number = len(self.nodes) - 1
            if name:
                self.inside[number] = name
                if letters:
                    self._letters[number] = letters
            return f"%{number}"

        scale = given.get("scale") or 1 / math.sqrt(query[-1])
        if given.get("enable_gqa"):  # several heads of queries share one of keys and values
            times = query[-3] // key[-3]
            for one in ("key", "value"):
                given[one] = add("repeat_interleave.self_int", given[one], times, -3)
        turned = add("transpose.int", given["key"], -2, -1)
        scores = add("mul.Tensor", add("matmul.default", given["query"], turned, name="products"), scale, name="scores")
        mask = given.get("attn_mask")
        if given.get("is_causal"):
            seen = add("tril.default", add("ones_like.default", scores))
            scores = add("masked_fill.Scalar", scores, add("eq.Scalar", seen, 0), "-inf", name="masked")
        elif reference(mask) is not None:
            is_truth = self._is_truth(reference(mask))
            hidden = add("logical_not.default", mask) if is_truth else ""
            scores = add("masked_fill.Scalar", scores, hidden, "-inf", name="masked") if is_truth else add(
                "add.Tensor", scores, mask, name="masked"
            )
        weights = add("softmax.int", scores, -1, name="attention")
        self.nodes.append(Node("matmul.default", [weights, given["value"]], {}, *_rest(node)))

    def _is_truth(self, number: int | None) -> bool:
        """Whether a mask says what is seen, as truths; else it is numbers that are added."""
        while number is not None:
            node = self.nodes[number]
            if node.op == WEIGHT:
                return self.trace.value(node.args[0]).dtype == "bool"
            if node.op == INPUT or not node.args:
                return "bool" in str(node.kwargs)
            name = node.op.partition(".")[0].strip("_")
            if name in ("and", "or", "le", "lt", "ge", "gt", "eq", "ne", "bitwise_and", "bitwise_or", "bitwise_not",
                        "logical_and", "logical_or", "logical_not"):  # fmt: skip
                return True
            if "dtype" in node.kwargs:
                return "bool" in str(node.kwargs["dtype"])
            number = reference(node.args[0])
        return False

    def label(self, number: int) -> str:
        return self.inside.get(number) or super().label(number)

    def axes(self, number: int) -> tuple[str | None, ...] | None:
        return self._letters.get(number) or super().axes(number)


def opened(graph: Graph) -> Graph:
    """The graph, or one in which its fused attention is opened."""
    try:
        return Opened(graph) if any(map(is_fused, graph.nodes)) else graph
    except UnknownOperation:
        return graph  # whoever computes it says why that can't be


def is_fused(node: Node) -> bool:
    return node.op.startswith(FUSED)


def _taken(node: Node) -> list[int]:
    return [at for one in node.args[:2] if (at := reference(one)) is not None]


def _letters(graph: Graph, node: Node) -> tuple[str | None, ...] | None:
    """Of the scores, from those of queries and keys."""
    query, key = (graph.axes(at) for at in _taken(node))
    return (*query[:-1], key[-2]) if query and key and len(query) == len(key) >= 2 else None


def _moved(argument: Any, place: dict[int, int]) -> Any:
    if isinstance(argument, list):
        return [_moved(one, place) for one in argument]
    if isinstance(argument, dict):
        return {name: _moved(one, place) for name, one in argument.items()}
    number = reference(argument)
    return argument if number is None else f"%{place[number]}"


def _rest(node: Node) -> tuple[str, int, str]:
    return node.module, node.line, node.digest


