"""Who is asked: subjects' specifications, endpoints, backends and model files."""
