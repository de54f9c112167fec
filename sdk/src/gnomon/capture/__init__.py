"""What a run notes of its surroundings by itself: code, command, packages, machine, console output, system samples.

Invariants:
- Nothing here raises into the script or takes its time: the looking is done by a thread of its own, bounded in time
  and in bytes, and what cannot be found out is left out.
- Secrets are not captured: of the environment only names on a list, of arguments, addresses and differences what
  `secrets.py` lets through.
- Each part can be switched off: `init(capture=...)`, else `GNOMON_CAPTURE`.

What is kept where: docs/formats/media.md.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from gnomon.notice import notice

Part = Literal["git", "command", "packages", "host", "console", "system"]
EVERY_PART: frozenset[Part] = frozenset(get_args(Part))
_OFF = frozenset(("0", "none", "off", "false", "no"))
_ON = frozenset(("1", "all", "on", "true", "yes"))


def chosen_parts(given: bool | str | Iterable[str] | None, environ: Mapping[str, str] = os.environ) -> frozenset[Part]:
    """The parts to capture: all, none, those named, or all but those named with a minus (`-console,-system`).

    `given` is what the script says; where it says nothing, `GNOMON_CAPTURE` counts.
    """
    if given is None:
        given = environ.get("GNOMON_CAPTURE") or True
    if isinstance(given, bool):
        return EVERY_PART if given else frozenset()
    words = given.replace(",", " ").split() if isinstance(given, str) else [str(word) for word in given]
    if len(words) == 1 and words[0].lower() in _OFF | _ON:
        return frozenset() if words[0].lower() in _OFF else EVERY_PART
    known = {str(part): part for part in EVERY_PART}
    for word in words:
        if word.lstrip("-") not in known:
            names = ", ".join(sorted(known))
            notice(f"{word!r} is no part of what is captured; there are {names}", cause=f"capture {word}")
    without = {known[word[1:]] for word in words if word.startswith("-") and word[1:] in known}
    named = {known[word] for word in words if word in known}
    return frozenset((named or EVERY_PART if without or not words else named) - without)
