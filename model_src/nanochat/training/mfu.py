"""Model FLOPs utilisation: how much of what the device can multiply serves the training (PaLM paper, appendix B)."""

import time

import torch


def mfu(flops_per_token: float, tokens_per_s: float, peak: float) -> float:
    """The share of ``peak``, floating-point operations a second of all devices together."""
    return flops_per_token * tokens_per_s / peak


def measure_peak(device: str, dtype: torch.dtype, size: int = 1024, seconds: float = 0.3) -> float:
    """The most operations a second that a product of two square matrices reaches here: 2 size^3 in each.

    Better to compare with than a data sheet where there is none, as for some cores of a shared machine.
    """
    a = torch.rand(size, size, device=device).to(dtype)
    best, spent = float("inf"), 0.0
    while spent < seconds:
        took = time_product(a)
        best, spent = min(best, took), spent + took
    return 2 * size**3 / best


def time_product(a: torch.Tensor) -> float:
    """Seconds that ``a @ a`` takes, to its end."""
    started = time.perf_counter()
    product = a @ a
    product[0, 0].item()  # a GPU answers when it is done
    return time.perf_counter() - started
