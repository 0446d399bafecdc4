"""Panels: the models of a cohort to come, how they are asked, and what becomes of their answers."""
