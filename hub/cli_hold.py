"""`tinkuy hold`: what a law or an order obliges this institution to keep, also when she takes it back."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli_base import JSON, ask, config, new_app, say, show_json, show_rows, words
from hub.cli_choose import choose, day

app = new_app("Lo que una ley obliga a conservar. · What a law obliges to keep.")
_BASES = {
    "court_order": ("orden de un juzgado", "order of a court"),
    "prosecutor_order": ("orden de fiscalía", "order of a prosecutor"),
    "health_record": ("historia clínica", "health record"),
}
LAST = "Último día, entero, en la hora de la institución; también 31/05/2027. · Last day, whole, in the institution's time; also 31/05/2027."
Code = Annotated[str, typer.Argument(metavar="CÓDIGO", help="De la derivación recibida, por ejemplo R-7QK4M. · Of the referral received.")]


@app.command()
def place(
    code: Code,
    basis: Annotated[str, typer.Option(metavar="RAZÓN", help="Por qué: court_order (orden de un juzgado), prosecutor_order, health_record. · Why.")],
    until: Annotated[str, typer.Option(metavar="AAAA-MM-DD", help=LAST)],
    as_json: bool = JSON,
) -> None:
    """Conserva por ley lo recibido, aunque se retire · Keep by law what was received, even if withdrawn"""
    basis = choose("--basis", basis, _BASES, as_json=as_json)
    until = day("--until", until, config().institution.zone, as_json=as_json)
    answer = ask("hold.place", {"code": code, "basis": basis, "until": until}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(f"{code}: se conserva hasta {until}. Al retirarse quedará sellado.", f"{code}: kept until {until}. When withdrawn it stays sealed.")
    return None


@app.command()
def lift(code: Code, as_json: bool = JSON) -> None:
    """Termina la obligación: lo retirado se destruye ya y se confirma · End it: what was withdrawn is destroyed now and confirmed"""
    answer = ask("hold.lift", {"code": code}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(
        f"{code}: ya no se conserva por ley. Lo que se había retirado se destruye ahora y se confirma.",
        f"{code}: not kept by law any more. What was withdrawn is destroyed now, and confirmed.",
    )
    return None


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Muestra qué se conserva por ley, por qué y hasta cuándo · Show what is kept by law, why and until when"""
    rows = ask("hold.list", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    if not rows:
        return say("Nada se conserva por ley.", "Nothing is kept by law.")
    rows = [row | {"basis": words(*_BASES[row["basis"]]) + f" ({row['basis']})" if row.get("basis") in _BASES else row.get("basis")} for row in rows]
    show_rows(rows, (("code", "código", "code"), ("basis", "por qué", "why"), ("until", "hasta", "until")))
    return None
