"""The static site: the same pages as files, in a folder that is its own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from forensics.cli import run
from forensics.view.viewed_folder import SITE_MARK


def export(folder: Path, out: Path) -> int:
    return run(["view", str(folder), "--export", str(out)])


def pages(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.html")}


def test_it_is_the_same_pages_and_every_link_has_its_file(results, tmp_path, capsys):
    out = tmp_path / "new" / "site"
    assert export(results, out) == 0
    assert "index.html" in capsys.readouterr().err
    made = pages(out)
    assert len(made) >= 14
    for content in made.values():
        for link in re.findall(rb'href="([^"#:]+)["#]', content):
            assert link.decode() in made, link
        assert str(results).encode() not in content
    assert export(results, out) == 0
    assert pages(out) == made


def test_pages_of_what_is_gone_go_and_files_of_others_stay(results, tmp_path):
    folder, out = tmp_path / "folder", tmp_path / "site"
    folder.mkdir()
    case = (results / "cases/weights.json").read_bytes()
    (folder / "a.json").write_bytes(case)
    (folder / "b.json").write_bytes(case.replace(b'"base"', b'"bass"'))
    assert export(folder, out) == 0
    (out / "CNAME").write_text("example.invalid")
    before = pages(out)
    (folder / "b.json").unlink()
    assert export(folder, out) == 0
    assert pages(out).keys() < before.keys()
    assert (out / "CNAME").read_text() == "example.invalid"


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"kind": "another"}', "\0"])
def test_a_folder_of_others_is_not_touched(results, tmp_path, capsys, mark):
    (tmp_path / "index.html").write_text("mine")
    if mark:
        (tmp_path / SITE_MARK).write_text(mark)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}
    assert export(results, tmp_path) == 2
    assert "is not a site of this program" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == before
    assert export(results, tmp_path / "index.html") == 2


def test_a_mark_that_names_files_elsewhere_removes_none(results, tmp_path):
    out, precious = tmp_path / "site", tmp_path / "precious.html"
    precious.write_text("mine")
    out.mkdir()
    content = {"kind": "model-forensics site", "pages": ["../precious.html", str(precious), ".."]}
    (out / SITE_MARK).write_text(json.dumps(content))
    assert export(results / "trace", out) == 0
    assert precious.read_text() == "mine"


def test_a_site_within_the_folder_is_no_part_of_it(results, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.json").write_bytes((results / "cases/weights.json").read_bytes())
    for _ in range(2):
        assert export(folder, folder / "site") == 0
    assert b"Exported pages" not in (folder / "site/index.html").read_bytes()
