"""Evidence from weight files."""
