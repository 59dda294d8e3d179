"""Two typefaces for machines without them; see README.md there."""
