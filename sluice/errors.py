"""The one tree of errors.

    SluiceError                 exit code 1
    ├── NotFoundError           exit code 2   what was named does not exist
    ├── NotRunningError         exit code 3   a service, database or broker does not answer
    ├── ConfigurationError      exit code 4   the configuration is wrong; holds every problem at once
    ├── DeadlineError           exit code 5   something took longer than it may
    ├── InputError              exit code 1   a file, frame or argument of the user is wrong
    └── InvariantError          exit code 1   a bug of ours: what must always hold does not

A message reads "X must be Y, was Z"; `fix` says what to do about it. The command line prints both, never a traceback.
"""


class SluiceError(Exception):
    """Something that a person can act on: a message, and the fix where there is one."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class NotFoundError(SluiceError):
    """What was named does not exist."""

    exit_code = 2


class NotRunningError(SluiceError):
    """A service, database or broker does not answer."""

    exit_code = 3


class ConfigurationError(SluiceError):
    """The configuration is wrong. `problems` holds every mistake that was found, not only the first."""

    exit_code = 4

    def __init__(self, problems: list[str], *, fix: str = "") -> None:
        super().__init__("\n".join(problems), fix=fix)
        self.problems = problems


class DeadlineError(SluiceError):
    """Something took longer than it may."""

    exit_code = 5


class InputError(SluiceError):
    """A file, a frame or an argument of the user is wrong."""


class InvariantError(SluiceError):
    """A bug of ours: what must always hold does not. Shown with a traceback, unlike the others."""
