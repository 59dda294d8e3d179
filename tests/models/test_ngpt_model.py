"""What holds of every nGPT: lengths, steps, scales, rotations, and what changes nothing."""

import math
from dataclasses import asdict
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ngpt import rotary
from ngpt.baseline import GPT
from ngpt.config import Config
from ngpt.model import Residual, nGPT
from ngpt.rotary import RotaryEmbedding
from ngpt.sphere import L2Norm, NormLinear, Scale, angle, l2norm, lerp, slerp

SIZES = {"num_tokens": 23, "dim": 16, "depth": 2, "heads": 2, "dim_head": 8}
KINDS: dict[str, dict[str, Any]] = {
    "paper": {},
    "slerp": {"residual": "slerp"},
    "values": {"add_value_residual": True},
    "tied": {"tied_embedding": True},
    "plain qk": {"attn_norm_qk": False},
    "parametrised": {"manual_norm_weights": False},
    "lucidrains": {name: value for name, value in asdict(Config.lucidrains(**SIZES)).items() if name not in SIZES},
    "layers": {"alpha_attn_init": (0.1, 0.3), "s_qk_scale": (0.5, 1.0)},
    "published positions": {"rope": "ngpt-repo"},
}
every_kind = pytest.mark.parametrize("kind", KINDS)
seeds = st.integers(0, 10_000)


def build(kind: str, seed: int = 0) -> nGPT:
    torch.manual_seed(seed)
    return nGPT(**SIZES, **KINDS[kind])


def tokens(seed: int, rows: int = 3, length: int = 9) -> torch.Tensor:
    return torch.randint(23, (rows, length), generator=torch.Generator().manual_seed(seed))


def unit(seed: int, *shape: int) -> torch.Tensor:
    return l2norm(torch.randn(shape, generator=torch.Generator().manual_seed(seed)).double())


def stream(out: Any) -> torch.Tensor:
    """What a half-block gives on; the attention gives its values, too."""
    return out[0] if isinstance(out, tuple) else out


def one_step(model: nGPT, rate: float = 0.05) -> None:
    optimizer = model.configure_optimizers(0.0, rate, (0.9, 0.95), "cpu")
    idx = tokens(1)
    model(idx[:, :-1], idx[:, 1:])[1].backward()
    optimizer.step()


# The sphere


@given(seeds, st.floats(0.01, 100), st.sampled_from((0, 1, -1)))
def test_l2norm_has_length_1_and_forgets_the_length(seed: int, factor: float, dim: int) -> None:
    t = torch.randn(4, 6, generator=torch.Generator().manual_seed(seed)).double()
    out = l2norm(t, dim)
    torch.testing.assert_close(out.norm(dim=dim), torch.ones_like(out.norm(dim=dim)))
    torch.testing.assert_close(l2norm(t * factor, dim), out)


@given(seeds, st.floats(0.01, 0.5), st.floats(0.05, 5))
def test_the_shell_lets_lengths_be_that_are_near_1(seed: int, shell: float, length: float) -> None:
    t = unit(seed, 6) * length
    expected = min(max(length, 1 - shell), 1 + shell)
    assert l2norm(t, norm_eps=shell).norm().item() == pytest.approx(expected)
    if expected == length:
        torch.testing.assert_close(l2norm(t, norm_eps=shell), t)


def test_the_shell_s_figures() -> None:
    """Measured on lucidrains' package."""
    for length, expected in ((5.0, 1.1), (0.937, 0.937), (0.949, 0.949), (0.2, 0.9)):
        assert l2norm(unit(0, 6) * length, norm_eps=0.1).norm().item() == pytest.approx(expected)


@given(seeds, st.sampled_from((2, 3, 6)))
def test_each_group_has_length_1(seed: int, groups: int) -> None:
    t = torch.randn(12, 4, generator=torch.Generator().manual_seed(seed)).double()
    out = l2norm(t, 0, groups=groups)
    torch.testing.assert_close(out.view(groups, -1, 4).norm(dim=1), torch.ones(groups, 4).double())
    torch.testing.assert_close(out.norm(dim=0), torch.full((4,), groups**0.5).double())


