"""The records of a comparison: what one kind of evidence found, and the whole case."""
