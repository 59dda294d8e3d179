"""Says at the start of a session what is here: Python, GPU, the last trainings, and the commands that help."""

import sys

try:
    from fieldguide.skills import hooking
except ImportError:
    print(f"fieldguide is not installed in {sys.executable}: pip install ./model_src", file=sys.stderr)
    sys.exit(0)

if hooking.is_on():
    event = hooking.read_event()
    hooking.answer("SessionStart", additionalContext=hooking.surroundings(event.folder))
