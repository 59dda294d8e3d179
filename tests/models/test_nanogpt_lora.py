"""LoRA on nanoGPT's model: nothing changes at first, little is trained, and merging changes no answer."""

import pytest
import torch
from nanogpt import lora, sort
from nanogpt.model import GPT


def made(rank: int = 4, alpha: float | None = None, layers: tuple[str, ...] = lora.LAYERS) -> tuple[GPT, GPT]:
    """A model, and the same with small matrices beside its layers."""
    torch.manual_seed(1)
    plain, other = GPT(sort.config()), GPT(sort.config())
    other.load_state_dict(plain.state_dict())
    return plain, lora.add_lora(other, rank, alpha, layers)


def taught(model: GPT) -> GPT:
    """As if it had been trained: no small matrix is zero."""
    with torch.no_grad():
        for _, layer in lora.lora_layers(model):
            layer.B.normal_()
    return model


def logits(model: GPT) -> torch.Tensor:
    with torch.no_grad():
        return model(*sort.all_examples())[0]


def test_at_first_nothing_is_changed() -> None:
    plain, model = made()
    assert torch.equal(logits(plain), logits(model)) and not torch.equal(logits(plain), logits(taught(model)))


@pytest.mark.parametrize("layers", [lora.LAYERS, lora.ATTENTION])
def test_only_the_small_matrices_get_gradients(layers: tuple[str, ...]) -> None:
    _, model = made(layers=layers)
    model(*sort.all_examples())[1].backward()
    given = {name for name, p in model.named_parameters() if p.grad is not None}
    assert given == set(lora.lora_state_dict(model)) and len(given) == 2 * 3 * len(layers)


def test_so_many_numbers_are_trained() -> None:
    C = sort.config().n_embd
    for rank in (1, 4):
        _, model = made(rank)
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        sides = (C + 3 * C) + (C + C) + (C + 4 * C) + (4 * C + C)  # in and out of the four layers of a block
        assert count == sum(p.numel() for p in lora.lora_state_dict(model).values()) == 3 * rank * sides


def test_merged_equals_unmerged_and_is_a_plain_model_again() -> None:
    plain, model = made(rank=4, alpha=8)
    before = logits(taught(model))
    merged = lora.merge_lora(model)
    assert torch.allclose(before, logits(merged), atol=1e-4) and not torch.allclose(logits(plain), logits(merged), atol=0.1)
    assert merged.state_dict().keys() == plain.state_dict().keys()
    assert all(p.requires_grad for p in merged.parameters())


def test_alpha_scales_what_was_learned() -> None:
    x = torch.randn(2, 48)
    layer = lora.LoRALinear(torch.nn.Linear(48, 6), 2, 2)
    torch.nn.init.normal_(layer.B)
    double = lora.LoRALinear(layer.base, 2, 4)
    double.load_state_dict(layer.state_dict())
    once, twice = (each(x) - layer.base(x) for each in (layer, double))
    assert torch.allclose(2 * once, twice, atol=1e-5) and once.abs().max() > 0.01


def test_what_was_learned_can_be_kept_by_itself() -> None:
    _, model = made()
    kept = {name: p.clone() for name, p in lora.lora_state_dict(taught(model)).items()}
    _, fresh = made()
    left = fresh.load_state_dict(kept, strict=False)
    assert left.unexpected_keys == [] and torch.equal(logits(model), logits(fresh))


@pytest.mark.parametrize("rank", [0, -1, 49])
def test_an_impossible_rank_is_named(rank: int) -> None:
    with pytest.raises(ValueError, match=rf"rank={rank}: a matrix \(144, 48\) has ranks 1 to 48"):
        made(rank)
