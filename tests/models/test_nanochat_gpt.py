"""nanochat's model against independent figures: the original's own, transformers' NanoChat, and arithmetic."""

import math
from collections.abc import Iterator
from dataclasses import fields

import pytest
import torch
from torch.nn import functional as F

from nanochat.config import has_ve, round_up, sizes_of_depth, window_sizes
from nanochat.gpt import GPT, GPTConfig, apply_rotary_emb, attention_mask, norm, rotary_tables
from nanochat.training.groups import OptimConfig

GOLDEN_SIZES = {
    "sequence_len": 32, "vocab_size": 70, "n_layer": 4, "n_head": 4, "n_kv_head": 2, "n_embd": 64,
    "window_pattern": "SL",
}  # fmt: skip
SMALL = {"sequence_len": 16, "vocab_size": 37, "n_layer": 3, "n_head": 4, "n_kv_head": 2, "n_embd": 32}
# Measured on the original (92d63d4), torch 2.13.0 on a CPU, one thread, seed 42: sums of weights.
SUMS = {
    "transformer.wte": 42.645527, "transformer.h.0.attn.c_q": -12.973662, "transformer.h.0.attn.c_k": 13.219787,
    "transformer.h.0.mlp.c_fc": 7.879964, "lm_head": 0.096458, "smear_gate": 0.278647,
    "value_embeds.1": -7.869907, "transformer.h.1.attn.ve_gate": 0.205411,
}  # fmt: skip
SIX_STEPS = [4.246909, 4.575638, 3.537685, 2.633490, 1.675075, 1.031124]
# The first gradients of these are nothing but rounding errors (the test below says why), yet AdamW's first step is
# made of them. Noted there too, so that another processor's rounding takes the same way.
NOISE = {
    "resid_lambdas": [6.402842700481415e-10, 9.022187441587448e-10, 8.149072527885437e-10, 8.149072527885437e-10],
    "x0_lambdas": [6.402842700481415e-10, 6.693881005048752e-10, 4.3655745685100555e-10, 4.656612873077393e-10],
    "backout_lambda": [-8.149072527885437e-10],
}
# depth: width, heads, wte and lm_head, value embeddings, matrices, total, FLOPs a token; V 32768, T 2048.
TABLE = {
    4: (256, 2, 8_388_608, 16_777_216, 3_145_776, 36_700_242, 8.022e7),
    6: (384, 3, 12_582_912, 37_748_736, 10_616_940, 73_531_538, 1.675e8),
    8: (512, 4, 16_777_216, 67_108_864, 25_166_016, 125_829_354, 2.957e8),
    12: (768, 6, 25_165_824, 150_994_944, 84_935_088, 286_261_730, 7.597e8),
    16: (1024, 8, 33_554_432, 268_435_456, 201_327_360, 536_871_738, 1.5855e9),
    20: (1280, 10, 41_943_040, 419_430_400, 393_217_200, 896_533_746, 2.8862e9),
    24: (1536, 12, 50_331_648, 603_979_776, 679_478_976, 1_384_122_122, 4.7752e9),
    26: (1664, 13, 54_525_952, 708_837_376, 863_897_580, 1_681_786_938, 5.9911e9),
    32: (2048, 16, 67_108_864, 1_073_741_824, 1_610_615_808, 2_818_575_450, 1.0771e10),
    48: (3072, 24, 100_663_296, 2_415_919_104, 5_435_824_896, 8_053_070_714, 3.4804e10),
}
# What is switched on, and the parameters that come with it.
OPTIONS = {
    "qk_norm": (False, set()),
    "softcap": (0.0, set()),
    "rope_base": (100_000.0, set()),
    "qk_scale": (1.2, set()),
    "window_pattern": ("SL", set()),
    "value_embeds": (True, {"value_embeds.0.weight", "value_embeds.2.weight",
                            "transformer.h.0.attn.ve_gate.weight", "transformer.h.2.attn.ve_gate.weight"}),
    "residual_lambdas": (True, {"resid_lambdas", "x0_lambdas"}),
    "smear": (True, {"smear_gate.weight", "smear_lambda"}),
    "backout": (True, {"backout_lambda"}),
    "uniform_init": (True, set()),
}  # fmt: skip
CLASSIC, NEWEST = GPTConfig, GPTConfig.newest


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Models as small as these are slower with several, and differ in the last digit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def golden() -> GPT:
    model = GPT(GPTConfig.newest(**GOLDEN_SIZES))
    torch.manual_seed(42)
    model.init_weights()
    return model


