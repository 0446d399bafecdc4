"""Fixtures of the endpoint tests: servers, and no key of the developer's in the environment."""

from __future__ import annotations

import pytest

from tests.loopback import loopback_fixture
from tests.subjects.backends.endpoint import KEY

__all__ = ["loopback_fixture"]


@pytest.fixture(autouse=True)
def no_key_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(name="key")
def key_fixture(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY
