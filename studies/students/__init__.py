"""Students of known teachers: a small model tuned on one's answers, and asked other prompts."""
