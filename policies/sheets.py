"""The matrix to take along: CSV for a spreadsheet, one HTML page that needs nothing else, an SVG drawing. Never data of a person.

The page is a plain table with headings of rows and columns, so that a screen reader says both beside each cell; it has no script, loads
nothing, and prints. The drawing is made by hand here: a few rectangles and words are no reason for a library.
"""

from __future__ import annotations

import csv as tables
import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from policies import beyond
from policies.decision import Outcome
from policies.matrix import Cell, Matrix, Place
from policies.readable import Reader

COLOURS = {Outcome.RELEASE: "#cfe8d5", Outcome.GENERALISE: "#fdf0c4", Outcome.PRESENCE: "#e3ecf7", Outcome.WITHHOLD: "#ffffff"}
"""How much leaves at most. Dark words on each have a contrast of more than 12 to 1, and the words alone say everything."""
INK, LINE = "#1d1d1f", "#8a8a8f"
_STYLE = """
body{font:16px/1.4 system-ui,sans-serif;color:#1d1d1f;background:#fff;margin:1.5rem;max-width:80rem}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{border:1px solid #8a8a8f;padding:.35rem .5rem;text-align:left;vertical-align:top}thead th{background:#f1f1f3}
tbody th{font-weight:400}@media print{thead{display:table-header-group}tr{break-inside:avoid}}
"""


_TITLES = (
    ("dato", "field_words"), ("para", "purpose_words"), ("para quién", "recipient_words"), ("qué sale", "says"),
    ("nada si quien agrede es de", "nothing_if_of"),
)  # fmt: skip
"""The columns for people, after those for programs."""


def csv(shown: Matrix, reader: Reader) -> bytes:
    """One row a cell: codes for programs, words for people. A spreadsheet reads the mark at its head and shows the accents."""
    out = io.StringIO()
    write = tables.writer(out)
    write.writerow((
        "field", "purpose", "recipient", "level", "cut_when_the_aggressor_is", *(reader.pick(title) for title in _TITLES),
    ))  # fmt: skip
    for field in shown.fields:
        for place in shown.places:
            cell = shown.cells[field, place]
            closed = shown.closed.get(place[1], ())
            whose = "; ".join(reader.word("affiliations", one) for one in closed)
            called = (reader.field(field), reader.word("purposes", place[0]), reader.kind(place[1]), reader.cell(cell), whose)
            write.writerow((field, *place, widest(cell).word, " ".join(closed), *called))
    return out.getvalue().encode("utf-8-sig")


def widest(cell: Cell) -> Outcome:
    """The most that a cell shows."""
    return max((clause.level.outcome for clause in cell.clauses), default=Outcome.WITHHOLD)


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What a page or a drawing shows: headings, rows of (words, how much), and the lines beneath."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, Outcome], ...]], ...]
    notes: tuple[str, ...]


def sheet(shown: Matrix, reader: Reader) -> Sheet:
    """The matrix with equal rows and equal columns put together."""
    protocol, columns = shown.protocol, shown.columns()
    rows = []
    for fields in shown.rows():
        cells = [shown.cells[fields[0], places[0]] for places in columns]
        rows.append((", ".join(reader.field(name) for name in fields), tuple((reader.cell(cell), widest(cell)) for cell in cells)))
    return Sheet(
        title=f"{protocol.title.get(reader.language)} ({protocol.id}@{protocol.version})",
        headings=(reader.pick(("Dato", "Field")), *(place_words(places, reader) for places in columns)),
        rows=tuple(rows), notes=tuple(_notes(shown, reader)),
    )  # fmt: skip


def place_words(places: Sequence[Place], reader: Reader) -> str:
    """`Fiscalía, Juzgado · protección`: kinds of the same purposes together."""
    purposes: dict[str, list[str]] = {}
    for purpose, kind in places:
        purposes.setdefault(kind, []).append(purpose)
    kinds: dict[tuple[str, ...], list[str]] = {}
    for kind, some in purposes.items():
        kinds.setdefault(tuple(some), []).append(kind)
    return "; ".join(
        f"{', '.join(reader.kind(kind) for kind in some)} · {', '.join(reader.word('purposes', purpose) for purpose in named)}"
        for named, some in kinds.items()
    )


def closed_words(shown: Matrix, reader: Reader) -> Iterator[str]:
    """For each recipient kind: the affiliations of an aggressor under which it gets nothing."""
    for kind, codes in shown.closed.items():
        named = ", ".join(reader.word("affiliations", code) for code in codes)
        yield f"{reader.kind(kind)}: {named or reader.pick(('solo si se nombra a esa institución', 'only where that institution is named'))}"


