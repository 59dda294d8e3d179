"""The model against independent figures: nanoGPT's own, transformers' GPT-2, and arithmetic."""

import ast
import hashlib
import inspect
import io
import math
import tokenize
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from nanogpt import model as source
from nanogpt.model import GPT, GPTConfig, LayerNorm

SIZES = {
    "tiny": GPTConfig(block_size=8, vocab_size=11, n_layer=2, n_head=2, n_embd=8),
    "tiny without bias": GPTConfig(block_size=8, vocab_size=11, n_layer=2, n_head=2, n_embd=8, bias=False),
    "sort": GPTConfig(block_size=11, vocab_size=3, n_layer=3, n_head=3, n_embd=48),
}
# Measured on the original, torch 2.13.0 on a CPU, one thread, seed 1337:
# fingerprint of the weights, first weights, loss, loss with three columns ignored, logits,
# five losses of training.
GOLDEN = {
    "tiny": (
        "4d23e9445a34383e", [-0.00308302, -0.00064210], 2.390872, 2.3946707,
        [-0.0072119, -0.0312008, -0.1152446],
        [2.390872, 2.3781466, 2.3665919, 2.3560965, 2.3463726],
    ),
    "tiny without bias": (
        "a9b68f0d51e7c356", [0.02490354, 0.01526935], 2.3776808, 2.3641403,
        [-0.1081852, 0.1481709, 0.0279073],
        [2.3776808, 2.3656015, 2.3547626, 2.3446846, 2.3349717],
    ),
    "sort": (
        "94b6b813f5b13324", [0.01761296, 0.04938039], 1.2817974, 1.3226063,
        [-0.3406883, 0.6469293, 0.0284218],
        [1.2817974, 0.8955283, 0.7101876, 0.619514, 0.5270237],
    ),
}  # fmt: skip
GENERATED = [  # size, temperature, top_k, what follows the prompt
    ("tiny", 1.0, None, [3, 9, 2, 4, 8, 5, 9, 1, 0, 8, 2, 8]),
    ("tiny", 0.8, 5, [3, 9, 2, 10, 3, 5, 9, 9, 0, 6, 3, 0]),
    ("tiny", 1.0, 1, [2] * 12),
    ("tiny without bias", 1.0, None, [3, 9, 2, 4, 8, 5, 9, 1, 0, 1, 2, 8]),
    ("tiny without bias", 0.8, 5, [3, 9, 2, 8, 8, 1, 3, 1, 10, 1, 2, 8]),
    ("tiny without bias", 1.0, 1, [7, 7, 10, 10] + [1] * 8),
    ("sort", 1.0, None, [0, 0, 2, 0, 2, 1, 2, 2, 0, 0, 0, 0]),
]
# Fragments that the book quotes; each stands once in its object, in nanoGPT's own text as well.
QUOTATIONS = {
    "LayerNorm.forward": ["F.layer_norm("],
    "CausalSelfAttention.forward": [
        "B, T, C =", "q, k, v =", "k = k.view(", "q = q.view(", "v = v.view(", "q @ k.transpose(",
        "math.sqrt(k.size(-1))", "masked_fill(", "F.softmax(att", "self.attn_dropout(att)", "att @ v",
        "y.transpose(1, 2)", "self.c_proj(y)", "self.resid_dropout(", "scaled_dot_product_attention(",
    ],
    "CausalSelfAttention.__init__": [
        "self.c_attn =", "self.c_proj =", "self.n_head =", "self.flash =", "torch.tril(",
    ],
    "MLP.forward": ["self.c_fc(x)", "self.gelu(x)", "self.c_proj(x)", "self.dropout(x)"],
    "MLP.__init__": ["4 * config.n_embd, bias"],
    "Block.forward": ["self.ln_1(x)", "self.attn(", "self.ln_2(x)", "self.mlp("],
    "GPT.forward": [
        "b, t = idx.size()", "torch.arange(", "self.transformer.wte(idx)", "self.transformer.wpe(pos)",
        "tok_emb + pos_emb", "self.transformer.drop(", "x = block(x)", "self.transformer.ln_f(x)",
        "self.lm_head(x)", "F.cross_entropy(", "ignore_index", "self.lm_head(x[:, [-1], :])", "loss = None",
    ],
    "GPT.__init__": [
        "wte =", "wpe =", "h = nn.ModuleList(", "ln_f =", "self.lm_head =", "self.transformer.wte.weight =",
        "self.apply(",
    ],
    "GPT._init_weights": ["zeros_("],
    "GPT.configure_optimizers": ["p.dim() >= 2", "p.dim() < 2", "AdamW("],
    "GPT.estimate_mfu": ["6*N", "flops_promised =", "mfu ="],
    "GPT.crop_block_size": ["wpe.weight ="],
    "GPT.generate": [
        "idx_cond =", "self(idx_cond)", "/ temperature", "torch.topk(", "float('Inf')", "F.softmax(logits",
        "torch.multinomial(", "torch.cat(",
    ],
    "GPT.get_num_params": ["p.numel()", "wpe.weight.numel()"],
}  # fmt: skip


