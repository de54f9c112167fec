"""What the texts and numbers of messages may be, as `/openapi.json` says it.

Decoding does not look at these bounds: the server alone judges (`gnomon_server.model.names`), in its own words.
"""

from typing import Annotated

from msgspec import Meta


def said(**rules: object) -> Meta:
    """Rules of JSON Schema for a type."""
    return Meta(extra_json_schema=rules)


# No control character, line break or mark that turns the direction of text; the second set has no blanks either.
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_VISIBLE = r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028-\u202e\u202f\u205f\u2066-\u2069\u3000]"
_ONE_LINE = f"^{_PRINTABLE}*{_VISIBLE}{_PRINTABLE}*$"
_NO_NUL = r"^[^\u0000]*$"

Uid = Annotated[str, said(pattern="^[0-9a-f]{32}$")]
Key = Annotated[str, said(minLength=1, maxLength=250, pattern=_ONE_LINE)]
ExperimentName = Annotated[str, said(minLength=1, maxLength=255, pattern=_ONE_LINE)]
RunName = Annotated[str, said(minLength=1, maxLength=500, pattern=_ONE_LINE)]
Description = Annotated[str, said(maxLength=1000, pattern=_NO_NUL)]
ParamText = Annotated[str, said(maxLength=6000, pattern=_NO_NUL)]
TagValue = Annotated[str, said(maxLength=8000, pattern=_NO_NUL)]
Tags = Annotated[dict[Key, TagValue], said(maxProperties=1000)]
TagChanges = Annotated[dict[Key, TagValue | None], said(maxProperties=1000)]
Time = Annotated[str, said(format="date-time", pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
UnixMs = Annotated[int, said(minimum=0, maximum=253_402_300_799_999)]
Count = Annotated[int, said(minimum=0)]
Sha256 = Annotated[str, said(pattern="^[0-9a-f]{64}$")]
Writer = Annotated[str, said(minLength=1, maxLength=64, pattern=_ONE_LINE)]
# Only the s3:// prefixes that the operator allows are taken.
ArtifactLocation = Annotated[str, said(pattern="^s3://")]
Base64 = Annotated[bytes, said(pattern="^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
EndTime = Annotated[str, said(format="date-time")]
Step = Annotated[int | float, said(minimum=-(2**53), maximum=2**53)]
