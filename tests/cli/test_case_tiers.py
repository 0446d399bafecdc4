"""A case file freezes tiers, controls and calibration too; what is done otherwise is listed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from forensics.case.document import Case, read_case
from forensics.cli import case_verb, compare_verb
from tests.builders import essays, write
from tests.chained import speaker, write_suite
from tests.cli.test_case import deviations

# What is asked for by other names, or changes how a result is shown and not what it is: addresses
# and keys (the model that answers is frozen), patience, places of files, and outputs.
UNFROZEN = set(
    "case_file suite_text base_url endpoints api_key_env concurrency timeout folder json_out "
    "html_out markdown_out reports blind allow_broken dry_run max_calls max_output_tokens "
    "price verbose".split()
)


def test_every_option_that_changes_a_result_can_be_frozen():
    of_init = {one.name for one in case_verb.command.commands["init"].params}
    of_compare = {one.name for one in compare_verb.command.params}
    assert of_compare - of_init - UNFROZEN == set()


@pytest.fixture(name="weights_plan")
def weights_plan_fixture(cli, here, zoo) -> tuple[str, str]:
    sides = str(zoo["tiny-base"]), str(zoo["tiny-lora"])
    done = cli("case", "init", "plan.jsonl", *sides, "--tiers", "weights,tokenizer")
    assert done.code == 0, done.err
    return sides


def _case(here: Path) -> Case:
    return read_case(here / "case.json")


@pytest.mark.usefixtures("weights_plan")
def test_frozen_tiers_are_measured_and_no_others(cli, here):
    done = cli("compare", "--case", "plan.jsonl", "--json", "case.json")
    assert done.code == 0, done.err
    case = _case(here)
    assert {one.tier for one in case.evidence} == {"tokenizer", "weights"}
    assert case.plan is not None
    assert case.plan.settings["tiers"] == ["tokenizer", "weights"]
    assert deviations(here / "case.json") == ()
    assert not (here / "transcripts").exists()


@pytest.mark.usefixtures("weights_plan")
def test_another_tier_is_a_deviation(cli, here):
    given = ("--tiers", "weights", "--json", "case.json")
    assert cli("compare", "--case", "plan.jsonl", *given).code == 0
    text = "\n".join(deviations(here / "case.json"))
    assert "Tiers: weights, where tokenizer, weights was planned." in text
    assert "Comparators planned and not run: tokenizer" in text


def test_weights_that_were_changed_since_are_named(cli, here, zoo):
    shutil.copytree(zoo["tiny-lora"], here / "model")
    sides = zoo["tiny-base"], here / "model"
    assert cli("case", "init", "plan.jsonl", *sides, "--tiers", "weights").code == 0
    shutil.copy(zoo["tiny-other-seed"] / "model.safetensors", here / "model")
    assert cli("compare", "--case", "plan.jsonl", "--json", "case.json").code == 0
    (found,) = deviations(here / "case.json")
    assert found.startswith("Identity of B, files_sha256: ")


def test_frozen_controls_are_read_against_and_others_are_listed(cli, here, zoo):
    sides = zoo["tiny-base"], zoo["tiny-lora"]
    control, other = str(zoo["tiny-other-seed"]), str(zoo["tiny-untrained"])
    options = ("--tiers", "logprobs", "--only", "likelihoods")
    assert cli("case", "init", "plan.jsonl", *sides, *options, "--control", control).code == 0
    done = cli("compare", "--case", "plan.jsonl", "--json", "case.json")
    assert done.code == 0, done.err
    assert deviations(here / "case.json") == ()
    case = _case(here)
    assert case.ledger[0].settings["controls"] == [control]
    assert [one["spec"] for one in case.ledger[0].settings["identities"]][-1] == control
    assert case.evidence[0].comparator == "likelihoods"
    assert (
        cli("compare", "--case", "plan.jsonl", "--control", other, "--json", "case.json").code == 0
    )
    (found,) = deviations(here / "case.json")
    assert found.startswith("Control models: ")
    (masked,) = cli_blind(cli, here)
    assert "tiny" not in masked


def cli_blind(cli, here: Path) -> list[str]:
    """Return the deviations of the case with its names masked."""
    document = json.loads((here / "case.json").read_text())
    (here / "blind.json").write_text(json.dumps(document | {"blind": True}))
    done = cli("report", "blind.json", "--markdown", "-")
    assert done.code == 0, done.err
    return [line for line in done.out.splitlines() if line.startswith("- Control models")]


def test_a_bundle_derives_the_deviations_of_tiers_again(cli, here):
    with speaker("zorblax-1") as first, speaker("quuxly-2") as second:
        servers = f"openai:zorblax-1@{first.url}", f"openai:quuxly-2@{second.url}"
        write_suite(here / "suite.json")
        options = ("--suite", "suite.json", "--max-tokens", "64", "--tiers", "text")
        given = (*options, "--without", "embedding")
        assert cli("case", "init", "plan.jsonl", *servers, *given).code == 0
        for tiers, expected in ((), 0), (("--tiers", "text,weights"), 1):
            done = cli("compare", "--case", "plan.jsonl", *tiers, "--json", "case.json")
            assert done.code == 0, done.err
            assert len(deviations(here / "case.json")) == expected
            assert cli("bundle", "case.json", "-o", f"{expected}.zip").code == 0
            checked = cli("verify", f"{expected}.zip")
            assert checked.code == 0, checked.out


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--tiers", "wieghts"), "no tier 'wieghts'"),
        (("--control", "a.jsonl"), "is not a local model"),
        (("--tiers", "weights", "--only", "style"), "no comparator of the tier weights"),
    ],
)
def test_what_cannot_be_measured_is_not_frozen(cli, here, option, said):
    done = cli("case", "init", "plan.jsonl", "a.jsonl", "b.jsonl", *option)
    assert done.code == 2
    assert said in done.complaint
    assert not (here / "plan.jsonl").exists()


def test_a_plan_without_a_cohort_keeps_the_calibration_a_run_without_it_has(cli, here):
    write(here / "a.jsonl", essays(80))
    write(here / "b.jsonl", essays(80, 1))
    sides, quick = ("a.jsonl", "b.jsonl"), ("--without", "embedding")
    assert cli("compare", *sides, *quick, "--json", "bare.json").code == 0
    assert cli("case", "init", "plan.jsonl", *sides, *quick).code == 0
    assert cli("compare", "--case", "plan.jsonl", "--json", "case.json").code == 0
    bare, planned = read_case(here / "bare.json"), _case(here)
    assert "transferred" in [one.comparator for one in planned.evidence]
    assert planned.evidence == bare.evidence
    assert not any("calibration" in text for text in deviations(here / "case.json"))
    given = ("--cohort", "none", "--json", "case.json")
    assert cli("compare", "--case", "plan.jsonl", *given).code == 0
    assert any(
        text.startswith("Transferred calibration: none, where sha256 ")
        for text in deviations(here / "case.json")
    )


def test_frozen_pasts_are_measured_against_and_others_are_listed(cli, here):
    home = "cohort:misguided-attention/"
    sides = f"{home}deepseek-r1", f"{home}DeepHermes-3-Mistral-24B-Pre"
    past, other = f"{home}mistral-small-3", f"{home}mistral-small-3.1-2503"
    assert cli("case", "init", "plan.jsonl", *sides, "--base", past).code == 0
    assert cli("compare", "--case", "plan.jsonl", "--json", "case.json").code == 0
    assert "shift" in {entry.comparator for entry in _case(here).evidence}
    as_planned = deviations(here / "case.json")  # a cohort's models answered before any plan
    assert len(as_planned) == 2
    given = ("--base", other, "--json", "case.json")
    assert cli("compare", "--case", "plan.jsonl", *given).code == 0
    listed = f"Pasts of B: {other}, where {past} was planned."
    assert deviations(here / "case.json") == (*as_planned, listed)
