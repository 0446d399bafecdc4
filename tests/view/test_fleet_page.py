"""What a fleet found: its subjects in the table, and the documents that a result rests on."""

from __future__ import annotations

import shutil

import pytest

from forensics.errors import InputFileError
from forensics.fleet.subject_result import ServedBy, SubjectFinding, SubjectResult
from forensics.view.fleet_page import document_places, finding_words, fleet_result
from forensics.view.table_rows import Listing
from forensics.view.viewed_folder import Place, ViewedFolder
from tests.report.sample_case import HOSTILE
from tests.view.conftest import ARTEFACTS
from tests.view.test_browser import is_harmless


def finding(reference, **measured):
    return SubjectFinding(reference=reference, **measured)


COMPARED = SubjectResult(
    key="k1",
    subject=" ".join(HOSTILE),
    work="compare",
    status="done",
    served_by=ServedBy(engine="vllm", version="1", precision="bfloat16"),
    findings=(
        finding("base", close_relatives="supported", log10_lr=1.25, shared_manner=0.5),
        finding(HOSTILE[0], close_relatives="cannot be told"),
    ),
    documents=("case-0.json", "../../outside.json", "gone.json"),
)


@pytest.fixture(name="job")
def job_fixture(tmp_path):
    job = tmp_path / "folder/job"
    (job / "results").mkdir(parents=True)
    (job / "failed").mkdir()
    (job / "documents/k1").mkdir(parents=True)
    shutil.copy(ARTEFACTS / "cases/weights.json", job / "documents/k1/case-0.json")
    shutil.copy(ARTEFACTS / "cases/weights.json", tmp_path / "outside.json")
    (job / "results/k1.json").write_bytes(COMPARED.to_bytes())
    failed = SubjectResult(
        key="k2", subject="hf:org/b", work="probe", status="failed", reason="out of memory"
    )
    (job / "failed/k2.json").write_bytes(failed.to_bytes())
    return ViewedFolder.of(tmp_path / "folder")


def test_every_subject_of_a_job_is_a_row(job):
    rows = {row.status: row for row in Listing.of(job).fleet()}
    assert rows["failed"].findings == ("out of memory",)
    assert rows["done"].findings[0] == "base: close relatives? supported"
    assert rows["done"].work == "compare"


def test_what_it_rests_on_is_a_link_where_it_is_there(job):
    place = Place("job/results/k1.json")
    documents = document_places(job, place, fleet_result(job.inside(place.relative)))
    assert [document.screen for document in documents] == ["case", None, None]
    assert documents[0].place.relative == "job/documents/k1/case-0.json"


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({"outcome": "violated"}, "m: violated"),
        ({"candidate": "a", "candidate_named": True}, "m: likeliest relative a (named)"),
        ({"architecture": "LlamaForCausalLM", "parameters": 10}, "m: LlamaForCausalLM"),
        ({"answers": 1200}, "m: 1,200 answers"),
        ({}, ""),
    ],
)
def test_a_finding_is_said_in_a_few_words(measured, words):
    assert finding_words(finding("m", **measured)) == words


def test_a_broken_result_is_told(job):
    path = job.root / "job/results/k1.json"
    path.write_bytes(path.read_bytes().replace(b'"compare"', b'"dance"'))
    with pytest.raises(InputFileError, match="not the result of a fleet"):
        fleet_result(path)
    listing = Listing.of(job)
    assert len(list(listing.fleet())) == 1
    assert [entry.relative for entry in listing.not_read] == ["job/results/k1.json"]


def test_a_subject_with_a_hostile_name_is_text(job, serve, browser):
    address = serve(job.root).address
    links = is_harmless(browser, address)
    page = next(link for link in links if "k1" in link.partition("fleet?")[2])
    assert [link.partition("?")[0] for link in is_harmless(browser, page)] == [f"{address}case"]
    text = browser.evaluate("document.querySelector('main').textContent")
    assert "50 %" in text
    assert "+1.25" in text
    assert "vllm" in text
    assert text.count("not in this folder") == 2
