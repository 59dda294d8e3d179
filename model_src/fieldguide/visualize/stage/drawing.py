"""What is drawn: this file stands for the one that is written for each picture, so that a clip's key has its numbers."""

from typing import Any

GIVEN: dict[str, Any] = {}
