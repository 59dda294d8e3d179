"""The optimizer against torch's own, singular value decompositions, and the original's figures."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.optim import _muon as torch_muon

from nanochat.gpt import GPT, GPTConfig
from nanochat.training import muon
from nanochat.training.groups import OptimConfig, adamw_group, check_complete, muon_group
from nanochat.training.optim import MuonAdamW

SOURCE = Path(__file__).parents[2] / "model_src"
NEWEST = OptimConfig.newest()
SIZES = {"sequence_len": 32, "vocab_size": 70, "n_layer": 4, "n_head": 4, "n_kv_head": 2, "n_embd": 64}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models as small as these are slower with several, and differ in the last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def matrix(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def stepped(W: torch.Tensor, grads: list[torch.Tensor], group) -> list[torch.Tensor]:
    """The parameter after each step; ``group`` makes its parameter group."""
    p = torch.nn.Parameter(W.clone())
    optimizer, found = MuonAdamW([group([p])]), []
    for g in grads:
        p.grad = g.clone()
        optimizer.step()
        found.append(p.detach().clone())
    return found


# Figures of the original: torch 2.13.0, float32, on a CPU


def test_three_steps_of_the_originals_muon() -> None:
    W, G = torch.tensor([[0.5, -0.25, 0.125], [1, 0.75, -0.5]]), torch.tensor([[1.0, 2, 3], [-1, 0.5, 2]])
    found = stepped(W, [G, 2 * G, 3 * G], lambda params: muon_group(params, 0.02, 0.1, NEWEST))
    expected = torch.tensor([
        [[0.4884483, -0.2662527, 0.1146975], [1.0124631, 0.7515866, -0.5128691]],
        [[0.4769201, -0.2825054, 0.1044151], [1.0249259, 0.7531722, -0.5257384]],
        [[0.4654150, -0.2987581, 0.0941532], [1.0373889, 0.7547576, -0.5386076]],
    ])  # fmt: skip
    torch.testing.assert_close(torch.stack(found), expected, rtol=0, atol=5e-7)


def test_a_step_of_the_originals_muon_on_a_tall_matrix() -> None:
    Q = torch.tensor([[0.1, 0.2], [-0.3, 0.4], [0.5, -0.6]])
    G = torch.tensor([[0.1, -0.4], [0.3, 0.2], [-0.5, 0.7]])
    found = stepped(Q, [G], lambda params: muon_group(params, 0.02, 0.0, NEWEST))[0]
    expected = torch.tensor([[0.0954501, 0.2194756], [-0.3178169, 0.3909138], [0.5143744, -0.6139060]])
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-7)


def test_three_steps_of_the_originals_adamw() -> None:
    g = torch.tensor([0.5, -0.1])
    found = stepped(
        torch.tensor([1.0, -2.0]), [g, 2 * g, 3 * g], lambda params: adamw_group(params, 0.01, (0.8, 0.95), 0.01)
    )
    expected = torch.tensor([[0.9899, -1.9898], [0.9800376, -1.9798377], [0.9701412, -1.9698412]])
    torch.testing.assert_close(torch.stack(found), expected, rtol=0, atol=5e-7)


# AdamW


@pytest.mark.parametrize(("betas", "decay", "eps"), [((0.8, 0.95), 0.0, 1e-10), ((0.9, 0.999), 0.3, 1e-3)])
def test_adamw_of_torch(betas: tuple[float, float], decay: float, eps: float) -> None:
    W, grads = matrix(5, 7), [matrix(5, 7, seed=s) * 10 ** (s % 3) for s in range(20)]
    theirs = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.AdamW([theirs], lr=0.02, betas=betas, eps=eps, weight_decay=decay)
    found = stepped(W, grads, lambda params: adamw_group(params, 0.02, betas, decay, eps))
    for g, ours in zip(grads, found, strict=True):
        theirs.grad = g
        optimizer.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=0, atol=1e-5)


def test_adamw_keeps_its_memories_in_the_parameters_precision() -> None:
    p = torch.nn.Parameter(matrix(4, 8).bfloat16())
    before, p.grad = p.detach().clone(), matrix(4, 8, seed=1).bfloat16()
    optimizer = MuonAdamW([adamw_group([p], 0.1, (0.8, 0.95))])
    optimizer.step()
    assert {name: value.dtype for name, value in optimizer.state[p].items() if name != "step"} == {
        "exp_avg": torch.bfloat16, "exp_avg_sq": torch.bfloat16,
    }  # fmt: skip
    # The first step is the learning rate, against the sign of the gradient.
    torch.testing.assert_close(p.detach().float(), before.float() - 0.1 * p.grad.sign(), rtol=0.01, atol=0.01)


# Orthogonalisation


def test_coefficients_of_torch() -> None:
    assert (torch_muon.DEFAULT_A, torch_muon.DEFAULT_B, torch_muon.DEFAULT_C) == muon.NEWTON_SCHULZ
    assert OptimConfig().ns_steps == torch_muon.DEFAULT_NS_STEPS


# In bfloat16 each rounds in an order of its own, and the polynomials' steep start makes that visible.
@pytest.mark.parametrize(("bfloat16", "far"), [(False, 1e-4), (True, 0.08)])
@pytest.mark.parametrize("shape", [(16, 16), (8, 32), (32, 8), (64, 24)])
def test_muon_of_torch(shape, bfloat16: bool, far: float, monkeypatch: pytest.MonkeyPatch) -> None:
    W, grads = matrix(*shape), [matrix(*shape, seed=s) for s in range(1, 9)]
    ours = stepped(W, grads, lambda params: muon_group(params, 0.02, 0.0, OptimConfig(bfloat16=bfloat16)))[-1]
    if not bfloat16:
        monkeypatch.setattr(torch.Tensor, "bfloat16", lambda tensor: tensor)  # torch's has no switch for it
    theirs = torch.nn.Parameter(W.clone())
    optimizer = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.0, momentum=0.95)
    for g in grads:
        theirs.grad = g
        optimizer.step()
    assert (ours - theirs).norm() < far * (theirs - W).norm()


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 3)])
@pytest.mark.parametrize("stack", [(), (4,)])
def test_polynomials_act_on_singular_values_alone(shape: tuple[int, int], stack: tuple[int, ...]) -> None:
    X = matrix(*stack, *shape).double() / 10
    U, S, V = torch.linalg.svd(X, full_matrices=False)
    for a, b, c in muon.POLAR_EXPRESS:
        S = a * S + b * S**3 + c * S**5
    expected = U @ torch.diag_embed(S) @ V
    torch.testing.assert_close(muon.apply_polynomials(X, muon.POLAR_EXPRESS), expected)


@pytest.mark.parametrize("shape", [(64, 256), (256, 64), (96, 96)])
@pytest.mark.parametrize(
    ("method", "low", "high", "smallest"),
    [(muon.newton_schulz, 0.68, 1.21, 0.002), (muon.polar_express, 0.85, 1.15, 0.001)],
)
def test_singular_values_come_near_one(method, low, high, smallest, shape) -> None:
    # From the norm down to what the docstring promises, evenly in the logarithm.
    U, _, V = torch.linalg.svd(matrix(*shape).double(), full_matrices=False)
    S = torch.logspace(0, math.log10(smallest), min(shape), dtype=torch.float64)
    S = S / S.norm() * 5  # the norm that is taken out again
    kept = S / S.norm() >= smallest
    X = method(U @ torch.diag(S) @ V)
    found = torch.diagonal(U.mT @ X @ V.mT)
    torch.testing.assert_close(U @ torch.diag(found) @ V, X, rtol=0, atol=1e-9)  # the directions stay
    assert kept.sum() > 20
    assert found[kept].min() > low
    assert found.max() < high


def test_polar_express_is_the_polar_factor_more_nearly() -> None:
    X = matrix(32, 64)
    U, _, V = torch.linalg.svd(X, full_matrices=False)
    far = {method: (method(X) - U @ V).norm().item() for method in (muon.newton_schulz, muon.polar_express)}
    assert far[muon.polar_express] < 0.7 * far[muon.newton_schulz] < 0.3 * (X / X.norm() - U @ V).norm()


def test_no_gradient_is_no_direction() -> None:
    nothing = torch.zeros(2, 4, 8)
    assert not muon.newton_schulz(nothing).any()
    group = muon_group([], 0.02, options=NEWEST)
    variance = torch.zeros(muon.variance_shape(nothing.shape))
    assert not muon.muon_direction(nothing, torch.zeros_like(nothing), variance, group).any()


# What came later, one by one


def test_rows_are_made_equal_and_keep_the_norm() -> None:
    X = matrix(3, 6, 4) * torch.logspace(-3, 3, 6).view(6, 1)
    Y = muon.equal_rows(X)
    torch.testing.assert_close(Y.norm(dim=-1), (X.norm(dim=(-2, -1)) / math.sqrt(6)).view(3, 1).expand(3, 6))
    torch.testing.assert_close(Y / Y.norm(dim=-1, keepdim=True), X / X.norm(dim=-1, keepdim=True))


@pytest.mark.parametrize("shape", [(4, 9), (9, 4)])
def test_full_norm_is_that_of_an_orthogonal_matrix(shape: tuple[int, int]) -> None:
    X = matrix(2, *shape)
    torch.testing.assert_close(muon.full_norm(X).norm(dim=(-2, -1)), torch.full((2,), 2.0))
    torch.testing.assert_close(muon.full_norm(X) / X, (2 / X.norm(dim=(-2, -1))).view(2, 1, 1).expand_as(X))


@pytest.mark.parametrize(("shape", "axis"), [((6, 4), -1), ((5, 5), -1), ((4, 6), -2)])
def test_normuon_evens_out_rows_or_columns(shape: tuple[int, int], axis: int) -> None:
    X, variance = matrix(2, *shape), torch.zeros(muon.variance_shape((2, *shape)))
    assert variance.size(axis) == 1
    Y = muon.equal_variance(X, variance, beta2=0.0)  # no memory: evened out at once
    torch.testing.assert_close(variance, X.square().mean(dim=axis, keepdim=True))
    sizes = Y.square().mean(dim=axis)
    torch.testing.assert_close(sizes, sizes.mean(dim=-1, keepdim=True).expand_as(sizes))
    torch.testing.assert_close(Y.norm(dim=(-2, -1)), X.norm(dim=(-2, -1)))
    # With memory, by hand: half of what was, half of what is.
    Z = muon.equal_variance(2 * X, variance, beta2=0.5)
    torch.testing.assert_close(variance, 2.5 * X.square().mean(dim=axis, keepdim=True))
    torch.testing.assert_close(Z.norm(dim=(-2, -1)), 2 * X.norm(dim=(-2, -1)))


def test_decay_is_cautious() -> None:
    W, G = matrix(5, 5), matrix(5, 5, seed=1)
    plain, decayed = (stepped(W, [G], lambda p, wd=wd: muon_group(p, 0.02, wd, NEWEST))[0] for wd in (0.0, 0.5))
    shrinking = (W - plain) * W >= 0  # the step itself makes the number smaller
    torch.testing.assert_close(decayed, plain - 0.02 * 0.5 * W * shrinking)
    assert 0 < shrinking.sum() < 25


@pytest.mark.parametrize(
    "switch", [{"polar_express": True}, {"equal_rows": True}, {"full_norm": True}, {"beta2": 0.9}, {"bfloat16": False}]
)
def test_each_switch_changes_the_step(switch: dict) -> None:
    W, G = matrix(8, 6), [matrix(8, 6, seed=s) for s in (1, 2)]
    off, on = (stepped(W, G, lambda p, o=o: muon_group(p, 0.02, 0.0, o))[-1] for o in (None, OptimConfig(**switch)))
    assert 1e-5 < (on - off).abs().max() < 0.1


def test_tall_matrices_go_further() -> None:
    lengths = []
    for shape in ((16, 64), (64, 16)):
        W = torch.zeros(shape)
        only = OptimConfig(full_norm=True)
        lengths.append(stepped(W, [matrix(*shape)], lambda p, o=only: muon_group(p, 0.02, 0.0, o))[0].norm().item())
    assert lengths == pytest.approx([0.02 * 4, 0.02 * 4 * 2], rel=0.01)


# Groups


def described(model: GPT, **options) -> list[tuple]:
    names = {id(p): name for name, p in model.named_parameters()}
    found = []
    for group in model.setup_optimizer(**options).param_groups:
        first = group["params"][0]
        label = names[id(first)] if group["kind"] == "adamw" else tuple(first.shape)
        rule = group["betas"] if group["kind"] == "adamw" else (group["momentum"], group["beta2"])
        found.append((label, len(group["params"]), group["lr"], rule, group["weight_decay"]))
        assert group["initial_lr"] == group["lr"]
    return found


def test_groups_of_the_newest_generation() -> None:
    model = GPT(GPTConfig.newest(**SIZES))
    r = math.sqrt(768 / 64)
    rule = (0.95, 0.9)
    assert described(model, weight_decay=0.3, options=NEWEST) == [
        ("lm_head.weight", 1, pytest.approx(0.01385641), (0.8, 0.96), 0.01),
        ("transformer.wte.weight", 1, pytest.approx(0.2 * r), (0.8, 0.995), 0.001),
        ("value_embeds.1.weight", 2, pytest.approx(0.1 * r), (0.8, 0.995), 0.01),
        ("resid_lambdas", 1, 0.005, (0.8, 0.95), 0.05),
        ("x0_lambdas", 1, 0.5, (0.96, 0.95), 0.0),
        ("smear_gate.weight", 3, 0.2, (0.8, 0.95), 0.0),
        ((2, 12), 2, 0.02, rule, 0.3),
        ((32, 64), 8, 0.02, rule, 0.3),
        ((64, 64), 8, 0.02, rule, 0.3),
        ((64, 256), 4, 0.02, rule, 0.3),
        ((256, 64), 4, 0.02, rule, 0.3),
    ]


def test_groups_of_the_first_release() -> None:
    r, rule = math.sqrt(768 / 64), (0.95, None)
    assert described(GPT(GPTConfig(**{**SIZES, "n_kv_head": 4})), weight_decay=0.3) == [
        ("lm_head.weight", 1, pytest.approx(0.004 * r), (0.8, 0.95), 0.3),
        ("transformer.wte.weight", 1, pytest.approx(0.2 * r), (0.8, 0.95), 0.3),
        ((64, 64), 16, 0.02, rule, 0.0),
        ((64, 256), 4, 0.02, rule, 0.0),
        ((256, 64), 4, 0.02, rule, 0.0),
    ]


def test_weight_decay_can_move_to_the_matrices() -> None:
    model = GPT(GPTConfig(**SIZES))
    moved = described(model, weight_decay=0.3, options=OptimConfig(decay_matrices=True))
    assert [group[-1] for group in moved] == [0.0, 0.0, 0.3, 0.3, 0.3, 0.3]


def test_no_parameter_is_forgotten() -> None:
    model = GPT(GPTConfig(**SIZES))
    with pytest.raises(AssertionError, match=r"in no parameter group: transformer.wte.weight, .*mlp.c_proj.weight$"):
        check_complete(model, [{"params": [model.lm_head.weight]}])


def test_what_cannot_be_stepped_is_refused() -> None:
    odd = [torch.nn.Parameter(matrix(2, 3)), torch.nn.Parameter(matrix(3, 2))]
    with pytest.raises(ValueError, match=r"one shape, not \[\(2, 3\), \(3, 2\)\]"):
        MuonAdamW([muon_group(odd, 0.02)])
    with pytest.raises(ValueError, match=r"matrices of one shape, not \[\(4,\)\]"):
        MuonAdamW([muon_group([torch.nn.Parameter(matrix(4))], 0.02)])
    alike = [torch.nn.Parameter(matrix(2, 3)), torch.nn.Parameter(matrix(2, 3))]
    optimizer = MuonAdamW([muon_group(alike, 0.02)])
    optimizer.step()  # no gradient at all: nothing to do
    assert torch.equal(alike[0], matrix(2, 3))
    alike[1].grad = matrix(2, 3)
    with pytest.raises(ValueError, match=r"1 of 2 matrices of shape \(2, 3\) have a gradient"):
        optimizer.step()


def train(model: GPT, optimizer, steps: range) -> list[float]:
    losses = []
    for step in steps:
        idx = (torch.arange(32).view(2, 16) * 7 + step) % 70
        loss = model(idx, (2 * idx + 1) % 70)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@pytest.mark.parametrize("newest", [False, True])
def test_a_saved_optimizer_goes_on_bit_for_bit(newest: bool, tmp_path: Path) -> None:
    config = GPTConfig.newest(**SIZES) if newest else GPTConfig(**SIZES)
    options = NEWEST if newest else None
    torch.manual_seed(0)
    model = GPT(config)
    optimizer = model.setup_optimizer(options=options, weight_decay=0.1)
    train(model, optimizer, range(4))
    torch.save([model.state_dict(), optimizer.state_dict()], tmp_path / "state.pt")
    expected = train(model, optimizer, range(4, 8))
    other = GPT(config)
    resumed = other.setup_optimizer(options=options)
    weights, state = torch.load(tmp_path / "state.pt", weights_only=True)
    other.load_state_dict(weights)
    resumed.load_state_dict(state)
    assert train(other, resumed, range(4, 8)) == expected


def test_a_closure_is_called_and_its_loss_returned() -> None:
    p = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = MuonAdamW([adamw_group([p], 0.1, (0.8, 0.95))])

    def closure() -> torch.Tensor:
        loss = p.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 1.0
    assert p.item() == pytest.approx(0.9)
    assert optimizer.step() is None


# Several processes

PROCESS = """
import sys
import torch
import torch.distributed as dist
from nanochat.gpt import GPT, GPTConfig
from nanochat.training.groups import OptimConfig

