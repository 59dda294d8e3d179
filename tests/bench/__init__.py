"""What the tool costs beside the tools that one would use without it: ``nox -s bench``. Ratios, never bare seconds."""
