"""What a training finds around it: PyTorch and driver, device, number formats, disk, port. Each check only looks."""

import os
import shutil
import socket
from pathlib import Path

import torch

from fieldguide.memory.portions import gib
from fieldguide.report import Finding

DRIVER = Path("/proc/driver/nvidia/version")
CPUINFO = Path("/proc/cpuinfo")
BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")  # x86's two, and ARM's
Findings = list[Finding]


def check_torch(cuda_asked: bool, driver: Path = DRIVER) -> Findings:
    """PyTorch's version, the CUDA that it was built for, and the driver that is there."""
    built = torch.version.cuda or torch.version.hip
    has_driver = driver.is_file()
    said = f"PyTorch {torch.__version__}, built for {'CUDA ' + built if built else 'CPUs alone'}"
    if torch.cuda.is_available():
        return [Finding("good", f"{said}; it sees {torch.cuda.device_count()} GPU(s).", gpus())]
    level = "error" if cuda_asked else "warning" if has_driver else "good"
    if level == "good":
        return [Finding("good", f"{said}; no GPU here.")]
    if has_driver and not built:
        return [Finding(level, f"{said}, but an NVIDIA driver is here.", first_line(driver),
                        "install PyTorch with CUDA, or train on the CPU: --device=cpu")]  # fmt: skip
    if has_driver:
        return [Finding(level, f"{said}, a driver is here, and still no GPU can be used.", first_line(driver),
                        "compare the driver's CUDA (nvidia-smi, upper right) with PyTorch's: it must not be older; "
                        "look at CUDA_VISIBLE_DEVICES")]  # fmt: skip
    return [Finding(level, f"{said}, and no GPU is here.", advice="train where one is, or with --device=cpu")]


def gpus() -> str:
    """One line for each GPU that PyTorch sees."""
    found = []
    for i in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(i)
        capability = ".".join(map(str, torch.cuda.get_device_capability(i)))
        found.append(f"{i}: {torch.cuda.get_device_name(i)}, {gib(free)} free of {gib(total)}, capability {capability}")
    return "\n".join(found)


def first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return ""


def check_processes(processes: int, cuda_asked: bool) -> Findings:
    """Whether there is a device for each process."""
    there = torch.cuda.device_count()
    if processes == 1 or not cuda_asked:
        return []
    if processes > there:
        return [Finding("error", f"{processes} processes want a GPU each, and {there} are here.",
                        advice=f"--nproc_per_node={max(1, there)}, or several machines: --nnodes")]  # fmt: skip
    return [Finding("good", f"{processes} processes, {there} GPUs.")]


def check_dtype(dtype: str, cuda: bool, cpuinfo: Path = CPUINFO) -> Findings:
    """Whether the device multiplies the number format natively."""
    if dtype == "float32":
        return [Finding("good", "float32 works everywhere.")]
    if cuda:
        native = dtype == "float16" or torch.cuda.is_bf16_supported(including_emulation=False)
        if native:
            return [Finding("good", f"The GPU multiplies {dtype}.")]
        return [Finding("error", f"The GPU has no instructions for {dtype}: it would be emulated, and slow.",
                        advice="--dtype=float16 with nanoGPT's loss scaling, or float32")]  # fmt: skip
    if dtype == "float16":
        return [Finding("error", "float16 is not trained with on a CPU.", advice="--dtype=float32")]
    flags = cpu_flags(cpuinfo)
    if flags:
        return [Finding("good", f"The CPU multiplies bfloat16: it has {', '.join(flags)}.")]
    return [Finding("warning", "The CPU has no instructions for bfloat16: products are much slower than float32's.",
                    f"none of {', '.join(BF16_FLAGS)} in {cpuinfo}", "--dtype=float32")]  # fmt: skip


def cpu_flags(cpuinfo: Path) -> list[str]:
    """The instructions for bfloat16 that the processor has."""
    try:
        words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return []
    return [flag for flag in BF16_FLAGS if flag in words]


def check_disk(folder: Path, needed: int, kept: int) -> Findings:
    """Whether the checkpoints fit beside what is there; while one is written, the one before is still there."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        return [Finding("error", f"Checkpoints can't be written to {folder}: {there} is no folder to write to.",
                        advice="name another with --out")]  # fmt: skip
    free = shutil.disk_usage(there).free
    evidence = f"{gib(free)} free at {there}; {kept + 1} times {gib(needed)} (weights and optimizer) would be there"
    if needed * (kept + 1) > free:
        return [Finding("error", "The disk is too small for the checkpoints.", evidence,
                        "make room, keep fewer, or name another folder with --out")]  # fmt: skip
    return [Finding("good", "The disk has room for the checkpoints.", evidence)]


def check_port(port: int) -> Findings:
    """Whether the processes can meet at the port; it is opened and closed again."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return [Finding("error", f"Port {port}, where the processes meet, can't be had: {error.strerror}.",
                            advice="torchrun --standalone picks a free one, or say --master_port; a training that "
                            "was left behind may hold it")]  # fmt: skip
    return [Finding("good", f"Port {port}, where the processes meet, is free.")]


def check_environment(processes: int) -> Findings:
    """Variables that torchrun sets, where they are set and say something else."""
    size = os.environ.get("WORLD_SIZE")
    if size is None or size == str(processes):
        return []
    return [Finding("warning", f"WORLD_SIZE={size} is set, and --processes says {processes}.",
                    advice="unset it, or run this as the training will run")]  # fmt: skip
