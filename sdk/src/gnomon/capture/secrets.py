"""Taking secrets out of what is captured: arguments, addresses, differences.

A name is secret when one of its words is (`HF_TOKEN`, `--db.password`, `apiKey`); a text is secret where it looks like
a key of a known service, the password of an address, or a value given to a secret name. Too much is taken rather than
too little.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

REDACTED = "[redacted]"

_ENDS = ("token", "secret", "password", "passwd", "passphrase", "apikey", "credential", "credentials")
_WHOLE = frozenset(("pwd", "pass", "auth", "authorization", "cookie", "jwt", "dsn"))
_KEYS = frozenset(("api", "access", "secret", "private", "account", "signing", "encryption", "ssh", "license"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USERINFO = re.compile(r"(?<=://)[^/@\s\"']+@")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")
_SHAPES = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{16,}|gh[opsru]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{16,}"
    r"|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[\w-]{30,}|gn[ms]_[\w-]{16,}|pypi-[\w-]{30,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# A name, then `:` or `=`, then a value in quotes or up to a blank or a mark that ends it. The name is taken whole and
# once (possessive), so that a long line without any costs one pass.
_NAMED = re.compile(r"""(?<![\w.-])(?P<name>[\w.-]{1,200}+)["']?[ \t]{0,20}[=:][ \t]{0,20}""")
_VALUE = re.compile(r""""[^"\n]*"|'[^'\n]*'|[^\s"',;&)}\]]+""")
_OPTION = re.compile(r"(--?|\+*)?(?P<name>[\w.-]+)")


def is_secret_name(name: str) -> bool:
    """Whether what is called so is nobody's business."""
    words = [word.lower() for word in _WORDS.findall(name[:200])]
    if any(word.endswith(_ENDS) or word in _WHOLE for word in words):
        return True
    return any(second == "key" and first in _KEYS for first, second in pairwise(words))


def redact_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line with the values of secret options taken out."""
    found: list[str] = []
    is_next_secret = False
    for argument in arguments:
        option = _OPTION.fullmatch(argument)
        is_option = argument.startswith("-") and option is not None
        if is_next_secret and not (is_option and argument.startswith("--")):
            found.append(REDACTED)
            is_next_secret = False
            continue
        found.append(redact(argument))
        is_next_secret = is_option and option is not None and is_secret_name(option["name"])
    return found


def redact(text: str) -> str:
    """A text with what looks like a secret taken out."""
    text = _KEY_BLOCK.sub(REDACTED, text)
    text = _USERINFO.sub(f"{REDACTED}@", text)
    text = _BEARER.sub(lambda found: f"{found[1]} {REDACTED}", text)
    text = _SHAPES.sub(REDACTED, text)
    return _without_named_values(text)


def _without_named_values(text: str) -> str:
    """What is given to a secret name is taken out; behind another name the search goes on within its value."""
    kept: list[str] = []
    at = 0
    for found in _NAMED.finditer(text):
        if found.start() < at or not is_secret_name(found["name"]):
            continue
        if (value := _VALUE.match(text, found.end())) is not None:
            kept += [text[at : found.end()], REDACTED]
            at = value.end()
    return "".join(kept) + text[at:]
