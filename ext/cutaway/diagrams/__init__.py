"""The directive ``diagram``: from an executed call to a drawing in text."""
