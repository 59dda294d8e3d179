"""The way back in NumPy and in scalars, against PyTorch and against finite differences."""

import math
import operator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from micro import rules
from micro.gpt import loss_and_gradients
from micro.number import Number, in_order
from nanogpt import sort
from nanogpt.model import GPT, GPTConfig

SMALL = st.floats(-2, 2).map(lambda x: round(x, 3))
# By name: what it does with numbers that have the methods of Number and of a torch tensor.
STEPS = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": lambda a, b: a / (b * b + 0.5),
    "exp": lambda a, _: (a * 0.1).exp(),
    "log": lambda a, _: (a * a + 0.5).log(),
    "square": lambda a, _: a**2,
    "root": lambda a, _: (a * a + 0.5) ** 0.5,
    "constant": lambda a, _: 3.0 * a + 1.0,
}
PROGRAMS = st.tuples(
    st.lists(SMALL, min_size=1, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=12
    ),
)


def computed(steps, numbers):
    """Each step takes two of the numbers so far; the last is the result. Numbers that grow too large are halved."""
    numbers = list(numbers)
    for name, a, b in steps:
        a, b = numbers[a % len(numbers)], numbers[b % len(numbers)]
        made = STEPS[name](a, b)
        while abs(made.item() if isinstance(made, torch.Tensor) else made.value) > 50:
            made = made * 0.01
        numbers.append(made)
    return numbers[-1]


@settings(max_examples=150, deadline=None)
@given(PROGRAMS)
def test_a_random_graph_of_numbers_has_the_gradients_of_torch(program) -> None:
    leaves, steps = program
    ours = [Number(x) for x in leaves]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in leaves]
    result, expected = computed(steps, ours), computed(steps, theirs)
    result.backward()
    expected.backward()
    assert result.value == pytest.approx(expected.item(), rel=1e-9, abs=1e-12)
    for one, other in zip(ours, theirs, strict=True):
        assert one.grad == pytest.approx(0.0 if other.grad is None else other.grad.item(), rel=1e-7, abs=1e-9)


def test_gradients_add_up_over_uses_and_over_calls() -> None:
    x = Number(3.0)
    result = x * x + x
    result.backward()
    assert x.grad == 7.0
    result.backward()
    assert x.grad == 14.0  # as torch, which clears nothing either


def test_a_sum_of_many_terms_needs_no_recursion() -> None:
    x = total = Number(1.0)
    for _ in range(5000):
        total = total + x
    total.backward()
    assert x.grad == 5001.0
    assert len(in_order(total)) == 5001


def test_a_logarithm_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError):
        Number(0.0).log()


def relative(one: np.ndarray, other: torch.Tensor) -> float:
    """The length of the difference, by the length of the other."""
    difference = np.linalg.norm(one - other.double().numpy())
    return float(difference / max(np.linalg.norm(other.double().numpy()), 1e-30))


