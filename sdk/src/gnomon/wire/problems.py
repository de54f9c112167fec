"""How every refusal is told: RFC 9457."""

from msgspec import Struct


class FieldProblem(Struct, frozen=True):
    field: str
    message: str


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error answer, `application/problem+json` (RFC 9457), with our `code` and the wrong fields."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    request_id: str | None = None
    expected_seq: int | None = None
