"""How often a watch of an endpoint is wrong, and how soon it sees another model."""
