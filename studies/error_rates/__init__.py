"""The page of error rates."""
