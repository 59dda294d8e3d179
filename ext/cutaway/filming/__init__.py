"""From a Manim scene to the files of a clip. What imports Manim runs in a process of its own."""
