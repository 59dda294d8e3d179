"""Find and quote code: an object by its dotted path, a place in it by its tokens. Reads, and never runs anything."""
