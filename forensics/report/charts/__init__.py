"""Charts as SVG that survives a content security policy."""
