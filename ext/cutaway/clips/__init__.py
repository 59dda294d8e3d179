"""The directive ``clip``: from a Manim scene to a recording that the page plays."""
