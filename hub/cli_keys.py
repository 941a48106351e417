"""`tinkuy keys`: the institution's keys: what there is, how old it is, and how it is turned, withdrawn or signed for.

`list`, `check`, `root new`, `sign-manifest` and `rotate kek` work without a running hub; the others ask it.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hub.base.kek import open_kek
from hub.cli_base import (
    JSON,
    YES,
    Exit,
    agree,
    ask,
    complain,
    config,
    end_with,
    new_app,
    read_file,
    say,
    show_facts,
    show_json,
    show_rows,
    stamp,
    words,
)
from hub.key_words import disk_words
from keys import strictjson, succession
from keys.errors import KeysError
from keys.identity import load_identity
from keys.keyring import FileRows, Keyring
from keys.manifest import MAX_BYTES
from keys.primitives import SigningKey
from keys.providers.file import read_private

app = new_app("Las claves de la institución. · The institution's keys.")
rotate_app = new_app("Cambia una clave por otra nueva. · Turn a key: a new one takes its place.")
revoke_app = new_app("Retira una clave robada. · Withdraw a stolen key.")
root_app = new_app("Las claves raíz, que firman manifiestos. · The root keys, which sign manifests.")
app.add_typer(rotate_app, name="rotate")
app.add_typer(revoke_app, name="revoke")
app.add_typer(root_app, name="root")
Files = Annotated[list[Path], typer.Argument(metavar="ARCHIVO…", help="Uno o más. · One or more.")]
Insist = typer.Option(
    False, "--insist", help="Tras restaurar: aunque ninguna institución haya contestado. · After a restore: though no institution answered yet."
)


@app.command("list")
def keys_list(as_json: bool = JSON) -> None:
    """Nombres y versiones de los secretos; nunca los secretos · Names and versions of the secrets; never the secrets"""
    ring = _keyring()
    rows = [{"name": name, "version": ring.version(name)} for name in ring.names()]
    if as_json:
        return show_json(rows)
    show_rows(rows, (("name", "NOMBRE", "NAME"), ("version", "VERSIÓN", "VERSION")))
    return None


@app.command("check")
def keys_check(as_json: bool = JSON) -> None:
    """Abre la identidad con su clave y muestra la huella · Open the identity with its key and show the fingerprint"""
    ring = _keyring()
    try:
        identity = load_identity(ring)
    except KeysError as error:
        end_with(error.code, as_json=as_json)
    if as_json:
        return show_json({"ok": True, "master_fingerprint": identity.master_fingerprint, "root_here": identity.root is not None})
    say(f"Las claves abren. Huella: {identity.master_fingerprint}", f"The keys open. Fingerprint: {identity.master_fingerprint}")
    return None


@app.command("status")
def keys_status(as_json: bool = JSON) -> None:
    """Cada clave: dónde está, qué edad tiene, cuándo toca cambiarla · Every key: where it is, how old, when it is due"""
    answer = ask("keys.status", as_json=as_json)
    if as_json:
        return show_json(answer)
    peers = answer.pop("peers", [])
    show_facts(answer, _FACTS)
    if not peers:
        return say("Todavía no hay enlaces con otras instituciones.", "There are no links with other institutions yet.")
    say("", "")
    settings = config()
    show_rows([peer | {"fresh": stamp(peer["fresh"] or _NEVER, settings)} for peer in peers], _PEERS, titled=True)
    return None


@rotate_app.command("signing")
def rotate_signing(insist: bool = Insist, as_json: bool = JSON) -> None:
    """La clave con que firma el hub, cada 90 días; la anterior sigue valiendo un turno · The hub's signing key, every 90 days"""
    _told(ask("keys.rotate", {"what": "signing", "insist": insist}, as_json=as_json), as_json=as_json)


@rotate_app.command("opening")
def rotate_opening(insist: bool = Insist, as_json: bool = JSON) -> None:
    """La clave larga de apertura (las diarias cambian solas) · The long opening key (the daily ones turn by themselves)"""
    _told(ask("keys.rotate", {"what": "opening", "insist": insist}, as_json=as_json), as_json=as_json)


