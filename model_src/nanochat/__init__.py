"""nanochat in our own words: from raw text to a model that one can chat with.

``gpt`` is the place to start, ``engine`` lets it write; ``dataset``, ``tokenizer`` and ``dataloader`` feed it.
"""
