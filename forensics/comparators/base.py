"""Old path, for one release: plugins import from `forensics.plugin`."""

from typing import Protocol

from forensics.support.moved import moved

__getattr__ = moved(__name__, "forensics.evidence.comparator")


class Reference(Protocol):
    """What comparators of the first release named as the type of an argument never given."""
