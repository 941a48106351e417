"""Findings, matrices and differences as a person reads them in a terminal of a hundred columns."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from string import ascii_uppercase

import typer
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub.cli_base import words
from policies import beyond
from policies.decision import Outcome
from policies.diff import KINDS, Change, Difference
from policies.findings import Finding, Severity
from policies.leaves import KeyChange
from policies.matrix import Cell, Matrix, Place
from policies.readable import Reader
from policies.sheets import closed_words, place_words
from policies.summary import HEADINGS, key_line

NARROW = 100
"""Columns of a terminal that says nothing about itself, and of a pipe."""
_SPOKEN_COLUMNS = 3
"""So many columns hold whole sentences; more of them hold a word each, and the sentences stand below."""
_SHORT_COLUMNS = 9
_SHORT = {
    Outcome.RELEASE: ("sí", "yes"),
    Outcome.GENERALISE: ("en parte", "in part"),
    Outcome.PRESENCE: ("existe", "exists"),
    Outcome.WITHHOLD: ("no", "no"),
}


def console() -> Console:
    """Plain words for pipes, a table for eyes; never wider than the window, and a hundred columns where nobody tells."""
    width = shutil.get_terminal_size((NARROW, 24)).columns if sys.stdout.isatty() or os.environ.get("COLUMNS") else NARROW
    return Console(file=sys.stdout, width=max(width, 60), markup=False, highlight=False)


# -- findings


_LEVELS = {Severity.ERROR: ("error", "error"), Severity.WARNING: ("aviso", "warning"), Severity.NOTE: ("nota", "note")}


def show_findings(name: str, found: Sequence[Finding], reader: Reader) -> None:
    """One line a finding; those that say the same of several words stand together in one. What nobody shares comes last."""
    for same in _together(one for one in found if one.severity is not Severity.NOTE):
        _finding(name, same, reader)
    silent = [one for one in found if one.code == "field_unmentioned"]
    if silent:
        fields = ", ".join(reader.field(one.about) for one in silent)
        typer.echo(words(f"{name}: no se comparte nunca, porque ninguna regla lo menciona ({len(silent)}): {fields}.",
                         f"{name}: never shared, for no rule mentions it ({len(silent)}): {fields}."))  # fmt: skip


def _together(found: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one code about different words whose sentence differs in nothing but the word."""
    sets: dict[tuple[str, str], list[Finding]] = {}
    for one in found:
        alone = one.suggestion or not one.about
        sets.setdefault((one.code, f"{one.line}:{one.column}" if alone else one.message_en.replace(f"`{one.about}`", "`")), []).append(one)
    return list(sets.values())


def _finding(name: str, same: Sequence[Finding], reader: Reader) -> None:
    first = same[0]
    said = first.message(reader.language)
    if first.about:
        said = said.replace(f"`{first.about}`", ", ".join(reader.called(one) for one in same))
    more = words(f" (también en {_places(same)})", f" (also at {_places(same)})") if len(same) > 1 else ""
    typer.echo(f"{name}:{first.line}:{first.column} {words(*_LEVELS[first.severity])}: {said}{more}  ({first.code})")
    if first.suggestion:
        typer.echo(words(f"  → ¿quiso decir `{first.suggestion}`?", f"  → did you mean `{first.suggestion}`?"))


def _places(same: Sequence[Finding]) -> str:
    return ", ".join(f"{one.line}:{one.column}" for one in same[1:])


def tally(name: str, found: Sequence[Finding]) -> None:
    """The last line about a document."""
    errors, warnings = sum(one.is_error for one in found), sum(one.is_warning for one in found)
    es = f"{errors} {'error' if errors == 1 else 'errores'}, {warnings} {'aviso' if warnings == 1 else 'avisos'}"
    en = f"{errors} {'error' if errors == 1 else 'errors'}, {warnings} {'warning' if warnings == 1 else 'warnings'}"
    typer.echo(words(f"{name}: {es}.", f"{name}: {en}."))


# -- matrix


def show_matrix(shown: Matrix, reader: Reader) -> None:
    """The matrix, equal rows and equal columns put together."""
    out, protocol = console(), shown.protocol
    needs = ", ".join(reader.word("needs", need) for need in sorted(protocol.needs))
    title = protocol.title.get(reader.language)
    out.print(Text(f"{title} ({protocol.id}@{protocol.version}). {words('Para', 'For')}: {needs}", style="bold"))
    columns, silent = shown.columns(), [f for f in shown.fields if not any(shown.cells[f, place].clauses for place in shown.places)]
    if len(columns) <= _SPOKEN_COLUMNS:
        _spoken(out, shown, columns, reader)
    else:
        _short(out, shown, columns, reader)
    if silent:
        _indented(out, words("Nunca sale: ", "Never leaves: ") + ", ".join(beyond.never(protocol, name, reader) for name in silent), 0)
    for line in (beyond.consent_line(protocol, reader, shown.fields), *beyond.opens(protocol, reader, shown.fields)):
        _indented(out, line, 0)
    show_closed(out, shown, reader)


