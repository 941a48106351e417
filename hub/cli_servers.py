"""`tinkuy servers`: the two servers of one hub on PostgreSQL, of which one leads."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.cli_base import JSON, ROLES, ask, new_app, say, show_json, show_rows, words

app = new_app("Los dos servidores de un hub. · The two servers of one hub.")
Name = Annotated[str, typer.Argument(metavar="NOMBRE", help="Como dice `database.server` allá. · As `database.server` says there.")]


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Muestra los servidores, su dispositivo Matrix y cuál dirige · Show the servers, their Matrix device and which one leads"""
    rows = ask("servers.list", as_json=as_json) or []
    if as_json:
        return show_json(rows)
    if not rows:
        return say("Este hub tiene un solo servidor.", "This hub has one server only.")
    rows = [row | {"role": words(*ROLES.get(row.get("role"), ("", "")))} for row in rows]
    show_rows(rows, (("server", "servidor", "server"), ("role", "hace", "does"), ("device_id", "dispositivo", "device")))
    return None


@app.command()
def drop(server: Name, as_json: bool = JSON) -> None:
    """Quita para siempre un servidor que ya no existe: su dispositivo deja de valer ya · Drop a server that is gone: its device is out at once"""
    answer = ask("servers.drop", {"server": server}, as_json=as_json)
    if as_json:
        return show_json(answer)
    say(f"{server}: quitado. Las otras instituciones lo saben en segundos.", f"{server}: dropped. The other institutions know within seconds.")
    return None
