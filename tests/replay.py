"""Many endpoints on 127.0.0.1 that replay models' answers, and the panel that asks them.

Used by quick tests with made-up models, and with models of the reference data by a slow one and by
`python -m tests.replay DATA`, which runs the whole proof: 40 endpoints with latency and rate
limits, one of which dies; collecting is killed twice, and the cohort is held to one built from
tables.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from forensics.cohorts.cohort import Cohort
from forensics.cohorts.lineage.columns import models_table
from forensics.cohorts.lineage.labelling import label_pairs, pairs_table
from forensics.cohorts.lineage.models import ModelFacts, read_models
from forensics.cohorts.outputs import Outputs
from forensics.cohorts.pack_files import read_cohort
from forensics.cohorts.similarity import pair_scores
from forensics.suites.suite import Message, Prompt
from tests.loopback import Call, Loopback, Reply, error_reply
from tests.processes import ROOT, Done, run_command

KILLED = 1 if os.name == "nt" else -9  # what a process returns that was killed
_FACTS = ("weights_id", "setting", "developer", "family", "base_model", "base_family")


@dataclass
class UnderWay:
    """Counts calls that several servers hold at once."""

    most: int = 0
    now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, server: Loopback) -> None:
        """Count the calls of one more server."""
        take, done = server.take, server.done

        def taken(*call: Any) -> Reply:
            with self._lock:
                self.now += 1
                self.most = max(self.most, self.now)
            return take(*call)

        def ended() -> None:
            with self._lock:
                self.now -= 1
            done()

        server.take, server.done = taken, ended  # type: ignore[method-assign]


@dataclass
class Replayed:
    """One model behind an endpoint of its own; `calls` counts what it was asked: (prompt, seed)."""

    name: str
    answers: dict[str, tuple[str, ...]]
    seed: int = 0
    latency: float = 0.0
    busy: float = 0.0
    dies_after: int | None = None
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)
    requests: int = 0
    tokens: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, call: Call) -> Reply:
        """Answer as the model did: an answer of its samples, by the seed that is sent."""
        prompt, sample = call.prompt, int(call.body.get("seed", 0))
        with self._lock:
            self.requests += 1
            number = self.requests
            if self.dies_after is not None and number > self.dies_after:
                return error_reply(401, "this endpoint has died")
            chance = random.Random(f"{self.seed} {self.name} {number}")
            if chance.random() < self.busy:
                return error_reply(429, "slow down", {"Retry-After": "0"})
            self.calls[prompt, sample] += 1
            text = self.answers[prompt][sample]
            written = min(len(text) // 4 + 1, int(call.body["max_tokens"]))
            self.tokens += written
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(prompt) // 4 + 1, "completion_tokens": written}
        body = {"id": f"r{number}", "model": self.name, "choices": [choice], "usage": usage}
        return Reply(body, delay=chance.uniform(0, 2 * self.latency))


@dataclass(frozen=True)
class Panel:
    """A panel on disk, the models behind its endpoints, and the same answers as tables."""

    path: Path
    models: dict[str, Replayed]
    prompts: int
    samples: int
    servers: tuple[Loopback, ...]
    under_way: UnderWay

    @property
    def most_under_way(self) -> int:
        """How many calls were under way at once at most, all endpoints together."""
        return self.under_way.most

    @property
    def answered(self) -> int:
        """How many calls were answered by all endpoints together."""
        return sum(sum(model.calls.values()) for model in self.models.values())

    @property
    def requests(self) -> int:
        """How many calls came, refused ones included."""
        return sum(model.requests for model in self.models.values())


@contextmanager
def panel_of(
    outputs: Outputs, folder: Path, samples: int = 1, head: str = "", **how: Any
) -> Iterator[Panel]:
    """Start an endpoint for each model; write panel.toml, suite.yaml and the tables.

    Args:
        outputs: the models, prompts with texts, and answers.
        folder: for the files.
        samples: answers to each prompt.
        head: further keys of the panel.
        how: fields of each `Replayed`.
    """
    prompts = [prompt for prompt in outputs.prompts if prompt.messages]
    _write_suite(folder / "suite.yaml", prompts)
    _write_tables(folder, outputs, samples)
    models = {
        name: Replayed(
            name,
            {
                prompt.text: row[number][:samples]
                for prompt, row in zip(outputs.prompts, outputs.texts, strict=True)
            },
            **how,
        )
        for number, name in enumerate(outputs.models)
    }
    with ExitStack() as stack:
        under_way = UnderWay()
        servers = {
            name: stack.enter_context(Loopback(model.reply)) for name, model in models.items()
        }
        for server in servers.values():
            under_way.count(server)
        entries = [_entry(fact, servers[name].url) for name, fact in outputs.facts.items()]
        suite = (folder / "suite.yaml").as_posix()
        settings = f'suite = "{suite}"\nsamples = {samples}\ntemperature = 0.7\n'
        path = folder / "panel.toml"
        path.write_text("\n".join([settings + head, *entries]), encoding="utf-8")
        yield Panel(path, models, len(prompts), samples, tuple(servers.values()), under_way)


def _entry(fact: ModelFacts, url: str) -> str:
    lines = ["[[models]]", f"model = {json.dumps(fact.model)}"]
    lines.append(f"subject = {json.dumps(f'openai:{fact.model}@{url}')}")
    for name in (*_FACTS, "weights_parent", "released"):
        if getattr(fact, name):
            lines.append(f"{name} = {json.dumps(getattr(fact, name))}")
    if fact.ancestors:
        lines.append(f"ancestors = {json.dumps(fact.ancestors)}")
    teachers = [f"{t.name}/{t.how}/{t.confidence}" if t.how else t.name for t in fact.teachers]
    if not teachers and fact.teachers_known not in ("", "listed"):
        teachers = [fact.teachers_known]
    if teachers:
        lines.append(f"teachers = {json.dumps(teachers)}")
    return "\n".join(lines) + "\n"


def _write_suite(path: Path, prompts: Sequence[Prompt]) -> None:
    suite = {
        "name": "replayed",
        "version": "1.0",
        "title": "Replayed",
        "license": "CC0-1.0",
        "description": "Prompts that are replayed.",
        "categories": {"open": "Anything"},
        "prompts": [
            {
                "id": f"p-{number}",
                "category": "open",
                "language": "en",
                "max_tokens": 4_000,
                "prompt": prompt.text,
            }
            for number, prompt in enumerate(prompts)
        ],
    }
    path.write_text(yaml.safe_dump(suite, allow_unicode=True), encoding="utf-8")


def _write_tables(folder: Path, outputs: Outputs, samples: int) -> None:
    rows = [
        {"model": m, "prompt_id": p.id, "prompt": p.text, "output": text, "sample_id": number}
        for p, row in zip(outputs.prompts, outputs.texts, strict=True)
        for m, texts in zip(outputs.models, row, strict=True)
        for number, text in enumerate(texts[:samples])
    ]
    (folder / "outputs.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (folder / "models.csv").write_text(models_table(outputs.facts), encoding="utf-8")
    labels = label_pairs(outputs.facts)
    (folder / "pairs.csv").write_text(pairs_table(labels), encoding="utf-8")


def collect_command(panel: Panel, folder: Path, *more: str) -> list[str]:
    """Return the command that collects a panel into `folder`."""
    output = ("-o", str(folder / "collected.safetensors"))
    where = ("--transcripts", str(folder / "answers"))
    return ["cohort", "collect", str(panel.path), *output, *where, *more]


def run_collect(panel: Panel, folder: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a process that collects."""
    return subprocess.Popen(
        [sys.executable, "-m", "forensics", *collect_command(panel, folder, *more)],
        env=_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _run(command: Sequence[str], folder: Path) -> Done:
    """Run a command that nobody kills."""
    return run_command(command, cwd=folder, environment=_environment(folder), timeout=900)


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "FORENSICS_CACHE": str(folder / "cache")}


