"""The system packages that pip cannot bring: found, installed where we may, asked for where we may not.

    python bootstrap.py [--tests]

`apt.txt` lists them under their Debian names. Each has a probe here, so nothing is asked for that is already
there under another name, and the names that other systems give it. Needs only Python's own library:
noxfile.py runs this before anything is installed.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

APT = Path(__file__).with_name("apt.txt")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def has_program(*names: str) -> Callable[[], bool]:
    return lambda: any(shutil.which(name) for name in names)


def has_library(name: str) -> Callable[[], bool]:
    return lambda: bool(shutil.which("pkg-config")) and runs("pkg-config", "--exists", name)


def has_font(family: str) -> Callable[[], bool]:
    return lambda: bool(shutil.which("fc-list")) and bool(output("fc-list", family))


def has_python_headers() -> bool:
    return Path(sysconfig.get_path("include"), "Python.h").is_file()


class Package(NamedTuple):
    """A line of apt.txt: how to see that it is there, and what others call it ("": another brings it)."""

    is_there: Callable[[], bool]
    dnf: str
    pacman: str
    brew: str


PACKAGES = {
    "build-essential": Package(has_program("cc", "gcc", "clang"), "gcc", "base-devel", ""),
    "pkg-config": Package(has_program("pkg-config"), "pkgconf-pkg-config", "pkgconf", "pkgconf"),
    "libcairo2-dev": Package(has_library("cairo"), "cairo-devel", "cairo", "cairo"),
    "libpango1.0-dev": Package(has_library("pangocairo"), "pango-devel", "pango", "pango"),
    "python3-dev": Package(has_python_headers, "python3-devel", "python", "python"),
    "fontconfig": Package(has_program("fc-list"), "fontconfig", "fontconfig", "fontconfig"),
    "fonts-inter": Package(has_font("Inter"), "rsms-inter-fonts", "inter-font", "font-inter"),
    "fonts-jetbrains-mono": Package(
        has_font("JetBrains Mono"), "jetbrains-mono-fonts", "ttf-jetbrains-mono", "font-jetbrains-mono"
    ),
    "chromium": Package(has_program(*BROWSERS), "chromium", "chromium", "chromium"),
}
INSTALLERS = {"dnf": "sudo dnf install -y", "pacman": "sudo pacman -S --needed", "brew": "brew install"}


def listed(apt: str, tests: bool) -> list[str]:
    """The package names of an apt.txt; those marked "# tests:" only where the tests are to run."""
    lines = [line.partition("#") for line in apt.splitlines()]
    return [
        name.strip()
        for name, _, comment in lines
        if name.strip() and (tests or not comment.strip().startswith("tests:"))
    ]


def advice(missing: Sequence[str]) -> str:
    """What to type, on each system that we know, to get the `missing` packages."""
    rows = [f"  apt:     sudo apt-get install -y {' '.join(missing)}"]
    for manager, command in INSTALLERS.items():
        names = [getattr(PACKAGES[name], manager) for name in missing]
        rows.append(f"  {manager + ':':8} {command} {' '.join(filter(None, names))}")
    return "\n".join(rows)


def privilege() -> list[str] | None:
    """What to put before a command that must run as root: nothing, `sudo -n`, or None where we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and runs("sudo", "-n", "true"):
        return ["sudo", "-n"]
    return None


def install(missing: Sequence[str]) -> bool:
    """Install Debian packages; False where this is no Debian, or we may not, or apt fails."""
    prefix = privilege()
    if prefix is None or not shutil.which("apt-get"):
        return False
    print("Installing system packages:", *missing, flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qy"]
    subprocess.run([*apt, "update"], check=False)  # a stale list may still do
    done = subprocess.run([*apt, "install", "--no-install-recommends", *missing], check=False)
    return done.returncode == 0


def runs(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def main(arguments: Sequence[str]) -> int:
    names = listed(APT.read_text("utf-8"), tests="--tests" in arguments)
    missing = [name for name in names if not PACKAGES[name].is_there()]
    if missing and not install(missing):
        print("Missing system packages:", *missing)
        print(f"Install them, then try again:\n{advice(missing)}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
