"""What one record of a wandb log says, of the kinds that an import needs.

The message is `Record` of wandb/proto/wandb_internal.proto. A value stands as JSON in `value_json`; histories of newer
writers may have it in a field of its own type. A key is `key`, or a path of parts in `nested_key`.
"""

import json
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from gnomon.importing import protobuf as pb

KeyPath = tuple[str, ...]
# What JSON can say, NaN and the infinities too.
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Begun(Struct, frozen=True):
    """The run, as it was begun or renamed."""

    run_id: str
    entity: str
    project: str
    config: "ConfigChange"
    group: str
    job_type: str
    name: str
    notes: str
    labels: list[str]
    sweep: str
    host: str
    start_ms: int | None
    git: tuple[str, str]  # remote, commit


class ConfigChange(Struct, frozen=True):
    """Changes of the config, or of the summary."""

    updates: list[tuple[KeyPath, Json]] = []
    removes: list[KeyPath] = []


class SummaryChange(ConfigChange, frozen=True):
    pass


class History(Struct, frozen=True):
    """What one `log` said; `step` is None in files that have it only as `_step`."""

    step: int | None
    items: list[tuple[KeyPath, Json]]


class Stats(Struct, frozen=True):
    """A sample of the machine."""

    time_ms: int
    items: list[tuple[KeyPath, Json]]


class Output(Struct, frozen=True):
    """Text that the script printed."""

    text: str


class ArtifactLogged(Struct, frozen=True):
    type: str
    name: str
    aliases: list[str]
    files: list["ArtifactFile"]


class ArtifactFile(Struct, frozen=True):
    """`md5` in base64, of the file at `local` on the machine that logged it; `reference` is a place elsewhere."""

    path: str
    md5: str
    local: str
    reference: str


class MetricDefined(Struct, frozen=True):
    name: str
    step_metric: str


class Exited(Struct, frozen=True):
    code: int


class Mentioned(Struct, frozen=True):
    """A record that is not kept: of which kind, and what it names."""

    kind: str
    name: str


Said = Begun | ConfigChange | History | Stats | Output | ArtifactLogged | MetricDefined | Exited | Mentioned


def decode_record(record: bytes) -> Said | None:
    """What the record says; None where that is nothing a run keeps. Raises `Malformed`."""
    for number, raw in pb.fields(record):
        decode = _DECODERS.get(number)
        if decode is not None:
            return decode(pb.message(raw))
    return None


def _history(message: bytes) -> History:
    step: int | None = None
    items = []
    for number, raw in pb.fields(message):
        if number == 1:
            items.append(_item(pb.message(raw)))
        elif number == 2:
            step = next((pb.signed(value) for n, value in pb.fields(pb.message(raw)) if n == 1), 0)
    return History(step, items)


def _item(message: bytes) -> tuple[KeyPath, Json]:
    key, nested = "", []
    value: Json = None
    for number, raw in pb.fields(message):
        if number == 1:
            key = pb.text(raw)
        elif number == 2:
            nested.append(pb.text(raw))
        elif number in (8, 16):
            value = _parse(pb.text(raw))
        elif number in _TYPED:
            value = _TYPED[number](raw)
    return (tuple(nested) or (key,)), value


def _parse(text: str) -> Json:
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        raise pb.Malformed(f"a value is no JSON: {text[:80]!r}") from None
    return value


def _config(message: bytes) -> ConfigChange:
    return ConfigChange(*_changes(message))


def _summary(message: bytes) -> ConfigChange:
    return SummaryChange(*_changes(message))


def _changes(message: bytes) -> tuple[list[tuple[KeyPath, Json]], list[KeyPath]]:
    updates, removes = [], []
    for number, raw in pb.fields(message):
        if number == 1:
            updates.append(_item(pb.message(raw)))
        elif number == 2:
            removes.append(_item(pb.message(raw))[0])
    return updates, removes


