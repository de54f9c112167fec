"""Gnomon in Python. In a training script: a run to log to, which never hurts the script and loses nothing.

    import gnomon

    with gnomon.init(experiment="first steps", params={"lr": 0.1}) as run:
        run.log({"loss": 0.3})

Everywhere else: a client of the server, which answers when the server has answered.

    with gnomon.Client() as client:
        experiment = client.experiments.create("first steps")
        run = client.runs.create(experiment.id)
        client.runs.log_metrics(run.id, {"loss": 0.3}, step=1)
        client.runs.end(run.id)

This is the whole public API. Names are loaded when first used, so `import gnomon` costs a training job nothing.
"""

TYPE_CHECKING = False  # as type checkers know it; to import `typing` would cost more than everything else here
if TYPE_CHECKING:
    from gnomon.begin import active_run, init
    from gnomon.client import Client
    from gnomon.errors import (
        AccessDenied,
        AlreadyExists,
        ApiError,
        ConnectionFailed,
        GnomonError,
        IntegrityError,
        InvalidRequest,
        MissingExtra,
        NotFound,
        ParamConflict,
        ServerBusy,
        ServerFault,
        SettingsError,
        TooLarge,
        Unauthenticated,
        UnsafePath,
    )
    from gnomon.run import Run
    from gnomon.settings import Settings

__version__ = "0.1.0"
__all__ = [
    "AccessDenied",
    "AlreadyExists",
    "ApiError",
    "Client",
    "ConnectionFailed",
    "GnomonError",
    "IntegrityError",
    "InvalidRequest",
    "MissingExtra",
    "NotFound",
    "ParamConflict",
    "Run",
    "ServerBusy",
    "ServerFault",
    "Settings",
    "SettingsError",
    "TooLarge",
    "Unauthenticated",
    "UnsafePath",
    "__version__",
    "active_run",
    "init",
]

_ELSEWHERE = {
    "Client": "gnomon.client",
    "Run": "gnomon.run",
    "Settings": "gnomon.settings",
    "active_run": "gnomon.begin",
    "init": "gnomon.begin",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'gnomon' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_ELSEWHERE.get(name, "gnomon.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
