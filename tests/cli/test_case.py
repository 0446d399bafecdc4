"""From the frozen case file to the case with its deviations."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from forensics.case.document import case_to_json, read_case
from forensics.custody.blinding import blinded
from forensics.support.hash_chain import CHAIN_START, encode_line
from tests.asking import ONCE
from tests.chained import PROMPTS, speaker, write_suite
from tests.cli.cli import ONE, forensics

CLAIM = ("--claim", "B was distilled from A", "--source", "https://zorblax.example/post")
DATED = (*CLAIM, "--claim-date", "2026-01-02", "--kind", "distilled")


def deviations(path: Path) -> tuple[str, ...]:
    plan = read_case(path).plan
    assert plan is not None
    return tuple(plan.deviations)


@pytest.fixture(name="servers")
def servers_fixture():
    with speaker("zorblax-1") as first, speaker("quuxly-2") as second:
        yield f"openai:zorblax-1@{first.url}", f"openai:quuxly-2@{second.url}"


@pytest.fixture(name="plan")
def plan_fixture(cli, here, servers) -> Path:
    write_suite(here / "suite.json")
    options = ("--suite", "suite.json", "--max-tokens", "64", "--only", "style", *ONCE)
    done = cli("case", "init", "plan.jsonl", *servers, *DATED, *options, "--title", "Zorblax")
    assert done.code == 0, done.err
    sha256 = json.loads((here / "plan.jsonl").read_text())["chain"]
    assert done.out == f"sha256 {sha256}\n"
    return here / "plan.jsonl"


def test_a_run_as_planned_has_no_deviation(cli, here, plan):
    done = cli("compare", "--case", plan, "--json", "case.json")
    assert done.code == 0, done.err
    assert "deviations: 0" in done.err
    case = read_case(here / "case.json")
    assert case.plan is not None
    assert case.plan.deviations == ()
    assert case.overlap.both == PROMPTS
    assert [e.comparator for e in case.evidence] == ["style"]
    assert case.plan.claims[0].text == "B was distilled from A"
    assert case.plan.settings["known"]["identity"]["model"] == "zorblax-1"
    assert case.plan.settings["suite"]["prompts"] == PROMPTS


def test_what_is_done_otherwise_is_listed(cli, here, plan, servers):
    other = ("--temperature", "0.7", "--limit", "9", "--only", "openings")
    reverse = servers[::-1]
    done = cli("compare", *reverse, "--case", plan, *other, "--json", "case.json")
    assert done.code == 0, done.err
    text = "\n".join(deviations(here / "case.json"))
    for expected in (
        f"Subject A: {servers[1]}, where {servers[0]} was planned.",
        "Identity of A, model: quuxly-2, where zorblax-1 was planned.",
        "Generation setting of B, temperature: 0.7, where 0.0 was planned.",
        "Prompts with usable answers of both models: 9, where 16 was planned.",
        "Suite: short (sha256 ",
        "Comparators planned and not run: style.",
        "Comparators run and not planned: openings.",
    ):
        assert expected in text


def test_answers_from_before_the_plan_are_counted(cli, here, servers):
    write_suite(here / "suite.json")
    collected = ("--suite", "suite.json", "--max-tokens", "64", *ONCE)
    assert cli("probe", servers[0], *collected).code == 0
    assert cli("case", "init", "plan.jsonl", *servers, *collected, "--only", "style").code == 0
    reused = ("--transcripts", ".")
    assert cli("compare", "--case", "plan.jsonl", *reused, "--json", "case.json").code == 0
    (found,) = deviations(here / "case.json")
    assert found.startswith(
        f"Collected before the plan was frozen: {PROMPTS} of {PROMPTS} answers of A"
    )


def test_transcripts_are_always_older_and_a_changed_one_is_named(cli, here):
    assert cli("case", "init", "plan.jsonl", "a.jsonl", "b.jsonl", *ONE).code == 0
    (here / "b.jsonl").write_bytes((here / "a.jsonl").read_bytes())
    assert cli("compare", "--case", "plan.jsonl", "--json", "case.json").code == 0
    found = deviations(here / "case.json")
    assert [text.partition(":")[0] for text in found] == [
        "Collected before the plan was frozen",
        "File of B",
        "Collected before the plan was frozen",
    ]


def test_a_model_of_a_cohort_can_be_planned(cli, here):
    models = ("cohort:vicuna-13b", "cohort:vicuna-7b")
    assert cli("case", "init", "plan.jsonl", *models).code == 0
    done = cli("compare", "--case", "plan.jsonl", "--json", "case.json")
    assert done.code == 0, done.err
    assert deviations(here / "case.json") == tuple(
        f"Collected before the plan was frozen: all answers of {letter}, a cohort's model."
        for letter in "AB"
    )
    assert cli("case", "init", "x.jsonl", *models, "--limit", "9").code == 2


def test_an_edited_plan_is_refused(cli, here, plan):
    plan.write_bytes(plan.read_bytes().replace(b"2026-01-02", b"2026-01-03"))
    done = cli("compare", "--case", plan, "--json", "case.json")
    assert done.code == 2
    assert "the frozen plan was changed" in done.complaint
    assert not (here / "case.json").exists()
    assert cli("verify", plan).code == 1


@pytest.mark.parametrize(
    "change",
    [
        {"generation": {"temperature": "hot"}},
        {"generation": None},
        {"backend": {"dtype": "float16", "batch_size": 1}},
        {"known": {}},
        {"comparators": "style"},
        {"suite": {"chosen": 1}},
    ],
)
def test_a_plan_of_another_form_is_one_line(cli, here, plan, change):
    line = json.loads(plan.read_text())
    del line["chain"]
    line["settings"] |= change
    plan.write_bytes(encode_line(line, CHAIN_START)[0])
    done = cli("compare", "--case", plan)
    assert done.code == 2
    assert f"settings.{next(iter(change))}" in done.complaint


def test_a_plan_sets_no_option_it_has_no_business_with(cli, here, plan):
    line = json.loads(plan.read_text())
    del line["chain"]
    line["settings"]["generation"] |= {"api_key_env": "SECRET", "html_out": "x.html"}
    line["settings"]["backend"] |= {"json_out": "x.json"}
    plan.write_bytes(encode_line(line, CHAIN_START)[0])
    done = cli("compare", "--case", plan)
    assert done.code == 0
    assert "planned: openai:zorblax-1@http://127.0.0.1" in done.err
    assert not list(here.glob("x.*"))


def test_notes_are_appended_and_shown(cli, here, plan):
    noted = cli("case", "note", plan, "asked for logs \x1b[31m<b>")
    assert noted.code == 0
    shown = cli("case", "show", plan).out
    assert "asked for logs \\x1b[31m<b>" in shown
    assert '"B was distilled from A"' in shown
    assert "would need: the known model's API logs" in shown
    document = json.loads(cli("case", "show", plan, "--json", "-").out)
    assert document["notes"][0]["text"].startswith("asked for logs")
    checked = cli("verify", plan, "--seal", noted.out.removeprefix("seal ").strip())
    assert (checked.code, checked.out.splitlines()[0].split(": ")[1]) == (0, "intact")
    assert cli("compare", "--case", plan, "--json", "case.json").code == 0
    kept = read_case(here / "case.json").plan
    assert kept is not None and len(kept.notes) == 1


def test_a_bundle_keeps_the_plan_and_sees_when_it_was_changed(cli, here, plan):
    given = ("--limit", "12", "--json", "case.json")
    assert cli("compare", "--case", plan, *given).code == 0
    assert cli("bundle", "case.json", "-o", "case.zip").code == 0
    done = cli("verify", "case.zip")
    assert done.code == 0, done.out
    assert "plan frozen at" in done.out
    for change in ({"title": "another"}, {"deviations": []}):
        document = json.loads((here / "case.json").read_text())
        document["plan"] |= change
        (here / "forged.json").write_text(json.dumps(document, indent=1) + "\n")
        assert cli("bundle", "forged.json", "-o", "forged.zip").code == 0
        assert cli("verify", "forged.zip").code == 1
    with zipfile.ZipFile(io.BytesIO((here / "case.zip").read_bytes())) as archive:
        assert json.loads(archive.read("case.json"))["plan"]["claims"]


def test_a_blind_case_masks_its_plan(cli, here, plan, servers):
    assert cli("case", "note", plan, "the host of quuxly-2 and ChatGPT").code == 0
    given = (*servers[::-1], "--case", plan, "--blind", "--json", "case.json")
    done = cli("compare", *given)
    assert done.code == 0
    masked = blinded(read_case(here / "case.json"))
    assert masked.plan is not None
    text = case_to_json(masked).lower()
    for name in ("zorblax", "quuxly", "chatgpt", "plan.jsonl", "127.0.0.1"):
        assert name not in text
    assert masked.plan.settings["known"] == {"spec": "[MODEL A]"}
    assert len(masked.plan.deviations) == len(deviations(here / "case.json")) > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*CLAIM,), "0 --claim-date"),
        (("--claim", "x"), "0 --source"),
        ((*CLAIM, "--claim-date", "May"), "is not a date"),
        ((*CLAIM, "--claim-date", "2026-01-02", "--kind", "odd"), "no kind of claim 'odd'"),
        (("--kind", "distilled"), "0 --claim but 1 --kind"),
        (("--suite", "none"), "no suite 'none'"),
        (("--log10-lr", "nan"), "not a finite number"),
        (("--temperature", "nan"), "not a finite number"),
        ((*CLAIM, "--claim-date", "20260102"), "is not a date"),
    ],
)
def test_bad_options_freeze_nothing(cli, here, arguments, said):
    done = cli("case", "init", "plan.jsonl", "a.jsonl", "b.jsonl", *arguments)
    assert done.code == 2
    assert said in done.complaint
    assert not (here / "plan.jsonl").exists()


def test_nothing_is_written_over(cli, here):
    done = cli("case", "init", "a.jsonl", "a.jsonl", "b.jsonl")
    assert done.code == 2 and "never replaced" in done.complaint
    assert cli("case", "note", "a.jsonl", "x").code == 2
    assert cli("case", "note", "none.jsonl", "x").code == 2
    assert cli("compare", "--case", "b.jsonl").code == 2
    assert "Missing argument 'QUESTIONED'" in cli("compare", "a.jsonl").complaint


def test_the_verb_works_as_a_command_of_its_own(here):
    done = forensics("case", "init", "plan.jsonl", "a.jsonl", "b.jsonl", *ONE, cwd=here)
    assert (done.code, done.out.split()[0]) == (0, "sha256")
    listed = forensics("case", "kinds", cwd=here, PYTHONIOENCODING="ascii")
    assert "trained-from-scratch" in listed.out
    assert "not testable from answers" in listed.out
