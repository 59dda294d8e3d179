"""Where to compute and in which number format."""

import contextlib
import shutil
from typing import Any

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# Half the bytes; bfloat16 has float32's range, float16 needs its losses scaled up.
DEFAULT_DTYPE = "bfloat16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "float16"


def usable_device(device: str) -> str:
    """The device, or the CPU where there is no CUDA. 'auto' is the fastest that is here."""
    if device == "auto":
        fastest = "mps" if torch.backends.mps.is_available() else "cpu"
        return "cuda" if torch.cuda.is_available() else fastest
    if device.startswith("cuda") and not torch.cuda.is_available():
        print(f"note: no CUDA here, so device is 'cpu' instead of {device!r}")
        return "cpu"
    return device


def can_compile(device: str) -> bool:
    """Whether torch.compile has what it needs; on a CPU that is a C++ compiler."""
    if device_type(device) == "cuda" or any(map(shutil.which, ("c++", "g++", "clang++"))):
        return True
    print("note: no C++ compiler here, so compile is off")
    return False


def device_type(device: str) -> str:
    """'cuda' or 'cpu'; autocast and the optimizer ask for no more."""
    return "cuda" if "cuda" in device else "cpu"


def autocast(device: str, dtype: str) -> Any:
    """A context in which matrix products run in ``dtype``, on CUDA; elsewhere one that does nothing."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype={dtype!r}: expected one of {', '.join(DTYPES)}")
    if device_type(device) == "cpu":
        return contextlib.nullcontext()
    return torch.autocast(device_type="cuda", dtype=DTYPES[dtype])


def allow_tf32() -> None:
    """Let float32 products of recent GPUs round their factors to 10 bits: several times faster."""
    torch.set_float32_matmul_precision("high")
