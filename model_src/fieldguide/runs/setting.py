"""What a training ran on: its code as one digest, the machine, the versions of what it used."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from fieldguide.report import UsageProblem

PACKAGES = ("torch", "numpy", "tiktoken", "rustbpe", "pyarrow", "safetensors", "cutaway-models")
PASSED = {"__pycache__", "node_modules", "site-packages"}  # folders that are not one's own code
MOST = 5000  # files


def digest(folder: Path) -> dict[str, Any]:
    """SHA-256 over names and contents of all Python files of a folder, or of one file."""
    if folder.is_file():
        paths, base = [folder], folder.parent
    elif folder.is_dir():
        paths, base = sources(folder), folder
    else:
        raise UsageProblem(f"--code {folder}: nothing is there; name the folder of the training's code")
    if len(paths) > MOST:
        raise UsageProblem(f"--code {folder}: more than {MOST:,} Python files; name the folder of the training's code")
    total = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        total.update(f"{path.relative_to(base).as_posix()}\0{len(content)}\0".encode())
        total.update(content)
    return {"digest": total.hexdigest(), "files": len(paths), "folder": str(folder)}


def sources(folder: Path) -> list[Path]:
    """Its Python files in a fixed order; hidden folders, links to folders and packages of others are left out."""
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in PASSED and not name.startswith("."))
        found += [Path(where, name) for name in sorted(names) if name.endswith(".py") and Path(where, name).is_file()]
        if len(found) > MOST:
            break
    return found


def machine() -> dict[str, Any]:
    """Its name, system, processor, memory, GPUs."""
    found: dict[str, Any] = {
        "name": platform.node(), "system": platform.platform(), "processor": processor(), "cores": os.cpu_count(),
    }  # fmt: skip
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    return {**found, "gpus": gpu_names()}


def processor() -> str:
    """Its name, where the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def gpu_names() -> list[str]:
    """What nvidia-smi calls them."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return []
    try:
        ran = subprocess.run([tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True,
                             timeout=10, check=True)  # fmt: skip
        return ran.stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return []


def versions() -> dict[str, str]:
    """Of Python and of what trainings use, as far as it is installed."""
    found = {"python": platform.python_version(), "implementation": sys.implementation.name}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
