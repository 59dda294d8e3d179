"""What is drawn: in the place of this file each picture gets one with its numbers, so that they decide its key."""

from typing import Any

GIVEN: dict[str, Any] = {}
