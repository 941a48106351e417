"""A difference between two versions in plain lines, whole and exact: what becomes visible first, what the documents say otherwise last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from policies.diff import KINDS, Difference
from policies.readable import Reader
from policies.sheets import place_words

HEADINGS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "appears": ("Hasta ahora no se veía; se vería", "Was not seen until now; would be seen"),
    "wider": ("Se vería más", "More would be seen"),
    "narrower": ("Se vería menos", "Less would be seen"),
    "other_form": ("Se vería de otra forma", "Would be seen in another form"),
    "disappears": ("Ya no se vería", "Would not be seen any more"),
})  # fmt: skip
"""Spanish, English."""


def lines(found: Difference, reader: Reader) -> Iterator[str]:
    """One line for each change; one that says so when there is none."""
    for kind in KINDS:
        for fields, cells, line in reader.changes([change for change in found.visible if change.kind == kind]):
            yield f"{reader.pick(HEADINGS[kind])}: {fields} · {place_words(cells, reader)}: {line}"
    for change in found.document:
        listed = [f"+{item}" for item in change.came] + [f"-{item}" for item in change.went]
        yield f"{change.key}: {' '.join(map(str, listed)) or f'{plain(change.was)} → {plain(change.now)}'}"
    if not found.visible:
        yield reader.pick(("Nadie vería nada distinto.", "Nobody would see anything different."))


def plain(value: object) -> str:
    """A value of a document on one line."""
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
