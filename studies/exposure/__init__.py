"""What the exposure test finds in students whose served answers are known, and in none."""
