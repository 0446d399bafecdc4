"""What every package may use: files, cache, parallel work, plugins, sanitising, clock, numbers."""
