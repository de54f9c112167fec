"""`python -m bench [name...]`: run the measurements, print them, and write bench/results/<name>.json."""

import argparse
import importlib
import inspect
import signal

from bench.report import load, machine, markdown, save

BENCHES = ("ingest", "framework", "sdk", "kill", "read", "search", "mixed", "space", "cost", "mlflow", "ui", "scale")
_MODULES = {"mlflow": "mlflow_wire"}  # where the name of a measurement is not that of its module


def main() -> None:
    # Ended by a signal, it ends its servers and removes their homes, as after an error.
    signal.signal(signal.SIGTERM, _end)
    parser = argparse.ArgumentParser(prog="bench", description="Measure Gnomon, with peers beside it.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"what to measure: {', '.join(BENCHES)}; `all`, or none: all of them"
    )
    parser.add_argument("--rounds", type=int, help="how often each is repeated, in turns")
    parser.add_argument("--seconds", type=float, help="how long each round of a load is")
    parser.add_argument("--quick", action="store_true", help="small sizes, to try a measurement")
    parser.add_argument("--full", action="store_true", help="the largest sizes too (cost: 10^6 runs and 10^8 points)")
    parser.add_argument("--markdown", action="store_true", help="print tables for docs/benchmarks.md at the end")
    parser.add_argument("--saved", action="store_true", help="measure nothing; show what was measured last")
    asked = parser.parse_args()
    names = [name for name in BENCHES if name in asked.names or not asked.names or "all" in asked.names]
    if unknown := set(asked.names) - {*BENCHES, "all"}:
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if not asked.saved:
        measure(names, {name: value for name, value in vars(asked).items() if value})
    if asked.markdown or asked.saved:
        print("\n".join(markdown(*saved) for name in names if (saved := load(name)) is not None))


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def measure(names: list[str], options: dict[str, object]) -> None:
    """Run each; of the options, each is given those that it knows."""
    for name in names:
        facts = machine()
        print(f"== {name}: {facts['cpu']}, {facts['cores']} cores, load {facts['load']}; commit {facts['commit']}")
        run = importlib.import_module(f"bench.{_MODULES.get(name, name)}").run
        known = inspect.signature(run).parameters
        results = []
        for result in run(**{option: value for option, value in options.items() if option in known}):
            print("\n".join(result.lines()), flush=True)
            results.append(result)
        print(f"-> {save(name, results, facts)}\n", flush=True)


if __name__ == "__main__":
    main()
