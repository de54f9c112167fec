"""Secrets in arguments, addresses and differences are taken out; what is none stays readable."""

import pytest

from gnomon.capture import EVERY_PART, chosen_parts
from gnomon.capture.secrets import REDACTED, is_secret_name, redact, redact_arguments

CANARY = "tr0ub4dor-canary"


@pytest.mark.parametrize(
    "arguments",
    [
        ["train.py", "--token", CANARY],
        ["train.py", "--hf-token", CANARY, "--lr", "0.1"],
        ["train.py", f"--api-key={CANARY}"],
        ["train.py", "-password", CANARY],
        ["train.py", f"DB_PASSWORD={CANARY}"],
        ["train.py", f"+model.apiKey={CANARY}"],
        ["train.py", f"https://user:{CANARY}@host/repo.git"],
        ["train.py", f"postgresql+psycopg://u:{CANARY}@db:5432/x?sslmode=off"],
        ["train.py", f"https://host/x?access_token={CANARY}&n=1"],
        ["train.py", "--header", f"Authorization: Bearer {CANARY}"],
        ["train.py", f'{{"secret": "{CANARY}"}}'],
        ["train.py", f"db.dsn={CANARY}"],
        ["train.py", "--token", f"-{CANARY}"],
    ],
)
def test_a_secret_argument_is_taken_out(arguments: list[str]) -> None:
    shown = " ".join(redact_arguments(arguments))
    assert CANARY not in shown
    assert REDACTED in shown
    assert shown.startswith("train.py")


@pytest.mark.parametrize(
    "text",
    [
        "sk-proj-abcdefghijklmnopqrstuvwx",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "hf_abcdefghijklmnopqrstuvwxyz",
        "AKIAABCDEFGHIJKLMNOP",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdef",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
        "+password = 'abc def'",
        "export AWS_SECRET_ACCESS_KEY=abc/def+1",
    ],
)
def test_a_text_that_looks_like_a_key_is_taken_out(text: str) -> None:
    shown = redact(f"before {text} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert text not in shown
    assert "abc" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "train.py --lr 0.1 --max-tokens 100 --tokenizer bert --author me --monkey=1 keys=3",
        "https://host/user/repo.git",
        "def token_count(text: str) -> int: return len(text)"[:0] + "batch_size: 32, layers=[1, 2]",
        "lr=1e-5 data=s3://bucket/path",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text
    assert redact_arguments(text.split()) == text.split()


def test_names_are_judged_by_their_words() -> None:
    secret = ["HF_TOKEN", "token", "apiKey", "API_KEY", "db.password", "GITHUBTOKEN", "aws-secret-access-key", "PWD"]
    plain = ["tokenizer", "max_tokens", "keyboard", "key", "monkey", "passes", "author", "secretary"]
    assert [name for name in secret if not is_secret_name(name)] == []
    assert [name for name in plain if is_secret_name(name)] == []


@pytest.mark.parametrize(
    ("given", "environ", "parts"),
    [
        (None, {}, EVERY_PART),
        (None, {"GNOMON_CAPTURE": "0"}, set()),
        (None, {"GNOMON_CAPTURE": "none"}, set()),
        (None, {"GNOMON_CAPTURE": "git, host"}, {"git", "host"}),
        (None, {"GNOMON_CAPTURE": "-console,-system"}, EVERY_PART - {"console", "system"}),
        (True, {"GNOMON_CAPTURE": "0"}, EVERY_PART),
        (False, {}, set()),
        (["git", "console"], {}, {"git", "console"}),
        ("git nonsense", {}, {"git"}),
        ("nonsense", {}, set()),
    ],
)
def test_each_part_can_be_chosen(
    given: bool | str | list[str] | None, environ: dict[str, str], parts: set[str]
) -> None:
    assert chosen_parts(given, environ) == parts


def test_long_lines_without_names_cost_one_pass() -> None:
    line = "A" * 400_000 + "=" + "b=" * 100_000
    assert redact(line) == line
