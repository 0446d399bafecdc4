"""The policy file: what is refused in it, where, and that nothing in it is a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.errors import InputFileError, UsageError
from forensics.policy.reading import find_policy, key_lines, read_policy
from forensics.subjects.endpoints import read_endpoints

WHOLE = """\
# what a new model is checked against
suite = "core"
category = ["style"]
limit = 32
samples = 2
temperature = 0.5
max_tokens = 96
seed = 3
tiers = ["text", "weights"]
without = ["embedding"]
released = "2026-01"
strict = false

[budget]
max_calls = 100

[[against]]
subject = "demo:smollm2"
names = ["HuggingFaceTB/SmolLM2-135M-Instruct"]

[[against]]
cohort = "alpaca-eval"

[declared]
base_models = ["org/parent"]

[rules.undeclared-kinship]
min_log10_lr = 1.5
severity = "warning"

[rules.max-similarity]
limits = { phrasing = 0.03, openings = 0.2 }

[rules.contradicted-declaration]

[rules.restricted-teacher]

[rules.drift]
baseline = "baseline.jsonl"

[[allow]]
rule = "undeclared-kinship"
reference = "demo:smollm2"
reason = "asked its maker"
expires = 2027-01-31

[endpoints.local]
base_url = "http://127.0.0.1:8000/v1"
"""


def _write(folder: Path, text: str | bytes, name: str = "forensics.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def _complaint(folder: Path, old: str, new: str) -> str:
    assert old in WHOLE
    with pytest.raises(InputFileError) as caught:
        read_policy(_write(folder, WHOLE.replace(old, new, 1)))
    return str(caught.value)


def test_a_whole_policy_is_read_with_the_lines_of_its_rules(tmp_path):
    found = read_policy(_write(tmp_path, WHOLE))
    lines = WHOLE.splitlines()
    for name in found.policy.rules.named():
        assert lines[found.line("rules", name) - 1] == f"[rules.{name}]"
    assert lines[found.line("allow", 0) - 1] == "[[allow]]"
    assert lines[found.line("against", 1, "cohort") - 1] == 'cohort = "alpaca-eval"'
    assert found.line("nothing", "of", "this") == 1
    assert len(found.policy.rules.named()) == 5
    assert read_endpoints(found.path)["local"].base_url == "http://127.0.0.1:8000/v1"


def test_pyproject_holds_the_same_under_its_own_table(tmp_path):
    tables = WHOLE.replace("[[", "[[tool.forensics.").replace("\n[", "\n[tool.forensics.")
    tables = tables.replace("[tool.forensics.[tool.forensics.", "[[tool.forensics.")
    text = f'[project]\nname = "x"\n[tool.forensics]\n{tables}'
    found = read_policy(_write(tmp_path, text, "pyproject.toml"))
    assert found.policy == read_policy(_write(tmp_path, WHOLE)).policy
    line = text.splitlines()[found.line("rules", "drift") - 1]
    assert line == "[tool.forensics.rules.drift]"
    assert "local" in read_endpoints(found.path)
    with pytest.raises(InputFileError, match=r"no table \[tool\.forensics\]"):
        read_policy(_write(tmp_path, "[project]\n", "pyproject.toml"))
    with pytest.raises(InputFileError, match=r"tool\.forensics must be a table"):
        read_policy(_write(tmp_path, "[tool]\nforensics = 3\n", "pyproject.toml"))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("suite =", "suit =", "line 2: suit is not a setting; did you mean suite?"),
        ("min_log10_lr", "min_log10lr", "line 28: rules.undeclared-kinship.min_log10lr is not a"),
        ("[rules.max-similarity]", "[rules.max-similar]", "did you mean max-similarity?"),
        ("cohort =", "cohrt =", "against.1.cohrt is not a setting; did you mean cohort?"),
        ("reason =", "reasn =", "allow.0.reasn is not a setting; did you mean reason?"),
        ("[budget]", "[zebra]", "line 14: zebra is not a setting; known: suite"),
        ('"warning"', '"fatal"', "severity must be 'error' or 'warning'"),
        ("limit = 32", "limit = true", "line 4: limit must be a whole number"),
        ("limit = 32", "limit = 0", "greater than or equal to 1"),
        ("1.5", "nan", "min_log10_lr"),
        ("2027-01-31", '"2027-01-31"', "must be a date without quotes"),
        ('"2026-01"', '"Jan 2026"', "must be a month, YYYY-MM"),
        ('subject = "demo:smollm2"', "", "line 17: against.0 needs one of: subject, cohort"),
        ('"core"', '"a\\u0000b"', "control characters"),
        ('"text", "weights"', '"vibes"', "tiers.0"),
        ("http://127", "ftp://127", "endpoints.local"),
        ("[rules.drift]", "[rules.drift", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, says):
    complaint = _complaint(tmp_path, old, new)
    assert says in complaint
    assert "\n" not in complaint


def test_a_policy_needs_rules_and_something_to_check_against(tmp_path):
    with pytest.raises(InputFileError, match="has no rule to check"):
        read_policy(_write(tmp_path, '[endpoints.x]\nbase_url = "http://h/v1"\n'))
    with pytest.raises(InputFileError, match="names nothing to check against"):
        read_policy(_write(tmp_path, "[rules.undeclared-kinship]\n"))
    only_drift = '[rules.drift]\nbaseline = "b.jsonl"\n'
    assert read_policy(_write(tmp_path, only_drift)).policy.against == ()


def test_the_policy_is_looked_for_where_one_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"there is no forensics\.toml here"):
        find_policy(None)
    _write(tmp_path, "", "pyproject.toml")
    assert find_policy(None) == Path("pyproject.toml")
    _write(tmp_path, "")
    assert find_policy(None) == Path("forensics.toml")
    assert find_policy(Path("other.toml")) == Path("other.toml")


def test_lines_are_found_through_strings_that_look_like_tables():
    text = 'a = """\n[not.a.table]\nb = 1\n"""\n["x.y".z] # a comment\n"k k".m = 1\n'
    assert key_lines(text) == {("a",): 1, ("x.y", "z"): 5, ("x.y", "z", "k k", "m"): 6}


PIECES = [
    *(
        "[",
        "]",
        "[[",
        "[]",
        "{",
        "}",
        "{}",
        '"',
        "'",
        '"""',
        "=",
        "#",
        ".",
        ",",
        "\n",
        "\x00",
        "\\u0000",
    ),
    *(
        "nan",
        "-1",
        "1e400",
        "0x",
        "true",
        "9" * 30,
        "2027-01-31",
        "rules",
        "against",
        "subject",
        "é",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Give the policy above with a few pieces cut out, moved or put in."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 12))
        piece = draw(st.sampled_from(PIECES) | st.sampled_from(WHOLE.splitlines()) | st.text())
        text = text[:start] + piece + text[start + length :]
    raw = text.encode("utf-8", "surrogatepass")
    return raw + draw(st.sampled_from([b"", b"\xff", b"\x00"]))


@given(raw=mutated())
def test_a_mutated_policy_is_read_or_refused_in_one_line(tmp_path_factory, raw):
    path = _write(tmp_path_factory.getbasetemp(), raw, "mutated.toml")
    try:
        found = read_policy(path)
    except InputFileError as error:
        assert str(error)
        assert str(path) in str(error)
        return
    total = raw.decode("utf-8").count("\n") + 1
    assert all(1 <= found.line("rules", name) <= total for name in found.policy.rules.named())
