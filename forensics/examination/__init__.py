"""Everything obtained of a subject: answers, token counts, token probabilities."""
