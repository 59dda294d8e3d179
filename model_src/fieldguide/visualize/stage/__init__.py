"""The five scenes that show a reader's own files. Manim and cutaway run them, in a process of their own.

They find what they draw in ``drawing.py`` beside them: the folder is copied, and the copy gets that file anew.
"""
