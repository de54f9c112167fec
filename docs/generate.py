"""Write the reference pages that come from the code: settings, error codes, the API. `make docs` runs it.

`python -m docs.generate --check` fails when a page is missing or stale.
"""

import argparse
import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from docs.sdk_page import sdk_page
from gnomon_server.api.native import ROUTES
from gnomon_server.api.problems import STATUS
from gnomon_server.api.system import ROUTES as SYSTEM_ROUTES
from gnomon_server.model import errors
from gnomon_server.settings import PREFIX, Settings

FOLDER = Path(__file__).parent / "reference"


def pages() -> dict[str, str]:
    return {"settings.md": settings_page(), "errors.md": errors_page(), "api.md": api_page(), "sdk.md": sdk_page()}


def settings_page() -> str:
    rows = [
        "# Settings",
        "",
        "Each is read from the environment; `gnomon server` has options for the first few.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for field in msgspec.structs.fields(Settings):
        meta = next((m for m in getattr(field.type, "__metadata__", ()) if isinstance(m, msgspec.Meta)), None)
        meaning = "" if meta is None else meta.description
        rows.append(f"| `{PREFIX}{field.name.upper()}` | `{field.default!r}` | {meaning} |")
    return "\n".join(rows) + "\n"


def errors_page() -> str:
    rows = [
        "# Error codes",
        "",
        "Errors are `application/problem+json` with a stable `code`, a `detail` that says what to do, and for wrong",
        "fields `errors: [{field, message}]`.",
        "",
        "| Status | Code | When |",
        "|---|---|---|",
    ]
    for cls in sorted(set(_subclasses(errors.GnomonError)), key=lambda cls: (_status(cls), cls.code)):
        when = inspect.cleandoc(vars(cls)["__doc__"]).split("\n")[0]
        rows.append(f"| {_status(cls)} | `{cls.code}` | {when} |")
    return "\n".join(rows) + "\n"


def api_page() -> str:
    rows = ["# API", "", "Every route; the messages are in `/openapi.json` and on `/docs` of a running server.", ""]
    rows += ["| Method | Path | Permission | |", "|---|---|---|---|"]
    for prefix, handlers in (("/api/v1", ROUTES), ("", SYSTEM_ROUTES)):
        for handler in handlers:
            doc: Any = handler.opt["doc"]
            path = f"{prefix}{doc.path}".replace(":str}", "}").replace(":path}", "}")
            rows.append(f"| {doc.method} | `{path}` | {doc.permission} | {doc.summary} |")
    return "\n".join(rows) + "\n"


def _subclasses(cls: type[errors.GnomonError]) -> list[type[errors.GnomonError]]:
    return [found for child in cls.__subclasses__() for found in (child, *_subclasses(child))]


def _status(cls: type[errors.GnomonError]) -> int:
    return next(STATUS[base] for base in cls.__mro__ if base in STATUS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a page is stale")
    is_check = parser.parse_args().check
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if not is_check:
                path.write_text(text)
    if is_check and stale:
        print(f"stale: {', '.join(stale)}; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