def make(size: str) -> GPT:
    torch.manual_seed(1337)
    return GPT(replace(SIZES[size])).eval()  # a copy: cropping changes it


def probe(config: GPTConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """The input of the golden figures: two rows, (2, n) each."""
    n = min(config.block_size, 8)
    idx = (torch.arange(2 * n).view(2, n) * 7 + 3) % config.vocab_size
    return idx, (idx * 2 + 1) % config.vocab_size


@pytest.fixture
def without_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.nn.functional, "scaled_dot_product_attention")


@pytest.mark.parametrize("size", SIZES)
def test_figures_of_the_original(size: str) -> None:
    fingerprint, first, loss, partial, row, five = GOLDEN[size]
    model = make(size)
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    if torch.__version__.startswith("2.13.") and torch.backends.cpu.get_cpu_capability() == "AVX2":
        assert digest.hexdigest()[:16] == fingerprint  # other versions and processors draw other numbers
    near = {"rel": 0, "abs": 2e-6}
    assert model.transformer.wte.weight[0, :2].tolist() == pytest.approx(first, **near)
    idx, targets = probe(model.config)
    logits, measured = model(idx, targets)
    assert measured.item() == pytest.approx(loss, **near)
    assert logits[0, -1, :3].tolist() == pytest.approx(row, **near)
    ignored = targets.clone()
    ignored[:, :3] = -1
    assert model(idx, ignored)[1].item() == pytest.approx(partial, **near)
    optimizer = model.train().configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    losses = []
    for _ in five:
        _, measured = model(idx, targets)
        losses.append(measured.item())
        optimizer.zero_grad()
        measured.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    assert losses == pytest.approx(five, rel=0, abs=1e-5)


@pytest.mark.parametrize(("size", "temperature", "top_k", "expected"), GENERATED)
def test_generates_what_the_original_does(size, temperature, top_k, expected) -> None:
    model = make(size)
    prompt = probe(model.config)[0][:1, :4]
    torch.manual_seed(42)
    assert model.generate(prompt, 12, temperature, top_k)[0].tolist() == prompt[0].tolist() + expected


def test_generation_forgets_what_is_too_old_and_takes_any_top_k() -> None:
    model = make("tiny")
    prompt = torch.arange(11).view(1, 11)  # longer than block_size
    torch.manual_seed(1)
    long = model.generate(prompt, 1, top_k=1000)
    torch.manual_seed(1)
    short = model.generate(prompt[:, -8:], 1)
    assert long.shape == (1, 12)
    assert long[0, -1] == short[0, -1]


@pytest.mark.parametrize(
    ("layers", "heads", "width", "vocabulary", "block", "bias", "total", "keys"),
    [
        (12, 12, 768, 50257, 1024, True, 124_439_808, 149),
        (24, 16, 1024, 50257, 1024, True, 354_823_168, 293),
        (36, 20, 1280, 50257, 1024, True, 774_030_080, 437),
        (48, 25, 1600, 50257, 1024, True, 1_557_611_200, 581),
        (12, 12, 768, 50304, 1024, False, 124_373_760, 76),
        (6, 6, 384, 65, 256, False, 10_745_088, 40),
        (3, 3, 48, 3, 11, True, 85_584, 41),
    ],
)
def test_counts(layers, heads, width, vocabulary, block, bias, total, keys) -> None:
    with torch.device("meta"):
        model = GPT(GPTConfig(block, vocabulary, layers, heads, width, bias=bias))
    assert model.get_num_params(non_embedding=False) == total
    assert model.get_num_params() == total - block * width
    assert len(model.state_dict()) == keys


