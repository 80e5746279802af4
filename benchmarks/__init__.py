"""Measurements. `make bench` runs every `bench_*.py` here, each in a process of its own.

A benchmark is a module whose docstring's first line is its title, with `run() -> Iterable[Figure]`.
Figures that have a bound are held against it; `make bench` fails if one does not hold.
"""
