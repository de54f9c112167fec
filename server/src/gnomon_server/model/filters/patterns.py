"""Text patterns: `like`, `ilike` and regular expressions, each decided in linear time.

A user's pattern never meets Python's `re`, whose worst case is exponential; google-re2 has none, and what it cannot do
(look-around, back-references) it refuses. `like` has two wildcards, `%` (any text) and `_` (one character), and no
escape character. `ilike` ignores the case of ASCII letters; where its pattern holds others, the case of all letters.
"""

import re
from collections.abc import Callable
from functools import lru_cache

import re2

MAX_PATTERN_BYTES = 256
# RE2's own bound on a compiled program and its caches, and ours on its length: `.{1000}` would be 10,000 instructions
# walked for each character of each value.
_MAX_MEMORY = 8 << 20
_MAX_PROGRAM = 5_000

Matcher = Callable[[str], bool]


class PatternError(ValueError):
    """The pattern is no regular expression of RE2, or too large a one."""


@lru_cache(maxsize=64)
def matcher(pattern: str) -> Matcher:
    """Whether the regular expression is found anywhere in a text."""
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternError(_reason(error)) from None
    if compiled.programsize > _MAX_PROGRAM:
        raise PatternError("it is too large; use fewer or smaller repetitions")
    search = compiled.search
    # Bytes, because re2 answers a str with character offsets that nobody asked for, at twice the time.
    return lambda text: search(text.encode()) is not None


def like_matcher(pattern: str) -> Matcher:
    return matcher(like_to_regex(pattern))


def ilike_matcher(pattern: str) -> Matcher:
    if not pattern.isascii():
        return matcher(ilike_to_regex(pattern))
    folded = matcher(like_to_regex(ascii_lower(pattern)))
    return lambda text: folded(ascii_lower(text))


def contains_matcher(needle: str) -> Matcher:
    """Case-insensitive substring, `%` and `_` being plain characters."""
    if not needle.isascii():
        return matcher(contains_to_regex(needle))
    folded = ascii_lower(needle)
    return lambda text: folded in ascii_lower(text)


def like_to_regex(pattern: str) -> str:
    """The regular expression that matches exactly what LIKE matches, case included."""
    parts = (_WILDCARDS.get(part) or re2.escape(part) for part in re.split("([%_])", pattern) if part)
    return rf"(?s)\A{''.join(parts)}\z"


def ilike_to_regex(pattern: str) -> str:
    return "(?i)" + like_to_regex(pattern)


def contains_to_regex(needle: str) -> str:
    return "(?i)" + str(re2.escape(needle))


def ascii_lower(text: str) -> str:
    return text.translate(_ASCII_LOWER)


_WILDCARDS = {"%": ".*", "_": "."}
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "it cannot be read"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