@rotate_app.command("kek")
def rotate_kek(
    to: Annotated[
        str, typer.Option("--to", metavar="DESTINO", help="file:RUTA, credential:NOMBRE, pkcs11, vault · file:PATH, credential:NAME, pkcs11, vault")
    ],
    as_json: bool = JSON,
) -> None:
    """La clave que envuelve a las demás, con el hub detenido · The key that wraps all others, with the hub stopped"""
    if to.partition(":")[0] not in ("file", "credential", "pkcs11", "vault"):
        complain(f"`{to}` no es un destino.", f"`{to}` is no destination.")
        raise typer.Exit(Exit.USAGE)
    from hub.app.rewrap import rewrap_keys

    try:
        done = rewrap_keys(config(), to)
    except Exception as error:
        _stop(error)
    if as_json:
        return show_json(done)
    say(
        f"Hecho: {done['moved']} claves bajo {done['kek']}. Ahora póngala en `[keys]` y arranque; después destruya la vieja.",
        f"Done: {done['moved']} keys under {done['kek']}. Now set `[keys]` to it in the configuration and start; then destroy the old key.",
    )
    return None


@revoke_app.command("signing")
def revoke_signing(yes: bool = YES, insist: bool = Insist, as_json: bool = JSON) -> None:
    """Robaron la clave de firma: manifiesto nuevo sin ella, ya · The signing key was stolen: a new manifest without it, now"""
    if not yes and not as_json:
        question = ("Los demás rechazarán todo lo que firme la clave actual. ¿Seguir?", "Peers will refuse what the present key signs. Go on?")
        agree(*question)
    _told(ask("keys.revoke", {"what": "signing", "insist": insist}, as_json=as_json), as_json=as_json)


@root_app.command("new")
def root_new(file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="Se crea, y ARCHIVO.pub. · Is made, and ARCHIVO.pub.")]) -> None:
    """Hace una clave raíz en esta máquina, sin red · Make a root key on this machine, offline"""
    root = SigningKey.generate()
    try:
        for path, data in ((file, succession.root_file(root)), (file.with_name(file.name + ".pub"), succession.public_root_file(root.public))):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
    except OSError as error:
        es, en = disk_words(error)
        complain(f"No se pudo escribir: {es}. Nada se sobrescribe.", f"Could not write: {en}. Nothing is overwritten.")
        raise typer.Exit(Exit.REFUSED) from None
    say(f"Raíz {root.public.keyid}. Guarde `{file}` fuera de línea; entregue al hub solo `{file}.pub`.",
        f"Root {root.public.keyid}. Keep `{file}` offline; hand only `{file}.pub` to the hub.")  # fmt: skip


