"""`forensics suites`: list, show, seal, new."""

import json

from forensics.suites.loading import load_suite


def test_a_seal_is_the_hash_of_the_prompts_and_shows_none(cli, here):
    result = cli("suites", "show", "core", "--seal")
    sealed = json.loads(result.out)
    core = load_suite("core")
    assert sealed["sha256"] == core.sha256
    assert sealed["prompts"] == len(core.prompts)
    assert core.prompts[0].text not in result.out


def test_a_new_suite_loads_and_is_never_overwritten(cli, here):
    assert cli("suites", "new", "mine").code == 0
    assert [p.id for p in load_suite("mine").prompts] == ["writing-01", "writing-02"]
    again = cli("suites", "new", "mine")
    assert again.code == 2
    assert "exists already" in again.complaint


def test_a_name_that_cannot_be_one_is_refused(cli, here):
    assert "lower-case" in cli("suites", "new", "My Suite").complaint


def test_json_has_one_object_a_prompt(cli, here):
    lines = cli("suites", "show", "core", "--json").out.splitlines()
    assert len(lines) == len(load_suite("core").prompts)
    assert json.loads(lines[0])["messages"][-1][0] == "user"


def test_a_repeated_prompt_is_named_with_its_line(cli, here):
    cli("suites", "new", "mine")
    path = here / "mine" / "suite.yaml"
    text = path.read_text().replace("id: writing-02", "id: writing-01")
    path.write_text(text)
    line = text.splitlines().index("  - id: writing-01", 12) + 1
    result = cli("suites", "show", "mine")
    assert result.code == 2
    assert f"line {line}:" in result.complaint
