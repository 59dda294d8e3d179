"""Small functions and the graphs that they are: which step's tensors go into which."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded import graph, record

from cutaway.diagrams.graph.flow import FlowError, flow
from cutaway.diagrams.graph.graph import Graph

torch = pytest.importorskip("torch")


def arrows(found: Graph) -> list[str]:
    """``source -> target`` by code, in order; a named value as ``source -q-> target``."""
    code = [node.code for node in found.nodes]
    return [f"{code[e.source]} -{e.name}-> {code[e.target]}".replace("--", "-") for e in found.edges]


def flow_of(tmp_path: Path, code: str, shape: tuple[int, ...] = (2, 4), **more: object) -> Graph:
    return graph(tmp_path, code, lambda names: names["f"](torch.ones(*shape), **more))


def test_a_statement_is_a_box_and_its_variables_are_its_arrows(tmp_path: Path) -> None:
    found = flow_of(
        tmp_path,
        """
        def f(x):
            y = torch.relu(x)
            z = y @ x.T
            return z
        """,
    )
    assert arrows(found) == [
        "x -> y = torch.relu(x)",
        "x -> z = y @ x.T",
        "y = torch.relu(x) -> z = y @ x.T",
        "z = y @ x.T -> return z",
    ]
    assert [node.kind for node in found.nodes] == ["input", "step", "step", "output"]
    assert [node.shape for node in found.nodes] == [("2", "4"), ("2", "4"), ("2", "2"), ("2", "2")]


MODEL = """
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(4)
        self.inner = Inner()
        self.blocks = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

    def forward(self, x):
        {body}


class Inner(nn.Module):
    def forward(self, x):
        return x * 2
"""


def forward(tmp_path: Path, body: str) -> Graph:
    code = MODEL.replace("{body}", body.replace("\n", "\n        "))
    return graph(tmp_path, code, lambda names: names["model"](torch.ones(2, 4)), "Model.forward")


def test_a_residual_is_three_boxes_with_a_by_pass(tmp_path: Path) -> None:
    found = forward(tmp_path, "x = x + self.inner(self.norm(x))\nreturn x")
    assert arrows(found) == [
        "x -> self.norm(x)",
        "x -> x = x + …",
        "self.norm(x) -> self.inner(…)",
        "self.inner(…) -> x = x + …",
        "x = x + … -> return x",
    ]
    assert [node.kind for node in found.nodes] == ["input", "module", "module", "add", "output"]
    assert (found.nodes[1].module_path, found.nodes[1].function) == ("norm", None)
    assert (found.nodes[2].module_path, found.nodes[2].function) == ("inner", "m.code.Inner.forward")


def test_several_results_are_named_arrows(tmp_path: Path) -> None:
    found = forward(tmp_path, "a, b = self.norm(x).chunk(2, dim=-1)\nreturn a * b")
    assert arrows(found) == [
        "x -> self.norm(x)",
        "self.norm(x) -> a, b = ….chunk(2, dim=-1)",
        "a, b = ….chunk(2, dim=-1) -a-> a * b",
        "a, b = ….chunk(2, dim=-1) -b-> a * b",
        "a * b -> return",
    ]


def test_a_loop_of_one_box_is_that_box_so_many_times(tmp_path: Path) -> None:
    found = forward(tmp_path, "for block in self.blocks:\n    x = block(x)\nreturn x")
    assert arrows(found) == ["x -> x = block(x)", "x = block(x) -> return x"]
    assert found.nodes[1].times == 3
    assert found.nodes[1].module_path == "blocks.0"


def test_modules_in_a_comprehension_run_so_many_times(tmp_path: Path) -> None:
    found = forward(tmp_path, "y = torch.cat([block(x) for block in self.blocks], dim=-1)\nreturn y")
    assert arrows(found) == [
        "x -> block(x)",
        "block(x) -> y = torch.cat([… for block in self.blocks], dim=-1)",
        "y = torch.cat([… for block in self.blocks], dim=-1) -> return y",
    ]
    assert found.nodes[1].times == 3


def test_a_loop_of_several_boxes_is_drawn_once_and_closed(tmp_path: Path) -> None:
    found = flow_of(
        tmp_path,
        """
        def f(x):
            for i in range(3):
                last = x[:, -1:] * 2
                x = torch.cat((x, last), dim=1)
            return x
        """,
    )
    assert arrows(found) == [
        "x -> last = x[:, -1:] * 2",
        "x -> x = torch.cat((x, last), dim=1)",
        "last = x[:, -1:] * 2 -> x = torch.cat((x, last), dim=1)",
        "x = torch.cat((x, last), dim=1) -> for i in range(3)",
        "for i in range(3) -> return x",
    ]
    last, cat, again = found.nodes[1:4]
    assert (again.kind, again.names, again.times) == ("again", ("x",), 3)
    assert (last.times, last.shape) == (1, ("2", "1"))
    assert cat.shape == ("2", "5..7")  # each round adds one
    assert found.nodes[-1].shape == ("2", "7")


def test_a_while_loop_that_breaks(tmp_path: Path) -> None:
    found = flow_of(
        tmp_path,
        """
        def f(x):
            n = 0
            while True:
                y = x * 2
                if n == 2:
                    break
                x = y + x
                n += 1
            return y
        """,
    )
    assert arrows(found) == [
        "x -> y = x * 2",
        "x -> x = y + x",
        "y = x * 2 -> x = y + x",
        "y = x * 2 -> return y",
        "x = y + x -> while True",
    ]
    assert [(node.code, node.times) for node in found.nodes if node.times > 1] == [
        ("x = y + x", 2),
        ("while True", 3),
    ]


BRANCHES = """
def f(x, flip=False, mask=None):
    if flip:
        x = x.flip(0)
    elif mask is not None:
        x = x * mask
    else:
        x = x.clone()
    y = -x if flip else x.exp()
    if y.shape[0] > 100:
        return y.sum()
    return y
