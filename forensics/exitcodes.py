"""Exit codes of every verb, in one place."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller; the same in every output format."""

    OK = 0
    POLICY_VIOLATED = 1
    DIFFERENT = 1  # `verify`: changed, or derived otherwise
    USAGE = 2
    INCONCLUSIVE = 3  # `verify`: nothing wrong was found, but not everything could be checked
    FAILURE = 4
    INTERRUPTED = 130
