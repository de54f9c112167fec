"""The grammar: what text becomes which tree, and that every bound holds at n and refuses n + 1."""

import math
import re
from pathlib import Path

import pytest

from gnomon_server.model.errors import InvalidRequest
from gnomon_server.model.filters import (
    MLFLOW,
    And,
    Between,
    Column,
    Compare,
    Expr,
    GroupOrder,
    IsNull,
    Matches,
    Not,
    OneOf,
    Or,
    OrderItem,
    parse_column,
    parse_columns,
    parse_filter,
    parse_group_order,
    parse_order_by,
)
from gnomon_server.model.filters.attributes import ATTRIBUTES, ENTITIES

NOW_MS = 1_700_000_000_000

LOSS = Column("metric", "loss")
OPT = Column("param", "opt")
TEAM = Column("tag", "team")
STATUS = Column("attribute", "status")
START = Column("attribute", "start_time")


def parse(text: str) -> Expr | None:
    return parse_filter(text, now_ms=NOW_MS)


def refusal(text: str) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as raised:
        parse(text)
    assert raised.value.code == "invalid_filter"
    assert [error.field for error in raised.value.errors] == ["filter"]
    return raised.value


def test_and_binds_closer_than_or_and_not_closest() -> None:
    one, two, three = Compare(LOSS, "<", 1.0), Compare(OPT, "=", "a"), Compare(STATUS, "=", "failed")
    text = "metrics.loss < 1 or params.opt = 'a' and not status = 'failed'"
    assert parse(text) == Or((one, And((two, Not(three)))))
    assert parse("(metrics.loss < 1 OR params.opt = 'a') AND NOT (status = 'failed')") == And(
        (Or((one, two)), Not(three))
    )


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("metrics.loss<0.3", Compare(LOSS, "<", 0.3)),
        ("metrics.loss==-1e-3", Compare(LOSS, "=", -0.001)),
        ("metrics.loss <> +.5", Compare(LOSS, "!=", 0.5)),
        ("metrics.loss >= -inf", Compare(LOSS, ">=", -math.inf)),
        ("metrics.loss <= Infinity", Compare(LOSS, "<=", math.inf)),
        ("metrics.loss in (1, 2.5)", OneOf(LOSS, (1.0, 2.5))),
        ("metrics.loss NOT IN (1,)", OneOf(LOSS, (1.0,), negated=True)),
        ("metrics.loss between -1 and 1", Between(LOSS, -1.0, 1.0)),
        ("metrics.loss not between 0 and inf", Between(LOSS, 0.0, math.inf, negated=True)),
        ("metrics.loss IS NULL", IsNull(LOSS)),
        ("metrics.loss is not null", IsNull(LOSS, negated=True)),
        ("params.opt = 'it''s'", Compare(OPT, "=", "it's")),
        ('params.opt = "say ""hi"""', Compare(OPT, "=", 'say "hi"')),
        (r"params.opt = 'C:\x'", Compare(OPT, "=", r"C:\x")),
        ("params.opt = 3", Compare(OPT, "=", 3.0)),
        ("params.opt < 'b'", Compare(OPT, "<", "b")),
        ("tags.team like 'r%'", Matches(TEAM, "like", "r%")),
        ("tags.team not ilike 'r%'", Matches(TEAM, "ilike", "r%", negated=True)),
        ("tags.team =~ '^r'", Matches(TEAM, "regex", "^r")),
        ("tags.team !~ '^r'", Matches(TEAM, "regex", "^r", negated=True)),
        ("tags.team matches '^r'", Matches(TEAM, "regex", "^r")),
        ("status = 'FAILED'", Compare(STATUS, "=", "failed")),
        ("status =~ 'FAIL'", Matches(STATUS, "regex", "(?i)FAIL")),
        ("start_time > 17", Compare(START, ">", 17.0)),
        ("start_time > '-7d'", Compare(START, ">", NOW_MS - 7 * 86_400_000.0)),
        ("start_time > '-1h30m'", Compare(START, ">", NOW_MS - 5_400_000.0)),
        ("start_time < 'now'", Compare(START, "<", float(NOW_MS))),
        ("start_time < '+1w'", Compare(START, "<", NOW_MS + 604_800_000.0)),
        ("start_time > '-99999w'", Compare(START, ">", 0.0)),
        ("start_time = '1970-01-02'", Compare(START, "=", 86_400_000.0)),
        ("start_time = '1970-01-01T01:00:00.5+01:00'", Compare(START, "=", 500.0)),
        ("duration > '1.5h'", Compare(Column("attribute", "duration"), ">", 5_400_000.0)),
        ("duration between 10 and '250ms'", Between(Column("attribute", "duration"), 10.0, 250.0)),
        ("metrics.loss\n<\t1", Compare(LOSS, "<", 1.0)),
    ],
)
def test_a_comparison_reads(text: str, leaf: Expr) -> None:
    assert parse(text) == leaf


