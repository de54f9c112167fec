"""Distributions: how many of the values fall between each two edges, as JSON."""

from typing import TYPE_CHECKING

from msgspec import Struct, json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from gnomon.errors import GnomonError
from gnomon.media import Encoded
from gnomon.media.arrays import as_array

MAX_BINS = 1024


class Histogram(Struct, frozen=True):
    """`counts[i]` of the finite values lie in `edges[i]` to `edges[i + 1]`, the last edge included."""

    edges: list[float]
    counts: list[int]
    total: int
    nonfinite: int
    min: float | None
    max: float | None
    mean: float | None


def encode_histogram(values: object, *, bins: int = 64) -> Encoded:
    """Of values in any shape, or of `(counts, edges)` as `numpy.histogram` answers them."""
    return Encoded(json.encode(histogram(values, bins=bins)), ".json")


def histogram(values: object, *, bins: int = 64) -> Histogram:
    """Equal bins from the least to the greatest finite value."""
    import numpy as np

    if isinstance(values, tuple) and len(values) == 2:
        return _counted(as_array(values[0]), as_array(values[1]))
    flat = as_array(values).astype(np.float64).ravel()
    finite = flat[np.isfinite(flat)]
    if not 1 <= bins <= MAX_BINS:
        raise GnomonError(f"a histogram has 1 to {MAX_BINS} bins, not {bins}")
    if not finite.size:
        return Histogram([], [], int(flat.size), int(flat.size), None, None, None)
    counts, edges = np.histogram(finite, bins=bins)
    return Histogram(
        edges=edges.tolist(),
        counts=counts.tolist(),
        total=int(flat.size),
        nonfinite=int(flat.size - finite.size),
        min=float(finite.min()),
        max=float(finite.max()),
        mean=float(finite.mean()),
    )


def _counted(counts: "NDArray[np.generic]", edges: "NDArray[np.generic]") -> Histogram:
    import numpy as np

    if counts.ndim != 1 or edges.shape != (counts.size + 1,) or not 1 <= counts.size <= MAX_BINS:
        raise GnomonError(f"a counted histogram is a pair of 1 to {MAX_BINS} counts and one edge more")
    whole = counts.astype(np.int64)
    bounds = edges.astype(np.float64)
    if not np.isfinite(bounds).all() or (np.diff(bounds) < 0).any() or (whole < 0).any():
        raise GnomonError("the edges of a histogram are finite and rise, and its counts are not negative")
    low, high = float(bounds[0]), float(bounds[-1])
    return Histogram(bounds.tolist(), whole.tolist(), int(whole.sum()), 0, low, high, None)
