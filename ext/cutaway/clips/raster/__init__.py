"""Pictures of a recording: frames by cairo, films, animated pictures."""
