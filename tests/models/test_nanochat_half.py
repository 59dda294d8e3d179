"""Products in bfloat16: the same as torch's own but for the order of summation, and which way is taken."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanochat.training import half

SOURCE = Path(__file__).parents[2] / "model_src"
SIZES = st.integers(1, 40)


def factors(m: int, k: int, n: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    A, B = torch.randn(2, m, k, generator=chance), torch.randn(2, k, n, generator=chance)
    return A.bfloat16(), B.bfloat16()


@pytest.fixture
def rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(half.VARIABLE, "float32")


@given(SIZES, SIZES, SIZES, st.integers(0, 1000))
def test_the_rounded_product_is_the_exact_one_rounded_once(m: int, k: int, n: int, seed: int) -> None:
    A, B = factors(m, k, n, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(half.VARIABLE, "float32")
        found = half.matmul(A, B)
    exact = A.double() @ B.double()
    step = 2.0**-8 * exact.abs() + 1e-5 * (A.double().abs() @ B.double().abs())  # half a place, and float32's own sums
    assert found.dtype == torch.bfloat16
    assert ((found.double() - exact).abs() <= step).all()


@given(SIZES, SIZES, SIZES, st.integers(0, 1000))
def test_torchs_own_product_is_as_near(m: int, k: int, n: int, seed: int) -> None:
    A, B = factors(m, k, n, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(half.VARIABLE, "float32")
        found = half.matmul(A, B)
        patch.setenv(half.VARIABLE, "native")
        native = half.matmul(A, B)
    # Sums whose order differs may round to two neighbours: one place in the last of bfloat16's eight digits.
    place = 2.0**-7 * native.float().abs() + 1e-5 * (A.float().abs() @ B.float().abs())
    assert ((found.float() - native.float()).abs() <= place).all()


def test_float32_is_multiplied_as_it_is(rounded: None) -> None:
    A, B = torch.randn(3, 5), torch.randn(5, 2)
    assert torch.equal(half.matmul(A, B), A @ B)


def test_a_wrong_way_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(half.VARIABLE, "fast")
    with pytest.raises(ValueError, match="NANOCHAT_BFLOAT16='fast': it is auto, native or float32"):
        half.multiplies_bfloat16("cpu")


@pytest.mark.parametrize(
    ("forced", "answer"), [("native", True), ("float32", False)], ids=["native", "float32"]
)
def test_the_way_can_be_forced(forced: str, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(half.VARIABLE, forced)
    assert half.multiplies_bfloat16("cpu") is answer


def asked(**variables: str) -> str:
    """What a process with these environment variables says of its CPU."""
    kept = {name: value for name, value in os.environ.items() if name not in LIMITS}
    env = {**kept, "PYTHONPATH": str(SOURCE), **variables}
    code = "from nanochat.training.half import multiplies_bfloat16 as f; print(f('cpu'))"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", half.VARIABLE)


@pytest.mark.parametrize(
    "limit",
    [{"ATEN_CPU_CAPABILITY": "default"}, {"ATEN_CPU_CAPABILITY": "avx2"}, {"ONEDNN_MAX_CPU_ISA": "AVX2"}],
    ids=["default", "avx2", "onednn"],
)
def test_an_older_processor_can_be_tried(limit: dict[str, str]) -> None:
    assert asked(**limit) == "False"


def test_what_has_the_instructions_uses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor of another kind, by what it would report."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    for found in ({"avx512_bf16": True}, {"avx512_bf16": False, "amx_bf16": True}, {}):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        half.cpu_multiplies_bfloat16.cache_clear()
        assert half.cpu_multiplies_bfloat16() is bool(found)
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
        half.cpu_multiplies_bfloat16.cache_clear()
        assert half.cpu_multiplies_bfloat16() is False
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    half.cpu_multiplies_bfloat16.cache_clear()


TRAINING = """
import hashlib, torch
from nanochat.gpt import GPT, GPTConfig
torch.set_num_threads(1)
torch.manual_seed(1)
model = GPT(GPTConfig(sequence_len=64, vocab_size=128, n_layer=2, n_head=2, n_kv_head=2, n_embd=64))
optimizer = model.setup_optimizer()
for _ in range(5):
    rows = torch.randint(128, (8, 65))
    model(rows[:, :-1], rows[:, 1:]).backward()
    optimizer.step()
    optimizer.zero_grad()
print(hashlib.sha256(b"".join(p.detach().numpy().tobytes() for p in model.parameters())).hexdigest())
"""


@pytest.mark.slow
def test_another_processors_arithmetic_can_be_had_here() -> None:
    """The bits of a short training: the same twice, others with the vector instructions of older processors."""
    env = {**os.environ, "PYTHONPATH": str(SOURCE)}
    ways = ({}, {}, {"ATEN_CPU_CAPABILITY": "default"}, {"MKL_CBWR": "COMPATIBLE"})
    command = [sys.executable, "-c", TRAINING]
    bits = [subprocess.run(command, env=env | way, capture_output=True, check=True).stdout for way in ways]
    assert bits[0] == bits[1]
    assert len(set(bits)) == 3
