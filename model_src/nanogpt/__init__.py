"""nanoGPT in our own words: the source that the book explains. ``model`` is the place to start.

Then ``sort`` (the smallest task), ``data``, ``train`` and ``sample``. Names, state dicts, checkpoints and
command lines are nanoGPT's, so that files can be exchanged with it either way.
"""
