"""The format of a recording (docs/recording.md): composed, read, listed. Knows no Manim."""
