"""The table of known tokenizers."""
