"""The model between nanoGPT and nanochat is what it says at both ends, and each rule changes what it names."""

import numpy as np
import pytest
import torch

from nanochat.config import GPTConfig
from nanochat.gpt import GPT
from nanochat.training.groups import OptimConfig
from runs.between import RULES, Between, as_nanogpt
from runs.modern import SIZES, effects, residual_spread, widest_by_chance


def drawn(back=(), seed=0):
    """A model whose parameters are all far from where training begins: no zero and no one hides a mistake."""
    model = Between(GPTConfig(**SIZES), back)
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=chance))
    return model


IDX = torch.arange(2 * 20).view(2, 20) * 7 % 256


@torch.no_grad()
def test_with_nothing_put_back_it_is_nanochat():
    model, own = drawn(), GPT(GPTConfig(**SIZES))
    own.load_state_dict(model.state_dict())
    assert torch.equal(model(IDX), own(IDX))
    assert torch.equal(model(IDX, IDX), own(IDX, IDX))


@torch.no_grad()
def test_with_everything_put_back_it_is_nanogpt():
    model = drawn(RULES)
    logits, loss = as_nanogpt(model)(IDX, IDX)
    torch.testing.assert_close(model(IDX), logits)
    torch.testing.assert_close(model(IDX, IDX), loss)


@torch.no_grad()
@pytest.mark.parametrize("left_out", RULES)
def test_without_any_one_rule_it_is_not_nanogpt(left_out):
    """Each rule is one of the differences; two concern the first weights, not what is computed with them."""
    model = drawn([rule for rule in RULES if rule != left_out])
    parameters = {name for name, _ in model.named_parameters()}
    if left_out == "drawn":
        fresh = Between(GPTConfig(**SIZES))
        assert not fresh.lm_head.weight.any() and not fresh.transformer.h[0].mlp.c_proj.weight.any()
        fresh = Between(GPTConfig(**SIZES), ["drawn"])
        assert fresh.lm_head.weight.any() and fresh.transformer.h[0].mlp.c_proj.weight.any()
    elif left_out in ("tied", "biases", "layernorm", "positions"):
        with_all = {name for name, _ in drawn(RULES).named_parameters()}
        assert parameters != with_all
    else:
        logits, _ = as_nanogpt(model)(IDX, IDX)
        assert not torch.allclose(model(IDX), logits, atol=1e-5)


def test_seeds_give_variants_the_same_first_weights():
    def weights(back):
        torch.manual_seed(3)
        model = Between(GPTConfig(**SIZES), back)
        torch.manual_seed(3)
        model.init_weights()
        return dict(model.named_parameters())

    base = weights(())
    for rule in RULES:
        for name, p in weights((rule,)).items():
            redrawn = (rule == "drawn" and "proj" in name) or (rule == "tied" and "wte" in name)
            if name in base and not redrawn and "lm_head" not in name:
                assert torch.equal(p, base[name]), (rule, name)


def test_it_learns_as_nanochat_does():
    """The same groups: two steps of both optimizers, and the weights agree to the last bit."""
    model = drawn()
    own = GPT(GPTConfig(**SIZES))
    own.load_state_dict(model.state_dict())
    for one in (model, own):
        optimizer = one.setup_optimizer(options=OptimConfig(bfloat16=False))
        for _ in range(2):
            optimizer.zero_grad()
            one(IDX, IDX).backward()
            optimizer.step()
    for (name, p), q in zip(model.named_parameters(), own.parameters(), strict=True):
        assert torch.equal(p, q), name


@pytest.mark.parametrize("back", [*((rule,) for rule in RULES), tuple(RULES)], ids="-".join)
def test_every_parameter_learns(back):
    model = Between(GPTConfig(**SIZES), back)
    grouped = [p for group in model.setup_optimizer(OptimConfig()).param_groups for p in group["params"]]
    assert len(grouped) == len({id(p) for p in grouped})
    assert {id(p) for p in grouped} == {id(p) for p in model.parameters()}


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="rotary"):
        Between(GPTConfig(**SIZES), ["rotary"])


def test_spread_is_what_is_left_after_variants_and_seeds():
    chance = np.random.default_rng(1)
    variants, seeds = chance.normal(size=(40, 1)), chance.normal(size=(1, 50))
    losses = variants + seeds + 0.3 * chance.normal(size=(40, 50))
    np.testing.assert_allclose(residual_spread(losses), 0.3, rtol=0.05)
    np.testing.assert_allclose(residual_spread(variants + seeds), 0, atol=1e-12)


def test_intervals_hold_together_in_95_of_100_tables():
    """Tables of chance alone: how many have an interval without zero? About one in twenty."""
    chance, shape = np.random.default_rng(2), (6, 3)
    names = [f"v{i}" for i in range(6)]
    wrong = 0
    for _ in range(400):
        found = effects(names, 2 + 0.01 * chance.standard_normal(shape))
        wrong += any(found[f"{name}_low"] > 0 or found[f"{name}_high"] < 0 for name in names[1:])
    assert 8 <= wrong <= 34
    assert widest_by_chance(shape) > np.sqrt(2 / 3) * 1.96  # one effect alone, its spread known
