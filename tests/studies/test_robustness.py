"""What is done to answers does what it says, and shows in the rates."""

from __future__ import annotations

import numpy as np

from forensics.case.evidence import Evidence, Interval
from forensics.cohorts.fitting import CLOSE_KIN, Labelled
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.similarity import pair_scores
from studies.robustness.page import Asked, page
from studies.robustness.study import (
    TREATMENTS,
    Treatment,
    cut,
    framed,
    measure,
    reversed_sentences,
    without_layout,
    without_opening,
)
from tests.cohorts.builders import facts, outputs, pairs

PLAIN = Treatment("as they are")
TEXT = "# Title\n\n1. **First** point, see `code`.\n- second *point* with a_name\n> quoted"


def labelled() -> tuple[Outputs, Labelled]:
    models = facts(8, 8)
    made = outputs(models, 16)
    return made, made.labelled(pairs(models))


def test_layout_is_stripped_and_words_stay() -> None:
    assert without_layout(TEXT) == "Title\nFirst point, see code.\nsecond point with a_name\nquoted"


def test_opening_is_removed_unless_it_is_all() -> None:
    assert without_opening("Sure! Here it is.") == "Here it is."
    assert without_opening("Only this.") == "Only this."


def test_sentences_are_turned_round() -> None:
    assert reversed_sentences("One. Two!\nThree") == "Three Two! One."


def test_cut_and_dress() -> None:
    assert cut(3)("abcdef") == "abc"
    assert "- **Point 1:** a line" in framed("a line\n\nanother")


def test_untreated_pairs_score_as_they_do_without_copies() -> None:
    made, known = labelled()
    kept = known.where(known.are(*CLOSE_KIN, "independent"))
    scores = pair_scores(made.similarities(), made.excluded(), kept.pairs).score
    kin = kept.are(*CLOSE_KIN)
    strangers = np.sort(scores[~kin])
    found = measure(made, known, (PLAIN,))[0]
    assert (found.kin, found.unrelated) == (kin.sum(), (~kin).sum())
    # Copies double the texts that rarity is counted over, which moves scores a little.
    assert found.tpr == (scores[kin] > strangers[int(0.99 * len(strangers))]).mean()
    assert found.fpr <= 0.01


def test_nothing_left_to_compare_finds_no_kin() -> None:
    made, known = labelled()
    plain, cut_off = measure(made, known, (PLAIN, Treatment("other", lambda _: "the same always")))
    assert plain.tpr == 1
    assert cut_off.tpr < 0.2


def test_relayed_answers_make_strangers_look_like_kin() -> None:
    made, known = labelled()
    plain, relayed = measure(made, known, (PLAIN, Treatment("relayed", spliced=1.0)))
    assert plain.fpr <= 0.01
    assert relayed.fpr > 0.9
    assert relayed.fpr_interval.low is not None


def test_page_has_a_row_for_every_treatment() -> None:
    made, known = labelled()
    evidence = Evidence(
        comparator="style",
        title="Writing style",
        status="ok",
        score=0.5,
        interval=Interval(low=0.4, high=0.6),
    )
    demo = [Asked("temperature 0.7", (evidence,))]
    text = page(measure(made, known, (TREATMENTS[0], TREATMENTS[4])), demo, "2026-01-01")
    assert "| temperature 0.7 | 0.50 [0.40, 0.60] |" in text
    assert "| as they are | " in text
    assert "| cut to 600 characters | " in text
    assert "on 2026-01-01" in text
