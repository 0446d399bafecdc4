"""The shipped cohorts, from tables of outputs."""
