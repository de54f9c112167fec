"""U+0000 in the texts of a request: one database cannot keep it, another would cut the text there."""

NUL = "\0"


def find_nul(tree: object, field: str = "", *, in_names: bool = False) -> tuple[str, str] | None:
    """Where the first text stands that holds U+0000 (`metrics[3].key`), and that text; None when there is none.

    `tree` is what JSON or a query was read as, however deep. `in_names`: names of objects are looked at too.
    """
    waiting = [(field, tree)]
    while waiting:
        place, found = waiting.pop()
        below: list[tuple[str, object]] = []
        if isinstance(found, str):
            if NUL in found:
                return place, found
        elif isinstance(found, dict):
            if in_names:
                below += [(place, name) for name in found]
            below += [(f"{place}.{name}".removeprefix("."), value) for name, value in found.items()]
        elif isinstance(found, list):
            below += [(f"{place}[{nth}]", value) for nth, value in enumerate(found)]
        waiting += reversed(below)
    return None
