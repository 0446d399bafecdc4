"""How the published pages and shipped files are made; outside the package."""
