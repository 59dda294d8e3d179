"""Record a run of unmodified source. What imports or executes it runs in a child process."""
