"""Read what ran: a run's trace, the names of its values, their shapes."""