def test_state_dict_has_nanogpts_keys_in_order_and_ties_the_embedding() -> None:
    model = make("tiny")
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    block = {
        "ln_1.weight": (8,), "ln_1.bias": (8,), "attn.c_attn.weight": (24, 8), "attn.c_attn.bias": (24,),
        "attn.c_proj.weight": (8, 8), "attn.c_proj.bias": (8,), "ln_2.weight": (8,),
        "ln_2.bias": (8,),
        "mlp.c_fc.weight": (32, 8), "mlp.c_fc.bias": (32,), "mlp.c_proj.weight": (8, 32),
        "mlp.c_proj.bias": (8,),
    }  # fmt: skip
    expected = {"transformer.wte.weight": (11, 8), "transformer.wpe.weight": (8, 8)}
    for i in range(2):
        expected |= {f"transformer.h.{i}.{name}": shape for name, shape in block.items()}
    expected |= {"transformer.ln_f.weight": (8,), "transformer.ln_f.bias": (8,), "lm_head.weight": (11, 8)}
    assert list(shapes.items()) == list(expected.items())
    assert model.transformer.wte.weight.data_ptr() == model.lm_head.weight.data_ptr()


@pytest.mark.parametrize("size", SIZES)
def test_state_dict_round_trip(size: str, tmp_path) -> None:
    model = make(size)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    other = GPT(SIZES[size]).eval()
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    idx, targets = probe(model.config)
    assert torch.equal(model(idx, targets)[0], other(idx, targets)[0])


def test_logits_of_the_last_position_alone_without_targets() -> None:
    model = make("sort")
    idx, targets = probe(model.config)
    last, loss = model(idx)
    assert last.shape == (2, 1, 3)
    assert loss is None
    torch.testing.assert_close(last[:, 0], model(idx, targets)[0][:, -1])


@pytest.mark.parametrize("size", SIZES)
def test_explicit_attention_equals_fused(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = make(size)
    with monkeypatch.context() as hidden:
        hidden.delattr(torch.nn.functional, "scaled_dot_product_attention")
        explicit = GPT(SIZES[size]).eval()
    missing, unexpected = explicit.load_state_dict(fused.state_dict(), strict=False)
    assert unexpected == []
    assert all(name.endswith(".attn.bias") for name in missing)
    assert len(missing) == SIZES[size].n_layer
    idx, targets = probe(fused.config)
    torch.testing.assert_close(fused(idx, targets)[0], explicit(idx, targets)[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("fused", [True, False])
def test_a_later_token_leaves_earlier_logits_bit_equal(fused: bool, request: pytest.FixtureRequest) -> None:
    if not fused:
        request.getfixturevalue("without_fused")
    torch.manual_seed(0)
    model = GPT(SIZES["sort"]).eval()
    idx = torch.randint(3, (4, 11))
    before = model(idx, idx)[0]
    for t in range(11):
        changed = idx.clone()
        changed[:, t] = (changed[:, t] + 1) % 3
        after = model(changed, changed)[0]
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t:], after[:, t:])


@pytest.mark.parametrize("size", SIZES)
def test_initial_loss_is_that_of_a_guess(size: str) -> None:
    model = make(size)
    torch.manual_seed(0)
    idx = torch.randint(model.config.vocab_size, (64, model.config.block_size))
    targets = torch.randint(model.config.vocab_size, idx.shape)
    assert abs(model(idx, targets)[1].item() - math.log(model.config.vocab_size)) < 0.35


def test_layer_norm_by_hand() -> None:
    torch.manual_seed(0)
    norm, x = LayerNorm(5, bias=False), torch.randn(2, 3, 5)
    expected = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, unbiased=False, keepdim=True) + 1e-5)
    torch.testing.assert_close(norm(x), expected)


