"""Products in bfloat16 that cost about as much as in float32 on every device.

A processor without instructions for bfloat16 multiplies it up to sixty times slower than float32. There the factors
are widened to float32, which keeps their values, and the product is rounded to bfloat16: what native hardware
computes, but for the order of summation.
"""

import functools
import os

import torch

VARIABLE = "NANOCHAT_BFLOAT16"  # forces the way: native, or float32
INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")  # a CPU with one of these multiplies bfloat16
WITH_INSTRUCTIONS = ("BF16", "FP16", "AMX", "AVX10", "ALL", "DEFAULT")  # limits of oneDNN that allow their use


def multiplies_bfloat16(device):
    """Whether bfloat16 is multiplied natively on ``device`` (a torch.device, or its name): what it reports itself.

    The environment variable NANOCHAT_BFLOAT16 forces the answer: ``native``, ``float32``, or ``auto``.
    """
    forced = os.environ.get(VARIABLE, "auto")
    if forced not in ("auto", "native", "float32"):
        raise ValueError(f"{VARIABLE}={forced!r}: it is auto, native or float32")
    if forced != "auto":
        return forced == "native"
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind != "cpu" or cpu_multiplies_bfloat16()


@functools.cache  # asked at every product, and a processor stays the same
def cpu_multiplies_bfloat16():
    """Whether this CPU has instructions for it and may use them: PyTorch and oneDNN can be told to do without.

    So ``ATEN_CPU_CAPABILITY=avx2`` or ``ONEDNN_MAX_CPU_ISA=AVX2`` tries what an older processor would do.
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "")) or "ALL"
    if not any(name in limit.upper() for name in WITH_INSTRUCTIONS):
        return False
    if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in INSTRUCTIONS)


def matmul(A, B):
    """A (..., m, k) @ B (..., k, n), in bfloat16 by the way that is fast on their device."""
    if A.dtype != torch.bfloat16 or multiplies_bfloat16(A.device):
        return A @ B
    return (A.float() @ B.float()).bfloat16()
