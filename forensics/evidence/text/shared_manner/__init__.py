"""Shared manner: of what a model shares with itself, how much do two models share?

Asked several times, a model is only so much like itself. Similarity corrected for attenuation
(Spearman 1904, The Proof and Measurement of Association between Two Things, American Journal of
Psychology 15) divides what two models share by the geometric mean of what each shares with itself:
1 is one model. What unrelated models share is subtracted before, so that it is 0: `attenuation` has
the arithmetic, `repeated` what is compared, `centring` the models that are subtracted,
`equivalence` the test of one model.
"""