def _run(message: bytes) -> Begun:
    texts: dict[int, str] = {}
    labels: list[str] = []
    config, start_ms, git = ConfigChange(), None, ("", "")
    for number, raw in pb.fields(message):
        if number in (1, 2, 3, 6, 7, 8, 9, 12, 13):
            texts[number] = pb.text(raw)
        elif number == 4:
            config = _config(pb.message(raw))
        elif number == 10:
            labels.append(pb.text(raw))
        elif number == 17:
            start_ms = _time_ms(pb.message(raw))
        elif number == 21:
            parts = {n: pb.text(value) for n, value in pb.fields(pb.message(raw))}
            git = (parts.get(1, ""), parts.get(2, ""))
    return Begun(
        run_id=texts.get(1, ""),
        entity=texts.get(2, ""),
        project=texts.get(3, ""),
        config=config,
        group=texts.get(6, ""),
        job_type=texts.get(7, ""),
        name=texts.get(8, ""),
        notes=texts.get(9, ""),
        labels=labels,
        sweep=texts.get(12, ""),
        host=texts.get(13, ""),
        start_ms=start_ms,
        git=git,
    )


def _stats(message: bytes) -> Stats:
    time_ms, items = 0, []
    for number, raw in pb.fields(message):
        if number == 2:
            time_ms = _time_ms(pb.message(raw))
        elif number == 3:
            items.append(_item(pb.message(raw)))
    return Stats(time_ms, items)


def _output(message: bytes) -> Output:
    return Output("".join(pb.text(raw) for number, raw in pb.fields(message) if number == 3))


def _artifact(message: bytes) -> ArtifactLogged:
    kind, name = "", ""
    aliases: list[str] = []
    files: list[ArtifactFile] = []
    for number, raw in pb.fields(message):
        if number == 4:
            kind = pb.text(raw)
        elif number == 5:
            name = pb.text(raw)
        elif number == 11:
            aliases.append(pb.text(raw))
        elif number == 12:
            files.extend(_manifest(pb.message(raw)))
    return ArtifactLogged(kind, name, aliases, files)


def _manifest(message: bytes) -> Iterator[ArtifactFile]:
    for number, raw in pb.fields(message):
        if number == 4:
            parts = {n: pb.text(value) for n, value in pb.fields(pb.message(raw)) if n in (1, 2, 3, 6)}
            yield ArtifactFile(parts.get(1, ""), parts.get(2, ""), parts.get(6, ""), parts.get(3, ""))


def _metric(message: bytes) -> MetricDefined:
    texts = {number: pb.text(raw) for number, raw in pb.fields(message) if number in (1, 2, 4)}
    return MetricDefined(texts.get(1) or texts.get(2, ""), texts.get(4, ""))


def _exit(message: bytes) -> Exited:
    return Exited(next((pb.signed(raw) for number, raw in pb.fields(message) if number == 1), 0))


def _alert(message: bytes) -> Mentioned:
    return Mentioned("alert", next((pb.text(raw) for number, raw in pb.fields(message) if number == 1), ""))


def _used(message: bytes) -> Mentioned:
    return Mentioned("used artifact", next((pb.text(raw) for number, raw in pb.fields(message) if number == 3), ""))


def _tensorboard(message: bytes) -> Mentioned:
    return Mentioned("tensorboard log", next((pb.text(raw) for number, raw in pb.fields(message) if number == 1), ""))


def _time_ms(message: bytes) -> int:
    """A google.protobuf.Timestamp."""
    parts = {number: pb.signed(raw) for number, raw in pb.fields(message)}
    return parts.get(1, 0) * 1000 + parts.get(2, 0) // 1_000_000


def _nothing(raw: pb.Raw) -> Json:  # noqa: ARG001 - a field that says that there is no value
    return None


def _boolean(raw: pb.Raw) -> Json:
    return bool(pb.varint(raw))


_TYPED: Mapping[int, Callable[[pb.Raw], Json]] = {3: _nothing, 4: _boolean, 5: pb.zigzag, 6: pb.double, 7: pb.text}
_DECODERS: Mapping[int, Callable[[bytes], Said]] = {
    2: _history,
    3: _summary,
    5: _config,
    7: _stats,
    4: _output,
    8: _artifact,
    9: _tensorboard,
    10: _alert,
    12: _metric,
    13: _output,
    17: _run,
    18: _exit,
    25: _used,
}