def on_file(folder: Path) -> set[tuple[str, str, int]]:
    """Return (model, prompt, sample) of every answer that is on file."""
    answers = set()
    for path in (folder / "answers").glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            entry = json.loads(line)
            if entry["status"] != "error":
                answers.add((entry["model"], entry["messages"][-1][1], entry["sample"]))
    return answers


def killed_and_resumed(panel: Panel, folder: Path, kills: int) -> tuple[int, str, str]:
    """Kill collecting with SIGKILL, start it again, and check that nothing on file is asked again.

    Returns:
        exit code, standard output and standard error of the last run, which ends by itself.
    """
    wanted = len(panel.models) * panel.prompts * panel.samples
    for number in range(1, kills + 1):
        before, known = _asked(panel), on_file(folder)
        process = run_collect(panel, folder)
        _wait_for(panel, wanted * number // (kills + 1), process)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == KILLED, "collecting ended before it was killed"
        assert not [key for key in known if _asked(panel)[key] > before[key]]
    before, known = _asked(panel), on_file(folder)
    assert 0 < len(known) < wanted
    process = run_collect(panel, folder)
    out, err = process.communicate(timeout=600)
    assert not [key for key in known if _asked(panel)[key] > before[key]]
    return process.returncode, out.decode(), err.decode()


def _asked(panel: Panel) -> Counter[tuple[str, str, int]]:
    """Return how often each (model, prompt, sample) was answered."""
    return Counter(
        {
            (name, prompt, sample): count
            for name, model in panel.models.items()
            for (prompt, sample), count in dict(model.calls).items()
        }
    )


def _wait_for(panel: Panel, calls: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while panel.answered < calls and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def same_ratios(first: Cohort, second: Cohort) -> int:
    """Check that two cohorts give every pair of models the same likelihood ratio; count them."""
    assert set(first.models) == set(second.models)
    assert first.calibration is not None
    assert second.calibration is not None
    ratios = [_ratios(cohort) for cohort in (first, second)]
    assert ratios[0].keys() == ratios[1].keys()
    for pair, ratio in ratios[0].items():
        assert ratio == ratios[1][pair] or (np.isnan(ratio) and np.isnan(ratios[1][pair])), pair
    return sum(np.isfinite(ratio) for ratio in ratios[0].values())


def _ratios(cohort: Cohort) -> dict[tuple[str, str], float]:
    count = len(cohort.models)
    pairs = np.array([(i, j) for i in range(count) for j in range(i + 1, count)])
    scores = pair_scores(cohort.similarities(), cohort.excluded(), pairs).score
    assert cohort.calibration is not None
    ratios = cohort.calibration.llr(scores, len(cohort.prompts))
    names = [tuple(sorted((cohort.models[i], cohort.models[j]))) for i, j in pairs]
    return {(a, b): float(ratio) for (a, b), ratio in zip(names, ratios, strict=True)}


def prove(panel: Panel, folder: Path, mortal: str) -> str:
    """Run the whole proof, one model dying for a time; return what came of it in a sentence."""
    panel.models[mortal].dies_after = panel.prompts * panel.samples // 2
    code, out, err = killed_and_resumed(panel, folder, kills=2)
    assert code == 0, err
    assert f"left out, run the same command again to add them: {mortal}" in err
    assert mortal not in read_cohort(folder / "collected.safetensors").facts
    others = [line for line in out.splitlines() if not line.startswith(f"{mortal} ")]
    assert all(line.endswith("  complete") for line in others), out
    panel.models[mortal].dies_after = None
    before, known = _asked(panel), on_file(folder)
    again = _run(collect_command(panel, folder), folder)
    assert again.code == 0, again.err
    asked = _asked(panel) - before
    assert {model for model, *_ in asked} == {mortal}
    assert not set(asked) & known
    wanted = len(panel.models) * panel.prompts * panel.samples
    assert len(on_file(folder)) == wanted
    collected = read_cohort(folder / "collected.safetensors")
    pairs = same_ratios(collected, built_from_tables(folder))
    twice = sum(count - 1 for count in _asked(panel).values())
    # What was under way when a run was killed had no answer on file.
    assert twice <= 2 * 32
    return (
        f"{len(collected.models)} models, {wanted} answers, {panel.requests} requests, "
        f"{twice} calls under way when killed asked again, {pairs} equal ratios"
    )


def built_from_tables(folder: Path) -> Cohort:
    """Return the cohort that `cohort build` makes of the tables."""
    output = folder / "tables.safetensors"
    command = ["cohort", "build", str(folder / "outputs.jsonl"), "--models"]
    command += [str(folder / "models.csv"), "--pairs", str(folder / "pairs.csv")]
    done = _run([*command, "-o", str(output)], folder)
    assert done.code == 0, done.err
    return read_cohort(output)


def reference_outputs(data: Path, models: int, prompts: int, samples: int) -> Outputs:
    """Return real models' answers to altered puzzles, those of models with most kin first."""
    import pandas as pd

    stem = data / "modern" / "misguided_attention"
    facts = read_models(Path(f"{stem}_models.csv"))
    table = pd.read_parquet(f"{stem}_outputs.parquet")
    table = table[table.output.str.strip() != ""]
    texts: dict[tuple[str, str], list[str]] = {}
    questions: dict[str, str] = {}
    for row in table.sort_values(["prompt_id", "sample_id"], kind="stable").itertuples():
        texts.setdefault((row.model, row.prompt_id), []).append(row.output)
        questions[str(row.prompt_id)] = row.prompt
    answered = Counter(prompt for (_, prompt), given in texts.items() if len(given) >= samples)
    chosen = sorted(sorted(questions), key=lambda prompt: -answered[prompt])[:prompts]
    whole = [m for m in facts if all(len(texts.get((m, p), ())) >= samples for p in chosen)]
    weights = Counter(facts[m].weights_id for m in whole)
    parents = {parent for m in whole for parent in facts[m].parents()}
    kin = {m for m in whole if weights[facts[m].weights_id] > 1 or facts[m].parents()}
    kin |= {m for m in whole if facts[m].weights_id in parents}
    names = [*(m for m in whole if m in kin), *(m for m in whole if m not in kin)][:models]
    return Outputs(
        {m: facts[m] for m in facts if m in names},
        tuple(Prompt(p, (Message("user", questions[p]),)) for p in chosen),
        tuple(tuple(tuple(texts[m, p][:samples]) for m in facts if m in names) for p in chosen),
    )


def main() -> None:
    """Run the whole proof on reference data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--prompts", type=int, default=52)
    parser.add_argument("--samples", type=int, default=3)
    given = parser.parse_args()
    outputs = reference_outputs(given.data, given.models, given.prompts, given.samples)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        how = {"latency": 0.02, "busy": 0.03}
        with panel_of(outputs, folder, given.samples, **how) as panel:
            print(prove(panel, folder, outputs.models[-1]))


if __name__ == "__main__":
    main()