def test_what_cannot_be_grouped_is_refused() -> None:
    with pytest.raises(ValueError, match="5 numbers can't be shared out evenly among groups=2"):
        l2norm(torch.randn(3, 5), groups=2)
    torch.testing.assert_close(l2norm(torch.zeros(4)), torch.zeros(4))  # and nothing is divided by zero


@given(seeds, st.floats(0, 1))
def test_slerp_goes_the_share_of_the_angle_and_stays_on_the_sphere(seed: int, t: float) -> None:
    a, b = unit(seed, 5), unit(seed + 1, 5)
    out = slerp(a, b, t)
    assert out.norm().item() == pytest.approx(1)
    assert angle(a, out).item() == pytest.approx(t * angle(a, b).item(), abs=1e-7)
    assert angle(out, b).item() == pytest.approx((1 - t) * angle(a, b).item(), abs=1e-7)
    theta = angle(a, b)
    textbook = ((1 - t) * theta).sin() / theta.sin() * a + (t * theta).sin() / theta.sin() * b
    torch.testing.assert_close(out, textbook)


@given(seeds)
def test_half_way_chord_and_circle_agree(seed: int) -> None:
    a, b = unit(seed, 5), unit(seed + 1, 5)
    torch.testing.assert_close(slerp(a, b, 0.5), l2norm(lerp(a, b, 0.5)))


@pytest.mark.parametrize(
    ("theta", "t", "circle", "chord"),
    [(60, 0.05, 3.0, 2.54), (60, 0.25, 15, 13.9), (90, 0.05, 4.5, 3.01), (90, 0.25, 22.5, 18.4), (120, 0.25, 30, 19.1)],
)
def test_angles_of_both_steps(theta: float, t: float, circle: float, chord: float) -> None:
    a = torch.tensor([1.0, 0]).double()
    b = torch.tensor([math.cos(math.radians(theta)), math.sin(math.radians(theta))]).double()
    assert math.degrees(angle(a, slerp(a, b, t)).item()) == pytest.approx(circle)
    assert math.degrees(angle(a, l2norm(lerp(a, b, t))).item()) == pytest.approx(chord, abs=0.05)


def test_angles_are_exact_where_an_arccosine_is_not() -> None:
    a = torch.tensor([1.0, 0.0])
    near = torch.tensor([math.cos(1e-5), math.sin(1e-5)])
    assert angle(a, near).item() == pytest.approx(1e-5, rel=1e-4)
    assert angle(a, -a).item() == pytest.approx(math.pi)
    same = unit(0, 4).requires_grad_()
    slerp(same, same.detach(), 0.3).sum().backward()
    assert same.grad is not None and same.grad.isfinite().all()


# Layers


@given(seeds, st.booleans(), st.booleans())
def test_a_normalised_layer_gives_cosines(seed: int, into: bool, parametrize: bool) -> None:
    torch.manual_seed(seed)
    layer = NormLinear(6, 9, norm_dim_in=into, parametrize=parametrize)
    lengths = layer.weight.norm(dim=-1 if into else 0)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))
    if into:
        assert layer(unit(seed, 4, 6).float()).abs().max() <= 1 + 1e-6


def test_what_is_stored_leaves_the_sphere_and_what_is_used_does_not() -> None:
    torch.manual_seed(0)
    layer = NormLinear(6, 9)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    layer(torch.ones(1, 6)).sum().backward()
    optimizer.step()
    stored = layer.linear.parametrizations.weight.original
    assert (stored.norm(dim=-1) - 1).abs().max() > 1e-3
    torch.testing.assert_close(layer.weight.norm(dim=-1), torch.ones(9))
    layer.norm_weights_()
    torch.testing.assert_close(stored.norm(dim=-1), torch.ones(9))


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.floats(1e-4, 0.1))
def test_a_scale_learns_at_the_rate_that_is_set(init: float, scale: float, rate: float) -> None:
    numbers = Scale(3, init, scale).double()
    torch.testing.assert_close(numbers(), torch.full((3,), init).double(), rtol=1e-6, atol=0)
    torch.testing.assert_close(numbers.scale.detach(), torch.full((3,), scale).double(), rtol=1e-6, atol=0)
    before = numbers().detach()
    optimizer = torch.optim.Adam(numbers.parameters(), lr=rate, eps=1e-15)
    numbers().sum().backward()
    optimizer.step()
    moved = torch.full((3,), rate * init / scale).double()
    torch.testing.assert_close(before - numbers(), moved, rtol=1e-5, atol=1e-12)


