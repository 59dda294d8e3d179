"""Asks before a command runs that deletes or overwrites checkpoints, data or records."""

import sys

try:
    from fieldguide.skills import hooking
except ImportError:
    print(f"fieldguide is not installed in {sys.executable}: pip install ./model_src", file=sys.stderr)
    sys.exit(0)

if hooking.is_on():
    reason = hooking.destroys(hooking.read_event().command)
    if reason:
        hooking.answer("PreToolUse", permissionDecision="ask", permissionDecisionReason=reason)