@root_app.command("replace")
def root_replace(
    files: Files, threshold: Annotated[int, typer.Option("--threshold", min=1, max=9, help="Cuántas deben firmar. · How many must sign.")],
    insist: bool = Insist, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Otras raíces: firman las anteriores y las nuevas · Other roots: the previous and the new ones sign"""
    public = [read_file(path, MAX_BYTES, as_json=as_json) for path in files]
    try:
        for each in public:
            succession.read_public_root(each)
    except KeysError as error:
        _stop(error)
    settings = config()
    state = settings.paths.state
    if not (state / "manifest.json").exists() and (state / "keyring.json").exists() and not _keyring().has("root"):
        told = {"threshold": threshold, "roots": [each.decode("ascii") for each in public]}
        (state / "roots.json").write_bytes(strictjson.dumps(told))
        return say("Anotado. Arranque el hub: dejará su primer manifiesto listo para firmar.",
                   "Noted. Start the hub: it will leave its first manifest ready to be signed.")  # fmt: skip
    args = {"roots": [base64.b64encode(each).decode() for each in public], "threshold": threshold, "insist": insist}
    _told(ask("keys.roots", args, as_json=as_json), as_json=as_json)
    return None


@app.command("sign-manifest")
def sign_manifest(
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="El manifiesto por firmar. · The manifest to sign.")],
    root: Annotated[Path, typer.Option("--root", metavar="ARCHIVO", help="La clave raíz. · The root key.")],
    yes: bool = YES,
) -> None:
    """Firma con una raíz, en su máquina sin red; el archivo queda con una firma más · Sign with a root, on its offline machine"""
    try:
        data, _ = read_file(file, MAX_BYTES), read_file(root, MAX_BYTES)
        key = succession.read_root(read_private(root, "root key file"))
        profile = succession.read_draft(data)[1]
    except KeysError as error:
        _stop(error)
    signing = ", ".join(each.keyid for each in profile.hub_signing)
    say(f"{profile.institution}, versión {profile.version}, hasta {profile.expires:%Y-%m-%d}. Claves de firma: {signing}. "
        f"Raíces: {profile.threshold} de {len(profile.roots)}.",
        f"{profile.institution}, version {profile.version}, until {profile.expires:%Y-%m-%d}. Signing keys: {signing}. "
        f"Roots: {profile.threshold} of {len(profile.roots)}.")  # fmt: skip
    if not yes:
        agree("¿Es lo que pidió su institución?", "Is this what your institution asked for?")
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(succession.sign_draft(data, key))
    fresh.replace(file)
    say(f"Firmado por {key.public.keyid}. Lleve el archivo a la raíz que falte, o al hub: tinkuy keys activate {file.name}",
        f"Signed by {key.public.keyid}. Take the file to the next root, or to the hub: tinkuy keys activate {file.name}")  # fmt: skip


@app.command("activate")
def activate(files: Files, as_json: bool = JSON) -> None:
    """Junta las firmas y pone el manifiesto en vigor cuando alcanzan · Join the signatures; in force when there are enough"""
    args = {"files": [base64.b64encode(read_file(path, MAX_BYTES, as_json=as_json)).decode() for path in files]}
    _told(ask("keys.activate", args, as_json=as_json), as_json=as_json)


_NEVER = "1970-01-01T00:00+00:00"
_PEERS = (
    ("institution", "INSTITUCIÓN", "INSTITUTION"),
    ("holds", "TIENE NUESTRA VERSIÓN", "HOLDS OUR VERSION"),
    ("fresh", "SU CLAVE DEL DÍA ES DE", "ITS KEY OF THE DAY IS OF"),
)
_FACTS = {
    "manifest_version": ("versión del manifiesto", "manifest version"),
    "expires": ("el manifiesto vence", "manifest ends"),
    "kek": ("clave que envuelve", "key-encryption key"),
    "roots": ("raíces (deben firmar/hay)", "roots (must sign/there are)"),
    "root_here": ("hay una raíz en esta máquina", "a root is on this machine"),
    "signing_keys": ("claves de firma, la actual primero", "signing keys, present one first"),
    "signing_due": ("cambiar la clave de firma el", "turn the signing key on"),
    "opening_today": ("hay clave de apertura de hoy", "today's opening key is there"),
    "lost": ("claves del manifiesto que este hub perdió", "keys of the manifest that this hub lost"),
    "draft": ("manifiesto por firmar", "manifest to be signed"),
}


def _told(answer: Any, *, as_json: bool) -> None:
    if as_json:
        return show_json(answer)
    if answer["state"] == "active":
        say(f"En vigor: versión {answer['version']}. Los demás la reciben por el enlace.",
            f"In force: version {answer['version']}. Peers receive it through the link.")  # fmt: skip
        return say("Haga un respaldo AHORA (tinkuy backup create): los anteriores no tienen esta clave, y con ellos el hub volvería sin ella.",
                   "Make a backup NOW (tinkuy backup create): those before lack this key, and the hub would come back without it.")  # fmt: skip
    say(f"Falta firmar: {answer['file']}", f"To be signed: {answer['file']}")
    for each in answer["missing"]:
        whose = words("de las raíces anteriores" if each["whose"] == "previous" else "de las raíces", f"of the {each['whose']} roots")
        typer.echo(f"  {each['count']} {whose}: {', '.join(each['of'])}")
    return None


def _keyring() -> Keyring:
    settings = config()
    try:
        return Keyring(settings.institution.id, open_kek(settings.keys), FileRows(settings.keyring_file))
    except KeysError as error:
        end_with(error.code)


def _stop(error: Exception) -> NoReturn:
    """A refusal with its sentence; what is no refusal of ours goes on as it is."""
    code = getattr(error, "code", None)
    if not isinstance(code, str):
        raise error
    end_with(code, **getattr(error, "params", {}))
