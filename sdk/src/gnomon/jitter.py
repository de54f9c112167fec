"""Chance for waits that should not fall together.

Invariants: the generator that a script seeds with `random.seed` is never drawn from, so how often a server had to be
asked again does not change what a training run computes; forked processes do not draw the same numbers.
"""

from random import SystemRandom

own_random = SystemRandom().random
"""A number in [0, 1), uniform."""
