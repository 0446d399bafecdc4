"""Published ways to compare two models' answers, to measure ours against on the same pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import Floats, Similarities

_ALLELE_CHARS = 4
_OPENING_WORDS = 2
Baseline = Callable[[Outputs, Similarities], Floats]


def raw_cosine(outputs: Outputs, similarities: Similarities) -> Floats:
    """Return mean cosines of character 4-grams, nothing subtracted: shape (models, models)."""
    both = similarities.answered[:, :, None] & similarities.answered[:, None, :]
    sums = (similarities.cosines * both).sum(axis=0, dtype=np.float64)
    means: Floats = sums / np.maximum(both.sum(axis=0), 1)
    return means


def opening_alleles(outputs: Outputs, similarities: Similarities) -> Floats:
    """Return on what share of prompts two models begin with the same two words."""
    return shared_alleles(outputs, lambda text: " ".join(text[:200].split()[:_OPENING_WORDS]))


def first_characters(outputs: Outputs, similarities: Similarities) -> Floats:
    """Return the similarity of the first four characters of answers.

    That is what PhyloLM does with first tokens (Yax, Oudeyer & Palminteri 2024, PhyloLM: Inferring
    the Phylogeny of Large Language Models, section 3), where a tokenizer all models share is
    wanting.
    """
    return shared_alleles(outputs, lambda text: text.lstrip()[:_ALLELE_CHARS])


BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "raw character 4-gram cosine": raw_cosine,
        "opening alleles (first two words)": opening_alleles,
        "first four characters, as PhyloLM": first_characters,
    }
)


def shared_alleles(outputs: Outputs, allele: Callable[[str], str]) -> Floats:
    """Return Nei's genetic similarity of models: shape (models, models), 0 where none is known.

    Prompts are genes, an answer's beginning the allele (Nei 1972, Genetic Distance between
    Populations, American Naturalist 106): Σ p·q / √(Σ p² · Σ q²) over the prompts both answered.
    With one answer a prompt it is the share of prompts with the same beginning.
    """
    size = len(outputs.models)
    shared, own = np.zeros((size, size)), np.zeros((size, size))
    for row in outputs.texts:
        frequencies = _frequencies([[allele(text) for text in samples] for samples in row])
        products = frequencies @ frequencies.T
        answered = np.array([bool(samples) for samples in row])
        shared += products
        own += np.outer(np.diag(products), answered)
    found: Floats = shared / np.maximum(np.sqrt(own * own.T), 1e-9)
    return found


def _frequencies(alleles: list[list[str]]) -> NDArray[np.float64]:
    places = {one: i for i, one in enumerate(sorted({a for own in alleles for a in own}))}
    found = np.zeros((len(alleles), max(len(places), 1)))
    for model, own in enumerate(alleles):
        for one in own:
            found[model, places[one]] += 1 / len(own)
    return found
