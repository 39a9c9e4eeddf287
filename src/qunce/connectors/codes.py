"""Read the QR codes in a picture that somebody sent. It may be made to do harm, so it is held to limits before it is decoded.

Only PNG and JPEG: their headers tell the size before anything is unpacked.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from qunce.connectors.cleaning import presentable

if TYPE_CHECKING:
    from PIL import Image

MAX_BYTES: Final = 4 * 1024 * 1024
MAX_PIXELS: Final = 16_000_000
"""A picture of a telephone has twelve million; its pixels are counted by the header."""
MAX_SIDE: Final = 1_600
"""Larger pictures are made smaller before they are searched; this bounds the time of the search."""
MAX_SCANS: Final = 64
"""Progressive JPEGs have about ten. Each scan costs a pass over the whole picture: thousands in a small file stop a machine."""
MAX_CODES: Final = 8
MAX_CHARS: Final = 2_000
_FORMATS: Final = ("PNG", "JPEG")
_SCAN: Final = b"\xff\xda"

Refused = Literal["bytes", "kind", "pixels", "scans", "broken", "many"]


class BadPicture(Exception):
    """A picture was not searched. `code`: bytes, pixels, scans or pictures beyond the limit, another kind, or broken."""

    def __init__(self, code: Refused) -> None:
        super().__init__(code)
        self.code: Refused = code


def read_codes(data: bytes) -> tuple[str, ...]:
    """Return what the QR codes of a picture say, each once; empty when it has none. Raises BadPicture."""
    if len(data) > MAX_BYTES:
        raise BadPicture("bytes")
    if not data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise BadPicture("kind")
    if data.startswith(b"\xff") and data.count(_SCAN) > MAX_SCANS:
        raise BadPicture("scans")
    # The decoders are loaded with the first picture: most processes never see one.
    import zxingcpp
    from PIL import Image

    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadPicture("pixels")
            found = zxingcpp.read_barcodes(_grey(image), formats=zxingcpp.barcode_formats_from_str("QRCode"))
    except BadPicture:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # it looks at the header too
        raise BadPicture("pixels") from None
    except Exception as error:  # the border to foreign files: decoders raise whatever they like
        raise BadPicture("broken") from error
    texts = dict.fromkeys(presentable(code.text[:MAX_CHARS]) for code in found if code.text)
    return tuple(texts)[:MAX_CODES]


def _grey(image: Image.Image) -> Image.Image:
    """Return a picture of bounded size in shades of grey, on white where it is transparent."""
    from PIL import Image

    image.draft("L", (MAX_SIDE, MAX_SIDE))
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    return image.convert("L")