def probe(vocab_size: int = 70) -> tuple[torch.Tensor, torch.Tensor]:
    """The batch of the golden figures."""
    idx = (torch.arange(32).view(2, 16) * 7 + 3) % vocab_size
    return idx, (2 * idx + 1) % vocab_size


def stirred(config: GPTConfig, seed: int = 0) -> GPT:
    """A model in which every weight matters: none is zero."""
    torch.manual_seed(seed)
    model = GPT(config)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.15 * torch.randn_like(p))
    return model.eval()


def near(value, tolerance=2e-6):
    return pytest.approx(value, rel=0, abs=tolerance)


# Figures of the original


def test_first_weights_and_loss_of_the_original() -> None:
    model = golden()
    assert {name: model.get_parameter(f"{name}.weight").sum().item() for name in SUMS} == near(SUMS, 2e-5)
    assert model.transformer.wte.weight[0, 0].item() == near(1.541532)
    assert model.window_sizes == [128, 32, 128, 32]
    idx, targets = probe()
    assert model(idx, targets).item() == near(4.246909)
    assert model(idx)[0, -1, :3].tolist() == near([-0.00110954, -0.00674485, 0.00974144], 1e-7)


def test_counts_of_the_original() -> None:
    assert golden().num_scaling_params() == {
        "wte": 8192, "value_embeds": 8192, "lm_head": 8192, "transformer_matrices": 180_272, "scalars": 34,
        "total": 204_882,
    }  # fmt: skip
    assert golden().estimate_flops() == 1_229_232


def test_six_steps_and_greedy_tokens_of_the_original() -> None:
    model, (idx, targets) = golden(), probe()
    optimizer = model.setup_optimizer(options=OptimConfig.newest())
    losses = []
    for step in range(6):
        loss = model(idx, targets)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        if step == 0:
            for name, noise in NOISE.items():
                # Blocks add nothing yet, so these only scale a stream that is normalised before it is read.
                assert model.get_parameter(name).grad.abs().max() < 1e-8
                model.get_parameter(name).grad.copy_(torch.tensor(noise))
        optimizer.step()
    assert losses == near(SIX_STEPS, 2e-5)
    assert list(model.generate([60, 1, 2, 3, 4, 5], 4, temperature=0)) == [7, 21, 21, 21]


def test_state_dict_has_the_originals_keys_in_order() -> None:
    block = ["attn.c_q", "attn.c_k", "attn.c_v", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]
    gated = [*block[:4], "attn.ve_gate", *block[4:]]
    expected = ["resid_lambdas", "x0_lambdas", "smear_lambda", "backout_lambda", "transformer.wte.weight"]
    for i in range(4):
        expected += [f"transformer.h.{i}.{name}.weight" for name in (gated if i % 2 else block)]
    expected += ["lm_head.weight", "smear_gate.weight", "value_embeds.1.weight", "value_embeds.3.weight"]
    shapes = {name: tuple(tensor.shape) for name, tensor in golden().state_dict().items()}
    assert list(shapes) == expected
    assert shapes["transformer.h.1.attn.ve_gate.weight"] == (2, 12)
    assert shapes["transformer.h.1.attn.c_k.weight"] == (32, 64)
    assert shapes["lm_head.weight"] == (128, 64)  # 70 words, padded
    assert shapes["value_embeds.3.weight"] == (128, 32)
    plain = ["transformer.wte.weight"]
    plain += [f"transformer.h.{i}.{name}.weight" for i in range(3) for name in block]
    assert list(GPT(CLASSIC(**SMALL)).state_dict()) == [*plain, "lm_head.weight"]


@pytest.mark.parametrize("depth", TABLE)
def test_parameter_table(depth: int) -> None:
    width, heads, table, values, matrices, total, flops = TABLE[depth]
    sizes = sizes_of_depth(depth)
    assert sizes == {"n_layer": depth, "n_head": heads, "n_kv_head": heads, "n_embd": width}
    with torch.device("meta"):
        model = GPT(GPTConfig.newest(**sizes))
    assert model.num_scaling_params() == {
        "wte": table, "value_embeds": values, "lm_head": table, "transformer_matrices": matrices,
        "scalars": 2 * depth + 26, "total": total,
    }  # fmt: skip
    assert model.estimate_flops() == pytest.approx(flops, rel=6e-4)