torch.set_num_threads(1)
world, rank, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if world > 1:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", world_size=world, rank=rank)
found = {}
for name, config, options in [
    ("classic", GPTConfig(16, 70, 3, 4, 2, 32), OptimConfig(bfloat16=False)),
    ("newest", GPTConfig.newest(sequence_len=16, vocab_size=71, n_layer=3, n_head=4, n_kv_head=2, n_embd=32),
     OptimConfig.newest()),
    ("odd", GPTConfig(16, 71, 1, 4, 4, 32), OptimConfig(bfloat16=False)),
]:
    torch.manual_seed(0)
    model = GPT(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn_like(p))
    optimizer = model.setup_optimizer(options=options, weight_decay=0.1)
    for step in range(4):
        idx = torch.randint(70, (4, 16), generator=torch.Generator().manual_seed(step))
        mine = idx.chunk(world)[rank]  # whose mean over processes is that of the whole batch
        optimizer.zero_grad()
        model(mine, (mine + 1) % 70).backward()
        optimizer.step()
    kept = sum(m.numel() for s in optimizer.state.values() for m in s.values() if torch.is_tensor(m))
    found[name] = ({k: v for k, v in model.state_dict().items()}, type(optimizer).__name__, kept)
torch.save(found, f"{folder}/{world}-{rank}.pt")
if world > 1:
    dist.destroy_process_group()
"""


def test_two_processes_step_as_one_does(tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    places = [(1, 0), (2, 0), (2, 1)]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(world), str(rank), str(tmp_path)],
            env=env, stderr=subprocess.PIPE, text=True,
        )
        for world, rank in places
    ]  # fmt: skip
    for run in runs:
        _, errors = run.communicate(timeout=300)
        assert run.returncode == 0, errors
    one, first, second = (torch.load(tmp_path / f"{world}-{rank}.pt", weights_only=True) for world, rank in places)
    for name, (weights, kind, kept) in one.items():
        assert (kind, first[name][1]) == ("MuonAdamW", "DistMuonAdamW")
        for key, tensor in weights.items():
            torch.testing.assert_close(first[name][0][key], tensor, rtol=0, atol=2e-4)
            assert torch.equal(first[name][0][key], second[name][0][key])
        if name != "odd":  # 71 rows are not shared out
            assert first[name][2] < 0.62 * kept
