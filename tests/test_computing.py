"""What NumPy computes of an exported graph, against torch: operation by operation, and what each took for a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cutaway.computing.graph import Node
from cutaway.computing.interpret import UnknownOperation, compare, run
from cutaway.computing.why import total, why

CLOSE = 2e-6  # of the largest number
X, Y = (2, 3, 4, 5), (2, 3, 5, 6)


def R(*shape: int) -> Any:
    return torch.randn(shape)


def I(*shape: int, n: int) -> Any:  # noqa: E743 - as torch.randint is called in a formula
    return torch.randint(0, n, shape)


def B(*shape: int) -> Any:
    return torch.randn(shape) > 0


def positive(*shape: int) -> Any:
    return torch.rand(shape) + 0.1


def hidden() -> Any:
    return R(2, 5, 5).masked_fill(torch.ones(5, 5).tril() == 0, -math.inf)


def some_targets() -> Any:
    return torch.tensor([-1, 3, -1, 8, 0, 1, -1])


Made = Callable[[], tuple[Any, ...]]
Case = tuple[str, Made, dict[str, Any]]


def case(op: str, made: Made, **keywords: Any) -> Case:
    return op, made, keywords


WITH = [(5,), (4, 1), (3, 1, 1), (1,), (2, 1, 4, 1), X, ()]
FUNCTIONS = [
    *(case(f"{op}.Tensor", lambda s=s: (R(*X), R(*s))) for op in ("add", "sub", "mul") for s in WITH),
    case("div.Tensor", lambda: (R(*X), positive(5))), case("div.Tensor", lambda: (I(3, n=9), 4)),
    case("div.Tensor_mode", lambda: (R(3, 4) * 9, positive(4)), rounding_mode="floor"),
    case("div.Tensor_mode", lambda: (R(3, 4) * 9, positive(4)), rounding_mode="trunc"),
    case("floor_divide.default", lambda: (I(3, 4, n=20), 3)), case("remainder.Scalar", lambda: (R(3, 4) * 5, 3)),
    case("add.Tensor", lambda: (R(*X), R(*X)), alpha=2), case("rsub.Scalar", lambda: (R(*X), 1.0)),
    case("add.Tensor", lambda: (I(4, n=5), 3)), case("mul.Tensor", lambda: (B(3, 4), R(4))),
    *(case("pow.Tensor_Scalar", lambda p=p: (positive(*X), p)) for p in (2, 3, 0.5, -1, -0.5)),
    case("pow.Tensor_Tensor", lambda: (positive(*X), R(5))), case("pow.Scalar", lambda: (10000.0, R(6))),
    case("pow.Tensor_Scalar", lambda: (R(3, 4), 2)), case("maximum.default", lambda: (R(*X), R(5))),
    case("minimum.default", lambda: (R(*X), R(5))), case("clamp.default", lambda: (R(*X), -0.5, 0.5)),
    case("clamp.default", lambda: (R(*X), None, 0.5)), case("clamp_min.default", lambda: (R(*X), 0.1)),
    *(case(f"{op}.default", lambda: (R(*X) * 3,)) for op in ("neg", "abs", "exp", "sin", "cos", "tanh", "sigmoid")),
    *(case(f"{op}.default", lambda: (R(*X) * 3,)) for op in ("relu", "silu", "square", "erf", "gelu", "sign")),
    *(case(f"{op}.default", lambda: (R(*X) * 3,)) for op in ("floor", "ceil", "trunc")),
    *(case(f"{op}.default", lambda: (positive(*X),)) for op in ("sqrt", "rsqrt", "log", "reciprocal")),
    case("gelu.default", lambda: (torch.linspace(-9, 9, 181),)),
    case("gelu.default", lambda: (R(*X) * 3,), approximate="tanh"),
    *(case(f"{op}.Scalar", lambda: (I(3, 4, n=4), 2)) for op in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(case(f"{op}.Tensor", lambda: (I(3, 4, n=4), I(4, n=4))) for op in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(case(f"{op}.default", lambda: (B(3, 4), B(3, 4))) for op in ("logical_and", "logical_or")),
    *(case(f"{op}.Tensor", lambda: (B(3, 4), B(4))) for op in ("bitwise_and", "bitwise_or", "__and__", "__or__")),
    case("logical_not.default", lambda: (B(3, 4),)), case("bitwise_not.default", lambda: (B(3, 4),)),
    case("logical_not.default", lambda: (I(3, 4, n=2),)),
    *(case(f"{op}.default", lambda d=d: (R(2, 4, 6), d)) for op in ("tril", "triu") for d in (-1, 0, 2)),
    case("tril.default", lambda: (R(5, 5),)), case("triu.default", lambda: (torch.full((5, 5), -math.inf), 1)),
    case("to.dtype", lambda: (R(*X) * 4, torch.int64)), case("to.dtype", lambda: (I(*X, n=2), torch.bool)),
]  # fmt: skip
RENAMINGS = [
    case("view.default", lambda: (R(*X), [6, -1])), case("reshape.default", lambda: (R(*X).transpose(1, 2), [-1])),
    case("_unsafe_view.default", lambda: (R(*X), [24, 5])), case("flatten.using_ints", lambda: (R(*X), 1, 2)),
    case("flatten.using_ints", lambda: (R(*X),)), case("unflatten.int", lambda: (R(*X), -2, [2, -1])),
    case("transpose.int", lambda: (R(*X), 1, -1)), case("t.default", lambda: (R(3, 4),)),
    case("swapaxes.default", lambda: (R(*X), 1, -1)), case("permute.default", lambda: (R(*X), [3, -2, 0, 1])),
    case("expand.default", lambda: (R(1, 3, 1, 5), [2, -1, 4, 5])),
    case("expand.default", lambda: (R(3, 1), [2, 3, 4])),
    case("slice.Tensor", lambda: (R(*X), 1, 1, 3)), case("slice.Tensor", lambda: (R(*X), -1, None, None, 2)),
    case("slice.Tensor", lambda: (R(*X), 2, -3, -1)), case("slice.Tensor", lambda: (R(*X), 3, 1, 2**63 - 1, 3)),
    case("slice.Tensor", lambda: (R(*X), 3, -99, 99)), case("slice.Tensor", lambda: (R(*X),)),
    case("select.int", lambda: (R(*X), 1, 2)), case("select.int", lambda: (R(*X), -1, -1)),
    case("unsqueeze.default", lambda: (R(*X), 0)), case("unsqueeze.default", lambda: (R(*X), -2)),
    case("squeeze.default", lambda: (R(1, 3, 1),)), case("squeeze.dim", lambda: (R(1, 3, 1), -1)),
    case("squeeze.dim", lambda: (R(1, 3, 1), 1)), case("squeeze.dims", lambda: (R(1, 3, 1), [0, 2])),
    case("split.Tensor", lambda: (R(*X), 2, 1)), case("split_with_sizes.default", lambda: (R(*X), [1, 3, 1], -1)),
    case("split.sizes", lambda: (R(*X), [3, 1], 2)), case("chunk.default", lambda: (R(*X), 3, 3)),
    case("chunk.default", lambda: (R(*X), 2, -1)), case("unbind.int", lambda: (R(*X), 1)),
    case("cat.default", lambda: ([R(*X), R(2, 3, 4, 2), R(*X)], -1)), case("cat.default", lambda: ([R(3), R(2)],)),
    case("stack.default", lambda: ([R(*X), R(*X)], -2)), case("stack.default", lambda: ([R(*X), R(*X)],)),
    case("repeat.default", lambda: (R(3, 4), [2, 1, 3])), case("repeat_interleave.self_int", lambda: (R(*X), 3, 1)),
    case("contiguous.default", lambda: (R(*X).transpose(1, 2),)), case("clone.default", lambda: (R(*X),)),
    case("dropout.default", lambda: (R(*X), 0.1, False)), case("alias.default", lambda: (R(*X),)),
    case("detach.default", lambda: (R(*X),)), case("to.dtype", lambda: (B(*X), torch.float32)),
    case("to.dtype", lambda: (R(*X), torch.float64)), case("to.device", lambda: (R(*X), "cpu", torch.float32)),
    case("type_as.default", lambda: (B(*X), R(2))), case("_to_copy.default", lambda: (I(3, n=4),), dtype=torch.float32),
]  # fmt: skip
PICKS = [
    case("embedding.default", lambda: (R(7, 4), I(2, 5, n=7))), case("embedding.default", lambda: (R(7, 4), I(5, n=7))),
    case("index_select.default", lambda: (R(*X), 2, I(6, n=4))),
    case("index_select.default", lambda: (R(*X), -1, I(6, n=5))),
    case("gather.default", lambda: (R(*X), 2, I(2, 3, 6, 5, n=4))),
    case("gather.default", lambda: (R(5, 6), -1, I(5, 1, n=6))),
    case("index.Tensor", lambda: (R(5, 6), [I(4, n=5)])), case("index.Tensor", lambda: (R(*X), [None, I(2, 3, n=3)])),
    case("index.Tensor", lambda: (R(*X), [None, I(2, 1, n=3), I(4, n=4)])),
    case("index.Tensor", lambda: (R(*X), [I(4, n=2), None, I(4, n=4)])),
    case("index.Tensor", lambda: (R(*X), [None, None, torch.tensor([-1])])),
    case("index.Tensor", lambda: (R(4, 5), [torch.tensor([True, False, True, True])])),
]  # fmt: skip
MASKS = [
    case("masked_fill.Scalar", lambda: (R(*X), B(*X), -math.inf)),
    case("masked_fill.Scalar", lambda: (R(*X), B(4, 5), -1e9)),
    case("masked_fill.Scalar", lambda: (R(4, 5), B(*X), 0)),
    case("masked_fill.Tensor", lambda: (R(*X), B(*X), torch.tensor(7.0))),
    case("where.self", lambda: (B(*X), R(*X), R(*X))),
    case("where.self", lambda: (B(4, 5), R(*X), torch.tensor(-math.inf))),
    case("where.self", lambda: (B(4, 5), torch.tensor(-1.0), R(*X))),
    case("where.ScalarOther", lambda: (B(*X), R(*X), -3.0)),
    case("where.ScalarSelf", lambda: (B(*X), 0.0, R(*X))), case("where.Scalar", lambda: (B(*X), 1.0, 0.0)),
]  # fmt: skip
ROWS = [
    *(case("softmax.int", lambda d=d: (R(*X), d)) for d in (-1, 0, 2)), case("softmax.int", lambda: (hidden(), -1)),
    case("softmax.int", lambda: (R(*X) * 1000, -1)), case("_softmax.default", lambda: (R(6), 0, False)),
    case("log_softmax.int", lambda: (R(*X), -1)), case("_log_softmax.default", lambda: (R(*X), 1, False)),
    *(case("linalg_vector_norm.default", lambda d=d, k=k: (R(*X), 2, d, k)) for d in ([-1], [0, 2]) for k in (0, 1)),
    case("linalg_vector_norm.default", lambda: (R(*X),)),
    case("layer_norm.default", lambda: (R(*X), [5], R(5), R(5), 1e-5, False)),
    case("layer_norm.default", lambda: (R(*X), [5])),
    case("layer_norm.default", lambda: (R(*X), [4, 5], R(4, 5), R(4, 5))),
    case("layer_norm.default", lambda: (R(*X), [5], R(5), None, 1e-3)),
    case("rms_norm.default", lambda: (R(*X), [5])), case("rms_norm.default", lambda: (R(*X), [5], R(5), 1e-6)),
    case("rms_norm.default", lambda: (R(*X), [4, 5], None, 1e-2)),
    *(case("mean.dim", lambda d=d: (R(*X), d)) for d in ([-1], [0], [1, 2], [3, 1])),
    case("mean.default", lambda: (R(*X),)),
    *(case("sum.dim_IntList", lambda d=d: (R(*X), d, True)) for d in ([-1], [0, -1], None)),
    case("sum.default", lambda: (B(*X),)),
    *(case("cross_entropy_loss.default", lambda r=r: (R(7, 9), I(7, n=9), None, r)) for r in (0, 1, 2)),
    *(case("cross_entropy_loss.default", lambda r=r: (R(7, 9) * 5, some_targets(), None, r, -1)) for r in (0, 1, 2)),
    case("cross_entropy_loss.default", lambda: (R(9), torch.tensor(4))),
]  # fmt: skip
ATTENTION = "scaled_dot_product_attention.default"
PRODUCTS = [
    case("linear.default", lambda: (R(*X), R(6, 5))), case("linear.default", lambda: (R(*X), R(6, 5), R(6))),
    case("linear.default", lambda: (R(5), R(6, 5), R(6))), case("matmul.default", lambda: (R(*X), R(*Y))),
    case("matmul.default", lambda: (R(*X), R(5, 6))), case("matmul.default", lambda: (R(4, 5), R(*Y))),
    case("matmul.default", lambda: (R(1, 3, 4, 5), R(2, 1, 5, 6))),
    case("matmul.default", lambda: (R(1, 3, 1), R(1, 1, 7))),
    case("matmul.default", lambda: (R(*X), R(5))), case("matmul.default", lambda: (R(5), R(5))),
    case("bmm.default", lambda: (R(3, 4, 5), R(3, 5, 6))), case("mm.default", lambda: (R(4, 5), R(5, 6))),
    case("addmm.default", lambda: (R(6), R(4, 5), R(5, 6))), case("addmm.default", lambda: (R(4, 6), R(4, 5), R(5, 6))),
    case("einsum.default", lambda: ("bhid, bhjd -> bhij", [R(*X), R(2, 3, 6, 5)])),
    case("einsum.default", lambda: ("bthd,hdc->btc", [R(2, 4, 3, 5), R(3, 5, 6)])),
    case("einsum.default", lambda: ("i,j->ij", [R(4), R(6)])),
    case(ATTENTION, lambda: (R(2, 4, 6, 8), R(2, 4, 7, 8), R(2, 4, 7, 5))),
    case(ATTENTION, lambda: (R(2, 4, 6, 8), R(2, 4, 6, 8), R(2, 4, 6, 5), None, 0.0, True)),
    case(ATTENTION, lambda: (R(2, 4, 6, 8), R(2, 4, 7, 8), R(2, 4, 7, 5), R(6, 7)), scale=0.3),
    case(ATTENTION, lambda: (R(2, 4, 6, 8), R(2, 4, 7, 8), R(2, 4, 7, 5), B(6, 7) | (torch.arange(7) == 0))),
    case(ATTENTION, lambda: (R(2, 4, 6, 8), R(2, 2, 7, 8), R(2, 2, 7, 5)), enable_gqa=True),
    case(ATTENTION, lambda: (R(6, 8), R(7, 8), R(7, 5))),
]  # fmt: skip
CONSTANTS = [
    case("arange.default", lambda: (5,)), case("arange.start", lambda: (2, 7), dtype=torch.float32),
    case("arange.start_step", lambda: (0, 1, 0.25)), case("full.default", lambda: ([2, 3], 4.5)),
    case("full.default", lambda: ([2], 1), dtype=torch.bool), case("ones.default", lambda: ([2, 3],)),
    case("zeros.default", lambda: ([2, 3],), dtype=torch.int64), case("scalar_tensor.default", lambda: (3.0,)),
    case("full_like.default", lambda: (R(*X), -math.inf)), case("ones_like.default", lambda: (R(*X),)),
    case("zeros_like.default", lambda: (I(3, n=4),)), case("new_ones.default", lambda: (R(*X), [3])),
    case("new_full.default", lambda: (R(*X), [3], 2.0)),
]  # fmt: skip
ALL = [*FUNCTIONS, *RENAMINGS, *PICKS, *MASKS, *ROWS, *PRODUCTS, *CONSTANTS]


class Small:
    """A graph of one operation on weights; what it gives as a list is taken apart."""

    def __init__(self) -> None:
        self.name, self.nodes, self.weights = "small", list[Node](), dict[int, np.ndarray]()
        self.inputs: list[np.ndarray] = []
        self.where: dict[int, Any] = {}

    def label(self, number: int) -> str:
        return self.nodes[number].op

    def add(self, op: str, args: list[Any], keywords: dict[str, Any] | None = None) -> str:
        self.nodes.append(Node(op, args, keywords or {}, "", 0, ""))
        return f"%{len(self.nodes) - 1}"

    def put(self, value: Any) -> Any:
        """An argument as the trace has it."""
        if isinstance(value, torch.Tensor):
            self.weights[len(self.nodes)] = value.numpy()
            return self.add("weight", [], {"name": "w"})
        if isinstance(value, list):
            return [self.put(one) for one in value]
        if isinstance(value, torch.dtype):
            return str(value).removeprefix("torch.")
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value

    def call(self, op: str, args: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """What torch gives of the operation, which is added."""
        self.add(op, [self.put(one) for one in args], {name: self.put(one) for name, one in keywords.items()})
        packet, overload = op.split(".")
        found = getattr(getattr(torch.ops.aten, packet), overload)(*args, **keywords)
        if isinstance(found, torch.Tensor):
            return [(len(self.nodes) - 1, found)]
        whole = f"%{len(self.nodes) - 1}"
        return [(int(self.add("getitem", [whole, at])[1:]), one) for at, one in enumerate(found)]


def scale(array: np.ndarray) -> float:
    finite = np.abs(array.astype("f8"))[np.isfinite(array)]
    return float(finite.max(initial=0)) or 1.0


def same_numbers(ours: Any, theirs: np.ndarray) -> bool:
    a, b = np.asarray(ours, "f8"), theirs.astype("f8")
    return a.shape == b.shape and np.allclose(a, b, rtol=0, atol=CLOSE * scale(theirs), equal_nan=True)


def dtype_of(array: np.ndarray) -> str:
    return {"f": "float32", "b": "bool"}.get(array.dtype.kind, "int64")


def named(cases: list[Case]) -> Any:
    return pytest.mark.parametrize("one", [pytest.param(one, id=f"{at}-{one[0]}") for at, one in enumerate(cases)])


@named(ALL)
def test_every_operation_gives_what_torch_gives(one: Case) -> None:
    torch.manual_seed(1)
    op, made, keywords = one
    small = Small()
    for node, theirs in small.call(op, made(), keywords):
        ours = run(small, [])[node]  # type: ignore[arg-type]
        assert ours.dtype == dtype_of(theirs.numpy())
        assert same_numbers(ours, theirs.numpy())


def largest_of(values: list[Any], op: str, node: int) -> float:
    """Of a loss the largest logit: of a sure answer nothing but rounding is left."""
    return scale(np.asarray(values[0 if op.startswith("cross") else node]))


@named(ALL)
def test_what_a_number_was_made_of_gives_it_again(one: Case) -> None:
    torch.manual_seed(2)
    op, made, keywords = one
    small = Small()
    results = small.call(op, made(), keywords)
    values = run(small, [])  # type: ignore[arg-type]
    rng = np.random.default_rng(3)
    for node, theirs in results:
        for place in rng.integers(0, theirs.numel(), 8) if theirs.numel() else ():
            index = tuple(map(int, np.unravel_index(place, theirs.shape)))
            found = why(small, values, node, index)  # type: ignore[arg-type]
            assert found.kind != "unknown"
            assert found.terms or found.kind == "constant" or found.cell.value == 0  # a position that does not count
            again, told = total(found), found.cell.value
            assert again == told or abs(again - told) <= 1e-5 * largest_of(values, op, node)
            for cell in [cell for term in found.terms for cell in (term.cell, term.by) if cell and cell.node >= 0]:
                assert np.asarray(values[cell.node])[cell.index] == cell.value
                assert all(0 <= i < size for i, size in zip(cell.index, np.shape(values[cell.node]), strict=True))


def test_every_kind_has_its_own_operands() -> None:
    torch.manual_seed(4)
    kinds = [(FUNCTIONS, "function"), (RENAMINGS, "same"), (PICKS, "pick"), (MASKS, "mask"), (PRODUCTS, "product")]
    for cases, kind in [*kinds, (CONSTANTS, "constant")]:
        for op, made, keywords in cases:
            small = Small()
            [(node, theirs), *_] = small.call(op, made(), keywords)
            found = why(small, run(small, []), node, (0,) * theirs.ndim)  # type: ignore[arg-type]
            assert found.kind == kind, op


# Places: any shape, any cell


shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@st.composite
def moves(draw: st.DrawFn) -> tuple[Any, str, list[Any]]:
    """A tensor of any shape, and an operation that only moves its numbers."""
    shape = draw(shapes)
    x, rank = torch.arange(math.prod(shape), dtype=torch.float32).reshape(shape), len(shape)
    axis = draw(st.integers(-rank, rank - 1))
    start = draw(st.integers(0, shape[axis] - 1))
    more = draw(st.lists(st.integers(1, 3), max_size=2))
    made: list[tuple[str, list[Any]]] = [
        ("permute.default", [x, draw(st.permutations(range(rank)))]),
        ("transpose.int", [x, axis, draw(st.integers(-rank, rank - 1))]),
        ("view.default", [x, [-1, shape[axis]]]), ("flatten.using_ints", [x]),
        ("slice.Tensor", [x, axis, start, draw(st.integers(start + 1, 9)), draw(st.integers(1, 3))]),
        ("select.int", [x, axis, start]), ("unsqueeze.default", [x, axis]), ("squeeze.default", [x]),
        ("expand.default", [x, [*more, *([-1] * rank)]]), ("cat.default", [[x, x + 100, x + 200], axis]),
        ("stack.default", [[x, x + 100], axis]), ("repeat_interleave.self_int", [x, draw(st.integers(1, 3)), axis]),
        ("repeat.default", [x, [*more, *draw(st.lists(st.integers(1, 2), min_size=rank, max_size=rank))]]),
        ("split.Tensor", [x, draw(st.integers(1, 4)), axis]), ("chunk.default", [x, draw(st.integers(1, 4)), axis]),
    ]  # fmt: skip
    return x, *draw(st.sampled_from(made))


@given(moves(), st.integers(0, 10**9))
def test_a_number_that_moved_is_found_where_it_stood(move: tuple[Any, str, list[Any]], place: int) -> None:
    _, op, args = move
    small = Small()
    results = small.call(op, args, {})
    values = run(small, [])  # type: ignore[arg-type]
    node, theirs = results[place % len(results)]
    index = tuple(map(int, np.unravel_index(place % theirs.numel(), theirs.shape)))
    found = why(small, values, node, index)  # type: ignore[arg-type]
    [term] = found.terms
    assert (found.kind, term.role) == ("same", "same")
    assert term.cell.value == found.cell.value == theirs[index].item()
    assert values[term.cell.node][term.cell.index] == term.cell.value
    assert small.nodes[term.cell.node].op == "weight" or op.startswith(("split", "chunk"))


@given(shapes, st.data())
def test_fewer_numbers_go_with_all_places(shape: list[int], data: st.DataObject) -> None:
    ones = [data.draw(st.sampled_from([1, size])) for size in shape]
    other = ones[data.draw(st.integers(0, len(ones))) :]
    small = Small()
    [(node, theirs)] = small.call("add.Tensor", [R(*shape), R(*other)], {})
    values = run(small, [])  # type: ignore[arg-type]
    index = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
    found = why(small, values, node, index)  # type: ignore[arg-type]
    assert [term.role for term in found.terms] == ["a", "b"]
    assert np.isclose(total(found), theirs[index].item(), atol=1e-5)


# What can't be computed, and what differs


def test_an_unknown_operation_is_named_with_its_node() -> None:
    small = Small()
    x = small.put(R(2))
    small.add("fft_fft.default", [x])
    with pytest.raises(UnknownOperation, match=r"fft_fft.default.*node 1"):
        run(small, [])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("op", "args", "keywords"),
    [
        ("dropout.default", [R(3), 0.5, True], {}),
        ("to.dtype", [R(3), "bfloat16"], {}),
        ("cross_entropy_loss.default", [R(3, 4), I(3, n=4), R(4)], {}),
        ("add.Tensor", [R(3), R(4)], {}),
        ("embedding.default", [R(3, 2), torch.tensor([7])], {}),
    ],
)
def test_a_form_that_nobody_wrote_down_is_unknown(op: str, args: list[Any], keywords: dict[str, Any]) -> None:
    small = Small()
    small.add(op, [small.put(one) for one in args], keywords)
    with pytest.raises(UnknownOperation, match=op):
        run(small, [])  # type: ignore[arg-type]


def test_sizes_stay_plain_numbers() -> None:
    small = Small()
    x = small.put(R(6, 4))
    size = small.add("sym_size.int", [x, 0])
    for op, other in (("add", 2), ("sub", 2), ("mul", 2), ("floordiv", 4), ("mod", 4)):
        small.add(op, [size, other])
    small.add("neg", [size])
    values = run(small, [])  # type: ignore[arg-type]
    assert values[1:] == [6, 8, 4, 12, 1, 2, -6]
    assert all(type(value) is int for value in values[1:])
    assert total(why(small, values, 4, ())) == 12  # type: ignore[arg-type]


def test_a_change_is_felt_by_what_comes_after() -> None:
    small = Small()
    x = small.put(torch.ones(2))
    doubled = small.add("mul.Tensor", [x, 2.0])
    small.add("add.Tensor", [doubled, 1.0])
    values = run(small, [], {1: np.zeros_like})  # type: ignore[arg-type]
    assert values[1].tolist() == [0, 0]
    assert values[2].tolist() == [1, 1]


def kept(array: Any, is_kept: bool = True) -> Any:
    return [SimpleNamespace(value=SimpleNamespace(array=lambda: np.asarray(array), kept=is_kept))]


def compared(theirs: Any, ours: Any) -> float:
    small = Small()
    small.where = {0: kept([0.0]), 1: kept(theirs)}
    small.recorded = lambda node: np.asarray(theirs if node else [0.0])  # type: ignore[attr-defined]
    small.scale = lambda node: scale(np.asarray(theirs))  # type: ignore[attr-defined]
    small.nodes = [Node("weight", [], {}, "", 0, "")] * 2
    worst, _ = compare(small, [np.zeros(1), np.asarray(ours)])  # type: ignore[arg-type]
    return worst


def test_the_worst_difference_counts_beside_the_largest_number() -> None:
    assert compared([1.0, 100.0], [1.5, 100.0]) == pytest.approx(0.005)
    assert compared([1.0, -math.inf], [1.0, -math.inf]) == 0
    assert compared([1.0, -math.inf], [1.0, -1e9]) == math.inf
    assert compared([1.0, 2.0], [math.nan, 2.0]) == math.inf
    assert compared([[1.0, 2.0]], [1.0, 2.0]) == math.inf


def test_another_largest_of_a_row_is_no_small_difference() -> None:
    assert compared([[1.0, 1.1, 1e6]], [[1.1, 1.0, 1e6]]) < 1e-6
    assert compared([[1.0, 1.00001]], [[1.00001, 1.0]]) < 1.1e-5  # as good as equal
    assert compared([[1.0, 1.2], [0.0, 9e2]], [[1.2, 1.0], [0.0, 9e2]]) == math.inf


def test_what_was_not_kept_is_not_compared() -> None:
    small = Small()
    small.nodes = [Node("weight", [], {}, "", 0, "")]
    small.where = {0: kept([5.0], is_kept=False)}
    assert compare(small, [np.zeros(1)]) == (0.0, 0)  # type: ignore[arg-type]
