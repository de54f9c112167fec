"""The path of an artifact as a regular expression, for the OpenAPI document. `model.names.artifact_path` decides.

It says all of that rule but the bytes of a segment: relative, no control or turning mark, none of `\\ % ? #`, no
segment that is empty, of dots and blanks alone, or begins with a colon, and no drive letter in front.
"""

_NEVER = r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069/\\%?#"
_ANY = f"[^{_NEVER}]"
_REST = f"[^{_NEVER}. ]{_ANY}*"
_SEGMENT = rf"(?:[. ]+{_REST}|[^{_NEVER}:. ]{_ANY}*)"
_FIRST = rf"(?:[. ]+{_REST}|[^{_NEVER}:. A-Za-z]{_ANY}*|[A-Za-z](?:[^{_NEVER}:]{_ANY}*)?)"

ARTIFACT_PATH = f"^{_FIRST}(?:/{_SEGMENT}){{0,63}}$"
