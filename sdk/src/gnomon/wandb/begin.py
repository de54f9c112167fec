"""`wandb.init`: its many arguments and environment variables, made into a run of Gnomon."""

import hashlib
import os
from collections.abc import Mapping, Sequence

from gnomon.begin import init
from gnomon.guard import complain
from gnomon.places import new_id
from gnomon.resume import is_run_id
from gnomon.run import Run as Kept
from gnomon.wandb.absent import say_once
from gnomon.wandb.runs import Run
from gnomon.wandb.watched import as_mapping

NO_PROJECT = "uncategorized"
_MODES = ("online", "offline", "disabled", "shared")
# What init takes and nothing here needs: said once if a script asks for it.
_SAID = {
    "sync_tensorboard": "import the event files with `gnomon import tensorboard`",
    "tensorboard": "import the event files with `gnomon import tensorboard`",
    "monitor_gym": "log videos as files",
    "fork_from": "a new run is begun",
    "resume_from": "a new run is begun",
}


def begin(
    *,
    entity: str | None,
    project: str | None,
    id: str | None,
    name: str | None,
    notes: str | None,
    tags: Sequence[str] | None,
    config: object,
    exclude: Sequence[str] | None,
    include: Sequence[str] | None,
    group: str | None,
    job_type: str | None,
    mode: str | None,
    resume: bool | str | None,
    more: Mapping[str, object],
) -> Run:
    """A run; one that keeps nothing where `mode` is disabled."""
    for option, instead in _SAID.items():
        if more.get(option):
            say_once(f"option {option}", instead)
    given = _from_settings(more.get("settings"))
    mode = _mode(mode or given.get("mode"))
    project = project or given.get("project") or os.environ.get("WANDB_PROJECT") or NO_PROJECT
    entity = entity or given.get("entity") or os.environ.get("WANDB_ENTITY") or ""
    own_id = id or given.get("run_id") or os.environ.get("WANDB_RUN_ID")
    name = name or given.get("run_name") or os.environ.get("WANDB_NAME")
    group = group or given.get("run_group") or os.environ.get("WANDB_RUN_GROUP")
    job_type = job_type or given.get("run_job_type") or os.environ.get("WANDB_JOB_TYPE")
    notes = notes or given.get("run_notes") or os.environ.get("WANDB_NOTES")
    labels = _labels(tags)
    made = _run_id(own_id, entity, project) if own_id else new_id()
    shown = name or own_id or f"run-{made[-6:]}"
    resume = resume if resume is not None else os.environ.get("WANDB_RESUME")
    is_resumed = bool(own_id) and bool(resume) and resume != "never"
    kept: Kept | None = None
    if mode != "disabled":
        kept = init(
            project,
            name=shown,
            tags=_tags(labels, entity=entity, group=group, job_type=job_type, id=own_id),
            description=notes or "",
            id=None if is_resumed else made,
            resume=made if is_resumed else None,
            offline=True if mode == "offline" else None,
        )
    run = Run(
        kept,
        id=own_id or made,
        name=shown,
        project=project,
        entity=entity,
        group=group,
        job_type=job_type,
        tags=labels,
        notes=notes,
        resumed=is_resumed,
        first_step=_first_step(kept, made) if is_resumed else 0,
    )
    _configure(run, config, exclude, include)
    return run


def disabled_run() -> Run:
    """Takes everything, keeps nothing."""
    return Run(None, id="", name="", project="")


def _configure(run: Run, config: object, exclude: Sequence[str] | None, include: Sequence[str] | None) -> None:
    if isinstance(config, str):
        say_once("config read from a file", "read it, and give the dict")
        return
    try:
        for key, value in as_mapping(config).items():
            if key not in (exclude or ()) and (not include or key in include):
                run.config[str(key)] = value
    except Exception as error:  # of the script's own objects
        complain("the config could not be read", error)


def _first_step(kept: Kept | None, run_id: str) -> int:
    """A run that goes on asks the server where; one that begins asks nobody."""
    if kept is None or kept.settings is None or kept.header.is_offline:
        return 0
    from gnomon.wandb.steps import next_step

    return next_step(kept.settings, run_id)


def _run_id(given: str, entity: str, project: str) -> str:
    """The same id of wandb in the same project is the same run, from whatever process or machine."""
    if is_run_id(given):
        return given
    digest = int.from_bytes(hashlib.sha256(f"wandb\0{entity}\0{project}\0{given}".encode()).digest()[:16], "big")
    # A UUID of version 8: its bits are the maker's own (RFC 9562).
    return f"{digest & ~(0xF << 76) & ~(0x3 << 62) | 0x8 << 76 | 0b10 << 62:032x}"


def _mode(given: str | None) -> str:
    if os.environ.get("WANDB_DISABLED", "").lower() in ("1", "true"):
        return "disabled"
    mode = given or os.environ.get("WANDB_MODE") or "online"
    if mode in ("dryrun", "run"):  # their old names
        mode = "offline" if mode == "dryrun" else "online"
    if mode not in _MODES:
        say_once(f"mode {mode!r}", "the run is online")
        return "online"
    return mode


def _labels(tags: Sequence[str] | None) -> list[str]:
    if tags is None:
        return [tag.strip() for tag in os.environ.get("WANDB_TAGS", "").split(",") if tag.strip()]
    return [tags] if isinstance(tags, str) else [str(tag) for tag in tags]


def _tags(labels: Sequence[str], **said: str | None) -> dict[str, str]:
    return dict.fromkeys(labels, "true") | {f"wandb.{key}": value for key, value in said.items() if value}


def _from_settings(settings: object) -> dict[str, str]:
    if settings is None:
        return {}
    values = settings if isinstance(settings, Mapping) else getattr(settings, "__dict__", {})
    return {str(key): value for key, value in values.items() if isinstance(value, str)}
