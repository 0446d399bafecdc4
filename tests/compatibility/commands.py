"""The commands whose words are frozen, in groups: those of one group run one after another."""

from __future__ import annotations

from collections.abc import Mapping

from tests.compatibility.artefacts import CLAIM, DATES, KIN, QUICK, SHORT_LIST, STRANGERS

_VERBS = (
    "compare", "case", "case init", "case note", "case show", "case kinds", "check", "baseline",
    "baseline save", "baseline compare", "probe", "doctor", "import", "report", "view", "verify",
    "bundle",
    "trace", "map", "evaluate", "cohort", "cohort build", "cohort add", "cohort list",
    "cohort info", "zoo", "zoo build", "zoo child", "suites", "suites list", "suites show",
    "suites new", "refusals", "completion",
)  # fmt: skip
_FORMATS = ("json", "html", "markdown", "text", "csv", "junit", "step-summary", "cyclonedx")
_CASES = (
    "reasoning",
    "shipped-cohort",
    "planned",
    "blind",
    "text-and-weights",
    "members",
    "weights",
)
_BUNDLES = ("shipped-cohort", "cohort-drawn", "planned", "blind", "text-and-weights")
_CHECK = "--json check.json --markdown check.md --junit check.xml --sarif check.sarif"
_BUILD = "cohort build outputs.jsonl --models models.csv"
_ASK = "--suite short.json --limit 8 --max-tokens 200 --concurrency 1"

