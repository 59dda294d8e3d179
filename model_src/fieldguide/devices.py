"""What GPUs have and can do: one table, with its date and its sources. A GPU that is not in it is asked about.

Figures are dense, without sparsity, which vendors' sheets often double. ``tflops`` counts bfloat16 products; where a
GPU has no instructions for that it is None, and ``note`` says what there is. Memory is as it is sold; NVIDIA's tools
show about as many GiB, less half a percent.
"""

import argparse
import difflib
from dataclasses import dataclass
from typing import Any

from fieldguide.report import Finding, Report, Table, UsageProblem

DATE = "2026-11"
SOURCES = (
    "nanochat's table of peak FLOPS (nanochat/common.py at 92d63d4, 2026-07-03) for bfloat16; NVIDIA's and AMD's data "
    "sheets for memory and bandwidth; rows marked 'unverified' are from general knowledge"
)


@dataclass(frozen=True)
class Device:
    """One GPU as it is sold; ``bandwidth`` is in TB/s."""

    name: str
    memory_gb: float | None
    tflops: float | None
    bandwidth: float | None = None
    note: str = ""


DEVICES = (
    Device("V100-16GB", 16, None, 0.9, "no bfloat16; float16 125, unverified"),
    Device("V100-32GB", 32, None, 0.9, "no bfloat16; float16 125, unverified"),
    Device("T4", 16, None, 0.3, "no bfloat16; float16 65, unverified"),
    Device("A100-40GB", 40, 312, 1.6),
    Device("A100-80GB", 80, 312, 2.0),
    Device("A800", 80, 312, 2.0),
    Device("A30", 24, 165, 0.933),
    Device("A40", 48, 149.7, 0.696),
    Device("L4", 24, 121, 0.3),
    Device("L40S", 48, 362, 0.864),
    Device("RTX-3090", 24, 71, 0.936),
    Device("RTX-4090", 24, 165.2, 1.01),
    Device("RTX-5090", 32, 209.5, 1.79),
    Device("H100-SXM", 80, 989, 3.35),
    Device("H100-PCIe", 80, 756, 2.0),
    Device("H100-NVL", 94, 835, 3.9),
    Device("H200", 141, 989, 4.8),
    Device("H200-NVL", 141, 836, 4.8),
    Device("B100", 192, 1800, 8.0),
    Device("B200", 180, 2250, 8.0, "sold with 180 to 192 GB"),
    Device("GB200", 192, 2500, 8.0, "memory unverified"),
    Device("MI250", 128, 362.1, 3.28),
    Device("MI250X", 128, 383, 3.28),
    Device("MI300A", 128, 980.6, 5.3),
    Device("MI300X", 192, 1307.4, 5.3),
    Device("MI325X", 256, 1307.4, 6.0, "memory unverified"),
    Device("MI355X", 288, 2500, 8.0, "memory unverified"),
)


def add_device_arguments(parser: argparse.ArgumentParser) -> None:
    """Options that say which GPU."""
    group = parser.add_argument_group("the device", f"figures of known GPUs as of {DATE}; for others, say them")
    group.add_argument("--gpu", metavar="NAME", help="a GPU that need not be here; --gpu list shows those known")
    group.add_argument("--memory-gb", type=float, metavar="X", help="memory of a GPU that is not listed, in GiB")
    group.add_argument("--tflops", type=float, metavar="X", help="its dense bfloat16 operations, in 1e12 a second")


def letters(name: str) -> str:
    """What counts in a name: 'NVIDIA A100-SXM4-80GB' and 'a100 80gb' begin alike."""
    return "".join(c for c in name.lower() if c.isalnum())


def find(name: str) -> Device:
    """The GPU of that name; UsageProblem names those that are meant by it, or near."""
    wanted = letters(name)
    exact = [each for each in DEVICES if letters(each.name) == wanted]
    begin = exact or [each for each in DEVICES if wanted and letters(each.name).startswith(wanted)]
    begin = begin or [each for each in DEVICES if wanted and wanted in letters(each.name)]
    if len(begin) == 1:
        return begin[0]
    if begin:
        raise UsageProblem(f"--gpu {name}: which one? {', '.join(each.name for each in begin)}")
    by_letters = {letters(each.name): each.name for each in DEVICES}
    near = [by_letters[each] for each in difflib.get_close_matches(wanted, by_letters, n=3)]
    hint = f", did you mean {' or '.join(near)}?" if near else "."
    raise UsageProblem(
        f"--gpu {name}: no GPU of that name in the table of {DATE}{hint} Say its figures: --memory-gb, and --tflops "
        "where time is asked for. --gpu list shows the table"
    )


def asked(options: argparse.Namespace) -> Device | None:
    """The GPU that the options describe; None where they don't."""
    for name in ("memory_gb", "tflops"):
        value = getattr(options, name)
        if value is not None and not 0 < value < 1e6:
            raise UsageProblem(f"--{name.replace('_', '-')} {value}: a number above 0 is needed")
    if options.gpu:
        known = find(options.gpu)
        return Device(
            known.name, options.memory_gb or known.memory_gb, options.tflops or known.tflops, known.bandwidth,
            known.note,
        )
    if options.memory_gb or options.tflops:
        return Device("a GPU as described", options.memory_gb, options.tflops)
    return None


def listed() -> Report:
    """The table of GPUs."""
    def told(value: Any) -> str:
        return "-" if value is None else f"{value:g}"

    rows = [(d.name, told(d.memory_gb), told(d.tflops), told(d.bandwidth), d.note) for d in DEVICES]
    heads = ("GPU", "GB", "bf16 TFLOPS", "TB/s", "note")
    return Report(f"GPUs known in {DATE}", [Finding("note", SOURCES)], [Table(heads, rows)])