@pytest.mark.parametrize(("depth", "total"), [(20, 560_988_160), (32, 1_879_048_192)])
def test_counts_of_the_first_release(depth: int, total: int) -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig(**sizes_of_depth(depth)))
    counts = model.num_scaling_params()
    assert counts["total"] == total
    assert counts["scalars"] == counts["value_embeds"] == 0
    width = 64 * depth
    per_layer = 12 * width**2
    attention = 12 * depth * width * 2048
    assert model.estimate_flops() == 6 * (depth * per_layer + 65536 * width) + attention


# The whole model against others


def test_logits_of_transformers_nanochat() -> None:
    transformers = pytest.importorskip("transformers")
    ours = stirred(CLASSIC(**SMALL))
    sizes = transformers.NanoChatConfig(
        vocab_size=37, hidden_size=32, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=16, rms_norm_eps=torch.finfo(torch.float32).eps,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
    )  # fmt: skip
    theirs = transformers.NanoChatForCausalLM(sizes).eval()
    names = {
        "transformer.wte": "model.embed_tokens", "transformer.h.": "model.layers.", "attn.c_q": "self_attn.q_proj",
        "attn.c_k": "self_attn.k_proj", "attn.c_v": "self_attn.v_proj", "attn.c_proj": "self_attn.o_proj",
        "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    }  # fmt: skip
    weights = {}
    for name, tensor in ours.state_dict().items():
        for mine, other in names.items():
            name = name.replace(mine, other)
        weights[name] = tensor
    theirs.load_state_dict(weights)
    idx = torch.randint(37, (2, 16))
    with torch.no_grad():
        expected = theirs(idx).logits
        assert expected.std() > 0.1
        torch.testing.assert_close(ours(idx), expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_explicit_attention_equals_fused(generation) -> None:
    model, (idx, targets) = stirred(generation(**SMALL, window_tile=4)), probe(37)
    fused = model(idx, targets)
    for block in model.transformer.h:
        assert block.attn.flash
        block.attn.flash = False
    torch.testing.assert_close(model(idx, targets), fused, rtol=0, atol=2e-6)


def test_without_fused_attention_the_steps_are_explicit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.nn.functional, "scaled_dot_product_attention")
    model = GPT(CLASSIC(**SMALL))
    assert not any(block.attn.flash for block in model.transformer.h)
    assert model(probe(37)[0]).shape == (2, 16, 37)


@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_a_later_token_leaves_earlier_logits_bit_equal(generation) -> None:
    model = stirred(generation(**SMALL))
    idx = torch.randint(37, (2, 16))
    before = model(idx)
    for t in range(16):
        changed = idx.clone()
        changed[:, t] = (changed[:, t] + 1) % 37
        after = model(changed)
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t:], after[:, t:])


@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_the_first_loss_is_that_of_a_guess(generation) -> None:
    model = GPT(generation(**SMALL))
    idx, targets = probe(37)
    assert model(idx, targets).item() == near(math.log(37), 1e-6 if generation is CLASSIC else 0.01)


# Rotations


def test_rotation_is_multiplication_by_a_complex_number() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 9, 3, 8, dtype=torch.float64)
    cos, sin = rotary_tables(9, 8, 10_000.0, "cpu")
    turned = apply_rotary_emb(x, cos, sin)
    pairs = torch.complex(x[..., :4], x[..., 4:])
    speeds = torch.tensor([10_000 ** (-2 * j / 8) for j in range(4)], dtype=torch.float64)
    angles = torch.arange(9).view(9, 1) * speeds
    expected = pairs * torch.exp(-1j * angles).view(9, 1, 4)
    torch.testing.assert_close(turned, torch.cat([expected.real, expected.imag], -1), rtol=0, atol=2e-6)


def test_only_differences_of_positions_count() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 16)
    cos, sin = rotary_tables(40, 16, 10_000.0, "cpu")

    def score(i: int, j: int) -> float:
        at = [apply_rotary_emb(x, cos[:, t : t + 1], sin[:, t : t + 1]) for x, t in ((q, i), (k, j))]
        return (at[0] * at[1]).sum().item()

    for distance in (0, 1, 7):
        scores = [score(i + distance, i) for i in range(0, 30, 3)]
        assert scores == near([scores[0]] * 10, 1e-5)
    assert abs(score(5, 0) - score(0, 5)) > 0.1
    assert score(9, 9) == near((q * k).sum().item(), 1e-5)


