"""Pictures that a link shows elsewhere: a card and a badge for each address, an animated picture for each clip."""
