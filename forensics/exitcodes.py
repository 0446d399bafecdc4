"""Exit codes of every verb, in one place."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the same in every output format."""

    OK = 0
    POLICY_VIOLATED = 1
    USAGE = 2
    INCONCLUSIVE = 3
    FAILURE = 4
    INTERRUPTED = 130
