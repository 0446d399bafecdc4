"""The local page: whom it answers, and what it never gives away."""

from __future__ import annotations

import html
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from forensics.view.local_server import ViewerServer
from tests.processes import ROOT

SECRET = "what lies outside"


def ask(server, path, host=None, method="GET"):
    """Return code, headers and body of what the server answers to `path`, as it stands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.port}")
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode("utf-8")
    connection.close()
    return answer.status, answer.headers, body


def page(server, rest=""):
    code, _, body = ask(server, urlsplit(server.address).path + rest)
    assert code == 200, body
    return body


def test_the_table_has_every_kind_of_result(results, serve):
    body = page(serve(results))
    rows = re.findall(r'<a href="(case|check|trace|plan)\?', body)
    # Two cases of the check, three by themselves.
    assert sorted(rows) == ["case"] * 5 + ["check", "plan", "trace"]
    assert "violated" in body
    assert "inconclusive" in body
    assert re.search(r">small</bdi>", body)
    assert "transcript?f=transcripts%2Fcollected.jsonl" in body


def test_every_link_leads_to_a_page(results, serve):
    server = serve(results)
    body = page(server)
    links = [link.replace("&amp;", "&") for link in re.findall(r'<a href="([a-z]+\?[^"]+)"', body)]
    assert len(links) == 8 + 5 + 2
    for link in links:
        assert "<h1" in page(server, link), link
    reports = [link.replace("case?", "report?") for link in links if link.startswith("case?")]
    assert "smallest p" in page(server, next(link for link in reports if "weights" in link))


def test_only_this_machine_with_the_token_is_answered(results, serve):
    server = serve(results)
    home = urlsplit(server.address).path
    assert ask(server, home, f"localhost:{server.port}")[0] == 200
    refused = [
        ask(server, "/"),
        ask(server, f"/{server.token[:-1]}/"),
        ask(server, f"/{server.token}x/"),
        ask(server, f"{home}?f=x", "example.invalid"),
        ask(server, home, f"127.0.0.1:{server.port}.example.invalid"),
        ask(server, home, "127.0.0.1"),
        ask(server, f"http://example.invalid{home}"),
    ]
    assert {(code, body) for code, _, body in refused} == {(404, "Not found.\n")}
    assert ask(server, home, method="POST")[0] == 501
    with pytest.raises(OSError):  # refused, or no such address
        socket.create_connection(("127.0.0.2", server.port), timeout=5)
    assert len({ViewerServer(server.folder).token for _ in range(3)}) == 3


def test_a_page_may_do_as_little_as_a_report(results, serve):
    server = serve(results)
    code, headers, body = ask(server, urlsplit(server.address).path)
    assert code == 200
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    said = re.search(r'Content-Security-Policy" content="([^"]+)"', body)
    assert said is not None
    assert policy == f"{html.unescape(said[1])}; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Access-Control-Allow-Origin"] is None


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of Unix")
def test_nothing_outside_the_folder_is_served(tmp_path, serve):
    folder = tmp_path / "results"
    (folder / "inner").mkdir(parents=True)
    case = (ROOT / "tests/compatibility/frozen/artefacts/cases/weights.json").read_bytes()
    (folder / "case.json").write_bytes(case)
    outside = case.replace(b'"name": "base"', f'"name": "{SECRET}"'.encode())
    assert outside != case
    (tmp_path / "outside.json").write_bytes(outside)
    (folder / ".hidden.json").write_bytes(outside)
    (folder / "link.json").symlink_to(tmp_path / "outside.json")
    (folder / "up").symlink_to(tmp_path)
    (folder / "same").symlink_to(folder / "inner")
    (folder / "to-hidden.json").symlink_to(folder / ".hidden.json")
    os.mkfifo(folder / "pipe.json")
    server = serve(folder)
    home = urlsplit(server.address).path
    inside = ("case.json", "inner/../case.json")
    assert SECRET not in page(server)
    assert ask(server, f"{home}case?f=case.json")[0] == 200
    names = [
        "../outside.json",
        "inner/../../outside.json",
        str(tmp_path / "outside.json"),
        "link.json",
        "up/outside.json",
        "to-hidden.json",
        ".hidden.json",
        "pipe.json",
        "inner",
        "",
        "case.json\0",
        "..\\outside.json",
        "\udcff",
        "a" * 5000,
    ]
    asked = [quote(os.fsencode(name), safe="") for name in names]
    asked += [quote(name, safe="") for name in asked[:5]]  # encoded twice
    asked += [name.replace("%2F", "/") for name in asked]
    for screen in ("case", "report", "answers", "check", "trace", "plan", "transcript"):
        for name in asked:
            code, _, body = ask(server, f"{home}{screen}?f={name}")
            assert code == 404, name
            assert SECRET not in body
            assert str(tmp_path) not in body
    for path in (f"{home}../outside.json", f"{home}%2e%2e/outside.json", f"{home}case.json"):
        assert ask(server, path)[0] == 404
    listed = page(server)
    for reason in ("it leads out of the folder", "it is a link to a folder", "not a regular file"):
        assert reason in listed
    assert inside[0] in listed


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("case", "names no file"),
        ("case?f=a&f=b", "names no file"),
        ("case?f=check%2Fof-heron", "is not a case"),
        ("case?f=check%2Fof-heron&n=2", "no such case"),
        ("case?f=check%2Fof-heron&n=-1", "names no case"),
        ("case?f=check%2Fof-heron&n=1e9", "names no case"),
        ("check?f=trace%2Fof-heron.txt", "not the result of a check"),
        ("trace?f=check%2Fof-heron", "not what `forensics trace --json` writes"),
        ("trace?f=cohort", "not complete JSON"),
        ("pair?f=transcripts%2Fheron-7b.jsonl", "names no second"),
        ("pair?f=transcripts%2Fheron-7b.jsonl&g=..%2Fx.jsonl", "not a file of the folder"),
        ("transcript?f=cohort", "not UTF-8"),
        ("beside?f=cases%2Fweights.json&g=none.json", "there is no such case"),
        ("plan?f=transcripts%2Fheron-7b.jsonl", "case file"),
        ("nothing?f=x", "no such page"),
    ],
)
def test_what_cannot_be_shown_is_told_on_a_page(results, serve, query, reason):
    server = serve(results)
    code, _, body = ask(server, urlsplit(server.address).path + query)
    assert code == 404
    assert reason in body
    assert "Traceback" not in body
    assert str(results) not in body


@pytest.mark.skipif(os.name == "nt", reason="an interrupt reaches a process of its own on Unix")
def test_the_command_serves_until_it_is_interrupted(results):
    command = [sys.executable, "-m", "forensics", "view", str(results)]
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    try:
        address = urlsplit(running.stdout.readline().strip())
        assert re.fullmatch(r"/[\w-]{32}/", address.path)
        connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=30)
        connection.request("GET", address.path)
        assert connection.getresponse().status == 200
        connection.close()
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
    finally:
        running.kill()
    assert running.returncode == 0
    assert err == "Ctrl-C ends it\n"


def test_what_cannot_be_served_ends_at_once(tmp_path, capsys):
    from forensics.cli import run

    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    file = tmp_path / "file"
    file.write_text("x")
    wanted = [
        (["view", str(tmp_path / "none")], 2, "is not a folder"),
        (["view", str(file)], 2, "is not a folder"),
        (["view", str(tmp_path), "--port", str(port)], 4, "give another --port"),
        (["view", str(tmp_path), "--export", str(tmp_path / "x"), "--open"], 2, "leave them out"),
    ]
    with taken:
        for arguments, code, said in wanted:
            assert run(arguments) == code
            lines = capsys.readouterr().err.splitlines()
            assert len(lines) == 1
            assert said in lines[0]
    assert not Path(tmp_path / "x").exists()
