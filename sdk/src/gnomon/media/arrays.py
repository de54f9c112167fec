"""Arrays of any library as numpy's, without importing that library."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from gnomon.errors import MissingExtra


def as_array(value: object) -> "NDArray[np.generic]":
    """A numpy array of a tensor, an array or nested lists. A tensor on a GPU is copied, which waits for it."""
    try:
        import numpy as np
    except ImportError as error:
        raise MissingExtra("numpy", extra="media", purpose="logging arrays") from error
    for name in ("detach", "cpu"):
        call = getattr(value, name, None)
        value = call() if callable(call) else value
    if "bfloat16" in str(getattr(value, "dtype", "")):  # numpy has no such type
        widen = getattr(value, "float", None)
        value = widen() if callable(widen) else value
    own = getattr(value, "numpy", None)
    found: NDArray[np.generic] = np.asarray(own() if callable(own) else value)
    return found
