"""Orders and lists of columns: `metrics.loss asc, start_time desc` and `metrics.loss.min,params.lr,name`."""

from collections.abc import Sequence

from gnomon_server.model.filters.ast import STATISTICS, Column, GroupOrder, OrderItem
from gnomon_server.model.filters.columns import NATIVE, Dialect, read_column
from gnomon_server.model.filters.lexer import Token, tokenize
from gnomon_server.model.filters.source import Source

# Each column is one more table to join; nobody orders by more.
MAX_ORDER_ITEMS = 16
MAX_COLUMNS = 200


def parse_order_by(
    order_by: str | Sequence[str] | None, *, dialect: Dialect = NATIVE, field: str = "order_by"
) -> list[OrderItem]:
    """The items of an order, from one text or a list of them; each may hold several, separated by commas.

    Raises InvalidRequest (code `invalid_order_by`) that shows the place.
    """
    texts = [order_by] if isinstance(order_by, str) else list(order_by or ())
    items: list[OrderItem] = []
    for text in texts:
        source = Source(text, field=field, code="invalid_order_by")
        for start, rest in _comma_separated(source):
            item = _order_item(source, start, rest, dialect)
            if any(item.column == other.column for other in items):
                raise source.error(f"{item.column.text} is named twice", start.at)
            if len(items) == MAX_ORDER_ITEMS:
                raise source.error(f"at most {MAX_ORDER_ITEMS} items", start.at)
            items.append(item)
    return items


def parse_group_order(
    order_by: str | None, *, by: Sequence[Column], aggregate: Sequence[Column], field: str = "order_by"
) -> list[GroupOrder]:
    """The order of groups: `n desc`, a column grouped by, or a statistic such as `std(metrics.acc) desc` (bare: mean).

    Raises InvalidRequest (code `invalid_order_by`) that shows the place.
    """
    source = Source(order_by or "", field=field, code="invalid_order_by")
    items = [_group_item(source, start, rest, by, aggregate) for start, rest in _comma_separated(source)]
    if len(items) > MAX_ORDER_ITEMS:
        raise source.error(f"at most {MAX_ORDER_ITEMS} items", None)
    return items


def parse_columns(columns: str, *, field: str = "columns") -> list[Column]:
    """The columns of a table, separated by commas. Raises InvalidRequest (code `invalid_columns`)."""
    source = Source(columns, field=field, code="invalid_columns")
    found: dict[str, Column] = {}
    for start, rest in _comma_separated(source):
        if rest:
            raise source.error("expected a comma or the end", rest[0].at)
        column = read_column(source, start, NATIVE)
        found.setdefault(column.text, column)
        if len(found) > MAX_COLUMNS:
            raise source.error(f"at most {MAX_COLUMNS} columns", start.at)
    return list(found.values())


def parse_column(text: str, *, field: str = "column") -> Column:
    """Exactly one column."""
    columns = parse_columns(text, field=field)
    if len(columns) != 1:
        raise Source(text, field=field, code="invalid_columns").error("give exactly one column", None)
    return columns[0]


def _order_item(source: Source, start: Token, rest: Sequence[Token], dialect: Dialect) -> OrderItem:
    column = read_column(source, start, dialect)
    if column.kind == "dataset":
        raise source.error("runs are not ordered by their datasets", start.at)
    return OrderItem(
        column, _is_descending(source, rest), as_text=column.kind == "param" and not dialect.natural_params
    )


def _group_item(
    source: Source, start: Token, rest: Sequence[Token], by: Sequence[Column], aggregate: Sequence[Column]
) -> GroupOrder:
    statistic = next((known for known in STATISTICS if start.is_word(known)), None)
    if statistic is not None and rest and rest[0].kind == "(":
        if len(rest) < 3 or rest[2].kind != ")":
            raise source.error(f"expected one column in parentheses: {statistic}(metrics.loss)", start.at)
        column: Column | None = read_column(source, rest[1], NATIVE)
        if column not in aggregate:
            raise source.error(f"{rest[1].text} is not among the columns that are aggregated", rest[1].at)
        return GroupOrder(column, statistic, _is_descending(source, rest[3:]))
    if start.is_word("n"):
        return GroupOrder(None, "n", _is_descending(source, rest))
    column = read_column(source, start, NATIVE)
    if column not in by and column not in aggregate:
        raise source.error(f"{column.text} is neither grouped by nor aggregated", start.at)
    return GroupOrder(column, None if column in by else "mean", _is_descending(source, rest))


def _is_descending(source: Source, rest: Sequence[Token]) -> bool:
    if rest and not rest[0].is_word("asc", "desc"):
        raise source.error("expected asc, desc, a comma or the end", rest[0].at)
    if len(rest) > 1:
        raise source.error("expected a comma or the end", rest[1].at)
    return bool(rest) and rest[0].is_word("desc")


def _comma_separated(source: Source) -> list[tuple[Token, list[Token]]]:
    """The tokens between the commas: the first of each and what follows it. Blank text has none."""
    tokens = tokenize(source)
    groups: list[list[Token]] = [[]]
    for token in tokens[:-1]:
        if token.kind == ",":
            groups.append([])
        else:
            groups[-1].append(token)
    if len(tokens) == 1:
        return []
    # An empty place between commas is an error of read_column; it shows where the text ends or the comma stands.
    ends = [token for token in tokens if token.kind in (",", "end")]
    return [(group[0], group[1:]) if group else (end, []) for group, end in zip(groups, ends, strict=True)]
