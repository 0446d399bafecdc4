"""All models that occur: pairs that were compared, tree and matrix of all answers."""

from __future__ import annotations

import pytest

from forensics.errors import InputFileError
from forensics.view.kinship_page import compared, of_cohort, of_transcripts
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import Place, ViewedFolder
from tests.builders import essays, manifest, responses
from tests.report.sample_case import HOSTILE
from tests.view.test_browser import is_harmless


def transcripts(folder, names):
    from forensics.transcripts.writer import write_transcript

    paths = []
    for number, name in enumerate(names):
        path = folder / f"{number}.jsonl"
        # The first two give the same answers but for a few.
        shift = max(number - 1, 0)
        texts = [*essays(12, shift), *essays(4, number)]
        write_transcript(path, manifest(name), responses(texts))
        paths.append(path)
    return paths


def test_relatives_of_a_cohort_are_its_most_alike_pairs(results):
    kinship = of_cohort(results / "cohort")
    assert kinship.models == 30
    kin = [pair.names for pair in kinship.closest[:5]]
    assert all(a[:-1] == b[:-1] and a.startswith("kin") for a, b in kin)
    assert all(pair.group == 2 for pair in kinship.closest[:5])
    assert kinship.newick.count("kin") == 12
    assert 'role="img"' in kinship.picture
    assert "var(--q4)" in kinship.picture


def test_hostile_names_are_labels(tmp_path, serve, browser):
    paths = transcripts(tmp_path, HOSTILE[:8])
    kinship = of_transcripts(paths)
    assert kinship.models == 8
    assert kinship.closest[0].group == 2
    assert "pwned" in kinship.closest[0].names[0]
    links = is_harmless(browser, serve(tmp_path).address + "kinship?f=")
    assert links == []
    texts = browser.evaluate("[...document.querySelectorAll('svg text')].map(e => e.textContent)")
    assert any(text.startswith("<script>document.title=") for text in texts)
    assert browser.evaluate("document.querySelectorAll('svg script, svg a, svg image').length") == 0


def test_too_few_models_make_no_tree_and_say_so(tmp_path):
    paths = transcripts(tmp_path, ["a", "b", "c"])
    with pytest.raises(InputFileError, match="takes 5 models or more; these are 3"):
        of_transcripts(paths)


def test_every_compared_pair_leads_to_its_latest_case(results):
    rows = list(Listing.of(ViewedFolder.of(results)).pairs())
    table = compared(rows)
    assert table.known == ("Model A", "base", "heron-7b", "otter-9b", "vicuna-13b")
    cells = {
        (known, questioned): cell
        for known, line in zip(table.known, table.cells, strict=True)
        for questioned, cell in zip(table.questioned, line, strict=True)
        if cell
    }
    assert set(cells) == {(row.known, row.questioned) for row in rows}
    assert cells["base", "tuned"].place == Place("cases/weights.json")
    assert cells["heron-7b", "heron-7b-tuned"].place == Place("check/of-heron", 0)
    assert table.left_out == 0
