"""Heavy libraries load with the garbage collector at rest, and it comes back."""

from __future__ import annotations

import gc

import pytest

from forensics.errors import MissingDependencyError
from forensics.support.libraries import collection_paused, require


def test_nothing_is_collected_meanwhile_and_it_goes_on_afterwards():
    assert gc.isenabled()
    with collection_paused():
        assert not gc.isenabled()
        with collection_paused():
            pass
        assert not gc.isenabled()  # the inner pause leaves the outer one's state
    assert gc.isenabled()


def test_it_goes_on_after_a_library_that_is_missing():
    with pytest.raises(MissingDependencyError, match="pip install no-such-library"):
        require("json", "no_such_library")
    assert gc.isenabled()
