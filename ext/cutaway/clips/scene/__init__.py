"""What happens in Manim's process: a scene is run and its objects are sampled."""
