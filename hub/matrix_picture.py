"""The matrix as a PNG picture, for a chat or a printed page: the boxes of `policies.sheets`, drawn by Pillow.

Pillow's own typeface has no accents; ReportLab's wheel brings Bitstream Vera, which has those of Spanish. Nothing of it is run.
"""

from __future__ import annotations

import io
from importlib import resources

from PIL import Image, ImageDraw, ImageFont

from policies.matrix import Matrix
from policies.readable import Reader
from policies.sheets import EDGE, INK, LEADING, LINE, boxes, sheet

SCALE = 2
"""Dots for each unit of the drawing: readable when it is printed."""
MOST_DOTS = 60_000_000
"""A picture that is larger opens in few programs; then the drawing is made in single dots."""


def png(shown: Matrix, reader: Reader) -> bytes:
    """The picture, with its title as description inside."""
    page = sheet(shown, reader)
    found, width, height = boxes(page)
    scale = SCALE if width * height * SCALE * SCALE <= MOST_DOTS else 1
    picture = Image.new("RGB", (width * scale, height * scale), "#ffffff")
    pen, fonts = ImageDraw.Draw(picture), {strong: _font(name, scale) for strong, name in ((False, "Vera.ttf"), (True, "VeraBd.ttf"))}
    for box in found:
        pen.rectangle(
            (box.x * scale, box.y * scale, (box.x + box.width) * scale, (box.y + box.height) * scale), fill=box.colour, outline=LINE
        )
        for number, line in enumerate(box.lines):
            place = (box.x + EDGE) * scale, (box.y + EDGE + number * LEADING) * scale
            pen.text(place, line, fill=INK, font=fonts[box.strong])
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _font(name: str, scale: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(io.BytesIO((resources.files("reportlab") / "fonts" / name).read_bytes()), 12 * scale)
