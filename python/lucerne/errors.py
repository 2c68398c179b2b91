"""The exceptions of lucerne. All are a `LucerneError`; most are also the built-in exception that they resemble."""


class LucerneError(Exception):
    """Any error of the engine. The message names the file, field or value, and what to do."""


class UsageError(LucerneError, ValueError):
    """The call, the schema, the document or the query is at fault."""


class AlreadyExistsError(LucerneError):
    """A document of this key, or an index in this folder, exists already."""


class NotFoundError(LucerneError, LookupError):
    """There is no index, no document of this key, or a file of an index is missing."""


class StorageError(LucerneError, OSError):
    """The operating system refused an operation on a file."""


class DiskFullError(StorageError):
    """The disk or a quota is full: make room and try again; nothing was lost."""


class CorruptError(LucerneError):
    """Bytes are not what was written: run `lucerne.check`, restore from a backup."""


class IncompatibleError(LucerneError):
    """The index was written by another release or with another format."""


class LockedError(LucerneError):
    """Another writer is open, in this process or another."""


class ConflictError(LucerneError):
    """The index was changed since the caller looked at it: look again and try again. Nothing was changed."""


class CancelledError(LucerneError):
    """The operation was cancelled; nothing was changed."""


class TimedOutError(LucerneError, TimeoutError):
    """The search was not done in its time. With `partial=True` it returns what it has found."""


class ClosedError(LucerneError):
    """The writer is closed, has failed, or belongs to another process."""


class InternalError(LucerneError):
    """A defect of lucerne or of an extension. Please report it."""


__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "CorruptError",
    "DiskFullError",
    "IncompatibleError",
    "InternalError",
    "LockedError",
    "LucerneError",
    "NotFoundError",
    "StorageError",
    "TimedOutError",
    "UsageError",
]
