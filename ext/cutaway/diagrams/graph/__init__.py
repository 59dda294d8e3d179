"""From the statements of a call to boxes and arrows: what flows into what."""
