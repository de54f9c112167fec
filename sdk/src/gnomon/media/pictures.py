"""Pictures: arrays and PIL images as PNG, files that are pictures already as they are, figures as their library draws.

The PNG of an array is written here (ISO/IEC 15948:2004: signature, IHDR, IDAT, IEND), so that an array needs no
imaging library; rows are unfiltered, which is larger than the best PNG and faster than any.
"""

import io
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

from gnomon.errors import GnomonError
from gnomon.media import Encoded
from gnomon.media.arrays import as_array

_KNOWN = (
    (b"\x89PNG\r\n\x1a\n", ".png"),
    (b"\xff\xd8\xff", ".jpg"),
    (b"GIF8", ".gif"),
    (b"RIFF", ".webp"),
)
# Channels of an array -> colour type of a PNG: grey, grey and alpha, red green blue, and alpha.
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_MAX_SIDE = 16_384
# Enough for a screen; level 1 halves most pictures at a quarter of the default's time.
_ZLIB_LEVEL = 1


class _Savable(Protocol):
    def save(self, file: io.BytesIO, format: str) -> object: ...


class _Figure(Protocol):
    def savefig(self, file: io.BytesIO, **more: object) -> object: ...


def encode_image(image: object) -> Encoded:
    """An array or tensor (rows, columns, channels or channels first), a PIL image, or a picture's bytes or file."""
    if isinstance(image, str | Path):
        return _known(Path(image).read_bytes())
    if isinstance(image, bytes):
        return _known(image)
    save = getattr(image, "save", None)
    if callable(save) and hasattr(image, "mode"):
        return Encoded(_saved(image), ".png")  # type: ignore[arg-type]  # PIL's class, known by what it has
    return Encoded(png(as_pixels(as_array(image))), ".png")


def encode_figure(figure: object) -> Encoded:
    """A figure of matplotlib (or what is drawn in one) as PNG; one of plotly as its own JSON."""
    to_json = getattr(figure, "to_json", None)
    if hasattr(figure, "to_plotly_json") and callable(to_json):
        return Encoded(str(to_json()).encode(), ".plotly.json")
    if not hasattr(figure, "savefig"):
        figure = getattr(figure, "figure", figure)  # axes, or a grid of seaborn
    if not hasattr(figure, "savefig"):
        raise GnomonError(f"{type(figure).__name__} is no figure of matplotlib or plotly; log_image takes pictures")
    drawn: _Figure = figure
    file = io.BytesIO()
    drawn.savefig(file, format="png", bbox_inches="tight")
    return Encoded(file.getvalue(), ".png")


def as_pixels(array: "NDArray[np.generic]") -> "NDArray[np.uint8]":
    """Rows, columns and 1 to 4 channels of bytes. Floats are taken as 0 to 1, or as 0 to 255 if any is above 1."""
    import numpy as np

    found = array
    if found.ndim == 4 and found.shape[0] == 1:
        found = found[0]
    if found.ndim == 2:
        found = found[:, :, None]
    if found.ndim != 3:
        raise GnomonError(f"an array of the shape {array.shape} is no picture; give rows, columns and channels")
    if found.shape[2] not in _COLOUR_TYPES and found.shape[0] in (1, 3, 4):
        found = np.moveaxis(found, 0, 2)  # channels first, as torch has them
    if found.shape[2] not in _COLOUR_TYPES or not found.size > 0 or max(found.shape[:2]) > _MAX_SIDE:
        raise GnomonError(f"an array of the shape {array.shape} is no picture; give rows, columns and 1 to 4 channels")
    if found.dtype == np.bool_:
        return found.astype(np.uint8) * np.uint8(255)
    if found.dtype.kind == "f":
        plain: NDArray[np.float64] = np.nan_to_num(found.astype(np.float64), posinf=0.0, neginf=0.0)
        found = np.rint(plain * 255.0 if plain.max() <= 1.0 else plain)
    bounded: NDArray[np.uint8] = np.clip(found, 0, 255).astype(np.uint8)
    return bounded


def png(pixels: "NDArray[np.uint8]") -> bytes:
    """A PNG of rows x columns x channels bytes."""
    import numpy as np

    height, width, channels = pixels.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, width * channels)
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), _ZLIB_LEVEL)), (b"IEND", b"")]
    return _KNOWN[0][0] + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _known(data: bytes) -> Encoded:
    for begin, suffix in _KNOWN:
        if data.startswith(begin) and (suffix != ".webp" or data[8:12] == b"WEBP"):
            return Encoded(data, suffix)
    raise GnomonError("these bytes are no PNG, JPEG, GIF or WebP; log_artifact keeps files of any kind")


def _saved(image: _Savable) -> bytes:
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()
