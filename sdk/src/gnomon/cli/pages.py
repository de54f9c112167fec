"""Lists longer than the server's page: fetched page by page until `--limit` is met."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# The server's own bound on one page.
LARGEST_PAGE = 1000


def gather(fetch: Callable[[int, int], tuple[list[T], int]], *, limit: int, offset: int) -> tuple[list[T], int]:
    """Up to `limit` items from `offset` on, and how many there are in all; `fetch(limit, offset)` gets one page."""
    found: list[T] = []
    while True:
        page, total = fetch(min(LARGEST_PAGE, limit - len(found)), offset + len(found))
        found += page
        if not page or len(found) >= limit or offset + len(found) >= total:
            return found, total
