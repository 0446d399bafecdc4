"""Failures a user can cause: each is one line that says what, where and what to do."""

from forensics.exitcodes import ExitCode


class ForensicsError(Exception):
    """A failure with a one-line message for the user and an exit code for the caller."""

    exit_code: ExitCode = ExitCode.FAILURE


class UsageError(ForensicsError):
    """The command or its options cannot mean anything sensible."""

    exit_code = ExitCode.USAGE


class InputFileError(ForensicsError):
    """A file given by the user is missing, unreadable or not what it should be."""

    exit_code = ExitCode.USAGE


class ModelFileError(InputFileError):
    """A model's file is damaged, incomplete or not what it should be; others may still be whole."""


class BackendError(ForensicsError):
    """A model or endpoint could not answer."""


class MissingDependencyError(ForensicsError):
    """Something optional is needed for this subject and is not installed."""


class InsufficientError(ForensicsError):
    """What was given is readable and holds too little to measure anything by: no failure."""


class OutputError(ForensicsError):
    """A result could not be written."""


class PluginWarning(UserWarning):
    """A plugin did not load and was skipped."""