def test_modules_can_be_counted_by_an_optimizer() -> None:
    """lucidrains' release 0.2.15 defines equality without a hash, and raises here."""
    assert len(list(build("lucidrains").parameters())) == 27
    assert L2Norm() != L2Norm() and hash(L2Norm())


# The model


@every_kind
@given(seeds)
@settings(max_examples=10)
def test_all_matrices_are_unit_vectors_after_every_step(kind: str, seed: int) -> None:
    model = build(kind, seed)
    for _ in range(2):
        one_step(model)
        for name, module in model.named_modules():
            if isinstance(module, NormLinear):
                lengths = module.weight.norm(dim=module.l2norm.dim)
                torch.testing.assert_close(lengths, torch.ones_like(lengths), atol=1e-6, rtol=0, msg=name)


@every_kind
@given(seeds)
@settings(max_examples=10)
def test_the_stream_has_length_1_after_every_half_block(kind: str, seed: int) -> None:
    model, lengths = build(kind, seed), []
    for module in model.modules():
        if isinstance(module, Residual):
            module.register_forward_hook(lambda m, i, o: lengths.append(stream(o).norm(dim=-1)))
    one_step(model)
    lengths.clear()
    logits, _ = model(tokens(seed))
    assert len(lengths) == 4
    torch.testing.assert_close(torch.stack(lengths), torch.ones(4, 3, 9), atol=1e-5, rtol=0)
    assert (logits.abs() <= model.logit_scale().abs() + 1e-5).all()


@every_kind
def test_a_token_sees_none_after_it(kind: str) -> None:
    model, idx = build(kind), tokens(3)
    changed = idx.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 23
    before, after = model(idx)[0], model(changed)[0]
    torch.testing.assert_close(before[:, :5], after[:, :5])
    assert (before[:, 5:] - after[:, 5:]).abs().max() > 1e-3


@every_kind
def test_the_cache_changes_nothing(kind: str) -> None:
    model, idx = build(kind), tokens(4, rows=2, length=4)
    torch.manual_seed(0)
    quick = model.generate(idx, 8, temperature=0.7, top_k=5)
    torch.manual_seed(0)
    slow = model.generate(idx, 8, temperature=0.7, top_k=5, use_cache=False)
    assert quick.shape == (2, 12) and torch.equal(quick[:, :4], idx)
    assert torch.equal(quick, slow)


@every_kind
def test_fused_and_explicit_attention_agree(kind: str) -> None:
    model, idx = build(kind), tokens(5)
    fused = model(idx)[0]
    for attn, _ in model.layers:
        attn.fn.flash = False
    torch.testing.assert_close(model(idx)[0], fused, atol=2e-6, rtol=1e-5)


@every_kind
@given(st.floats(0.01, 100))
@settings(max_examples=10)
def test_the_length_of_what_a_block_gives_does_not_matter(kind: str, factor: float) -> None:
    model, idx = build(kind), tokens(6)
    before = model(idx)[0]
    with torch.no_grad():
        for attn, ff in model.layers:
            ff.fn.hidden_scale.scale.mul_(factor)
            attn.fn.to_out.scale *= factor
    torch.testing.assert_close(model(idx)[0], before, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["lerp", "slerp"])
def test_alpha_0_stays_and_alpha_1_arrives(kind: str) -> None:
    x, out = unit(0, 2, 3, 16).float(), unit(1, 2, 3, 16).float() * 7
    for alpha, expected in ((0.0, x), (1.0, l2norm(out))):
        residual = Residual(torch.nn.Identity(), 16, alpha, interpolation=kind)
        torch.testing.assert_close(residual.step(x, out), expected, atol=2e-6, rtol=1e-5)


def test_alpha_has_no_sign_unless_asked_for() -> None:
    x, out = unit(0, 16).float(), unit(1, 16).float()
    there, back = (Residual(torch.nn.Identity(), 16, init) for init in (0.3, -0.3))
    torch.testing.assert_close(there.step(x, out), back.step(x, out))
    signed = Residual(torch.nn.Identity(), 16, -0.3, signed=True)
    assert angle(signed.step(x, out), there.step(x, out)) > 0.1


