"""Roles within sentences: facts, and numbers in words."""
