"""Evidence from tokenizers: their files, and counts of tokens."""
