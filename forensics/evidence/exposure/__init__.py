"""Exposure: did a model's training depend on which of several equal answers were served?

For a logged prompt there are an answer that was served and another of the same model that never
was. To a model whose training did not depend on which was served the two are exchangeable, whatever
its style, time or base. So no population is needed, and the test is exact.
"""
