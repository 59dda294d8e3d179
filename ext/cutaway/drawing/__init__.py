"""From an executed function to a drawing in text: its data flow, the layout, the characters, the words."""
