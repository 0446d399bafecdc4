"""Reports of a policy check."""
