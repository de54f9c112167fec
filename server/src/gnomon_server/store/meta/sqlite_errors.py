"""What an error of SQLite means: a defect of ours, a full disk, a file that cannot be used, or a disk in doubt."""

import pysqlite3.dbapi2 as sqlite
import sqlalchemy as sa

# A statement that it cannot do: a defect of ours, and nothing is wrong with the disk.
_DEFECTS = frozenset(
    (
        sqlite.SQLITE_ERROR,
        sqlite.SQLITE_CONSTRAINT,
        sqlite.SQLITE_TOOBIG,
        sqlite.SQLITE_MISMATCH,
        sqlite.SQLITE_RANGE,
        sqlite.SQLITE_AUTH,
    )
)
# A file that it cannot work with.
_UNUSABLE = frozenset(
    (
        sqlite.SQLITE_FULL,
        sqlite.SQLITE_IOERR,
        sqlite.SQLITE_CANTOPEN,
        sqlite.SQLITE_READONLY,
        sqlite.SQLITE_PERM,
        sqlite.SQLITE_BUSY,
        sqlite.SQLITE_NOTADB,
        sqlite.SQLITE_CORRUPT,
    )
)


def is_disk_in_doubt(error: Exception) -> bool:
    """Whether the whole transaction may be lost, or worse: the disk is full, could not be written, or read wrongly."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    code = _code(error)
    if code is None:  # the driver's own, before SQLite was asked
        return isinstance(error, sa.exc.OperationalError)
    return code not in _DEFECTS


def is_full(error: Exception) -> bool:
    """Whether a write found no space."""
    original = _original(error)
    return isinstance(original, sqlite.Error) and (
        _code(error) == sqlite.SQLITE_FULL or "disk is full" in str(original)
    )


def is_unusable(error: Exception) -> bool:
    """Whether the file, and not what was asked of it, is the reason."""
    return _code(error) in _UNUSABLE


def _code(error: Exception) -> int | None:
    code = getattr(_original(error), "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF  # extended codes add to the byte


def _original(error: Exception) -> BaseException | None:
    return error.orig if isinstance(error, sa.exc.DBAPIError) else error
