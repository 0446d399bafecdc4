"""Evidence from the text of answers."""
