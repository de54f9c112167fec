"""Cuts a query into tokens, each with its place. One identifier is one token, its quoted key included.

An unquoted key may hold letters, digits and `_ . - / @ :`, so `metrics.val/accuracy.max` needs no quotes, and the rank
that the SDK writes behind a metric (`metrics.loss{rank=3}.min`). A quoted one (double quotes, backticks or single
quotes) is taken literally; a doubled quote inside stands for one.
"""

import re
from dataclasses import dataclass
from typing import Literal

from gnomon_server.model.filters.source import Source

TokenKind = Literal["word", "string", "number", "operator", "(", ")", ",", "end"]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an identifier: bare text, or what stood between quotes."""

    text: str
    quoted: bool
    at: int


@dataclass(frozen=True, slots=True)
class Token:
    """`text` of a string is its content; of all others what was written. `parts` are those of a word."""

    kind: TokenKind
    text: str
    at: int
    end: int
    parts: tuple[Part, ...] = ()
    quote: str = ""

    def is_word(self, *words: str) -> bool:
        """Whether this is one of the keywords, in any case."""
        return self.kind == "word" and not self.parts[0].quoted and self.text.lower() in words


_SPACE = re.compile(r"\s*")
# Combining marks too: a key typed in NFD is looked up in NFC.
_WORD_REST = re.compile(r"(?:[\w\u0300-\u036f./@:\-]|\{rank=[0-9]+\})+")
_WORD = re.compile(rf"[^\W\d](?:{_WORD_REST.pattern})?")
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)", re.IGNORECASE | re.ASCII)
_OPERATOR = re.compile(r"=~|!~|==|!=|<>|<=|>=|=|<|>")
_QUOTES = "\"'`"


def tokenize(source: Source) -> list[Token]:
    """All tokens of the text; the last is of the kind "end"."""
    tokens: list[Token] = []
    at = _skip_space(source, 0)
    while at < len(source.text):
        token = _token(source, at)
        tokens.append(token)
        at = _skip_space(source, token.end)
    tokens.append(Token("end", "", at, at))
    return tokens


def _skip_space(source: Source, at: int) -> int:
    found = _SPACE.match(source.text, at)
    return at if found is None else found.end()


def _token(source: Source, at: int) -> Token:
    text = source.text
    start = text[at]
    if start == "(":
        return Token("(", start, at, at + 1)
    if start == ")":
        return Token(")", start, at, at + 1)
    if start == ",":
        return Token(",", start, at, at + 1)
    if start in "'\"":
        content, end = _quoted(source, at)
        return Token("string", content, at, end, quote=start)
    if start == "`" or _WORD.match(text, at) is not None:
        return _word(source, at)
    if (number := _NUMBER.match(text, at)) is not None:
        return _number(source, number)
    if (operator := _OPERATOR.match(text, at)) is not None:
        return Token("operator", operator.group(), at, operator.end())
    if start == ";":
        raise source.error("a filter is one expression; `;` has no meaning here", at)
    raise source.error(f"{start!r} has no meaning here; put quotes around text", at)


def _number(source: Source, number: re.Match[str]) -> Token:
    end = number.end()
    if (rest := _WORD_REST.match(source.text, end)) is not None:
        written = source.text[number.start() : rest.end()]
        raise source.error(f"{written!r} is no number; put quotes around it if it is text", number.start())
    return Token("number", number.group(), number.start(), end)


def _word(source: Source, at: int) -> Token:
    """An identifier or a keyword: bare text and quoted pieces in turn, joined by dots."""
    text = source.text
    parts: list[Part] = []
    end = at
    while end < len(text):
        after_dot = bool(parts) and not parts[-1].quoted and parts[-1].text.endswith(".")
        if text[end] in _QUOTES and (not parts or after_dot):
            content, close = _quoted(source, end)
            parts.append(Part(content, True, end))
            end = close
        elif (bare := (_WORD_REST if parts else _WORD).match(text, end)) is not None:
            if parts and not bare.group().startswith("."):
                raise source.error("a dot, a space or an operator must follow the quoted name", end)
            parts.append(Part(bare.group(), False, end))
            end = bare.end()
        else:
            break
    return Token("word", text[at:end], at, end, parts=tuple(parts))


def _quoted(source: Source, at: int) -> tuple[str, int]:
    """The content of the quoted text that begins here, and where it ends."""
    text, quote = source.text, source.text[at]
    end = at + 1
    while True:
        end = text.find(quote, end)
        if end < 0:
            raise source.error(f"the {quote} that opens here is never closed", at)
        if text[end + 1 : end + 2] != quote:
            return text[at + 1 : end].replace(quote * 2, quote), end + 1
        end += 2
