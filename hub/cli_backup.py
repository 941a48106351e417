"""`tinkuy backup`: encrypted copies that a thief cannot read, that forget what had to be forgotten, and that can be brought back to life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from hub.backup_words import FACTS, sentence_of
from hub.base.config import Config
from hub.base.errors import TinkuyError
from hub.cli_base import JSON, Exit, complain, config, config_if_any, new_app, say, show_json, show_rows, stamp
from hub.key_words import disk_words
from keys.codec import unb64
from keys.errors import KeysError
from keys.primitives import VerifyKey

app = new_app("Respaldos cifrados. · Encrypted backups.")
T = TypeVar("T")
Data = Annotated[Path | None, typer.Option("--data", metavar="ARCHIVO", help="La parte de datos. · The data part.")]
Keys = Annotated[Path | None, typer.Option("--keys", metavar="ARCHIVO", help="La parte de claves. · The key part.")]
Identity = Annotated[
    Path, typer.Option("--identity", "-i", metavar="ARCHIVO", help="Identidad age que abre (0600). · The age identity that opens it.")
]
Signer = Annotated[
    str, typer.Option("--signer", metavar="CLAVE", help="La clave que lo firma, como la mostró create. · The key that signs it, as create showed it.")
]
Tombstones = Annotated[
    list[Path] | None,
    typer.Option("--tombstones", metavar="ARCHIVO", help="Otro diario de destrucciones, o su carpeta. · Another tombstone journal, or its folder."),
]


@app.command()
def create(
    recipient: Annotated[list[str] | None, typer.Option("--recipient", "-r", metavar="age1…", help="Quién puede abrirlo. · Who can open it.")] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="CARPETA", help="Por defecto paths.backups. · Default paths.backups.")] = None,
    keys_to: Annotated[
        Path | None, typer.Option("--keys-to", metavar="CARPETA", help="Para las claves, aparte. · For the key part, apart.")
    ] = None,
    as_json: bool = JSON,
) -> None:
    """Hace un respaldo, también con el hub en marcha, y borra los vencidos · Make a backup, also of a running hub, and drop expired ones"""
    settings = config()
    folder = to or settings.paths.backups
    recipients = tuple(recipient or settings.backup.recipients)
    if folder is None or not recipients:
        _refuse("backup.no_folder" if folder is None else "backup.no_recipient", {}, as_json=as_json)
    from hub.app import backup

    keys_folder = keys_to or settings.backup.keys_folder or folder / "keys"
    done = _run(lambda: backup.create(settings, recipients, folder, keys_folder, datetime.now(UTC)), as_json=as_json)
    if as_json:
        return show_json(done)
    dropped = len(done["dropped"])
    say(f"Respaldo hecho: {done['rows']} filas.", f"Backup made: {done['rows']} rows.")
    say(f"  datos: {done['data']}", f"  data: {done['data']}")
    say(f"  claves, 7 días como máximo: {done['keys']}", f"  keys, 7 days at most: {done['keys']}")
    say(f"  vencidos que se borraron: {dropped}", f"  expired ones removed: {dropped}")
    say(
        f"  lo firma la clave {done['signer']} (anótela fuera de esta máquina: backup verify --signer)",
        f"  signed by the key {done['signer']} (note it down away from this machine: backup verify --signer)",
    )
    say("La llave maestra (KEK) no está dentro; sin ella no se restaura.", "The key-encryption key is not inside; nothing is restored without it.")
    return None


@app.command("list")
def list_(as_json: bool = JSON) -> None:
    """Qué respaldos hay, por sus nombres · Which backups there are, by their names"""
    settings = config()
    if settings.paths.backups is None:
        _refuse("backup.no_folder", {}, as_json=as_json)
    from hub.app import backup

    folders = (settings.paths.backups, settings.backup.keys_folder or settings.paths.backups / "keys")
    now = datetime.now(UTC)
    rows = [
        {
            "at": p.at.isoformat(timespec="minutes"), "part": p.part, "hours": int((now - p.at).total_seconds() // 3600), "bytes": p.size,
            "file": str(p.path),
        }
        for p in backup.found(*folders)
    ]  # fmt: skip
    if as_json:
        return show_json(rows)
    if not rows:
        return say("Todavía no hay respaldos.", "There are no backups yet.")
    rows = [row | _readable(row, settings) for row in rows]
    columns = (("at", "hecho", "made"), ("part", "parte", "part"), ("hours", "horas", "hours"), ("bytes", "bytes", "bytes"))
    show_rows(rows, (*columns, ("file", "archivo", "file")))
    return None


@app.command()
def verify(
    identity: Identity,
    data: Data = None,
    keys: Keys = None,
    kek: Annotated[Path | None, typer.Option("--kek", metavar="ARCHIVO", help="Llave maestra, si no es la configurada. · Another KEK file.")] = None,
    tombstones: Tombstones = None,
    signer: Signer = "",
    as_json: bool = JSON,
) -> None:
    """Abre un respaldo y dice qué pudo probar, sin restaurar · Open a backup and say what could be proven, without restoring"""
    settings = config_if_any()
    if data is None and keys is None:
        _refuse("backup.absent", {}, as_json=as_json)
    from hub.app import restore as hub_restore

    wanted = hub_restore.Wanted(
        data=data, keys=keys, identity=identity, kek=kek, tombstones=tuple(tombstones or ()), signer=_signer(signer, as_json=as_json)
    )
    proof = _run(lambda: hub_restore.verify(settings, wanted, datetime.now(UTC)), as_json=as_json)
    if as_json:
        show_json({"ok": not proof.wrong, "facts": proof.facts, "wrong": proof.wrong, "unseen": proof.unseen})
    else:
        for name, value in proof.facts.items():
            es, en = FACTS[name]
            told = _readable(value, settings) if isinstance(value, dict) else {"value": value}
            say(f"✓ {es.format_map(told)}", f"✓ {en.format_map(told)}")
        for name in proof.unseen:
            es, en = FACTS[f"no {name}"]
            say(f"? {es}", f"? {en}")
        for code in proof.wrong:
            es, en, fix_es, fix_en = sentence_of(code, {})
            say(f"✗ {es} → {fix_es} ({code})", f"✗ {en} → {fix_en} ({code})")
    if proof.wrong:
        raise typer.Exit(Exit.REFUSED)


@app.command()
def restore(
    data: Annotated[Path, typer.Option("--data", metavar="ARCHIVO", help="La parte de datos. · The data part.")],
    keys: Annotated[Path, typer.Option("--keys", metavar="ARCHIVO", help="La parte de claves. · The key part.")],
    identity: Identity,
    tombstones: Tombstones = None,
    lost_at: Annotated[
        str,
        typer.Option(
            "--lost-at", metavar="AAAA-MM-DDTHH:MM",
            help="Cuándo dejó de funcionar el hub (hora de la institución); por defecto ahora. · When the hub stopped (the institution's time).",
        ),
    ] = "",
    insist: Annotated[
        bool, typer.Option("--without-newest-tombstones", help="Seguir aunque falten destrucciones; queda escrito. · Go on; it is written down.")
    ] = False,
    signer: Signer = "",
    as_json: bool = JSON,
) -> None:
    """Devuelve a la vida un respaldo, en un lugar vacío · Bring a backup back to life, in an empty place"""
    settings = config(with_pack=True)
    from hub.app import restore as hub_restore

    wanted = hub_restore.Wanted(
        data=data, keys=keys, identity=identity, tombstones=tuple(tombstones or ()),
        lost_at=_moment(lost_at, settings, as_json=as_json), insist=insist, signer=_signer(signer, as_json=as_json),
    )  # fmt: skip
    done = _run(lambda: hub_restore.restore(settings, wanted, datetime.now(UTC)), as_json=as_json)
    if as_json:
        return show_json(done)
    say(
        f"Restaurado: {done['backup']}. Claves vivas: {done['keys']}. Destruidas, que siguen destruidas: {done['buried']}.",
        f"Restored: {done['backup']}. Living keys: {done['keys']}. Destroyed ones, which stay destroyed: {done['buried']}.",
    )
    until = stamp(done["until"], settings)
    say(f"Las destrucciones se conocen hasta: {until}.", f"Destructions are known up to: {until}.")
    if done["lost"]:
        lost = ", ".join(done["lost"])
        say(
            f"ATENCIÓN: una clave ({lost}) se cambió después de este respaldo y no está en él. Al arrancar: tinkuy keys rotate signing, y respaldo.",
            f"NOTE: after this backup a key ({lost}) was turned and is not in it. Once started: tinkuy keys rotate signing, and a backup.",
        )
    say(
        "Siguiente paso: la contraseña de Matrix del hub en matrix.password_file (se crea un dispositivo nuevo); después tinkuy run y tinkuy doctor.",
        "Next step: the hub's Matrix password in matrix.password_file (a new device is made); then tinkuy run and tinkuy doctor.",
    )
    return None


def _readable(params: Mapping[str, Any], settings: Config | None) -> dict[str, Any]:
    """The same with its times as people read them."""
    return {name: stamp(value, settings) if name in _TIMES and isinstance(value, str) else value for name, value in params.items()}


_TIMES = ("at", "until", "seen")


def _signer(text: str, *, as_json: bool) -> VerifyKey | None:
    try:
        return VerifyKey(unb64(text.strip(), "key", size=32)) if text else None
    except KeysError:
        _refuse("backup.signer", {}, as_json=as_json)


def _moment(text: str, settings: Config, *, as_json: bool) -> datetime | None:
    from zoneinfo import ZoneInfo

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _refuse("backup.bad_time", {}, as_json=as_json)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(settings.institution.zone))


def _run(work: Callable[[], T], *, as_json: bool) -> T:
    """Do it; a refusal ends the command with 1 and a sentence."""
    try:
        return work()
    except TinkuyError as error:
        _refuse(error.code, dict(error.params), as_json=as_json)
    except KeysError as error:
        _refuse(error.code, {}, as_json=as_json)
    except OSError as error:
        es, en = disk_words(error)
        _refuse("backup.disk", {"why": error.strerror or type(error).__name__, "why_es": es, "why_en": en}, as_json=as_json)


def _refuse(code: str, params: dict[str, Any], *, as_json: bool) -> NoReturn:
    es, en, fix_es, fix_en = sentence_of(code, params)
    if not as_json:
        es, en, fix_es, fix_en = sentence_of(code, _readable(params, config_if_any()))
    if as_json:
        show_json({"ok": False, "error": {"code": code, "es": es, "en": en, "fix": {"es": fix_es, "en": fix_en}, "params": params}})
    else:
        complain(f"{es} ({code})\n→ {fix_es}", f"{en} ({code})\n→ {fix_en}")
    raise typer.Exit(Exit.REFUSED)
