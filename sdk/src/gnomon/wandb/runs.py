"""The run of `gnomon.wandb`: wandb's methods, kept by a run of Gnomon, which is `run.gnomon`.

Invariants:
- No call raises into the script; what is not supported is said once.
- Each value that is logged is kept at once, at the step that wandb would give it: a call without `step` is followed by
  the next step, one with `step` (or `commit=False`) leaves the step open. Steps never go back; what is logged to an
  earlier one is left out, as wandb does.
"""

import glob
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from gnomon import exits
from gnomon.guard import complain, guarded
from gnomon.notice import notice
from gnomon.run import Run as Kept
from gnomon.values import flatten, number
from gnomon.wandb.absent import Absent, absent, say_once
from gnomon.wandb.artifact import Artifact
from gnomon.wandb.code import Chosen, code_artifact
from gnomon.wandb.defined import Defined, Metric
from gnomon.wandb.media import Media, as_media, keep_all
from gnomon.wandb.watched import Config, Summary
from gnomon.wandb.watching import Watching

# A text at a step is a file; a script that logs one a step for ever makes no million of them.
_MOST_TEXTS = 1_000


class Run:
    """Made by `init`. `id`, `project` and the rest are as the script gave them, or made."""

    def __init__(
        self,
        kept: Kept | None,
        *,
        id: str,
        name: str,
        project: str,
        entity: str = "",
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] = (),
        notes: str | None = None,
        resumed: bool = False,
        first_step: int = 0,
    ) -> None:
        self.gnomon = kept
        self.id = id
        self.project = project
        self.entity = entity
        self.group = group
        self.job_type = job_type
        self.notes = notes
        self.resumed = resumed
        self.sweep_id: str | None = None
        self._name = name
        self._tags = tuple(tags)
        self._first_step = self._step = self._last_step = first_step
        self._defined = Defined()
        self._texts = 0
        self._is_finished = False
        self.on_finished: Callable[[], None] = lambda: None
        self._watching = Watching(self._keep_watched)
        self.config = Config(self._configured)
        self.summary = Summary(self._summarised)

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        say_once("renaming of a run", "give the name to init, or rename it on its page")

    @property
    def tags(self) -> tuple[str, ...]:
        return self._tags

    @tags.setter
    def tags(self, tags: Iterable[str]) -> None:
        new = [str(tag) for tag in tags if tag not in self._tags]
        self._tags = (*self._tags, *new)
        if self.gnomon is not None and new:
            self.gnomon.tag(dict.fromkeys(new, "true"))

    @property
    def step(self) -> int:
        return self._step

    @property
    def starting_step(self) -> int:
        return self._first_step

    @property
    def offline(self) -> bool:
        return self.gnomon is None or self.gnomon.header.is_offline

    @property
    def disabled(self) -> bool:
        return self.gnomon is None

    @property
    def path(self) -> str:
        return "/".join(part for part in (self.entity, self.project, self.id) if part)

    @property
    def dir(self) -> str:
        """A folder where the script may put files; `save` keeps them."""
        folder = Path("gnomon-files") / self.id
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder.absolute())

    @property
    def url(self) -> str | None:
        """The run's page; None where nothing is sent."""
        kept = self.gnomon
        if kept is None or kept.settings is None or kept.header.is_offline:
            return None
        tenant = kept.header.tenant
        return f"{kept.settings.url}/r/{kept.id}{f'?tenant={tenant}' if tenant else ''}"

    def get_url(self) -> str | None:
        return self.url

    def project_name(self) -> str:
        return self.project

    @guarded(None)
    def log(
        self,
        data: Mapping[str, object],
        step: int | None = None,
        commit: bool | None = None,
        sync: bool | None = None,
    ) -> None:
        if step is not None:
            at = int(step)
            if at < self._step:
                notice(f"step {at} is before step {self._step}, so what is logged to it is left out", cause="step back")
                return
            self._step = at
        if not isinstance(data, Mapping):
            raise TypeError(f"run.log takes a dict, not {type(data).__name__}")
        self._last_step = self._step
        self._keep(data)
        if commit or (commit is None and step is None):
            self._step += 1

    @guarded(None)
    def log_artifact(
        self,
        artifact_or_path: object,
        name: str | None = None,
        type: str | None = None,
        aliases: list[str] | None = None,
        **more: object,
    ) -> Artifact:
        artifact = artifact_or_path
        if not isinstance(artifact, Artifact):
            path = Path(str(artifact_or_path))
            artifact = Artifact(name or f"run-{self.id}-{path.name}", type or "unspecified")
            if path.is_dir():
                artifact.add_dir(str(path))
            else:
                artifact.add_file(str(path))
        if self.gnomon is not None:
            artifact.keep(self.gnomon, aliases)
        return artifact

    def log_model(self, path: str, name: str | None = None, aliases: list[str] | None = None) -> Artifact | None:
        return self.log_artifact(path, name, "model", aliases)

    @guarded(None)
    def save(self, glob_str: object = None, base_path: object = None, policy: str = "live") -> list[str]:
        """Keep the files that match, as they are now."""
        if glob_str is None:
            return []
        kept = []
        root = Path(str(base_path)) if base_path is not None else None
        for found in sorted(glob.glob(str(glob_str))):  # noqa: PTH207 - the pattern may be absolute
            path = Path(found)
            below = path.parent.relative_to(root).as_posix() if root is not None else ""
            if self.gnomon is not None:
                self.gnomon.log_artifact(path, "/".join(part for part in ("files", below) if part not in ("", ".")))
            kept.append(found)
        return kept

    def define_metric(
        self,
        name: str,
        step_metric: str | Metric | None = None,
        step_sync: bool | None = None,
        hidden: bool | None = None,
        summary: str | None = None,
        goal: str | None = None,
        overwrite: bool | None = None,
        **more: object,
    ) -> Metric:
        """The summary follows; over what a chart draws is noted, and chosen on its page. Columns take any aggregate."""
        over = step_metric.name if isinstance(step_metric, Metric) else step_metric
        metric = self._defined.add(name, over, summary, goal)
        if self.gnomon is not None:
            self.gnomon.tag({f"wandb.{what}.{name}": value for what, value in metric.noted().items()})
        return metric

    @guarded(None)
    def alert(self, title: str, text: str = "", *args: object, **more: object) -> None:
        """An event of the run; nobody is sent a message."""
        say_once("messages for alerts", "they are kept as events of the run")
        if self.gnomon is not None:
            self.gnomon.event(f"alert: {title}", step=self._last_step)
            self.gnomon.tag({f"alert/{title}": text})

    @guarded(None)
    def watch(
        self,
        models: object,
        criterion: object = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """Keep histograms of a model's gradients, parameters or all, every `log_freq` passes."""
        if log_graph:
            say_once("graph of a model", "its gradients and parameters are kept")
        self._watching.add(models, log=log, log_freq=log_freq, idx=idx)

    @guarded(None)
    def unwatch(self, models: object = None) -> None:
        self._watching.remove(models)

    def mark_preempting(self) -> None:
        pass

    @guarded(None)
    def log_code(
        self,
        root: str | None = ".",
        name: str | None = None,
        include_fn: Chosen | None = None,
        exclude_fn: Chosen | None = None,
    ) -> Artifact | None:
        """Keep the source files below a folder: those that end in .py, or that `include_fn` names."""
        artifact = code_artifact(name or f"source-{self.project}", Path(root or "."), include_fn, exclude_fn)
        return None if artifact is None else self.log_artifact(artifact)

    def use_artifact(self, artifact_or_name: object, *args: object, **more: object) -> object:
        """The artifact of this name that a run of the project logged last; it waits for the server."""
        if isinstance(artifact_or_name, Artifact):
            return self.log_artifact(artifact_or_name)
        settings = None if self.gnomon is None else self.gnomon.settings
        if settings is None or self.offline:
            return absent("use_artifact without a server")
        from gnomon.wandb.used import find_artifact

        try:
            found = find_artifact(settings, self.project, str(artifact_or_name))
        except Exception as error:  # the server, or what a run has put there
            complain(f"the artifact {artifact_or_name!r} could not be had", error)
            return Absent()
        return absent(f"artifact {artifact_or_name!r}") if found is None else found

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run: finished, or failed with an exit code other than 0."""
        if not self._is_finished:
            self._is_finished = True
            self._watching.remove()
            if self.gnomon is not None:
                self.gnomon.finish("failed" if exit_code else "finished")
            self.on_finished()

    @property
    def is_finished(self) -> bool:
        return self._is_finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = exits.status_after(kind, error)
        if self.gnomon is not None and status == "killed":
            self.gnomon.finish("killed")
        self.finish(0 if status == "finished" else 1)

    def __getattr__(self, name: str) -> Absent:
        if name.startswith("_"):
            raise AttributeError(name)
        return absent(f"run.{name}")

    def __repr__(self) -> str:
        return f"Run({self.path!r})"

    def _keep_watched(self, key: str, values: object) -> None:
        if self.gnomon is not None:
            self.gnomon.log_histogram(key, values, step=self._step)

    def _keep(self, data: Mapping[str, object]) -> None:
        numbers: dict[str, object] = {}
        for key, value in flatten(dict(data)):
            plain = number(value)
            if plain is not None:
                numbers[key] = plain
                self._defined.summarise(self.summary, key, value, plain)
            else:
                self._keep_other(key, value)
        if numbers and self.gnomon is not None:
            self.gnomon.log(numbers, step=self._step)

    def _keep_other(self, key: str, value: object) -> None:
        kept = self.gnomon
        if value is None or kept is None:
            return
        try:
            if isinstance(value, list | tuple) and keep_all(kept, key, value, self._step):
                return
            media = as_media(value)
            if isinstance(media, Media):
                media.keep(kept, key, self._step)
            elif isinstance(value, str):
                self._keep_text(kept, key, value)
            else:
                say_once(f"place for {type(value).__name__} under {key!r}", "it is neither number, text nor media")
        except Exception as error:  # of the script's own objects
            complain(f"{key!r} could not be kept", error)

    def _keep_text(self, kept: Kept, key: str, value: str) -> None:
        self._texts += 1
        if self._texts > _MOST_TEXTS:
            say_once(f"place for more than {_MOST_TEXTS} texts", "log them as a Table")
            return
        kept.log_text(key, value, step=self._step)

    def _configured(self, key: str, value: object, before: object) -> None:
        if self.gnomon is None:
            return
        if before is None or before == value:
            self.gnomon.params({key: value})
        else:
            say_once("change of a config's value", "params are written once; the new value is a tag of the run")
            self.gnomon.tag({f"wandb.config.{key}": value})

    def _summarised(self, key: str, value: object, before: object) -> None:
        if self.gnomon is None:
            return
        plain = number(value)
        if plain is not None and before is None:
            self.gnomon.log({key: plain}, step=self._last_step)
        elif isinstance(value, Media):
            value.keep(self.gnomon, key, self._last_step)
        else:
            self.gnomon.tag({f"wandb.summary.{key}": value})