def show_closed(out: Console, shown: Matrix, reader: Reader) -> None:
    """Who gets nothing, whatever a cell says."""
    out.print(words("Nada sale, diga lo que diga la tabla, cuando quien agrede es de la misma entidad:",
                    "Nothing leaves, whatever the table says, when the aggressor belongs to the same institution:"))  # fmt: skip
    for line in closed_words(shown, reader):
        _indented(out, line, 2)


def _spoken(out: Console, shown: Matrix, columns: Sequence[Sequence[Place]], reader: Reader) -> None:
    table = _table(words("DATO", "FIELD"), *(place_words(places, reader) for places in columns))
    for fields in _speaking(shown):
        told = [reader.cell(shown.cells[fields[0], places[0]]) for places in columns]
        table.add_row(", ".join(reader.field(name) for name in fields), *told)
    out.print(table)


def _short(out: Console, shown: Matrix, columns: Sequence[Sequence[Place]], reader: Reader) -> None:
    letters = [_letter(number) for number in range(len(columns))]
    for letter, places in zip(letters, columns, strict=True):
        _indented(out, f"{letter}  {place_words(places, reader)}", 0)
    notes: dict[Cell, int] = {}
    for start in range(0, len(columns), _SHORT_COLUMNS):
        part = slice(start, start + _SHORT_COLUMNS)
        table = _table(words("DATO", "FIELD"), *letters[part])
        for fields in _speaking(shown):
            cells = [shown.cells[fields[0], places[0]] for places in columns[part]]
            table.add_row(", ".join(reader.field(name) for name in fields), *(_word(cell, notes, reader) for cell in cells))
        out.print(table)
    for cell, number in notes.items():
        _indented(out, f"{number}  {reader.cell(cell)}", 0)


def _speaking(shown: Matrix) -> Iterator[tuple[str, ...]]:
    """The rows in which something leaves."""
    yield from (fields for fields in shown.rows() if any(shown.cells[fields[0], place].clauses for place in shown.places))


def _indented(out: Console, line: str, by: int) -> None:
    out.print(Padding(Text(line), (0, 0, 0, by), expand=False))


def _word(cell: Cell, notes: dict[Cell, int], reader: Reader) -> str:
    """One word for a cell, with a number where more is to be said."""
    word = reader.pick(_SHORT[cell.clauses[0].level.outcome if cell.clauses else Outcome.WITHHOLD])
    plain = cell.always is not None and (not cell.clauses or cell.clauses[0].level.generalisation is None)
    return word if plain else f"{word} {notes.setdefault(cell, len(notes) + 1)}"


def _letter(number: int) -> str:
    return (_letter(number // 26 - 1) if number >= 26 else "") + ascii_uppercase[number % 26]


def _table(*titles: str) -> Table:
    return Table(*titles, box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False, header_style="bold")


# -- differences


def show_difference(was: str, now: str, found: Difference, reader: Reader) -> None:
    """What becomes visible, wider, narrower, invisible; then what else is written otherwise."""
    out = console()
    if found.empty:
        return out.print(words(f"{was} y {now} dicen lo mismo.", f"{was} and {now} say the same."))
    out.print(Text(f"{was} → {now}", style="bold"))
    if not found.visible:
        out.print(beyond.unseen(found, reader))
    for kind in KINDS:
        some = [change for change in found.visible if change.kind == kind]
        if some:
            out.print()
            out.print(Text(f"{reader.pick(HEADINGS[kind])} ({len({change.field for change in some})})", style="bold"))
            _changes(out, some, reader)
    told = beyond.changed(found, reader)
    if told:
        out.print()
        out.print(Text(words("Además de las reglas de cada dato", "Beside the rules of each field"), style="bold"))
    for line in told:
        _indented(out, line, 2)
    _show_keys(out, words("Además cambia en el documento", "Also changes in the document"), beyond.raw(found, reader), reader)
    _show_keys(out, words("Palabras que cambian (vocabulario)", "Words that change (vocabulary)"), found.vocabulary, reader)
    for title, fields in (
        (words("Escrito de otro modo, con el mismo efecto", "Written in another way, with the same effect"), found.reworded),
        (words("Cambia la explicación, no lo que sale", "Another explanation, and the same leaves"), found.reasons),
    ):
        if fields:
            out.print()
            _indented(out, f"{title}: {', '.join(reader.field(name) for name in fields)}", 0)
    return None


def _changes(out: Console, some: Sequence[Change], reader: Reader) -> None:
    for fields, cells, line in reader.changes(some):
        _indented(out, fields, 2)
        _indented(out, f"{words('para', 'to')}: {place_words(cells, reader)}", 4)
        _indented(out, line, 4)


def _show_keys(out: Console, title: str, changes: Sequence[KeyChange], reader: Reader) -> None:
    if changes:
        out.print()
        out.print(Text(title, style="bold"))
    for change in changes:
        _indented(out, key_line(change, reader), 2)
