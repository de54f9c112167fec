"""What the state machine draws: few of everything, so that the same keys, names, paths and points meet often."""

import math

from hypothesis import strategies as st

FULL_STEPS = (-1, 0, 1, 2**53)
places = st.integers(0, 8)
keys = st.sampled_from(["loss", "acc", "grad/norm", "Verlust ä"])
values = st.sampled_from([1.5, -2.0, 1e-300, 1.7976931348623157e308, math.nan, math.inf, -math.inf])
points = st.tuples(st.sampled_from([*FULL_STEPS, 0.5]), st.sampled_from([0, 1, 1_700_000_000_000]), values)
series = st.dictionaries(keys, st.lists(points, min_size=1, max_size=6), max_size=3)
params = st.dictionaries(st.sampled_from(["lr", "opt"]), st.sampled_from(["1", "2"]), max_size=2)
tags = st.dictionaries(st.sampled_from(["team", "note"]), st.sampled_from(["a", "b", ""]), max_size=2)
tag_changes = st.dictionaries(st.sampled_from(["team", "note"]), st.sampled_from(["a", None]), min_size=1, max_size=2)
names = st.sampled_from(["one", "two", "three", "vier ß"])
paths = st.sampled_from(["a", "a/b", "a/b/c", "model.bin", "d/e"])
contents = st.sampled_from([b"", b"x", b"weights" * 1000])
