"""Runs `fieldguide check` before a training, and holds the training back where it could not run."""

import sys

try:
    from fieldguide.skills import hooking
except ImportError:
    print(f"fieldguide is not installed in {sys.executable}: pip install ./model_src", file=sys.stderr)
    sys.exit(0)

if hooking.is_on():
    event = hooking.read_event()
    options = hooking.check_options(event.command)
    if options is not None:
        done = hooking.fieldguide(["check", *options], event.folder, seconds=110)
        if done.returncode == 1:
            print(done.stdout, file=sys.stderr)
            print("The training was not started. Mend what is an error above. If the check is wrong, ask the user, who "
                  "can set FIELDGUIDE_HOOKS=off.", file=sys.stderr)  # fmt: skip
            sys.exit(2)
        if done.returncode:
            print(done.stderr, file=sys.stderr)  # the check could not be made: that is no reason to stop
