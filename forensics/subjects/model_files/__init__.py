"""A local model's files: where they are, whether they may be loaded, and loading them."""
