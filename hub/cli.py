"""The `tinkuy` command: `run` is the hub; `init`, `config`, `db`, `keys`, `ledger`, `backup` work offline; the rest asks the hub."""

from __future__ import annotations

import asyncio
import resource
import sys
from pathlib import Path
from typing import Annotated

import typer

from hub import (
    cli_backup,
    cli_guard,
    cli_hold,
    cli_init,
    cli_keys,
    cli_local,
    cli_network,
    cli_peer,
    cli_policy,
    cli_protocol,
    cli_protocol_proof,
    cli_recovery,
    cli_rooms,
    cli_route,
    cli_servers,
    cli_staff,
    cli_synapse,
    cli_tables,
    cli_usage,
    cli_verify,
)
from hub.base import logs
from hub.base.config import LANGUAGE_VARIABLE, PATH_VARIABLE
from hub.base.errors import TinkuyError
from hub.cli_base import JSON, ROLES, Exit, Setting, ask, complain, config, new_app, setting, show_facts, show_json, words
from hub.cli_words import sentence, shown_code
from keys.errors import KeysError

app = new_app("Tinkuy: coordinación segura entre instituciones. · Tinkuy: safe coordination between institutions.", cli_usage.Speaking)
cli_staff.app.command("verify")(cli_verify.verify)
app.add_typer(cli_staff.app, name="staff")
app.add_typer(cli_peer.app, name="peer")
app.add_typer(cli_peer.manifest_app, name="manifest")
app.add_typer(cli_policy.app, name="policy")
cli_network.app.command("synapse")(cli_synapse.synapse)
app.add_typer(cli_network.app, name="network")
cli_protocol.app.command("export")(cli_protocol_proof.export)
cli_protocol.app.command("verify")(cli_protocol_proof.verify)
app.add_typer(cli_protocol.app, name="protocol")
app.add_typer(cli_hold.app, name="hold")
app.add_typer(cli_guard.app, name="guard")
app.add_typer(cli_tables.app, name="tables")
app.add_typer(cli_rooms.app, name="rooms")
app.add_typer(cli_servers.app, name="servers")
app.add_typer(cli_backup.app, name="backup")
app.add_typer(cli_local.config_app, name="config")
app.add_typer(cli_local.db_app, name="db")
cli_keys.app.command("recovery-key")(cli_recovery.recovery_key)
app.add_typer(cli_keys.app, name="keys")
app.add_typer(cli_local.ledger_app, name="ledger")
app.command("init")(cli_init.init)
app.command("route")(cli_route.route)


@app.callback()
def options(
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", envvar=PATH_VARIABLE, metavar="ARCHIVO", help="Por defecto ./tinkuy.toml. · Default ./tinkuy.toml."
        ),
    ] = None,
    lang: Annotated[str, typer.Option("--lang", envvar=LANGUAGE_VARIABLE, metavar="es|en", help="Idioma. · Language.")] = "es",
) -> None:
    """Tinkuy: coordinación segura entre instituciones · Tinkuy: safe coordination between institutions"""
    if lang not in {"es", "en"}:
        complain("El idioma es `es` o `en`.", "The language is `es` or `en`.")
        raise typer.Exit(Exit.USAGE)
    setting.set(Setting(config=config, english=lang == "en"))


@app.command()
def run() -> None:
    """Pone en marcha el hub, hasta Ctrl-C o SIGTERM · Run the hub until Ctrl-C or SIGTERM"""
    settings = config(with_pack=True)
    logs.setup(settings.log)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # R13: a core dump would hold opened keys and whatever was on the way
    if settings.faults.kill_at:
        complain(
            "PELIGRO: faults.kill_at está puesto; este proceso se matará solo. Solo para pruebas.",
            "DANGER: faults.kill_at is set; this process will kill itself. For tests only.",
        )
        logs.get("run").critical("run.faults_armed", count=len(settings.faults.kill_at))
    from hub.app import house  # all of it: only this command needs it

    try:
        asyncio.run(house.run(settings))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.DONE) from None
    except (TinkuyError, KeysError) as error:
        logs.get("run").critical("run.stopped", error=error)
        params = getattr(error, "params", {})
        es, en, es_hint, en_hint = sentence(error.code, params)
        code = shown_code(error.code, params)
        complain(f"El hub se detuvo. {es} {es_hint} ({code})", f"The hub stopped. {en} {en_hint} ({code})")
        raise typer.Exit(Exit.REFUSED) from None


_FACTS = {
    "institution": ("institución", "institution"),
    "sync_age_seconds": ("última palabra del servidor Matrix", "last word of the homeserver"),
    "unacked": ("enviados sin acuse", "sent and not acknowledged"),
    "cases": ("casos abiertos", "open cases"),
    "referrals": ("derivaciones", "referrals"),
    "staff": ("personas inscritas", "people enrolled"),
    "peers": ("instituciones confirmadas", "institutions confirmed"),
    "ledger": ("filas del libro de revelaciones", "rows of the disclosure ledger"),
    "posts_waiting": ("mensajes por mostrar en salas", "messages still to be shown in rooms"),
    "server": ("este servidor", "this server"),
    "role": ("qué hace", "what it does"),
}


@app.command()
def status(as_json: bool = JSON) -> None:
    """Cómo está el hub en marcha · How the running hub is"""
    answer = ask("status", as_json=as_json)
    if as_json:
        return show_json(answer)
    age = answer.get("sync_age_seconds")
    told = {"role": words(*ROLES.get(answer.get("role"), ("", "")))}
    if isinstance(age, int | float):
        told["sync_age_seconds"] = words(f"hace {age:.0f} s", f"{age:.0f} s ago")
    return show_facts({key: value for key, value in (answer | told).items() if (key, value) != ("server", "")}, _FACTS)


@app.command()
def doctor(
    as_json: bool = JSON,
    qr: Annotated[bool, typer.Option("--qr", help="También la huella como código QR. · The fingerprint as a QR code, too.")] = False,
) -> None:
    """Revisa lo que dejaría mudo al hub y dice cómo arreglarlo · Check what would make the hub mute, and how to fix it"""
    from hub import doctor as checks

    found = asyncio.run(checks.examine(config()))
    if as_json:
        show_json([check.as_json() for check in found])
    else:
        checks.show(found, qr=qr or sys.stdout.isatty())
    if any(check.level is checks.Level.FAIL for check in found):
        raise typer.Exit(Exit.REFUSED)


def main() -> None:
    """Entry point. What nobody foresaw ends with 70 and a place in the code, never with the text of an exception."""
    try:
        app()
    except Exception as error:
        told = logs.describe(error)
        complain(
            f"Falla de Tinkuy: {told['error']} en {told['at']}. Informe esta línea; no contiene datos.",
            f"A fault of Tinkuy: {told['error']} at {told['at']}. Report this line; it holds no data.",
        )
        sys.exit(Exit.FAULT)
