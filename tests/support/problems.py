"""What an error answer must look like, wherever it comes from."""

import httpx


def assert_problem(answer: httpx.Response, status: int, code: str, *, field: str | None = None) -> None:
    """The answer is problem+json with this status and code, and, where asked, names the field."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code, problem
    assert problem["title"]
    assert problem["detail"]
    assert problem["type"]
    if field is not None:
        fields = [error["field"] for error in problem["errors"]]
        assert any(name == field or name.startswith((f"{field}.", f"{field}[")) for name in fields), problem
