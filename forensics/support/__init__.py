"""What every package may use: files, cache, plugins, sanitising, clock, numbers."""
