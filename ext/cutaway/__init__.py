"""Cutaway: a Sphinx book whose listings, diagrams, clips and numbers are drawn from a recorded run of its code."""
__version__ = "0.1.0"
