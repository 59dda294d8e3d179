"""Read a run's trace: its values, their names and shapes."""
