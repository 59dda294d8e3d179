"""Addresses that last: the registry, the page behind each ``/s/<id>/``, the button with its snippets."""