@pytest.mark.parametrize("fused", [True, False])
def test_cropping_keeps_what_fits(fused: bool, request: pytest.FixtureRequest) -> None:
    if not fused:
        request.getfixturevalue("without_fused")
    model = make("tiny")
    idx = torch.arange(5).view(1, 5)
    before = model(idx)[0]
    model.crop_block_size(5)
    assert model.transformer.wpe.weight.shape == (5, 8)
    torch.testing.assert_close(model(idx)[0], before)
    with pytest.raises(AssertionError, match=r"6 tokens.*block_size=5"):
        model(torch.zeros(1, 6, dtype=torch.long))
    with pytest.raises(AssertionError, match=r"9 positions.*only 5"):
        model.crop_block_size(9)


def test_optimizer_decays_matrices_alone() -> None:
    optimizer = make("tiny").configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    groups = [(g["weight_decay"], g["params"]) for g in optimizer.param_groups]
    counts = [(decay, len(params), sum(p.numel() for p in params)) for decay, params in groups]
    assert counts == [(0.1, 10, 1688), (0.0, 18, 224)]


def test_mfu_by_hand() -> None:
    model = make("tiny")
    per_token = 6 * model.get_num_params() + 12 * 2 * 8 * 8
    assert model.estimate_mfu(5, 0.5) == pytest.approx(per_token * 8 * 5 / 0.5 / 312e12)


def test_heads_must_share_the_width() -> None:
    with pytest.raises(AssertionError, match=r"n_embd=10.*n_head=3"):
        GPT(GPTConfig(8, 11, 1, 3, 10))


def test_logits_of_transformers_gpt2(tmp_path) -> None:
    transformers = pytest.importorskip("transformers")
    sizes = transformers.GPT2Config(vocab_size=101, n_positions=32, n_embd=24, n_layer=3, n_head=4)
    torch.manual_seed(0)
    theirs = transformers.GPT2LMHeadModel(sizes).eval()
    with torch.no_grad():
        for p in theirs.parameters():
            p.add_(0.1 * torch.randn_like(p))
    theirs.save_pretrained(tmp_path)
    ours = GPT.from_pretrained(tmp_path, {"dropout": 0.1}).eval()
    assert ours.config == GPTConfig(32, 101, 3, 4, 24, dropout=0.1, bias=True)
    idx = torch.randint(101, (2, 32))
    with torch.no_grad():
        expected = theirs(idx).logits
        assert (ours(idx, idx)[0] - expected).abs().max() > 1e-5  # the exact GELU differs from GPT-2's
        for block in ours.transformer.h:
            block.mlp.gelu = torch.nn.GELU(approximate="tanh")
        torch.testing.assert_close(ours(idx, idx)[0], expected, rtol=0, atol=1e-5)
        loss = F.cross_entropy(expected.view(-1, 101), idx.view(-1))
        assert ours(idx, idx)[1].item() == pytest.approx(loss.item())


def test_missing_weights_are_a_clear_error(tmp_path) -> None:
    pytest.importorskip("safetensors")
    with pytest.raises(FileNotFoundError, match=r"expected config\.json and model\.safetensors"):
        GPT.from_pretrained(tmp_path / "gpt2")
    with pytest.raises(AssertionError, match="only dropout"):
        GPT.from_pretrained(tmp_path, {"n_layer": 2})


def tokens(text: str) -> list[str]:
    """The words of the code, without comments and line ends."""
    skipped = ("COMMENT", "NL", "NEWLINE", "INDENT", "DEDENT", "ENDMARKER")
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if tokenize.tok_name[token.type] not in skipped:
                found.append(token.string)
    except tokenize.TokenError:  # a fragment may leave a bracket open
        pass
    return found


PAIRS = [(dotted, fragment) for dotted, fragments in QUOTATIONS.items() for fragment in fragments]


@pytest.mark.parametrize(("dotted", "fragment"), PAIRS)
def test_fragments_that_are_quoted_occur_once(dotted: str, fragment: str) -> None:
    text = inspect.getsource(source)
    body: list[ast.stmt] = ast.parse(text).body
    for name in dotted.split("."):
        node = next(n for n in body if getattr(n, "name", None) == name)
        body = node.body
    whole, part = tokens(ast.get_source_segment(text, node)), tokens(fragment)
    assert part
    places = [i for i in range(len(whole)) if whole[i : i + len(part)] == part]
    assert len(places) == 1
