"""Two typefaces, for machines that have them not; see README.md there."""
