"""The directive ``listing``: quoted source with notes, and the pages that show whole files."""
