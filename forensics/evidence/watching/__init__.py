"""Watching an endpoint: bets on whether new draws are those of a stored reference."""
