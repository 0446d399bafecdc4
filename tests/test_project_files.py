"""The files around the code agree on addresses, Python versions, the version and the image."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))


def _yaml(place: str) -> Any:
    return yaml.safe_load((ROOT / place).read_text("utf-8"))


def test_the_project_has_one_address() -> None:
    home = PROJECT["urls"]["Source"]
    assert home.startswith("https://")
    assert all(url.startswith(home) for url in PROJECT["urls"].values())
    assert _yaml("CITATION.cff")["repository-code"] == home
    links = _yaml(".github/ISSUE_TEMPLATE/config.yml")["contact_links"]
    assert [link["url"].startswith(f"{home}/") for link in links] == [True]


def test_a_citation_names_the_project_as_its_metadata_do() -> None:
    citation = _yaml("CITATION.cff")
    assert citation["title"] == PROJECT["name"]
    assert citation["license"] == PROJECT["license"]
    assert "version" not in citation, "the version would stand in two places"


def test_every_python_that_is_named_is_tested() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [name.split(":: ")[-1] for name in PROJECT["classifiers"] if name.startswith(prefix)]
    matrix = _yaml(".github/workflows/tests.yml")["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == named
    assert PROJECT["requires-python"] == f">={named[0]}"


def test_a_release_needs_its_tag_and_its_section_of_the_changelog() -> None:
    jobs = _yaml(".github/workflows/release.yml")["jobs"]
    scripts = " ".join(step.get("run", "") for step in jobs["build"]["steps"])
    assert 'test "$GITHUB_REF_NAME" = "v$version"' in scripts
    assert "CHANGELOG.md" in scripts
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert "password" not in str(jobs)


def test_the_image_holds_what_the_wheel_needs_and_does_not_run_as_root() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users[-1:] == ["10001"]
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").split() if line[0] == "!"
    }
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    wheel = build["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], PROJECT["readme"], "LICENSE"}
    assert needed <= sent
    assert all((ROOT / name).exists() for name in sent)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_its_page_needs(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    assert form.keys() >= {"name", "description", "body"}
    ids = [item["id"] for item in form["body"] if item["type"] != "markdown"]
    assert ids
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(r"[a-z][\w-]*", name) for name in ids)
    assert all("label" in item["attributes"] for item in form["body"] if "id" in item)
