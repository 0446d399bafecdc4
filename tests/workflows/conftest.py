"""Fixtures of the command line, to hold what Python gives against what it writes."""

from __future__ import annotations

from tests.cli.conftest import cli_fixture, here_fixture

__all__ = ["cli_fixture", "here_fixture"]
