"""nanochat in our own words: from raw text to a base model. ``gpt`` is the place to start."""