"""


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [
        ({}, ["x = x.clone()", "y = -x if flip else x.exp()"]),
        ({"flip": True}, ["x = x.flip(0)", "y = -x if flip else x.exp()"]),
        ({"mask": "tensor"}, ["x = x * mask", "y = -x if flip else x.exp()"]),
    ],
)
def test_only_the_branch_that_ran_is_there(tmp_path: Path, arguments: dict[str, object], steps: list[str]) -> None:
    if "mask" in arguments:
        arguments = {"mask": torch.ones(4)}
    found = flow_of(tmp_path, BRANCHES, **arguments)
    assert [node.code for node in found.nodes if node.kind == "step"] == steps
    assert [node.code for node in found.nodes if node.kind == "input"] == [
        "x",
        *(["mask"] if "mask" in arguments else []),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("y = x\nreturn y", ["x -> return y"]),  # another name is no step
        ("b, t = x.size()\nn = len(x) + b\nreturn x", ["x -> return x"]),  # numbers are no tensors
        ("x += 1\nreturn x", ["x -> x += 1", "x += 1 -> return x"]),
        ("x[0] = 7.0\nreturn x", ["x -> x[0] = 7.0", "x[0] = 7.0 -> return x"]),
        ("x.mul_(2)\nreturn x", ["x -> x.mul_(2)", "x.mul_(2) -> return x"]),
        ("y = z = x.exp()\nreturn z", ["x -> y = z = x.exp()", "y = z = x.exp() -> return z"]),
        ("if (y := x.exp()).shape[0]:\n    return y", ["x -> y := x.exp()", "y := x.exp() -> return y"]),
        ("kv = (x, x * 2)\na, b = kv\nreturn b", ["x -> kv = (x, x * 2)", "kv = (x, x * 2) -> return b"]),
        (
            "a, b = x * 2, x * 3\na, b = b, a\nreturn a",
            ["x -> a = x * 2", "x -> b = x * 3", "b = x * 3 -> return a"],
        ),
        (
            "out = []\nfor i in range(2):\n    out.append(x[i] * 2)\nreturn torch.stack(out)",
            ["x -> x[i] * 2", "x[i] * 2 -> torch.stack(out)", "torch.stack(out) -> return"],
        ),
        (
            "cache = {}\ncache['k'] = x.exp()\nreturn cache['k'] * 1",
            ["x -> x.exp()", "x.exp() -> cache['k'] * 1", "cache['k'] * 1 -> return"],
        ),
        (
            "with torch.no_grad():\n    y = x.exp()\ntry:\n    z = y.exp()\nfinally:\n    pass\nreturn z",
            ["x -> y = x.exp()", "y = x.exp() -> z = y.exp()", "z = y.exp() -> return z"],
        ),
        ("y = x + x.exp()\nreturn y", ["x -> y = x + x.exp()", "y = x + x.exp() -> return y"]),
        ("w = torch.ones(4)\nreturn x @ w", ["x -> x @ w", "w = torch.ones(4) -> x @ w", "x @ w -> return"]),
        (
            "y = torch.clamp(  # keep it small\n    x, 1e-5,\n    max=2.,\n)\nreturn y",
            ["x -> y = torch.clamp(x, 1e-5, max=2.)", "y = torch.clamp(x, 1e-5, max=2.) -> return y"],
        ),
        (
            "a = -x\nb = x.sum()\nreturn a, b",
            ["x -> a = -x", "x -> b = x.sum()", "a = -x -> return a", "b = x.sum() -> return b"],
        ),
    ],
)  # fmt: skip
def test_ways_to_write_it(tmp_path: Path, body: str, expected: list[str]) -> None:
    code = "def f(x):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    assert arrows(flow_of(tmp_path, code)) == expected


def test_a_function_of_ones_own_is_a_box_that_leads_to_it(tmp_path: Path) -> None:
    found = flow_of(tmp_path, "def g(x):\n    return x.exp()\n\ndef f(x):\n    return g(x) * 2\n")
    assert arrows(found) == ["x -> g(x)", "g(x) -> … * 2", "… * 2 -> return"]
    assert found.nodes[1].function == "m.code.g"


def test_a_function_without_tensors_is_an_error_that_says_what_was_found(tmp_path: Path) -> None:
    source, trace = record(tmp_path, "def f(n):\n    return n + 1\n", lambda names: names["f"](3))
    obj = source.find("m.code.f")
    with pytest.raises(FlowError, match=r"m\.code\.f .*handles no tensors in the run 'test'.*: scalar"):
        flow(obj, trace, trace.calls(obj.dotted)[0])


def test_a_class_has_no_flow_of_its_own(tmp_path: Path) -> None:
    source, trace = record(tmp_path, "class A:\n    pass\n\ndef f(x):\n    return x\n", lambda n: n["f"](1))
    with pytest.raises(FlowError, match=r"m\.code\.A is a class; .* m\.code\.A\.forward"):
        flow(source.find("m.code.A"), trace, trace.calls()[0])


def test_spans_are_places_of_the_file(tmp_path: Path) -> None:
    source, trace = record(tmp_path, "def f(x):\n    y = x.exp()\n    return y\n", lambda n: n["f"](torch.ones(2)))
    obj = source.find("m.code.f")
    (step,) = [node for node in flow(obj, trace, trace.calls(obj.dotted)[0]).nodes if node.kind == "step"]
    ((line, start, _, end),) = step.spans
    assert obj.module.lines[line - 1][start:end] == "x.exp()"
