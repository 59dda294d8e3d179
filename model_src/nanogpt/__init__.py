"""nanoGPT, in our own words: the source that the book explains. ``model`` is the place to start."""
