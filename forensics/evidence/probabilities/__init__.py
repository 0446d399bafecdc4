"""Evidence from token probabilities."""
