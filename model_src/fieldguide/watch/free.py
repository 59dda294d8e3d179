"""The memory that is free: the machine's, the container's, the GPUs'. PyTorch, which takes some, is not asked."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

QUERY = ("--query-gpu=index,memory.free,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Memory:
    """Of one device, in bytes."""

    name: str
    free: int
    total: int

    @property
    def short(self) -> str:
        """For the line."""
        return f"{self.name} {self.free / 2**30:.1f} GiB free"


def look() -> list[Memory]:
    """The machine first, then its GPUs."""
    return [*machine(), *gpus()]


def machine(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> list[Memory]:
    """What Linux says is available, or less where a container may not have it all."""
    try:
        pairs = [line.split()[:2] for line in meminfo.read_text(encoding="ascii").splitlines() if line]
        known = {name.rstrip(":"): int(value) * 1024 for name, value in pairs}
        free, total = known["MemAvailable"], known["MemTotal"]
    except (OSError, ValueError, KeyError):
        return []
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        free, total = min(free, max(0, limit - used)), min(total, limit)
    except (OSError, ValueError):
        pass  # no limit
    return [Memory("memory", free, total)]


def gpus() -> list[Memory]:
    """What nvidia-smi says, where it is installed."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    try:
        ran = subprocess.run([tool, *QUERY], capture_output=True, text=True, timeout=10, check=True)
        rows = [[int(cell) for cell in line.split(",")] for line in ran.stdout.splitlines() if line.strip()]
        return [Memory(f"GPU {index}", free << 20, total << 20) for index, free, total in rows]
    except (OSError, ValueError, subprocess.SubprocessError):
        return []
