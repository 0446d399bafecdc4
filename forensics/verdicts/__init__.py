"""Two examined subjects in, a case out: comparison, verdict, readings by tier."""
