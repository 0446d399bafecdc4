"""The likelihood ratio for prompts that no cohort answered."""
