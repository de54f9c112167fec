"""`python -m bench [name...]`: run the measurements, print them, and write bench/results/<name>.json."""

import argparse
import importlib

from bench.report import machine, save

BENCHES = ("ingest", "sdk")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure Gnomon, with peers beside it.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(BENCHES)}; all if none")
    parser.add_argument("--rounds", type=int, help="how often each is repeated, in turns")
    parser.add_argument("--seconds", type=float, help="how long each round is")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(BENCHES):
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    options = {name: getattr(asked, name) for name in ("rounds", "seconds") if getattr(asked, name) is not None}
    facts = machine()
    print(f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']}; commit {facts['commit']}")
    for name in asked.names or BENCHES:
        results = importlib.import_module(f"bench.{name}").run(**options)
        for result in results:
            print("\n".join(result.lines()), flush=True)
        print(f"-> {save(name, results, facts)}\n", flush=True)


if __name__ == "__main__":
    main()
