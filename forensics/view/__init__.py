"""A folder of results as pages: a server on this machine only, or a static site."""
