"""How well change against a model's own past names whose answers it learned.

`steps` writes the tables of steps in `tables/` from the tables of models, `measure` judges them,
`page` writes `reports/SHIFT.md`.
"""