def test_settings_of_layers_reach_their_layers() -> None:
    model = build("layers")
    assert [attn.alpha()[0].item() for attn, _ in model.layers] == pytest.approx([0.1, 0.3])
    assert [attn.fn.qk_scale.scale[0].item() for attn, _ in model.layers] == pytest.approx([0.5, 1.0])
    assert [ff.alpha()[0].item() for _, ff in model.layers] == pytest.approx([0.05, 0.05])


def test_untrained_it_guesses_evenly() -> None:
    _, loss = build("paper")(tokens(7), tokens(8))
    assert loss.item() == pytest.approx(math.log(23), abs=0.1)


def test_the_gpt_beside_it_has_the_same_parts() -> None:
    """Every tensor of the GPT that is no gain of a norm has one of the same shape in nGPT, under nearly its name."""
    ours = {name.replace(".linear", ""): p.shape for name, p in build("paper").named_parameters()}
    theirs = {name: p.shape for name, p in GPT(**SIZES).named_parameters() if "norm" not in name}
    assert theirs == {name: shape for name, shape in ours.items() if "scale" not in name}


def test_the_gpt_is_causal_and_has_a_cache() -> None:
    torch.manual_seed(0)
    model, idx = GPT(**SIZES), tokens(3)
    changed = idx.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 23
    torch.testing.assert_close(model(idx)[0][:, :5], model(changed)[0][:, :5])
    found = []
    for use_cache in (True, False):
        torch.manual_seed(0)
        found.append(model.generate(idx, 5, use_cache=use_cache))
    assert torch.equal(*found)


# Positions


@given(seeds, st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_rotation_keeps_lengths_and_knows_differences_alone(seed: int, i: int, j: int, shift: int) -> None:
    assert differences("rotation", seed, i, j, shift) < 1e-4


def test_what_nvidia_published_does_not() -> None:
    """The property that holds of a rotation fails there: the issue 10 of that repository."""
    assert differences("ngpt-repo", 0, 3, 7, 11) > 0.05
    x = unit(0, 1, 1, 5, 8).float()
    assert (RotaryEmbedding(8, "ngpt-repo")(x).norm(dim=-1) - 1).abs().max() > 0.05


def differences(kind: str, seed: int, i: int, j: int, shift: int) -> float:
    """How much a product of two vectors, and their lengths, change when both move on by ``shift``."""
    turn = RotaryEmbedding(8, kind)
    q, k = unit(seed, 1, 1, 1, 8).float(), unit(seed + 1, 1, 1, 1, 8).float()
    here, there = (turn(q, i) * turn(k, j)).sum(), (turn(q, i + shift) * turn(k, j + shift)).sum()
    return max((here - there).abs().item(), (turn(q, i).norm() - 1).abs().item())


@given(seeds, st.integers(0, 100))
def test_a_rotation_commutes_with_the_norm_and_not_with_s_qk(seed: int, position: int) -> None:
    turn, x = RotaryEmbedding(8), torch.randn(1, 1, 1, 8, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(l2norm(turn(x, position)), turn(l2norm(x), position), atol=1e-5, rtol=1e-5)
    s_qk = torch.arange(1.0, 9.0)
    if position:
        assert (turn(x, position) * s_qk - turn(x * s_qk, position)).abs().max() > 1e-4


# What can't be


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"residual": "arc"}, "residual='arc' is not known: one of lerp, slerp"),
        ({"rope": "none"}, "rope='none' is not known: one of rotation, ngpt-repo"),
        ({"depth": 0}, "depth=0: at least 1 is needed"),
        ({"dim_head": 7}, "heads of 7 numbers can't be turned in pairs"),
        ({"s_qk_init": (1.0, 1.0, 1.0)}, "s_qk_init has 3 numbers for depth=2 layers"),
        ({"num_hyperspheres": 3}, "16 numbers can't be shared out evenly among groups=3"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nGPT(**{**SIZES, **given})


def test_all_kinds_of_positions_are_tested() -> None:
    assert set(rotary.KINDS) == {"rotation", "ngpt-repo"}
