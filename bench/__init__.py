"""Measurements with peers beside ours: `python -m bench [name...]`. `docs/benchmarks.md` says what each shows.

Trust the ratios, not the times: both sides run in the same command, in turns, on the same machine, a server on one
core and the load on the other.
"""