def _notes(shown: Matrix, reader: Reader) -> Iterator[str]:
    needs = ", ".join(reader.word("needs", need) for need in sorted(shown.protocol.needs))
    yield reader.pick(("Necesidades: ", "Needs: ")) + needs + "."
    yield beyond.consent_line(shown.protocol, reader, shown.fields)
    yield from beyond.opens(shown.protocol, reader, shown.fields)
    yield reader.pick((
        "Nada sale, diga lo que diga la tabla, cuando quien agrede es de la misma entidad:",
        "Nothing leaves, whatever the table says, when the aggressor belongs to the same institution:",
    ))  # fmt: skip
    yield from closed_words(shown, reader)


def html(shown: Matrix, reader: Reader) -> bytes:
    """A whole page."""
    page = sheet(shown, reader)
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in page.headings)
    body = "".join(f'<tr><th scope="row">{escape(field)}</th>{"".join(map(_cell, cells))}</tr>\n' for field, cells in page.rows)
    notes = "".join(f"<p>{escape(note)}</p>" for note in page.notes)
    return (
        f'<!doctype html>\n<html lang="{reader.language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">'
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body><main><h1>{escape(page.title)}</h1>\n"
        f"<table><caption>{escape(reader.pick(('Quién puede ver qué', 'Who may see what')))}</caption><thead><tr>{head}</tr></thead>\n"
        f"<tbody>{body}</tbody></table>{notes}</main></body></html>\n"
    ).encode()


def _cell(cell: tuple[str, Outcome]) -> str:
    return f'<td style="background:{COLOURS[cell[1]]}">{escape(cell[0])}</td>'


# -- the drawing: measures that the picture (PNG) shares


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle with lines of words in it."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    lines: tuple[str, ...]
    strong: bool = False


FIRST, OTHER, LETTER, LEADING, EDGE = 320, 230, 7.2, 18, 8
"""Widths of the columns, of a letter on the average, the distance of lines, the edge inside a box."""


def boxes(page: Sheet) -> tuple[list[Box], int, int]:
    """The boxes of a sheet, and the width and height of it all."""
    widths = [FIRST] + [OTHER] * (len(page.headings) - 1)
    y, found = EDGE, []
    whole = sum(widths)

    def row(words: Sequence[str], colours: Sequence[str], *, strong: bool, across: bool = False) -> None:
        nonlocal y
        spans = [whole] if across else widths
        wrapped = [tuple(textwrap.wrap(text, int((width - 2 * EDGE) / LETTER)) or ("",)) for text, width in zip(words, spans, strict=True)]
        height, x = max(map(len, wrapped)) * LEADING + 2 * EDGE, EDGE
        for lines, width, colour in zip(wrapped, spans, colours, strict=True):
            found.append(Box(x=x, y=y, width=width, height=height, colour=colour, lines=lines, strong=strong))
            x += width
        y += height

    row([page.title], ["#ffffff"], strong=True, across=True)
    row(page.headings, ["#f1f1f3"] * len(widths), strong=True)
    for field, cells in page.rows:
        row([field, *(words for words, _ in cells)], ["#ffffff", *(COLOURS[outcome] for _, outcome in cells)], strong=False)
    for note in page.notes:
        row([note], ["#ffffff"], strong=False, across=True)
    return found, whole + 2 * EDGE, y + EDGE


def svg(shown: Matrix, reader: Reader) -> bytes:
    """A drawing with a title and words that can be selected and read aloud."""
    page = sheet(shown, reader)
    found, width, height = boxes(page)
    shapes = "".join(map(_shape, found))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-labelledby="title" lang="{reader.language}" font-family="system-ui,sans-serif" font-size="13" fill="{INK}">'
        f'<title id="title">{escape(page.title)}</title><rect width="100%" height="100%" fill="#ffffff"/>{shapes}</svg>\n'
    ).encode()


def _shape(box: Box) -> str:
    weight = ' font-weight="600"' if box.strong else ""
    words = "".join(
        f'<text x="{box.x + EDGE}" y="{box.y + EDGE + 13 + number * LEADING}"{weight}>{escape(line)}</text>'
        for number, line in enumerate(box.lines)
    )
    return f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" fill="{box.colour}" stroke="{LINE}"/>{words}'