def test_nan_is_compared_for_equality() -> None:
    for text, op in (("metrics.loss = nan", "="), ("metrics.loss is NaN", "="), ("metrics.loss is not nan", "!=")):
        leaf = parse(text)
        assert isinstance(leaf, Compare)
        assert leaf.op == op
        assert isinstance(leaf.value, float)
        assert math.isnan(leaf.value)


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("metrics.loss", LOSS),
        ("metrics.loss.max", Column("metric", "loss", "max")),
        ("METRIC.loss.last", Column("metric", "loss", "last")),
        ("metrics.val/accuracy.max", Column("metric", "val/accuracy", "max")),
        ("metrics.loss{rank=12}.max", Column("metric", "loss{rank=12}", "max")),
        ("metrics.a-b_c.d@e:0.n", Column("metric", "a-b_c.d@e:0", "n")),
        ("metrics.max", Column("metric", "max")),
        ("metrics.max.max", Column("metric", "max", "max")),
        ("metrics.loss.MAX", Column("metric", "loss.MAX")),
        ("metrics.0", Column("metric", "0")),
        ("metrics.verlust_ä", Column("metric", "verlust_ä")),
        ("metrics.verlust_a\u0308", Column("metric", "verlust_ä")),
        ('metrics."a.max"', Column("metric", "a.max")),
        ('metrics."a.max".mean', Column("metric", "a.max", "mean")),
        ("metrics.`a b`.first", Column("metric", "a b", "first")),
        ("metrics.'a b'", Column("metric", "a b")),
        ("metrics.`a``b`", Column("metric", "a`b")),
        ("params.a.max", Column("param", "a.max")),
        ("tags.mlflow.runName", Column("tag", "mlflow.runName")),
        ("tags.`not`", Column("tag", "not")),
        ("tags.and", Column("tag", "and")),
        ("run.name", Column("attribute", "name")),
        ("`Run Name`", Column("attribute", "name")),
        ('"status"', STATUS),
        ('attributes."status"', STATUS),
        ("Created", START),
        ("run_id", Column("attribute", "id")),
        ("user_id", Column("attribute", "created_by")),
    ],
)
def test_an_identifier_names(text: str, column: Column) -> None:
    found = parse_column(text)
    assert found == column
    assert found.text == text


def test_every_alias_of_an_entity_means_it() -> None:
    for alias, kind in ENTITIES.items():
        key = "name" if kind == "attribute" else "k"
        assert parse_column(f"{alias}.{key}") == Column(kind, key)


def test_every_attribute_can_be_compared_ordered_and_shown() -> None:
    for name, attribute in ATTRIBUTES.items():
        literal = {"time": "'now'", "duration": "'1h'"}.get(attribute.kind, "'x'")
        assert isinstance(parse(f"{name} = {literal}"), Compare)
        assert parse_order_by(name) == [OrderItem(Column("attribute", name))]
        assert parse_column(f"attributes.{name}") == Column("attribute", name)


def test_blank_is_no_filter() -> None:
    assert parse("") is None
    assert parse(" \n\t") is None


def test_mlflow_speaks_without_aggregates_and_may_end_in_and() -> None:
    text = "metrics.loss.max < 1 AND "
    assert parse_filter(text, now_ms=0, dialect=MLFLOW) == Compare(Column("metric", "loss.max"), "<", 1.0)
    assert parse_order_by("params.lr", dialect=MLFLOW) == [OrderItem(Column("param", "lr"), as_text=True)]
    refusal(text)


