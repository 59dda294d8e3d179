"""What stands within sentences: facts, formulae, numbers in words, the way through the steps."""
