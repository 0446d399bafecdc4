"""The terms of a report, each in one plain sentence: shown on hover and at the end of the page."""

from __future__ import annotations

from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    "calibration": (
        "Turning a score into a likelihood ratio, using the scores of pairs whose relation "
        "is known."
    ),
    "Cllr": (
        "What a set of likelihood ratios costs whoever relies on them: 0 is perfect, and 1 is no "
        "better than always answering 1."
    ),
    "close relatives": (
        "One model, or two of which one is a fine-tune, merge or quantisation of the other or of "
        "the same instruction-tuned parent."
    ),
    "cohort": (
        "Many models of known origin that answered the same prompts; they show how similar "
        "unrelated models are."
    ),
    "copy tripwire": (
        "A control that counts identical long answers: many of them point to one model, a cache or "
        "a proxy rather than to kinship."
    ),
    "e-value": (
        "A measure of evidence against chance: by chance alone, a value of 20 or more comes up at "
        "most once in 20 times."
    ),
    "error rate": (
        "How often unrelated models reach a score as high as this one; lineages are counted, not "
        "pairs, because variants of one model are not independent cases."
    ),
    "exhibit": "A pair of answers shown to a reader; it illustrates a score and carries no weight.",
    "interval": (
        "The range in which a figure stays in 95 of 100 repetitions with other prompts of the same "
        "kind."
    ),
    "known model": "The model that the questioned one is compared with; called A.",
    "likelihood ratio": (
        "How many times as probable the measurement is if the two models are related as it is if "
        "they are not. It is not the probability that they are related."
    ),
    "lineage cluster": "Models that descend from one another; they count as one independent case.",
    "log10": "The number of zeros of a ratio: 2 stands for 100, -1 for 1/10.",
    "noise floor": (
        "How similar one model is to itself: asked the same prompt again or, where it was asked "
        "only once, on other prompts."
    ),
    "p-value": "How often chance alone would give a result at least as extreme.",
    "questioned model": "The model whose origin is asked about; called B.",
    "screening": (
        "A comparison that no population of known models covers: similarity is measured, and no "
        "likelihood ratio is given."
    ),
    "shared manner": (
        "What the answers of two models have in common, as a share of what each has in common "
        "with its own answers when asked again: 0 % is as similar as unrelated models, 100 % is "
        "one model."
    ),
    "tier": "A kind of access: text, token probabilities, tokenizer, weights.",
}
