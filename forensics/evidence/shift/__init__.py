"""Shift: what did a model become that its own past was not, and towards whom?

Raw similarity to a candidate teacher measures who is everybody's neighbour. The change against a
model's own past R (its instruct base, its previous release) leaves out what both always were:
`manner_change` has the arithmetic where models were asked several times, and `shift_evidence` what
a case records of it.
"""
