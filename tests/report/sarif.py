"""The official SARIF 2.1.0 schema (rtm.5, MIT, from the npm package @microsoft/jest-sarif)."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = Path(__file__).with_name("sarif-2.1.0-rtm.5.json.gz")
_SHA256 = "2d99159ae54a3eea97f81781cff48780548657c35949f4b7f25e99a2ba4de4f8"


def check_sarif(text: str) -> dict[str, Any]:
    """Check SARIF against the official schema, and that code scanning would take it."""
    raw = gzip.decompress(_SCHEMA.read_bytes())
    assert hashlib.sha256(raw).hexdigest() == _SHA256
    document: dict[str, Any] = json.loads(text)
    jsonschema.Draft4Validator(json.loads(raw)).validate(document)
    (run,) = document["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        assert not place["artifactLocation"]["uri"].startswith("/")
        assert place["region"]["startLine"] >= 1
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
    fingerprints = [r["partialFingerprints"]["ruleSubjectReference/v1"] for r in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)
    return document
