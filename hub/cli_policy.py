"""`tinkuy policy`: what a sharing protocol says, answered exactly, by going through everything it can tell apart.

`check`, `matrix`, `diff` and `test` work on files without any hub. Exit status: 0 done, 1 errors found (with `--strict` also warnings) or
an example that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub import cli_policy_cases, matrix_picture
from hub.cli_base import JSON, Exit, new_app, new_file, say, show_json
from hub.cli_choose import choose, names_of
from hub.cli_policy_sources import PACK, Named, Source, Versions, resolve
from hub.cli_policy_tables import show_difference, show_findings, show_matrix, tally
from policies import as_data, sheets, validator
from policies import diff as differences
from policies import matrix as matrices
from policies.matrix import Matrix
from policies.readable import Reader

app = new_app("Protocolos: revisar, ver quién ve qué, comparar, simular. · Protocols: check, see who sees what, compare, simulate.", Versions)
Files = Annotated[list[str], typer.Argument(metavar="PROTOCOLO…", help="Archivos o protocolos. · Files or protocols.")]


@app.command()
def check(
    protocols: Files,
    pack: str | None = PACK,
    strict: Annotated[bool, typer.Option("--strict", help="También los avisos dan estado 1. · Warnings give status 1, too.")] = False,
    as_json: bool = JSON,
) -> None:
    """Busca errores y descuidos, con línea y columna · Find errors and oversights, with line and column"""
    sources = [resolve(named, pack, as_json=as_json) for named in protocols]
    today = datetime.now(UTC).date()
    found = [(source, validator.check(source.text, source.vocabulary, today)) for source in sources]
    if as_json:
        show_json([{"protocol": source.name, "findings": [as_data.of_finding(one) for one in some]} for source, some in found])
    for source, some in found if not as_json else ():
        show_findings(source.name, some, source.reader())
        tally(source.name, some)
    if any(one.is_error or (strict and one.is_warning) for _, some in found for one in some):
        raise typer.Exit(Exit.REFUSED)


@app.command()
def matrix(
    protocol: Named,
    field: Annotated[list[str] | None, typer.Option("--field", help="Solo este dato. · Only this field.")] = None,
    recipient: Annotated[list[str] | None, typer.Option("--recipient", help="Solo esta clase de institución. · Only this kind.")] = None,
    purpose: Annotated[list[str] | None, typer.Option("--purpose", help="Solo este propósito. · Only this purpose.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="ARCHIVO", help="Una fila por celda. · One row a cell.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="ARCHIVO", help="Página con la tabla. · A page with the table.")] = None,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="ARCHIVO", help="Dibujo. · A drawing.")] = None,
    png: Annotated[Path | None, typer.Option("--png", metavar="ARCHIVO", help="Imagen. · A picture.")] = None,
    pack: str | None = PACK,
    as_json: bool = JSON,
) -> None:
    """Quién puede ver qué, para qué y con qué condiciones · Who may see what, for what, and under which conditions"""
    source = resolve(protocol, pack, as_json=as_json)
    shown = _matrix(source, field or [], recipient or [], purpose or [], as_json=as_json)
    wanted: tuple[tuple[Path | None, Callable[[Matrix, Reader], bytes]], ...] = (
        (csv, sheets.csv), (html, sheets.html), (svg, sheets.svg), (png, matrix_picture.png),
    )  # fmt: skip
    written = [file for file, _ in wanted if file]
    for file, make in wanted:
        if file:
            new_file(file, make(shown, source.reader()), as_json=as_json)
    if as_json:
        return show_json(as_data.of_matrix(shown, source.reader()))
    if written:
        files = ", ".join(map(str, written))
        return say(f"Escrito: {files}. No tiene datos de ninguna persona.", f"Written: {files}. It holds nobody's data.")
    return show_matrix(shown, source.reader())


@app.command()
def diff(
    was: Annotated[str, typer.Argument(metavar="A", help="El de antes. · The former.")],
    now: Annotated[str, typer.Argument(metavar="B", help="El de después. · The latter.")],
    pack: str | None = PACK,
    as_json: bool = JSON,
) -> None:
    """Qué se vería de nuevo, más, menos o nada, quién y cuándo · What would newly be seen, more, less or no more, by whom and when"""
    old, new = (resolve(named, pack, as_json=as_json) for named in (was, now))
    found = differences.diff(old.protocol(as_json=as_json), new.protocol(as_json=as_json), old.vocabulary, new.vocabulary)
    if as_json:
        return show_json({"was": old.name, "now": new.name, **as_data.of_difference(found, new.reader())})
    return show_difference(old.name, new.name, found, new.reader())


app.command()(cli_policy_cases.simulate)
app.command()(cli_policy_cases.explain)
app.command("test")(cli_policy_cases.run_examples)


def _matrix(source: Source, fields: list[str], kinds: list[str], purposes: list[str], *, as_json: bool) -> Matrix:
    protocol, words = source.protocol(as_json=as_json), source.vocabulary
    known = (
        ("--field", fields, names_of(words.fields[name] for name in protocol.universe)),
        ("--recipient", kinds, names_of(words.kinds[kind] for kind in sorted(protocol.to_kinds))),
        ("--purpose", purposes, names_of(words.lists["purposes"][purpose] for purpose in protocol.purposes)),
    )
    return matrices.matrix(protocol, *([choose(option, word, names, as_json=as_json) for word in said] for option, said, names in known))
