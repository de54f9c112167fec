"""Texts and names as the query language writes them."""


def quoted(text: str) -> str:
    """A text to compare with."""
    return "'" + text.replace("'", "''") + "'"


def quoted_key(key: str) -> str:
    """The name of a metric, param or tag, whatever characters it holds."""
    return "`" + key.replace("`", "``") + "`"