def double(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


X, WEIGHT, Q, K = double(2, 5, 8), double(6, 8, seed=1), double(2, 3, 5, 4, seed=2), double(2, 3, 5, 4, seed=3)
GAIN, SHIFT, BIAS, ATT = double(8, seed=4), double(8, seed=5), double(6, seed=6), double(2, 3, 5, 5, seed=7)
IDS, SEEN = torch.tensor([[0, 3, 3, 1, 0], [2, 2, 2, 2, 2]]), torch.ones(5, 5).tril().bool()
TARGETS = torch.tensor([[-1, 0, 7, 3, 3], [-1, -1, 1, 2, 0]])
# By rule: torch's operation, its operands, and what the rule is given beside the gradient.
RULES = {
    rules.linear_back: (F.linear, (X, WEIGHT, BIAS), (X, WEIGHT)),
    rules.layer_norm_back: (lambda x, g, b: F.layer_norm(x, (8,), g, b, 1e-5), (X, GAIN, SHIFT), (X, GAIN)),
    rules.gelu_back: (F.gelu, (X,), (X,)),
    rules.softmax_back: (lambda a: F.softmax(a, -1), (ATT,), (F.softmax(ATT, -1),)),
    rules.mask_back: (lambda a: a.masked_fill(~SEEN, 0.0), (ATT,), (SEEN,)),
    rules.weighted_sum_back: (torch.matmul, (ATT, K), (ATT, K)),
    rules.scores_back: (lambda q, k: q @ k.transpose(-2, -1) / math.sqrt(4), (Q, K), (Q, K)),
    rules.embedding_back: (lambda table: F.embedding(IDS, table), (WEIGHT,), (IDS, 6)),
    rules.join_heads: (lambda x: x.view(2, 5, 2, 4).transpose(1, 2), (X,), ()),
}


def plain(value):
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_gives_torchs_gradients_by_every_operand(rule) -> None:
    operation, operands, beside = RULES[rule]
    result = operation(*operands)
    grad = torch.randn(result.shape, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    expected = torch.autograd.grad(result, operands, grad)
    found = rule(grad.numpy(), *map(plain, beside))
    for one, other in zip(found if isinstance(found, tuple) else (found,), expected, strict=True):
        assert one.shape == tuple(other.shape)
        assert relative(one, other) < 1e-12


def test_the_rule_of_the_loss_ignores_what_has_no_target() -> None:
    expected = torch.autograd.grad(F.cross_entropy(X.view(-1, 8), TARGETS.view(-1), ignore_index=-1), X)[0]
    found = rules.cross_entropy_back(plain(X), TARGETS.numpy())
    assert relative(found, expected) < 1e-12
    assert not found[0, 0].any()


@pytest.mark.parametrize("rule", [rules.layer_norm_back, rules.gelu_back, rules.softmax_back], ids=lambda r: r.__name__)
def test_a_rule_agrees_with_finite_differences(rule) -> None:
    """Independent of any autograd: the slope of a sum of the result along a random direction, in double precision."""
    forward = {
        rules.layer_norm_back: lambda x: rules.standardised(x)[0] * plain(GAIN) + plain(SHIFT),
        rules.gelu_back: rules.gelu,
        rules.softmax_back: rules.softmax,
    }[rule]
    x, direction, grad = (plain(double(2, 5, 8, seed=seed)) for seed in (11, 12, 13))
    beside = {rules.layer_norm_back: (x, plain(GAIN)), rules.gelu_back: (x,), rules.softmax_back: (forward(x),)}[rule]
    found = rule(grad, *beside)
    by_x = found[0] if isinstance(found, tuple) else found
    step = 1e-5
    slope = ((forward(x + step * direction) - forward(x - step * direction)) * grad).sum() / (2 * step)
    assert (by_x * direction).sum() == pytest.approx(slope, rel=1e-7)


@pytest.fixture(scope="module")
def model() -> GPT:
    """The sort model, a few steps trained, so that no bias is zero and no gradient vanishes; in double precision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort, "MAX_ITERS", 20)
        return sort.train().double()


def gradients(model: GPT, idx: torch.Tensor, targets: torch.Tensor):
    """Ours and torch's: losses, and gradients by name."""
    model.zero_grad()
    loss = model(idx, targets)[1]
    loss.backward()
    weights = {name: p.detach().numpy() for name, p in model.named_parameters()}
    ours = loss_and_gradients(weights, idx.numpy(), targets.numpy(), model.config.n_head)
    return ours, (loss.item(), {name: p.grad for name, p in model.named_parameters()})


def test_all_parameters_of_the_sort_model_get_torchs_gradient(model: GPT) -> None:
    (loss, found), (expected_loss, expected) = gradients(model, *(rows[::9] for rows in sort.all_examples()))
    assert loss == pytest.approx(expected_loss, rel=1e-12)
    assert found.keys() == expected.keys()
    assert sum(grad.size for grad in found.values()) == 85_584
    for name, grad in found.items():
        assert np.abs(grad - expected[name].numpy()).max() <= 1e-5 * expected[name].abs().max().item(), name
        # A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
        assert relative(grad, expected[name]) <= 1e-10, name


def test_single_precision_is_within_a_hundred_thousandth(model: GPT) -> None:
    (_, found), (_, expected) = gradients(model.float(), *sort.example(sort.WORD))
    model.double()
    assert all(relative(grad, expected[name]) <= 1e-5 for name, grad in found.items())


def test_the_whole_model_agrees_with_finite_differences(model: GPT) -> None:
    """Of every parameter tensor the slope along a random direction, by two forward passes in NumPy."""
    weights = {name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    idx, targets = (rows.numpy() for rows in sort.example(sort.WORD))
    _, found = loss_and_gradients(weights, idx, targets, 3)
    random, step = np.random.default_rng(1), 1e-5
    for name, grad in found.items():
        direction = random.standard_normal(grad.shape)
        around = [{**weights, name: weights[name] + sign * step * direction} for sign in (1, -1)]
        above, below = (loss_and_gradients(each, idx, targets, 3)[0] for each in around)
        assert (grad * direction).sum() == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-9), name


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_models_of_any_size_agree(layers: int, heads: int, width: int, tokens: int, seed: int) -> None:
    torch.manual_seed(seed)
    sizes = GPTConfig(block_size=6, vocab_size=5, n_layer=layers, n_head=heads, n_embd=heads * (width + 1))
    other = GPT(sizes).double()
    idx, targets = torch.randint(5, (2, tokens)), torch.randint(5, (2, tokens))
    (_, found), (_, expected) = gradients(other, idx, targets)
    for name, grad in found.items():
        assert relative(grad, expected[name]) <= 1e-8 or expected[name].abs().max() < 1e-12, name
