"""The five scenes that show a reader's own files. Manim and cutaway run them, in a process of their own.

They find what they draw as JSON in ``drawing.json`` beside them: the folder is copied to where the file is written.
"""
