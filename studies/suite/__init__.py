"""Which prompts of a suite tell models apart."""
