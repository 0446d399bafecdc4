"""The verb `cohort collect`: real endpoints on loopback, and real processes that are killed."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from forensics.cohorts.finding import find_cohort
from forensics.cohorts.lineage.hypotheses import read_pairs
from forensics.cohorts.lineage.models import read_models
from forensics.workflows.panels.spending_ledger import spent_so_far
from tests.cohorts.builders import facts, outputs
from tests.replay import (
    Panel,
    collect_command,
    killed_and_resumed,
    on_file,
    panel_of,
    prove,
    reference_outputs,
    run_collect,
)


def _outputs(kin: int, single: int, prompts: int = 8, samples: int = 1):
    models = {
        name: replace(fact, developer=f"dev-{fact.weights_id}", family=fact.weights_id)
        for name, fact in facts(kin, single).items()
    }
    return outputs(models, prompts, samples)


@pytest.fixture(name="small")
def small_fixture(here: Path) -> Iterator[Panel]:
    """Give a panel of five models, two of them of the same weights, and eight prompts."""
    with ExitStack() as stack:
        yield stack.enter_context(panel_of(_outputs(1, 3), here, head='price = "1/4"\n'))


def _collect(cli, panel, here, *more):
    return cli(*collect_command(panel, here, *more))


def test_forty_endpoints_killed_twice_are_asked_nothing_twice(tmp_path):
    with panel_of(_outputs(8, 24), tmp_path, latency=0.01, busy=0.03) as panel:
        said = prove(panel, tmp_path, "s23")
    assert said.startswith("40 models, 320 answers")


@pytest.mark.slow
def test_real_models_replayed_give_the_ratios_of_the_tables(tmp_path, data_folder):
    made = reference_outputs(data_folder, 40, 12, 1)
    assert len(made.models) == 40
    with panel_of(made, tmp_path, latency=0.01, busy=0.03) as panel:
        said = prove(panel, tmp_path, made.models[-1])
    assert said.startswith("40 models, 480 answers")


def test_a_dry_run_counts_calls_tokens_and_money_and_asks_nobody(cli, here, small):
    planned = _collect(cli, small, here, "--dry-run", "--max-calls", "30")
    assert planned.code == 0
    lines = planned.out.splitlines()
    assert lines[0].startswith("m0a: 8 calls (0 of 8 on file), at most 32,000 answer tokens, at ")
    assert lines[0].endswith("0.13 at 1/4")
    assert lines[5].startswith("40 calls to 5 endpoints, at most 160,000 answer tokens, at most ")
    assert "budget of all runs together: 30 calls" in lines
    assert "the budget may be reached before all is asked" in planned.out
    assert small.requests == 0
    assert not (here / "answers").exists()


def test_what_a_calibration_lacks_is_said_with_the_cheapest_twins(cli, here, small):
    text = small.path.read_text()
    small.path.write_text(text.replace('model = "s1"\n', 'model = "s1"\nprice = "0.1/0.2"\n'))
    done = _collect(cli, small, here)
    assert done.code == 0
    assert done.out.splitlines()[0] == "m0a  8 of 8  complete"
    assert "5 models, 8 prompts, not calibrated" in done.err
    assert "1 lineage cluster with close relatives of the 6 that a calibration needs" in done.err
    twins = next(line for line in done.err.splitlines() if line.startswith("each of these twins"))
    assert "cheapest first: s1 (a second host: 8 calls, at most 0.01); s0 (a second host" in twins
    assert "m0" not in twins
    cohort = find_cohort(str(here / "collected.safetensors"))
    assert cohort.provenance["command"] == "forensics cohort collect"
    table = read_models(here / "answers" / "collected.models.csv")
    assert {f.model: f.weights_id for f in table.values()}["m0b"] == "m0"
    pairs = read_pairs(here / "answers" / "collected.pairs.csv", table, independent="best")
    assert sum(pair.hypothesis == "same_model" for pair in pairs) == 1
    assert sum(pair.hypothesis == "independent" for pair in pairs) == 9


def test_a_budget_of_calls_holds_to_the_call_over_all_runs(cli, here, small):
    for model in small.models.values():
        model.busy = 0.1
    stopped = _collect(cli, small, here, "--max-calls", "23")
    assert stopped.code == 3
    assert "left out: the budget is reached" in stopped.out
    assert "nothing was built" in stopped.err or "collected.safetensors" in stopped.err
    assert small.requests == 23
    again = _collect(cli, small, here, "--max-calls", "23")
    assert again.code == 3
    assert small.requests == 23
    before = on_file(here)
    done = _collect(cli, small, here)
    assert done.code == 0
    assert len(on_file(here)) == 40
    assert before <= on_file(here)
    assert all(count == 1 for model in small.models.values() for count in model.calls.values())


def test_a_budget_holds_over_kills(tmp_path):
    head = "[budget]\nmax_calls = 90\n"
    with panel_of(_outputs(2, 8), tmp_path, head=head, latency=0.02, busy=0.05) as panel:
        code, _, err = killed_and_resumed(panel, tmp_path, kills=2)
        assert panel.requests <= 90
        spent = spent_so_far(tmp_path / "answers" / "collected.spending.log").charge
        # What was under way when a run was killed may have been charged, and counts.
        assert panel.requests <= spent.calls <= 90
        assert code in (0, 3), err


@pytest.mark.parametrize(
    ("option", "most"), [("--max-output-tokens", 6_000), ("--max-cost", 0.024)]
)
def test_a_budget_of_tokens_or_money_is_not_exceeded(cli, here, small, option, most):
    stopped = _collect(cli, small, here, option, most)
    assert stopped.code == 3
    written = sum(model.tokens for model in small.models.values())
    spent = spent_so_far(here / "answers" / "collected.spending.log")
    assert spent.charge.output_tokens == written
    limit = spent.charge.output_tokens if option == "--max-output-tokens" else float(spent.cost)
    longest = 4_000 if option == "--max-output-tokens" else 0.0165
    # Another call could have taken so much more: the budget was used as far as was safe.
    assert most - longest < limit <= most


def test_one_that_fails_is_left_out_by_name_and_can_be_left_out_at_once(cli, here, small):
    small.models["s0"].dies_after = 0
    done = _collect(cli, small, here, "--without", "s2")
    assert done.code == 0
    assert "\ns0        -  left out: http://127.0.0.1" in done.out
    assert "add them: s0" in done.err
    assert small.models["s2"].requests == 0
    cohort = find_cohort(str(here / "collected.safetensors"))
    assert set(cohort.facts) == {"m0a", "m0b", "s1"}
    for model in small.models.values():
        model.dies_after = 0
    failed = _collect(cli, small, here, "--transcripts", "elsewhere")
    assert failed.code == 4
    assert "0 models are complete, and a cohort needs 3" in failed.err


def test_calls_under_way_are_bounded_for_each_model_and_in_all(cli, here):
    head = "[limits]\neach = 2\nin_all = 6\n"
    with panel_of(_outputs(2, 4), here, head=head, latency=0.02) as panel:
        assert _collect(cli, panel, here).code == 0
        assert max(server.max_in_flight for server in panel.servers) == 2
        assert panel.most_under_way <= 6
        assert panel.most_under_way > 2


def test_answers_that_are_there_and_local_plugins_may_be_members(cli, here, small):
    assert _collect(cli, small, here).code == 0
    answers = next((here / "answers").glob("s0-*.jsonl"))
    text = small.path.read_text()
    subject = next(line for line in text.splitlines() if line.startswith('subject = "openai:s0@'))
    small.path.write_text(text.replace(subject, f'subject = "transcript:{answers.as_posix()}"'))
    before = small.requests
    again = _collect(cli, small, here, "-o", str(here / "second.safetensors"))
    assert again.code == 0
    assert small.requests == before
    first, second = (
        find_cohort(str(here / f"{name}.safetensors")) for name in ("collected", "second")
    )
    assert (first.sketches == second.sketches).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("limit = 4\n", ""), "a cohort needs 8 prompts, and 4"),
        (("", "--without nobody"), "has no model 'nobody'"),
        (
            ("", " ".join(f"--without {name}" for name in ("m0a", "m0b", "s0", "s1", "s2"))),
            "no model is left to be asked",
        ),
        (("", "--max-cost 1"), "needs a price for each endpoint, and 'm0a' has none"),
        (("", "-o alpaca-eval"), "is shipped already"),
        (("[budget]\nmax_costs = 1\n", ""), "budget.max_costs is not a setting"),
    ],
)
def test_what_cannot_be_is_refused_before_anybody_is_asked(cli, here, change, says):
    head, options = change
    with panel_of(_outputs(1, 3), here, head=head) as panel:
        refused = _collect(cli, panel, here, *options.split())
        assert refused.code == 2
        assert says in refused.complaint
        assert panel.requests == 0


@pytest.mark.skipif(os.name == "nt", reason="locks and interrupts of Unix")
def test_two_runs_do_not_collect_one_cohort_at_once(cli, here):
    with panel_of(_outputs(1, 3), here, latency=0.3) as panel:
        process = run_collect(panel, here)
        while panel.requests == 0:
            time.sleep(0.02)
        second = _collect(cli, panel, here)
        assert second.code == 2
        assert "being written by another run" in second.err
        # Ctrl-C ends the first within seconds, and what it has is kept.
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err.decode()
    assert err.decode().splitlines()[-1] == "forensics: interrupted; answers so far are kept"


def test_a_ledger_that_was_damaged_is_told(cli, here, small):
    (here / "answers").mkdir()
    ledger = here / "answers" / "collected.spending.log"
    ledger.write_text(json.dumps({"ticket": 0, "spent": {"calls": -1}}) + "\n")
    refused = _collect(cli, small, here)
    assert refused.code == 2
    assert "line 1: not an entry of a ledger of spending" in refused.err


def test_a_terminal_shows_a_row_for_each_model(cli, here, small, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "40")
    done = _collect(cli, small, here)
    assert done.code == 0
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.err)
    for name in small.models:
        assert re.search(rf"{name} +━+.* \d/8 +(waits|is asked|complete)", shown), name
    assert re.search(r"all models +━+", shown)


def test_a_corrected_table_of_pairs_takes_the_place_of_the_derived_one(cli, here, small):
    assert _collect(cli, small, here).code == 0
    pairs = here / "answers" / "collected.pairs.csv"
    text = pairs.read_text()
    assert "s0,s1,unrelated,medium" in text
    corrected = here / "corrected.csv"
    corrected.write_text(text.replace("s0,s1,unrelated,medium", "s0,s1,finetune_parent,high"))
    again = _collect(cli, small, here, "--pairs", corrected)
    assert again.code == 0
    assert "3 lineage clusters with close relatives of the 6" in again.err
    assert small.requests == 40
    assert pairs.read_text() == text


def test_the_same_answers_give_the_same_bytes_in_whatever_order_they_came(cli, here):
    made = _outputs(1, 3, samples=3)
    written = []
    for seed in (1, 2):
        folder = here / str(seed)
        folder.mkdir()
        with panel_of(made, folder, samples=3, latency=0.01, seed=seed) as panel:
            assert _collect(cli, panel, folder).code == 0
            orders = [path.read_bytes() for path in sorted((folder / "answers").glob("m0a*.jsonl"))]
        written.append(((folder / "collected.safetensors").read_bytes(), orders))
    assert written[0][0] == written[1][0]
    assert str(here).encode() not in written[0][0]
    assert written[0][1] != written[1][1]


def test_the_shipped_panel_can_be_filled_in_and_counted(cli, here):
    assert cli("cohort", "panel", "new", "mine.toml", "--like", "2026").code == 0
    text = Path("mine.toml").read_text()
    numbers = itertools.count()
    text = re.sub(
        r'# subject = "openai:…@(\w+)"',
        lambda match: f'subject = "openai:id-{next(numbers)}@{match[1]}"',
        text,
    )
    for name, port in (("router", 1), ("second", 2)):
        text = text.replace(f"# [endpoints.{name}]", f"[endpoints.{name}]")
        text += f'\n[endpoints.{name}]\nbase_url = "http://127.0.0.1:{port}/v1"\n'
    text = text.replace("[endpoints.router]\n# ", "# ", 1).replace(
        "[endpoints.second]\n# ", "# ", 1
    )
    Path("mine.toml").write_text(text.replace("# body = ", "body = "))
    checked = cli("cohort", "panel", "check", "mine.toml", "--no-calls")
    assert checked.out == "mine.toml is in order: 49 models have a subject\n", checked.err
    planned = cli("cohort", "collect", "mine.toml", "-o", "x", "--dry-run", "--price", "0.5/2")
    assert planned.code == 0
    assert "9,408 calls to 49 endpoints" in planned.out
