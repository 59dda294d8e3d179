"""Links that never die: permanent addresses, their pages, and what one copies to link to them."""
