"""A difference between two versions in plain lines, whole and exact.

What opens beside the rules (`beyond`) comes first, so that no place that cuts long lists cuts it; then what becomes visible; what the documents
say otherwise last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from policies import beyond
from policies.diff import KINDS, Difference
from policies.leaves import KeyChange
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
    """One line for each change; one at their head when no rule shows anything else."""
    if not found.visible:
        yield beyond.unseen(found, reader)
    yield from beyond.changed(found, reader)
    for kind in KINDS:
        for fields, cells, line in reader.changes([change for change in found.visible if change.kind == kind]):
            yield f"{reader.pick(HEADINGS[kind])}: {fields} · {place_words(cells, reader)}: {line}"
    yield from (key_line(change, reader) for change in beyond.raw(found, reader))


def key_line(change: KeyChange, reader: Reader) -> str:
    """A key that has no words: what came and went of a list, else before → after."""
    listed = [f"+{item}" for item in change.came] + [f"-{item}" for item in change.went]
    return f"{change.key}: {' '.join(listed) or f'{_plain(change.was, reader)} → {_plain(change.now, reader)}'}"


def _plain(value: object, reader: Reader) -> str:
    if isinstance(value, bool):
        return reader.pick(("sí", "yes")) if value else "no"
    return "–" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
