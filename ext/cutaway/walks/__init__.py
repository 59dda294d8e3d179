"""Walks: a pass as blocks in space, laid out from what the run recorded."""