# Group → name → command. `{server}` is an endpoint that is fresh for every group.
GROUPS: Mapping[str, Mapping[str, str]] = {
    "help": {"none": "--help", "bare": ""}
    | {verb.replace(" ", "-"): f"{verb} --help" for verb in _VERBS},
    "reports-of-a-cohort": {
        form: f"report cohort.json --format {form} -o report.{form}" for form in _FORMATS
    },
    "reports-of-a-screening": {
        form: f"report screening.json --format {form}"
        for form in _FORMATS
        if form in ("html", "markdown", "junit")
    },
    "reports": {case: f"report {case}.json --verbose" for case in _CASES}
    | {f"{case}-html": f"report {case}.json --html {case}.html" for case in ("members", "weights")},
    "blinding": {
        "compare": f"compare {KIN} {QUICK} --cohort none --blind --json case.json"
        " --markdown case.md",
        "report": "report case.json --markdown - ",
        "unblind": "report case.json --unblind --format text",
        "blind-again": "report case.json --blind --format csv",
        "blind-any": "report shipped-cohort.json --blind --format text",
        "contradiction": "report case.json --blind --unblind",
    },
    "compare": {
        "screening": f"compare {STRANGERS} {QUICK} --cohort none --json none.json",
        "transferred": f"compare {STRANGERS} {QUICK} --json transferred.json"
        " --report junit=case.xml",
        "suite": f"compare {KIN} --suite short.json --limit 12 --only phrasing --only openings"
        " --cohort none --markdown -",
        "few": f"compare {KIN} --suite short.json --limit 4 {QUICK}",
        "same": "compare heron-7b.jsonl heron-7b.jsonl --only phrasing --cohort none",
    },
    "compare-meaning": {
        "embedding": f"compare {KIN} --suite short.json --limit 10 --only embedding"
        " --json case.json",
    },
    "compare-cohort": {
        "calibrated": f"compare {KIN} {QUICK} --cohort small {DATES} --json case.json",
        "strangers": f"compare {STRANGERS} {QUICK} --cohort small {DATES}",
        "outside": f"compare {KIN} --only style --cohort small --known-released 2019-01",
        "members": "compare cohort:vicuna-13b cohort:vicuna-7b --json members.json",
        "own-members": "compare cohort:kin0a cohort:kin0b --cohort small",
        "beside-a-member": f"compare heron-7b.jsonl cohort:kin0b --cohort small {DATES}"
        " --suite short.json --report csv=-",
    },
    "compare-weights": {
        "kin": "compare base tuned --tiers tokenizer,weights --json kin.json",
        "strangers": "compare base other --tiers tokenizer,weights",
        "permuted": "zoo child base permuted permuted",
        "compare-permuted": "compare base permuted --tiers weights",
        "impossible": "zoo child base dropped base",
    },
    "local-models": {
        "probe": "probe ./base --suite short.json --limit 3 --max-tokens 6 --samples 1"
        " --temperature 0 -o asked.jsonl",
        "doctor": "doctor transcript:asked.jsonl",
        "logprobs": "compare base tuned --control other --tiers logprobs --suite short.json"
        " --limit 9 --max-tokens 6 --samples 1 --temperature 0",
    },
    "planning": {
        "init": f"case init mine.jsonl {KIN} {CLAIM} {SHORT_LIST} --cohort small {DATES}",
        "note": 'case note mine.jsonl "One note."',
        "show": "case show mine.jsonl",
        "show-json": "case show mine.jsonl --json -",
        "compare": "compare --case mine.jsonl --json case.json",
        "deviating": "compare --case mine.jsonl --only openings --limit 9 --suite short.json"
        " --markdown case.md",
        "verify": "verify mine.jsonl",
        "bundle": "bundle case.json -o case.zip",
        "verify-bundle": "verify case.zip",
        "again": f"case init mine.jsonl {KIN}",
        "members": "case init members.jsonl cohort:vicuna-13b cohort:vicuna-7b",
        "frozen": "case show plan.jsonl",
        "kinds": "case kinds",
    },
    "custody": {
        "transcript": "verify heron-7b.jsonl",
        "collected": "verify collected.jsonl --json -",
        "against-a-case": "verify heron-7b.jsonl --case screening.json",
        "against-another": "verify collected.jsonl --case screening.json",
        "edited": "verify edited.jsonl",
        "shortened": "verify shortened.jsonl --case screening.json",
        "unchained": "verify unchained.jsonl",
        "case-file": "verify plan.jsonl --json -",
        "edited-case-file": "verify edited-plan.jsonl",
        "wrong-seal": f"verify heron-7b.jsonl --seal {'0' * 64}",
        "bundle": "bundle screening.json -o mine.zip",
        "bundle-again": "verify mine.zip",
        "bundle-moved": "bundle reasoning.json -o mine.zip",
        "bundle-of-members": "bundle members.json -o mine.zip",
        "bundle-of-masked": "bundle masked.json -o mine.zip",
    },
    # All of them are verified as artefacts.
    "bundles": {name: f"verify {name}.zip" for name in _BUNDLES}
    | {"json": "verify screening.zip --json -", "edited": "verify edited.zip"},
    "trace": {
        "member": "trace cohort:Meta-Llama-3-8B-Instruct --top 5",
        "own": "trace heron-7b.jsonl --cohort small --released 2024-05 --json trace.json",
        "import": "import newcomer.jsonl -o imported",
        "kin": "trace imported/newcomer.jsonl --cohort small --released 2024-06",
        "undated": "trace imported/newcomer.jsonl --cohort small --json -",
    },
    "map": {
        "cohort": "map small --top 6 --csv map.csv --newick map.nwk --svg map.svg",
        "shipped": "map misguided-attention --top 4",
        "table": "map six.jsonl --models models.csv --top 6",
        "few": f"map {KIN}",
    },
    "evaluate": {
        "figures": "evaluate outputs.jsonl --models models.csv --pairs pairs.csv"
        " --json figures.json",
        "fit": "evaluate outputs.jsonl --models models.csv --pairs pairs.csv --prompts 16"
        " --cohort-size 12 --seed 3 --plot plots --fit ./fitted.safetensors",
    },
    "cohort": {
        "made": f"{_BUILD} --pairs pairs.csv -o mine --source ours --date 2026-01-02",
        "add": "cohort add small newcomer.jsonl --models newcomer.csv -o more",
        "list": "cohort list",
        "info": "cohort info small --models",
        "info-shipped": "cohort info alpaca-eval",
        "shipped-already": f"{_BUILD} -o alpaca-eval",
        "not-a-name": f"{_BUILD} -o 'two words'",
    },
    "check": {
        "violated": f"check heron-7b-tuned.jsonl --card card.md {_CHECK} --cases cases",
        "passing": "check heron-7b.jsonl --policy passing.toml",
        "undecided": "check heron-7b.jsonl --policy undecided.toml --strict",
        "searching": "check heron-7b-tuned.jsonl --policy searching.toml --sarif -",
        "misspelt": "check heron-7b.jsonl --policy misspelt.toml",
        "dry-run": "check heron-7b.jsonl --dry-run",
        "dry-run-asking": "check openai:heron-7b@http://127.0.0.1:9/v1 --dry-run",
    },
    "baseline": {
        "save": "baseline save openai:heron-7b@{server} " + _ASK + " -o saved.jsonl",
        "same": "baseline compare openai:heron-7b@{server} baseline.jsonl --concurrency 1"
        " --json same.json",
        "different": "baseline compare openai:otter-9b@{server} baseline.jsonl --concurrency 1",
        "transcript": "baseline compare otter-9b.jsonl baseline.jsonl --json -",
        "drift": "check openai:otter-9b@{server} --policy drifting.toml --concurrency 1",
        "member": "baseline save cohort:vicuna-13b -o no.jsonl",
    },
    "asking": {
        "dry-run": "probe openai:heron-7b@{server} " + _ASK + " --dry-run",
        "probe": "probe openai:heron-7b@{server} " + _ASK + " -o asked.jsonl",
        "probe-again": "probe openai:heron-7b@{server} " + _ASK + " -o asked.jsonl",
        "verify": "verify asked.jsonl",
        "doctor": "doctor openai:heron-7b@{server}",
        "doctor-unknown": "doctor openai:nobody@{server}",
        "probe-unknown": "probe openai:nobody@{server} " + _ASK + " -o nobody.jsonl",
        "compare": "compare openai:heron-7b@{server} openai:otter-9b@{server} --suite short.json"
        " --limit 9 --concurrency 1 --only openings --only style --json case.json",
        "tokens": "compare openai:heron-7b@{server} openai:otter-9b@{server} --concurrency 1"
        " --tiers tokenizer",
    },
    "doctor": {
        "transcript": "doctor heron-7b.jsonl --json -",
        "collected": "doctor collected.jsonl",
        "folder": "doctor openai:x@http://127.0.0.1:9/v1 --timeout 1",
    },
    "import": {
        "table": "import formats/table.csv -o table --suite short.json",
        "alpaca": "import formats/alpaca.json -o alpaca",
        "batch": "import formats/batch-output.jsonl --prompts formats/batch-input.jsonl -o batch",
        "chat": "import formats/chat.jsonl -o chat",
        "garak": "import formats/garak.jsonl -o garak",
        "inspect": "import formats/inspect.json -o inspect",
        "lm-eval": "import"
        " formats/org__owl-7b/samples_sums_2025-01-02T03-04-05.678901.jsonl -o lm-eval",
        "forced": "import formats/table.csv -o forced --format garak",
        "unknown-format": "import formats/table.csv -o no --format nonsense",
        "nothing": "import card.md -o no",
    },
    "suites": {
        "list": "suites",
        "show": "suites show short.json",
        "show-json": "suites show token-counts --json",
        "seal": "suites show core --seal",
        "seal-referenced": "suites show alpaca-eval --seal",
        "new": "suites new my-suite",
        "new-again": "suites new my-suite",
        "show-new": "suites show my-suite",
        "unknown": "suites show nonsense",
    },
    "refusals": {
        "transcript": "refusals heron-7b.jsonl --json refusals.jsonl",
        "table": "refusals answers.jsonl",
    },
    "errors": {
        "unknown-verb": "compere a b",
        "unknown-option": "compare --colour a b",
        "missing-argument": "compare heron-7b.jsonl",
        "missing-file": "compare heron-7b.jsonl none.jsonl",
        "not-a-transcript": "compare heron-7b.jsonl card.md",
        "case-as-transcript": "compare heron-7b.jsonl transcript:screening.json",
        "no-comparator": f"compare {KIN} --only fashion",
        "no-tier": f"compare {KIN} --tiers looks",
        "no-cohort": f"compare {KIN} --cohort nonsense",
        "no-member": "compare cohort:nobody cohort:vicuna-7b",
        "no-suite": f"compare {KIN} --suite nonsense",
        "no-format": "report screening.json --format nonsense",
        "no-scheme": "compare ftp:x heron-7b.jsonl",
        "no-demo": "probe demo:nonsense --dry-run",
        "named-endpoint": "probe openai:x@local --endpoints endpoints.toml --dry-run",
        "no-endpoint": "probe openai:x --dry-run",
        "unreachable": "probe openai:x@http://127.0.0.1:9/v1 --suite short.json --limit 1"
        " --timeout 1 -o no.jsonl",
        "not-a-number": "probe openai:x@http://127.0.0.1:9/v1 --temperature nan",
        "two-on-stdout": "report screening.json --json - --markdown -",
        "no-folder": "report screening.json --html no/such/folder.html",
        "no-month": f"compare {KIN} --known-released May",
        "report-of-a-transcript": "report heron-7b.jsonl",
        "report-of-text": "report card.md",
        "report-of-the-future": "report future.json",
        "verify-a-folder": "verify base",
        "verify-a-case": "verify screening.json",
        "no-policy": "check heron-7b.jsonl --policy none.toml",
        "case-file-that-is-none": "case show heron-7b.jsonl",
        "edited-case-file": "compare --case edited-plan.jsonl",
        "claim-without-source": f"case init x.jsonl {KIN} --claim x",
        "no-weights": "compare base heron-7b.jsonl --tiers weights",
        "no-model": "compare hf:./empty base --tiers weights",
    },
}  # fmt: skip
