"""wandb's API over Gnomon: a script that was written for wandb runs with its import changed.

    import gnomon.wandb as wandb

    run = wandb.init(project="fraud", config={"lr": 0.1})
    wandb.log({"loss": 0.3})

A project is an experiment. What is kept, what is kept otherwise and what is not is listed in
docs/guides/from-wandb.md; what is not is said once by the logger `gnomon`, and never raises. wandb's own environment
variables for a run (`WANDB_PROJECT`, `WANDB_NAME`, `WANDB_MODE` …) are followed.
"""

from collections.abc import Mapping, Sequence

from gnomon.wandb import errors, plot
from gnomon.wandb.absent import Absent, absent, say_once
from gnomon.wandb.artifact import Artifact
from gnomon.wandb.begin import begin, disabled_run
from gnomon.wandb.defined import Metric
from gnomon.wandb.errors import CommError, Error, UsageError
from gnomon.wandb.media import Audio, Histogram, Html, Image, Molecule, Object3D, Plotly, Table, Video
from gnomon.wandb.runs import Run
from gnomon.wandb.watched import Config, Summary

_SWEEPS = (
    "nothing is run; let Optuna choose the values (gnomon.trainers.optuna, docs/guides/trainers.md), or loop over them"
)

run: Run | None = None
config: Config = Config(lambda key, value, before: None)
summary: Summary = Summary(lambda key, value, before: None)

__all__ = [
    "Artifact",
    "Audio",
    "CommError",
    "Error",
    "Histogram",
    "Html",
    "Image",
    "Molecule",
    "Object3D",
    "Plotly",
    "Run",
    "Settings",
    "Table",
    "UsageError",
    "Video",
    "agent",
    "alert",
    "config",
    "define_metric",
    "errors",
    "finish",
    "init",
    "log",
    "log_artifact",
    "log_model",
    "login",
    "plot",
    "plot_table",
    "run",
    "save",
    "setup",
    "summary",
    "sweep",
    "teardown",
    "unwatch",
    "use_artifact",
    "watch",
]


class Settings:
    """Taken and looked at for nothing but `mode` and what names a run."""

    def __init__(self, **given: object) -> None:
        self.__dict__.update(given)


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: object = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | None = None,
    config: object = None,
    config_exclude_keys: Sequence[str] | None = None,
    config_include_keys: Sequence[str] | None = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    force: bool | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    **more: object,
) -> Run:
    """Begin a run, or answer the one that goes on, as wandb does. Never raises and asks nobody."""
    global run
    if run is not None and not run.is_finished:
        if reinit in (None, False, "default", "return_previous"):
            return run
        if reinit != "create_new":
            run.finish()
    begun = begin(
        entity=entity,
        project=project,
        id=id,
        name=name,
        notes=notes,
        tags=tags,
        config=config,
        exclude=config_exclude_keys,
        include=config_include_keys,
        group=group,
        job_type=job_type,
        mode=mode,
        resume=resume,
        more=more,
    )
    _use(begun)
    return begun


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    if run is not None:
        run.finish(exit_code, quiet)


def log(
    data: Mapping[str, object], step: int | None = None, commit: bool | None = None, sync: bool | None = None
) -> None:
    _active().log(data, step, commit, sync)


def define_metric(name: str, *args: object, **more: object) -> Metric:
    return _active().define_metric(name, *args, **more)  # type: ignore[arg-type]  # passed on as given


def log_artifact(artifact_or_path: object, *args: object, **more: object) -> Artifact | None:
    return _active().log_artifact(artifact_or_path, *args, **more)  # type: ignore[arg-type]  # passed on as given


def log_model(path: str, name: str | None = None, aliases: list[str] | None = None) -> Artifact | None:
    return _active().log_model(path, name, aliases)


def use_artifact(artifact_or_name: object, *args: object, **more: object) -> object:
    return _active().use_artifact(artifact_or_name, *args, **more)


def save(glob_str: object = None, base_path: object = None, policy: str = "live") -> list[str]:
    return _active().save(glob_str, base_path, policy)


def watch(models: object, *args: object, **more: object) -> None:
    _active().watch(models, *args, **more)  # type: ignore[arg-type]  # passed on as given


def unwatch(models: object = None) -> None:
    _active().unwatch(models)


def alert(title: str, text: str = "", *args: object, **more: object) -> None:
    _active().alert(title, text, *args, **more)


def login(*args: object, **more: object) -> bool:
    """Nobody has to: the key of a Gnomon server is GNOMON_API_KEY or the config file."""
    return True


def setup(*args: object, **more: object) -> None:
    """There is nothing to set up."""


def teardown(exit_code: int | None = None) -> None:
    finish(exit_code)


def sweep(sweep: object = None, *args: object, **more: object) -> Absent:
    """Nothing is tried: whatever picks the values gives them to `init`."""
    return absent("wandb.sweep", _SWEEPS)


def agent(sweep_id: object = None, function: object = None, *args: object, **more: object) -> None:
    absent("wandb.agent", _SWEEPS)


def plot_table(vega_spec_name: str, data_table: Table, *args: object, **more: object) -> Table:
    say_once("chart made with plot_table", "its table is kept")
    return data_table


def _use(begun: Run) -> None:
    """The run is the module's own from now on, and so are its config and summary."""
    global run, config, summary
    run, config, summary = begun, begun.config, begun.summary

    def leave() -> None:
        global run
        if run is begun:
            run = None

    begun.on_finished = leave


def _active() -> Run:
    if run is None:
        say_once("run that is begun", "call wandb.init() first; what is logged before is left out")
        return disabled_run()
    return run


def __getattr__(name: str) -> object:
    if name == "Api":  # what only reads is not imported into what trains
        from gnomon.wandb.api import Api

        return Api
    if name.startswith("__"):
        raise AttributeError(name)
    return absent(f"wandb.{name}")
