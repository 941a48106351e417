"""`tinkuy tables`: coordination tables with other institutions, and who is in each coordination room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from hub.cli_base import JSON, ask, new_app, say, show_json, show_rows, words

app = new_app("Mesas de coordinación con otras instituciones. · Coordination tables with other institutions.")
Code = Annotated[str, typer.Argument(metavar="S-XXXXX", help="El código de la sala. · The room's code.")]
Who = Annotated[
    str,
    typer.Argument(
        metavar="INSTITUCIÓN|@CUENTA", help="Una institución enlazada, o una persona de la suya. · A linked institution, or a person of yours."
    ),
]
_STATES = {"invited": ("invitada", "asked in"), "present": ("presente", "present")}
_EMPTY = {
    True: ("su hub ya está en la sala; ninguna persona todavía", "its hub is in the room already; no person yet"),
    False: ("nadie ahora: su hub todavía no entró", "nobody now: its hub has not joined yet"),
    None: ("nadie ahora", "nobody now"),
}
"""Where an institution has no people in the room: by whether its hub is there."""
_SORTS = {"case": ("caso", "case"), "table": ("mesa", "table")}


@app.command("open")
def open_(
    label: Annotated[str, typer.Argument(metavar="NOMBRE", help="Del territorio o la red; nunca de una persona. · Of the territory or network.")],
    with_: Annotated[list[str], typer.Option("--with", metavar="INSTITUCIÓN", help="Se puede repetir. · May be repeated.")],
    as_json: bool = JSON,
) -> None:
    """Abre una mesa, sin datos de casos, e invita instituciones · Open a table, without case data, and ask institutions in"""
    answer = ask("tables.open", {"label": label, "institutions": with_}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(
        f"Mesa {answer['code']} abierta. Sus personas entran así: tinkuy tables add {answer['code']} @cuenta:servidor",
        f"Table {answer['code']} is open. Your people come in by: tinkuy tables add {answer['code']} @account:server",
    )
    return _seats(answer)


@app.command()
def add(room: Code, who: Who, as_json: bool = JSON) -> None:
    """Suma una institución, o una persona de la suya · Add an institution, or a person of yours"""
    _told(ask("tables.add", {"room": room, "who": who}, as_json=as_json), as_json, "Sumada", "Added")


@app.command()
def remove(room: Code, who: Who, as_json: bool = JSON) -> None:
    """Saca a una institución, o a una persona de la suya · Take out an institution, or a person of yours"""
    _told(ask("tables.remove", {"room": room, "who": who}, as_json=as_json), as_json, "Fuera", "Out")


@app.command()
def close(room: Code, as_json: bool = JSON) -> None:
    """Cierra la mesa; si es de otra institución, retira a la suya · Close the table; one of another institution: take yours out"""
    _told(ask("tables.close", {"room": room}, as_json=as_json), as_json, "Cerrada", "Closed")


@app.command()
def who(room: Code, as_json: bool = JSON) -> None:
    """Quién está: instituciones y personas, también en una sala de caso · Who is there: institutions and people, in a case's room too"""
    answer = ask("tables.who", {"room": room}, as_json=as_json)
    return show_json(answer) if as_json else _seats(answer)


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Las salas de coordinación abiertas · The open coordination rooms"""
    rows = ask("tables.list", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    shown = [
        row | {"sort": words(*_SORTS[row["sort"]]), "institutions": ", ".join(seat["institution"] for seat in row["institutions"])} for row in rows
    ]
    show_rows(
        shown,
        (
            ("code", "CÓDIGO", "CODE"),
            ("sort", "CLASE", "SORT"),
            ("label", "NOMBRE", "NAME"),
            ("owner", "LA ABRIÓ", "OPENED BY"),
            ("institutions", "INSTITUCIONES", "INSTITUTIONS"),
        ),
    )
    return None


def _told(answer: Mapping[str, Any], as_json: bool, es: str, en: str) -> None:
    if as_json:
        return show_json(answer)
    say(f"{es}: {answer['code']}.", f"{en}: {answer['code']}.")
    return _seats(answer)


def _seats(answer: Mapping[str, Any]) -> None:
    rows = [
        {
            "institution": seat["institution"],
            "state": words(*_STATES.get(seat["state"], (seat["state"],) * 2)),
            "people": ", ".join(seat["people"]) or words(*_EMPTY[seat.get("hub_in")]),
            "signed": words("sí", "yes") if seat["verified"] else words("no", "no"),
        }
        for seat in answer["institutions"]
    ]
    show_rows(
        rows,
        (
            ("institution", "INSTITUCIÓN", "INSTITUTION"),
            ("state", "ESTADO", "STATE"),
            ("people", "PERSONAS", "PEOPLE"),
            ("signed", "LISTA FIRMADA", "SIGNED ROSTER"),
        ),
    )
