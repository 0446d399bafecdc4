from __future__ import annotations

from dataclasses import replace

from forensics.examination.examined import Examined
from forensics.verdicts.comparability import comparability_notes
from tests.builders import essays, examined, manifest


def _side(name: str, texts: list[str] | None = None, sha: str = "", **fields: object) -> Examined:
    side = examined(texts or essays(12), name)
    transcript = replace(side.transcript, manifests=(manifest(name, **fields),), sha256=sha)
    return Examined(side.subject, transcript)


def _settings(**changed: object) -> dict[str, object]:
    return dict(manifest().settings) | changed


def test_equal_settings_of_two_models_need_no_word():
    assert comparability_notes(_side("a"), _side("b")) == ()


def test_each_setting_that_differs_is_named_with_both_values():
    other = _settings(temperature=0.7, max_tokens=9, system_prompt="Be brief.", seed=5)
    notes = " ".join(comparability_notes(_side("a"), _side("b", settings=other)))
    for word in ("temperature: 0.0 (A), 0.7 (B)", "max_tokens", "'Be brief.'", "seed"):
        assert word in notes


def test_templates_and_precision_are_part_of_the_set_up():
    one = _side("a", identity={"template": "chat", "dtype": "float32"})
    two = _side("b", identity={"template": "none", "dtype": "bfloat16"})
    assert len(comparability_notes(one, two)) == 2


def test_a_subject_against_itself_is_said_first():
    one, two = _side("a", sha="x"), _side("b", sha="x")
    assert "same transcript" in comparability_notes(one, two)[0]
    same = _side("a", identity={"kind": "k", "model": "m"})
    twin = _side("b", identity={"kind": "k", "model": "m"})
    assert "same model with the same set-up" in comparability_notes(same, twin)[0]


def test_imported_answers_are_unverified():
    notes = comparability_notes(_side("a"), _side("b", provenance="imported"))
    assert any("answers of B were imported" in note for note in notes)


def test_answers_of_other_length_are_flagged():
    longer = [" ".join([text] * 3) for text in essays(12)]
    assert any("lengths differ" in n for n in comparability_notes(_side("a"), _side("b", longer)))


def test_cut_off_answers_are_flagged():
    side = _side("b")
    cut = tuple(replace(r, status="truncated") for r in side.transcript.responses)
    notes = comparability_notes(
        _side("a"), Examined(side.subject, replace(side.transcript, responses=cut))
    )
    assert any("100 % of B's" in note for note in notes)


def test_an_echoed_model_name_that_changes_is_flagged():
    side = _side("a")
    names = tuple(
        replace(r, model="m-1" if i < 6 else "m-2") for i, r in enumerate(side.transcript.responses)
    )
    changed = Examined(side.subject, replace(side.transcript, responses=names))
    assert any("changed mid-run: m-1, m-2" in n for n in comparability_notes(changed, _side("b")))


def test_subjects_without_answers_or_manifests_are_taken_as_they_come():
    empty = examined([], "e")
    assert all(isinstance(note, str) for note in comparability_notes(empty, _side("b")))
