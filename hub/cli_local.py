"""Commands that work without a running hub: `tinkuy config`, `db`, `ledger`."""

from __future__ import annotations

from typing import Annotated

import typer

from hub.base.reference import redacted, reference, schema
from hub.cli_base import JSON, Exit, complain, config, new_app, say, show_json

config_app = new_app("El archivo de configuración. · The configuration file.")
db_app = new_app("La base de datos, con el hub detenido. · The database, with the hub stopped.")
ledger_app = new_app("El libro de revelaciones. · The disclosure ledger.")


@config_app.command("schema")
def config_schema() -> None:
    """JSON Schema del archivo, para editores · JSON Schema of the file, for editors"""
    show_json(schema())


@config_app.command("reference")
def config_reference() -> None:
    """Cada clave con su valor de fábrica, en Markdown · Every key with its default, in Markdown"""
    typer.echo(reference(), nl=False)


@config_app.command("show")
def config_show(
    redact: Annotated[
        bool, typer.Option("--redact/--no-redact", help="Tachar las contraseñas de las bases. · Strike out database passwords.")
    ] = True,
) -> None:
    """Lo que vale de verdad, con archivo y entorno · What really holds, file and environment together"""
    settings = config()
    show_json(redacted(settings) if redact else settings.model_dump(mode="json"))


@config_app.command("check")
def config_check(as_json: bool = JSON) -> None:
    """Revisa el archivo y el entorno; estado 3 si algo está mal · Check file and environment; status 3 when wrong"""
    settings = config(with_pack=True)
    if as_json:
        show_json({"ok": True, "institution": settings.institution.id})
    else:
        say("La configuración es válida.", "The configuration is valid.")


@db_app.command("upgrade")
def db_upgrade(sql: Annotated[bool, typer.Option("--sql", help="Solo mostrar el SQL. · Only print the SQL.")] = False) -> None:
    """Lleva la base a la versión de este programa · Bring the database to this program's version"""
    from hub.app import offline

    settings = config()
    if not sql:
        settings.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    shown = offline.db_upgrade(settings, sql=sql)
    typer.echo(shown) if sql and shown else say("La base está al día.", "The database is up to date.")


@db_app.command("check")
def db_check(as_json: bool = JSON) -> None:
    """Compara la versión de la base con la de este programa · Compare the database's version with the program's"""
    from hub.app import offline

    current, head = offline.db_check(config())
    if as_json:
        show_json({"ok": current == head, "current": current, "head": head})
    elif current == head:
        say(f"Al día ({head}).", f"Up to date ({head}).")
    else:
        complain(
            f"La base está en {current or 'vacío'} y el programa espera {head}: tinkuy db upgrade",
            f"The database is at {current or 'empty'}, the program expects {head}: tinkuy db upgrade",
        )
    if current != head:
        raise typer.Exit(Exit.REFUSED)


@ledger_app.command("verify")
def ledger_verify(as_json: bool = JSON) -> None:
    """Recorre la cadena entera y dice dónde se rompe · Walk the whole chain and say where it breaks"""
    from hub.app import offline

    result = offline.ledger_verify(config())
    if as_json:
        show_json(result)
    elif result["ok"]:
        say(f"La cadena está entera: {result['rows']} filas.", f"The chain holds: {result['rows']} rows.")
    else:
        complain(f"La cadena se rompe en la fila {result['broken_at']}.", f"The chain breaks at row {result['broken_at']}.")
    if not result["ok"]:
        raise typer.Exit(Exit.REFUSED)
