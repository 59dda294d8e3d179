"""Proving a drawing by intervention: what one box gives is changed, and other boxes must feel it where arrows lead.

The oracle knows nothing of names or tapes. :mod:`.changing` runs a call again with another value at one place,
:mod:`.proving` compares what the boxes then give with the arrows, :mod:`.child` does both in a process of its own.
"""
