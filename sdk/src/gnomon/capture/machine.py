"""What a run runs on: the command, Python and its packages, the host, its GPUs, and a few variables of schedulers."""

import os
import platform
import shlex
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions

from gnomon.capture.gpus import list_gpus
from gnomon.capture.secrets import redact, redact_arguments

# Of the environment nothing else is read: these say how a job was placed and how it computes, and hold no secret.
VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "GROUP_RANK",
    "HIP_VISIBLE_DEVICES",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "MKL_NUM_THREADS",
    "NODE_RANK",
    "OMP_NUM_THREADS",
    "PBS_JOBID",
    "PYTHONHASHSEED",
    "RANK",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_PARTITION",
    "SLURM_NNODES",
    "SLURM_NTASKS",
    "SLURM_PROCID",
    "TORCHELASTIC_RUN_ID",
    "WORLD_SIZE",
    "XLA_FLAGS",
)


def command_line() -> str:
    """How this process was started, as a line for a shell, without secrets."""
    return shlex.join(redact_arguments([*sys.orig_argv]))


def describe_command() -> dict[str, object]:
    return {"line": command_line(), "folder": os.getcwd(), "program": sys.argv[0] if sys.argv else ""}  # noqa: PTH109


def describe_host() -> dict[str, object]:
    """The machine and its GPUs."""
    return {
        "name": platform.node(),
        "system": platform.platform(),
        "architecture": platform.machine(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "memory_bytes": _memory_bytes(),
        "gpus": list_gpus(),
    }


def describe_python() -> dict[str, object]:
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
    }


def describe_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    return {name: redact(environ[name]) for name in VARIABLES if name in environ}


@cache
def requirements() -> str:
    """The installed packages as `pip freeze` names them: one `name==version` a line."""
    named = ((each.metadata["Name"], each.version) for each in distributions() if each.metadata)
    found = {f"{name}=={version}\n" for name, version in named if name}
    return "".join(sorted(found, key=str.lower))


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:  # no Linux
        pass
    return platform.processor()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
