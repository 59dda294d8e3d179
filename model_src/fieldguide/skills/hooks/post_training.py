"""Runs `fieldguide notify` after a training: on the desktop, and as a line in trainings.log beside this file."""

import sys
from pathlib import Path

try:
    from fieldguide.skills import hooking
except ImportError:
    print(f"fieldguide is not installed in {sys.executable}: pip install ./model_src", file=sys.stderr)
    sys.exit(0)

if hooking.is_on():
    event = hooking.read_event()
    if hooking.training(event.command) is not None:
        told = ["--result", str(event.code), "--log", str(Path(__file__).resolve().with_name("trainings.log"))]
        log = hooking.log_of(event.command)
        done = hooking.fieldguide(
            ["notify", *told, *(["--loss-from", log] if log else [])], event.folder, seconds=25
        )
        if done.returncode == 2:
            print(done.stderr, file=sys.stderr)