class TestBounds:
    """Each bound: n is taken, n + 1 is refused with a sentence."""

    def test_of_the_text(self) -> None:
        text = "params.opt = '{}'"
        room = 8 * 1024 - len(text.format(""))
        assert parse(text.format("x" * room)) == Compare(OPT, "=", "x" * room)
        assert "longer than 8 KiB" in refusal(text.format("x" * (room + 1))).detail
        assert "longer than 8 KiB" in refusal(text.format("é" * (room // 2 + 1))).detail
        assert "longer than 8 KiB" in refusal("\ud800" * 8_192).detail

    def test_of_comparisons(self) -> None:
        assert isinstance(parse(" or ".join(["metrics.loss < 1"] * 64)), Or)
        assert "more than 64 comparisons" in refusal(" or ".join(["metrics.loss < 1"] * 65)).detail

    @pytest.mark.parametrize("opening", ["(", "not ", "not ("])
    def test_of_depth(self, opening: str) -> None:
        def nested(times: int) -> str:
            return opening * times + "metrics.loss < 1" + ")" * (times * opening.count("("))

        most = 8 if opening == "not (" else 16
        assert parse(nested(most)) is not None
        assert "more than 16 parentheses" in refusal(nested(most + 1)).detail
        assert "more than 16 parentheses" in refusal(opening * 400).detail

    def test_of_a_list(self) -> None:
        leaf = parse(f"metrics.loss in ({','.join(['1'] * 1_000)})")
        assert isinstance(leaf, OneOf)
        assert len(leaf.values) == 1_000
        assert "more than 1,000 items" in refusal(f"metrics.loss in ({','.join(['1'] * 1_001)})").detail

    def test_of_a_regular_expression(self) -> None:
        assert parse(f"tags.team =~ '{'a' * 256}'") == Matches(TEAM, "regex", "a" * 256)
        assert "at most 256 bytes" in refusal(f"tags.team =~ '{'a' * 257}'").detail
        assert "at most 256 bytes" in refusal(f"tags.team =~ '{'é' * 129}'").detail
        assert "too large" in refusal("tags.team =~ '.{900}.{900}'").detail

    def test_of_an_order(self) -> None:
        assert len(parse_order_by(",".join(f"metrics.m{n}" for n in range(16)))) == 16
        with pytest.raises(InvalidRequest, match="at most 16 items"):
            parse_order_by([f"metrics.m{n}" for n in range(17)])

    def test_of_columns(self) -> None:
        assert len(parse_columns(",".join(f"metrics.m{n}" for n in range(200)))) == 200
        with pytest.raises(InvalidRequest, match="at most 200 columns"):
            parse_columns(",".join(f"metrics.m{n}" for n in range(201)))


def test_an_order_is_a_list_or_a_text_with_commas() -> None:
    items = [OrderItem(LOSS, descending=True), OrderItem(OPT), OrderItem(START)]
    assert parse_order_by("metrics.loss desc, params.opt ASC,start_time") == items
    assert parse_order_by(["metrics.loss DESC", "params.opt, start_time"]) == items
    assert parse_order_by(["metrics.`a,b` asc"]) == [OrderItem(Column("metric", "a,b"))]
    for nothing in (None, "", [], " ", ["", " "]):
        assert parse_order_by(nothing) == []


@pytest.mark.parametrize(
    ("order_by", "message"),
    [
        ("metrics.loss nulls last", "expected asc, desc, a comma or the end (at character 14)"),
        ("metrics.loss desc desc", "expected a comma or the end (at character 19)"),
        ("metrics.loss,,name", "expected a name such as metrics.loss, params.lr or status, not ',' (at character 14)"),
        ("metrics.loss,", "not the end (at character 14)"),
        ("metrics.loss, metric.loss desc", "metric.loss is named twice (at character 15)"),
        ("run_name, name", "name is named twice (at character 11)"),
        ("loss", "'loss' is no attribute of a run; write metrics.loss"),
        ("-metrics.loss", "no meaning here"),
        ("name; drop table run_", "`;` has no meaning here (at character 5)"),
    ],
)
def test_an_order_that_cannot_be_read(order_by: str, message: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        parse_order_by(order_by)
    assert raised.value.code == "invalid_order_by"
    assert raised.value.errors[0].field == "order_by"
    assert message in raised.value.detail


def test_columns_keep_their_order_and_stand_once() -> None:
    columns = parse_columns("metrics.loss.min, params.lr,name,metrics.loss.min")
    assert [column.text for column in columns] == ["metrics.loss.min", "params.lr", "name"]
    assert parse_columns("") == []
    for wrong in ("name desc", "name,", "a b"):
        with pytest.raises(InvalidRequest) as raised:
            parse_columns(wrong)
        assert raised.value.code == "invalid_columns"
    for wrong in ("", "name,status"):
        with pytest.raises(InvalidRequest, match="exactly one column"):
            parse_column(wrong)


def test_groups_are_ordered_by_size_value_or_statistic() -> None:
    by, aggregate = parse_columns("params.opt"), parse_columns("metrics.loss.min")
    order = parse_group_order(
        "n desc, std(metrics.loss.min) desc, params.opt, metrics.loss.min", by=by, aggregate=aggregate
    )
    assert order == [
        GroupOrder(None, "n", descending=True),
        GroupOrder(aggregate[0], "std", descending=True),
        GroupOrder(by[0]),
        GroupOrder(aggregate[0], "mean"),
    ]
    for wrong in (
        "mean(metrics.acc)",
        "params.lr",
        "mean(metrics.loss.min",
        "mean()",
        "n n",
        "median(metrics.loss.min)",
    ):
        with pytest.raises(InvalidRequest) as raised:
            parse_group_order(wrong, by=by, aggregate=aggregate)
        assert raised.value.code == "invalid_order_by"


def test_every_filter_of_the_guide_can_be_read() -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/query-language.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| .* \| `([^`]+)` \|$", guide.split("## Runs that lack the value")[1], re.MULTILINE)
    shown.append(guide.split("```\n")[1])
    shown += [
        text
        for text in re.findall(r"`([^`\n]+)`", guide)
        if re.match(r"(not )?(metrics|params|tags|start_time)\S* [=<>i]", text)
    ]
    assert len(shown) > 12
    for text in shown:
        assert parse(text) is not None, text
