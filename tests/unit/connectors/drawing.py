"""Draw pictures with QR codes in them."""

from __future__ import annotations

from io import BytesIO

import zxingcpp
from PIL import Image

from qunce.domain.events import Event, MessageCreated

ADDRESS = "https://u.wechat.com/kP2-x"


def code(text: str, scale: int = 4) -> Image.Image:
    """Return a picture that is a QR code and nothing else."""
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    return Image.fromarray(made.to_image(scale=scale))


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return a picture as a file."""
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def codes_of(event: Event) -> tuple[str, ...]:
    """Return what the codes in a message's pictures say."""
    assert isinstance(event.body, MessageCreated)
    return tuple(text for part in event.body.content for text in part.codes)
