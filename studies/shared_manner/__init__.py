"""Shared manner on models of known lineage: unrelated pairs, foils, ways of asking."""
