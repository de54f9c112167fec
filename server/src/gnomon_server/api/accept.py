"""Which of the media types that a route offers the client wants: its Accept header, read as RFC 9110 says."""

from collections.abc import Sequence


def chosen_media(accept: str, offered: Sequence[str]) -> str:
    """The offered type of the greatest weight; the first offered where the client does not say, or names no other.

    Among equal weights a named type goes before a wildcard, and what stands first before what stands later.
    """
    chosen, best = offered[0], (0.0, True)
    for part in accept.split(","):
        name, _, parameters = part.strip().lower().partition(";")
        name = name.strip()
        found = next((media for media in offered if _covers(name, media)), None)
        rank = (_weight(parameters), "*" not in name)
        if found is not None and rank > best:
            chosen, best = found, rank
    return chosen


def _covers(name: str, media: str) -> bool:
    return name in (media, "*/*", f"{media.partition('/')[0]}/*")


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0
