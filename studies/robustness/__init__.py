"""How scores hold when answers are edited."""
