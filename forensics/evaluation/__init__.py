"""Error rates on labelled outputs, and building a cohort from them."""
