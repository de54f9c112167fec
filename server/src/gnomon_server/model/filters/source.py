"""The text of a query, and how an error shows where in it something is wrong.

Every error names a character (counted from 1) and shows the text with a caret under it. Text that could make a reader
see something else than what the server reads (control characters, bidirectional marks) is refused before all else.
"""

import re

from gnomon_server.model.errors import FieldError, InvalidRequest

MAX_BYTES = 8 * 1024
# How much of the text an error shows on each side of the place it speaks of.
_SHOWN = 40

_ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class Source:
    """A query text that is short enough and free of odd characters; `field` and `code` are those of its errors."""

    def __init__(self, text: str, *, field: str, code: str) -> None:
        self.text = text
        self.field = field
        self.code = code
        # The slice keeps the measuring itself bounded; a character is at least one byte.
        size = len(text[: MAX_BYTES + 1].encode(errors="surrogatepass"))
        if size > MAX_BYTES:
            raise self.error("is longer than 8 KiB; shorten it (a long list of ids is better sent in parts)", None)
        if (odd := _ODD.search(text)) is not None:
            code_point = f"U+{ord(odd.group()):04X}"
            raise self.error(f"holds {code_point}, a control or text-direction character; remove it", odd.start())

    def error(self, message: str, at: int | None) -> InvalidRequest:
        """What is wrong at this offset (None: of the whole text)."""
        if at is not None:
            message = f"{message} (at character {at + 1})\n{self._excerpt(at)}"
        return InvalidRequest(f"{self.field}: {message}", errors=[FieldError(self.field, message)], code=self.code)

    def _excerpt(self, at: int) -> str:
        start, end = max(at - _SHOWN, 0), min(at + _SHOWN, len(self.text))
        before = "…" if start else ""
        after = "…" if end < len(self.text) else ""
        shown = _ODD.sub("·", re.sub(r"\s", " ", self.text[start:end]))
        return f"  {before}{shown}{after}\n  {' ' * (len(before) + at - start)}^"
