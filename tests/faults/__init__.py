"""Faults injected for real: what the user sees, that nothing made is lost, that the next build has the right bytes."""
