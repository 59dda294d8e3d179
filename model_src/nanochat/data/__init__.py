"""From documents to rows of tokens: what ``dataset``, ``tokenizer`` and ``dataloader`` are made of."""
