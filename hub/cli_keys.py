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
from hub.cli_base import JSON, Exit, ask, complain, config, new_app, say, show_json, show_rows, words
from hub.cli_words import sentence
from keys import strictjson, succession
from keys.errors import KeysError
from keys.identity import load_identity
from keys.keyring import FileRows, Keyring
from keys.primitives import SigningKey
from keys.providers.file import read_private

app = new_app("Las claves de la institución. · The institution's keys.")
rotate_app = new_app("Cambia una clave por otra nueva. · Turn a key: a new one takes its place.")
revoke_app = new_app("Retira una clave robada. · Withdraw a stolen key.")
root_app = new_app("Las claves raíz, que firman manifiestos. · The root keys, which sign manifests.")
app.add_typer(rotate_app, name="rotate")
app.add_typer(revoke_app, name="revoke")
app.add_typer(root_app, name="root")
Files = Annotated[list[Path], typer.Argument(metavar="ARCHIVO…", help="Uno o más. · One or more.", exists=True, dir_okay=False)]
Insist = typer.Option(
    False, "--insist", help="Tras restaurar: aunque ninguna institución haya contestado. · After a restore: though no institution answered yet."
)
Yes = typer.Option(False, "--yes", help="Sin preguntar. · Do not ask.")


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
        complain(
            f"La identidad no se puede abrir: {error} ({error.code})", f"The identity cannot be opened: {error} ({error.code})"
        )
        raise typer.Exit(Exit.REFUSED) from None
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
    rows = [{"key": words(*_FACTS.get(key, (key, key))), "value": _plain(value)} for key, value in answer.items()]
    show_rows(rows, (("key", "DATO", "FACT"), ("value", "VALOR", "VALUE")))
    columns = (("institution", "INSTITUCIÓN", "INSTITUTION"), ("holds", "TIENE NUESTRA VERSIÓN", "HOLDS OUR VERSION"), ("fresh", "AL DÍA", "FRESH"))
    show_rows(peers, columns)
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
    from hub import app as hub_app

    try:
        done = hub_app.rewrap_keys(config(), to)
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
def revoke_signing(yes: bool = Yes, insist: bool = Insist, as_json: bool = JSON) -> None:
    """Robaron la clave de firma: manifiesto nuevo sin ella, ya · The signing key was stolen: a new manifest without it, now"""
    if not yes and not as_json:
        question = words("Los demás rechazarán todo lo que firme la clave actual. ¿Seguir?", "Peers will refuse what the present key signs. Go on?")
        typer.confirm(question, abort=True)
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
        complain(f"No se pudo escribir: {error.strerror}. Nada se sobrescribe.", f"Could not write: {error.strerror}. Nothing is overwritten.")
        raise typer.Exit(Exit.REFUSED) from None
    say(f"Raíz {root.public.keyid}. Guarde `{file}` fuera de línea; entregue al hub solo `{file}.pub`.",
        f"Root {root.public.keyid}. Keep `{file}` offline; hand only `{file}.pub` to the hub.")  # fmt: skip


@root_app.command("replace")
def root_replace(
    files: Files, threshold: Annotated[int, typer.Option("--threshold", min=1, max=9, help="Cuántas deben firmar. · How many must sign.")],
    insist: bool = Insist, as_json: bool = JSON,
) -> None:  # fmt: skip
    """Otras raíces: firman las anteriores y las nuevas · Other roots: the previous and the new ones sign"""
    public = [path.read_bytes() for path in files]
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
    file: Annotated[Path, typer.Argument(metavar="ARCHIVO", help="El manifiesto por firmar. · The manifest to sign.", exists=True, dir_okay=False)],
    root: Annotated[Path, typer.Option("--root", metavar="ARCHIVO", help="La clave raíz. · The root key.", exists=True, dir_okay=False)],
    yes: bool = Yes,
) -> None:
    """Firma con una raíz, en su máquina sin red; el archivo queda con una firma más · Sign with a root, on its offline machine"""
    try:
        key = succession.read_root(read_private(root, "root key file"))
        profile = succession.read_draft(file.read_bytes())[1]
    except KeysError as error:
        _stop(error)
    signing = ", ".join(each.keyid for each in profile.hub_signing)
    say(f"{profile.institution}, versión {profile.version}, hasta {profile.expires:%Y-%m-%d}. Claves de firma: {signing}. "
        f"Raíces: {profile.threshold} de {len(profile.roots)}.",
        f"{profile.institution}, version {profile.version}, until {profile.expires:%Y-%m-%d}. Signing keys: {signing}. "
        f"Roots: {profile.threshold} of {len(profile.roots)}.")  # fmt: skip
    if not yes:
        typer.confirm(words("¿Es lo que pidió su institución?", "Is this what your institution asked for?"), abort=True)
    fresh = file.with_name(file.name + ".new")
    fresh.write_bytes(succession.sign_draft(file.read_bytes(), key))
    fresh.replace(file)
    say(f"Firmado por {key.public.keyid}. Lleve el archivo a la raíz que falte, o al hub: tinkuy keys activate {file.name}",
        f"Signed by {key.public.keyid}. Take the file to the next root, or to the hub: tinkuy keys activate {file.name}")  # fmt: skip


@app.command("activate")
def activate(files: Files, as_json: bool = JSON) -> None:
    """Junta las firmas y pone el manifiesto en vigor cuando alcanzan · Join the signatures; in force when there are enough"""
    args = {"files": [base64.b64encode(path.read_bytes()).decode() for path in files]}
    _told(ask("keys.activate", args, as_json=as_json), as_json=as_json)


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


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return words("sí", "yes") if value else "no"
    return ", ".join(value) if isinstance(value, list) else str(value if value is not None else "–")


def _keyring() -> Keyring:
    settings = config()
    try:
        return Keyring(settings.institution.id, open_kek(settings.keys), FileRows(settings.keyring_file))
    except KeysError as error:
        complain(f"No se pueden abrir las claves: {error} ({error.code})", f"The keys cannot be opened: {error} ({error.code})")
        raise typer.Exit(Exit.REFUSED) from None


def _stop(error: Exception) -> NoReturn:
    """A refusal with its sentence; what is no refusal of ours goes on as it is."""
    code = getattr(error, "code", None)
    if not isinstance(code, str):
        raise error
    es, en, es_hint, en_hint = sentence(code)
    complain(f"{es} {es_hint} ({code})", f"{en} {en_hint} ({code})")
    raise typer.Exit(Exit.REFUSED) from None