def test_norm_and_rotation_commute() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 9, 3, 16)
    cos, sin = rotary_tables(9, 16, 10_000.0, "cpu")
    torch.testing.assert_close(
        norm(apply_rotary_emb(x, cos, sin)), apply_rotary_emb(norm(x), cos, sin), rtol=0, atol=1e-6
    )
    torch.testing.assert_close(apply_rotary_emb(x, cos, sin).norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(norm(x), x / (x.square().mean(-1, keepdim=True) + 2.0**-23).sqrt())


def test_a_model_reads_no_absolute_position() -> None:
    model = stirred(CLASSIC(**{**SMALL, "sequence_len": 64}))
    idx = torch.randint(37, (1, 12))
    before = model(idx)
    model.cos, model.sin = model.cos[:, 20:], model.sin[:, 20:]
    torch.testing.assert_close(model(idx), before, rtol=0, atol=2e-5)
    model.cos, model.sin = torch.ones_like(model.cos), torch.zeros_like(model.sin)
    assert (model(idx) - before).abs().max() > 1e-3


def test_ten_times_the_length_of_training_can_be_read() -> None:
    model = GPT(CLASSIC(**SMALL))
    assert model(torch.zeros(1, 160, dtype=torch.long)).shape == (1, 160, 37)
    with pytest.raises(AssertionError, match="161 tokens, but only 160 rotations"):
        model(torch.zeros(1, 161, dtype=torch.long))


# Attention


@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_grouped_queries_are_repeated_keys_and_values(generation) -> None:
    grouped = stirred(generation(**SMALL))
    full = GPT(generation(**{**SMALL, "n_kv_head": 4})).eval()
    weights = grouped.state_dict()
    for name, tensor in weights.items():
        if name.endswith(("c_k.weight", "c_v.weight")):
            weights[name] = tensor.view(2, 8, 32).repeat_interleave(2, dim=0).reshape(32, 32)
        if name.endswith("ve_gate.weight"):
            weights[name] = tensor.repeat_interleave(2, dim=0)
        if name.startswith("value_embeds"):
            weights[name] = tensor.view(-1, 2, 8).repeat_interleave(2, dim=1).reshape(-1, 32)
    full.load_state_dict(weights)
    idx = torch.randint(37, (2, 16))
    torch.testing.assert_close(grouped(idx), full(idx), rtol=0, atol=2e-5)


def test_window_against_a_loop() -> None:
    model = stirred(CLASSIC(**{**SMALL, "n_kv_head": 4}))
    attn, x = model.transformer.h[1].attn, torch.randn(1, 12, 32)
    cos, sin = model.cos[:, :12], model.sin[:, :12]
    for window in (0, 1, 3, 11, 99):
        q, k = (norm(apply_rotary_emb(layer(x).view(1, 12, 4, 8), cos, sin))[0] for layer in (attn.c_q, attn.c_k))
        v = attn.c_v(x).view(12, 4, 8)
        rows = []
        for t in range(12):
            seen = slice(max(0, t - window), t + 1)
            weights = torch.softmax(torch.einsum("hd,shd->hs", q[t], k[seen]) / math.sqrt(8), -1)
            rows.append(torch.einsum("hs,shd->hd", weights, v[seen]).reshape(32))
        expected = attn.c_proj(torch.stack(rows))
        torch.testing.assert_close(attn(x, cos, sin, window)[0], expected, rtol=0, atol=2e-6)


def test_mask_by_hand() -> None:
    seen = attention_mask(T=2, past=3, window=2, device="cpu").int().tolist()
    assert seen == [[0, 1, 1, 1, 0], [0, 0, 1, 1, 1]]


@pytest.mark.parametrize(
    ("pattern", "length", "layers", "expected"),
    [
        ("L", 2048, 3, [2048] * 3),
        ("SSSL", 2048, 6, [512, 512, 512, 2048, 512, 2048]),
        ("SL", 32, 4, [128, 32, 128, 32]),
        ("S", 1000, 3, [256, 256, 1000]),
    ],
)
def test_windows(pattern: str, length: int, layers: int, expected: list[int]) -> None:
    assert window_sizes(GPTConfig(length, n_layer=layers, window_pattern=pattern)) == expected


def test_queries_and_keys_have_a_length_of_their_own() -> None:
    scale, x = 1.5, torch.randn(2, 7, 32)
    model = stirred(CLASSIC(**SMALL, qk_scale=scale))
    seen = {}
    attn = model.transformer.h[0].attn
    attn.attend = lambda q, k, v, mask: seen.update(q=q, k=k, v=v) or q
    attn(x, model.cos[:, :7], model.sin[:, :7], 16)
    for name in "qk":
        torch.testing.assert_close(seen[name].norm(dim=-1), torch.full(seen[name].shape[:-1], scale * math.sqrt(8)))
    assert seen["v"].norm(dim=-1).std() > 0.1


# Options, one by one


def test_every_option_is_tested() -> None:
    sizes = {*SMALL, "window_tile", "pad_vocab_size_to"}
    assert {field.name for field in fields(GPTConfig)} == {*OPTIONS, *sizes}


@pytest.mark.parametrize("option", OPTIONS)
def test_option_on_and_off(option: str) -> None:
    value, extra = OPTIONS[option]
    sizes = {**SMALL, "window_tile": 4}
    off, on = GPT(CLASSIC(**sizes)), GPT(CLASSIC(**sizes, **{option: value}))
    assert {name for name, _ in on.named_parameters()} - {name for name, _ in off.named_parameters()} == extra
    torch.manual_seed(1)
    idx, targets = torch.randint(37, (2, 4, 16))  # only what came before tells equal tokens apart
    losses = {}
    for name, model in (("off", off), ("on", on)):
        torch.manual_seed(1)
        model.init_weights()
        optimizer = model.setup_optimizer()
        for _ in range(12):
            loss = model(idx, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[name] = loss.item()
        assert losses[name] < math.log(37) - 1
    assert losses["on"] != pytest.approx(losses["off"], abs=1e-4)


@pytest.mark.parametrize("option", ["value_embeds", "residual_lambdas", "smear", "backout"])
def test_extras_with_neutral_weights_do_nothing(option: str) -> None:
    with_it, idx = stirred(CLASSIC(**SMALL, **{option: True})), torch.randint(37, (2, 16))
    without = GPT(CLASSIC(**SMALL)).eval()
    without.load_state_dict(with_it.state_dict(), strict=False)
    assert (with_it(idx) - without(idx)).abs().max() > 1e-3
    with torch.no_grad():
        for name, p in with_it.named_parameters():
            if name.startswith(("value_embeds", "x0_lambdas", "smear_lambda", "backout_lambda")):
                p.zero_()
            if name == "resid_lambdas":
                p.fill_(1.0)
    torch.testing.assert_close(with_it(idx), without(idx), rtol=0, atol=1e-6)


def test_smear_by_hand() -> None:
    model = stirred(NEWEST(**SMALL))
    x = torch.randn(1, 3, 32)
    y = model.smear(x)
    assert torch.equal(y[:, 0], x[:, 0])
    for t in (1, 2):
        gate = 1 / (1 + math.exp(-(model.smear_gate.weight[0] @ x[0, t, :24]).item()))
        expected = x[0, t] + model.smear_lambda.item() * gate * x[0, t - 1]
        torch.testing.assert_close(y[0, t], expected, rtol=0, atol=1e-6)


def test_value_embedding_by_hand() -> None:
    model = stirred(NEWEST(**SMALL))
    attn = model.transformer.h[2].attn
    x, ve, values = torch.randn(1, 5, 32), torch.randn(1, 5, 16), {}
    attn.attend = lambda q, k, v, mask: values.update(v=v) or q
    attn(x, model.cos[:, :5], model.sin[:, :5], 16, ve)
    for head in range(2):
        own = (x @ attn.c_v.weight.T)[0, :, 8 * head : 8 * head + 8]
        gate = 3 * torch.sigmoid(x[0, :, :12] @ attn.ve_gate.weight[head])
        expected = own + gate.view(5, 1) * ve[0, :, 8 * head : 8 * head + 8]
        torch.testing.assert_close(values["v"][0, head], expected, rtol=0, atol=1e-6)


def test_layers_with_value_embeddings() -> None:
    assert [i for i in range(12) if has_ve(i, 12)] == [1, 3, 5, 7, 9, 11]
    assert [i for i in range(5) if has_ve(i, 5)] == [0, 2, 4]


def test_what_flows_between_the_blocks_by_hand() -> None:
    """Lambdas and backout with the blocks silenced: the stream is the first embedding, times numbers."""
    model = stirred(CLASSIC(**SMALL, residual_lambdas=True, backout=True))
    idx, seen = torch.randint(37, (1, 6)), {}
    for block in model.transformer.h:
        torch.nn.init.zeros_(block.attn.c_proj.weight)
        torch.nn.init.zeros_(block.mlp.c_proj.weight)
    model.lm_head.register_forward_pre_hook(lambda module, args: seen.update(x=args[0]))
    with torch.no_grad():
        model.resid_lambdas.copy_(torch.tensor([0.5, 2.0, 1.0]))
        model.x0_lambdas.copy_(torch.tensor([1.0, -1.0, 0.25]))
        model.backout_lambda.fill_(3.0)
        model(idx)
        # The stream is 1.5, 2 and 2.25 times the embedding; three times the 2 is taken back: -3.75.
        torch.testing.assert_close(seen["x"], norm(-3.75 * norm(model.transformer.wte(idx))), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("cap", "largest"), [(15.0, 15.0), (2.0, 2.0), (0.0, 1e9)])
def test_softcap(cap: float, largest: float) -> None:
    model = stirred(CLASSIC(**SMALL, softcap=cap))
    with torch.no_grad():
        model.lm_head.weight.mul_(1e3)
    assert model(probe(37)[0]).abs().max() <= largest
    assert (model(probe(37)[0]).abs().max() > 100) == (cap == 0)


def test_padded_rows_are_never_predicted() -> None:
    plain = stirred(CLASSIC(**SMALL))
    padded = GPT(CLASSIC(**SMALL, pad_vocab_size_to=64))
    weights = plain.state_dict()
    for name in ("transformer.wte.weight", "lm_head.weight"):
        weights[name] = torch.cat([weights[name], torch.full((27, 32), 9.0)])
    padded.load_state_dict(weights)
    assert torch.equal(padded(probe(37)[0]), plain(probe(37)[0]))
    assert [round_up(n, 64) for n in (1, 64, 65)] == [64, 64, 128]


# Losses, precision, memory, generation


def test_losses_of_each_kind() -> None:
    model, (idx, targets) = stirred(CLASSIC(**SMALL)), probe(37)
    targets[0, :5] = -1
    each = model(idx, targets, loss_reduction="none")
    assert each.shape == (32,)
    assert each[:5].tolist() == [0.0] * 5
    expected = -model(idx).log_softmax(-1).gather(-1, targets.clamp_min(0).unsqueeze(-1)).flatten()
    torch.testing.assert_close(each[5:], expected[5:])
    assert model(idx, targets).item() == pytest.approx(each.sum().item() / 27)
    assert model(idx, targets, loss_reduction="sum").item() == pytest.approx(each.sum().item())


def test_what_is_kept_in_half_precision() -> None:
    model = GPT(NEWEST(**SMALL), dtype=torch.bfloat16)
    half = {name for name, tensor in model.state_dict().items() if tensor.dtype == torch.bfloat16}
    assert half == {"transformer.wte.weight", "value_embeds.0.weight", "value_embeds.2.weight"}
    assert model.cos.dtype == torch.bfloat16
    whole = GPT(NEWEST(**SMALL))
    whole.load_state_dict(model.state_dict())
    idx, targets = probe(37)
    assert model(idx).dtype == torch.float32
    torch.testing.assert_close(model(idx), whole(idx), rtol=0, atol=0.01)
    model(idx, targets).backward()
    stored = GPT(NEWEST(**SMALL), dtype=torch.float16)
    assert {p.dtype for p in stored.parameters()} == {torch.float32}


@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_a_model_made_without_memory_gets_the_same_weights(generation) -> None:
    torch.manual_seed(3)
    expected = GPT(generation(**SMALL))
    torch.manual_seed(3)
    expected.init_weights()
    with torch.device("meta"):
        model = GPT(generation(**SMALL))
    model.to_empty(device="cpu")
    torch.manual_seed(3)
    model.init_weights()
    for name, tensor in expected.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert torch.equal(model(probe(37)[0]), expected(probe(37)[0]))


def test_spread_of_the_first_weights() -> None:
    torch.manual_seed(0)
    model = GPT(CLASSIC(256, 512, 1, 4, 4, 256))
    attn, mlp = model.transformer.h[0].attn, model.transformer.h[0].mlp
    assert model.transformer.wte.weight.std().item() == pytest.approx(1, rel=0.02)
    assert attn.c_q.weight.std().item() == pytest.approx(1 / 16, rel=0.02)
    assert mlp.c_fc.weight.std().item() == pytest.approx(1 / 16, rel=0.02)
    assert not any(p.any() for p in (attn.c_proj.weight, mlp.c_proj.weight, model.lm_head.weight))
    narrow = GPT(CLASSIC(256, 512, 1, 4, 1, 256)).transformer.h[0].attn.c_k
    assert narrow.weight.std().item() == pytest.approx(math.sqrt(64 / 256) / 16, rel=0.02)


class Cache:
    """Keys and values of earlier tokens: what the facts say that an engine hands over."""

    def __init__(self, model: GPT, batch: int, length: int) -> None:
        config = model.config
        shape = (config.n_layer, batch, length, config.n_kv_head, config.n_embd // config.n_head)
        self.k_cache, self.v_cache = torch.full((2, *shape), torch.nan)
        self.cache_seqlens = torch.zeros(batch, dtype=torch.int32)
        self.prev_embedding = None

    def get_pos(self) -> int:
        return self.cache_seqlens[0].item()

    def get_layer_cache(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        return self.k_cache[i], self.v_cache[i]

    def advance(self, count: int) -> None:
        self.cache_seqlens += count


@pytest.mark.parametrize("chunks", [[1] * 14, [9, 1, 1, 1, 1, 1], [5, 5, 4], [14]])
@pytest.mark.parametrize("generation", [CLASSIC, NEWEST])
def test_with_a_cache_the_logits_are_the_same(generation, chunks: list[int]) -> None:
    model = stirred(generation(**SMALL, window_tile=4))
    idx = torch.randint(37, (2, 14))
    cache, parts, start = Cache(model, 2, 20), [], 0
    with torch.no_grad():
        for size in chunks:
            parts.append(model(idx[:, start : start + size], kv_cache=cache))
            start += size
            assert cache.get_pos() == start
        torch.testing.assert_close(torch.cat(parts, dim=1), model(idx), rtol=0, atol=2e-5)


def test_generation() -> None:
    model, prompt = stirred(NEWEST(**SMALL)), [3, 1, 4]
    drawn = list(model.generate(prompt, 20))
    assert len(drawn) == 20
    assert all(0 <= token < 37 for token in drawn)
    assert drawn == list(model.generate(prompt, 20, seed=42))
    assert drawn != list(model.generate(prompt, 20, seed=43))
    greedy = list(model.generate(prompt, 20, temperature=0))
    assert greedy == list(model.generate(prompt, 20, top_k=1))
    assert greedy == list(model.generate(prompt, 20, temperature=1e-5))
    ids = [*prompt, *greedy]
    assert greedy == model(torch.tensor([ids]))[0, 2:-1].argmax(-1).tolist()
    assert list(model.generate([7], 0)) == []
    assert len(list(model.generate([7], 3, top_k=1000))) == 3


def test_draws_follow_the_distribution() -> None:
    model = stirred(CLASSIC(**{**SMALL, "vocab_size": 5}))
    draws = torch.tensor([next(model.generate([1, 2], 1, temperature=0.7, top_k=3, seed=s)) for s in range(800)])
    logits = model(torch.tensor([[1, 2]]))[0, -1]
    expected = torch.zeros(5)
    best = logits.topk(3)
    expected[best.indices] = F.softmax(best.values / 0.7, dim=-1)
    torch.testing.assert_close(torch.bincount(draws, minlength=5) / 800, expected, rtol=0, atol=0.06)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_embd": 30}, r"n_embd=30 .* n_head=4"),
        ({"n_kv_head": 3}, r"n_head=4 .* n_kv_head=3"),
        ({"n_embd": 36}, r"heads of 9 numbers"),
        ({"window_pattern": "SM"}, r"window_pattern='SM'"),
        ({"n_embd": 16, "smear": True}, r"24 numbers .* n_embd=16"),
        ({"n_embd": 8, "value_embeds": True}, r"12 numbers of 8"),
    ],
)
def test_sizes_that_do_not_fit(wrong: dict, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        GPT(CLASSIC(**{**SMALL, **wrong}))
