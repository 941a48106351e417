"""`tinkuy protocol export` and `verify`: a version as files, and what they prove to somebody without a hub."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from hub.cli_base import JSON, Exit, ask, complain, end_with, new_file, read_file, say, show_json, words
from keys import protocolword as pw
from keys.errors import KeysError
from keys.manifest import Manifest
from keys.protocolproof import DOCUMENT, MANIFESTS, Proof
from keys.protocolproof import verify as verify_files

Name = Annotated[str, typer.Argument(metavar="NOMBRE[@VERSIÓN]", help="Por ejemplo shelter@2. · For example shelter@2.")]
_MOST = 64 * 1024
_UNSIGNED = {True: ("no se sabe si firmó", "not known whether it signed"), False: ("NO FIRMÓ", "DID NOT SIGN")}
_WRONG = {
    "proposal": ("la propuesta no está firmada por quien la propuso", "the proposal is not signed by its proposer"),
    "document": ("el documento no es el que se firmó", "the document is not the one that was signed"),
    "manifest": ("el manifiesto no está firmado, o no sigue al anterior", "the manifest is not signed, or does not follow the one before"),
    "no_manifest": ("no es un manifiesto", "is no manifest"),
    "word": ("la firma no es de quien dice", "the signature is not its author's"),
    "other": ("habla de otra propuesta o de alguien que no es parte", "it is about another proposal, or by somebody who is no party"),
}


def export(name: Name, folder: Annotated[Path, typer.Argument(metavar="CARPETA", help="Nueva. · A new one.")], as_json: bool = JSON) -> None:
    """Guarda documento, firmas y comentarios como prueba para terceros · Keep document, signatures and comments as proof for others"""
    found = ask("protocol.export", {"protocol": name}, as_json=as_json)
    for file, data in sorted(found["files"].items()):
        new_file(folder / file, base64.b64decode(data), as_json=as_json)
    if as_json:
        return show_json({"folder": str(folder), "files": sorted(found["files"])})
    return say(f"{len(found['files'])} archivos en {folder}. Compruébelos: tinkuy protocol verify {folder}",
               f"{len(found['files'])} files in {folder}. Check them: tinkuy protocol verify {folder}")  # fmt: skip


def verify(
    folder: Annotated[Path, typer.Argument(metavar="CARPETA")],
    manifests: Annotated[
        Path | None, typer.Option(metavar="CARPETA", help="Manifiestos que usted recibió por otro lado. · Manifests you got elsewhere."),
    ] = None,
    as_json: bool = JSON,
) -> None:  # fmt: skip
    """Comprueba sin hub quién firmó qué documento · Check without a hub who signed which document"""
    files = _files(folder, as_json)
    if manifests is not None:
        if not manifests.is_dir():
            end_with("file.absent", Exit.USAGE, as_json=as_json, file=str(manifests))
        files = {name: data for name, data in files.items() if not name.startswith(MANIFESTS)} | _given(manifests, as_json)
    proof = verify_files(files)
    if as_json:
        found = proof.proposal
        show_json({
            "proven": proof.whole, "protocol": found.protocol if found else "", "version": found.version if found else 0, "signed": proof.signed,
            "missing": proof.missing, "wrong": [{"code": code, "file": file} for code, file in proof.wrong],
            "manifests": {name: m.digest.hex() for name, m in proof.manifests.items()}, "manifests_missing": sorted(proof.lacking),
            "manifests_from": "here" if manifests is None else "elsewhere",
        })  # fmt: skip
        raise typer.Exit(Exit.DONE if proof.whole else Exit.REFUSED)
    _proof(proof.proposal, proof)
    _lacking(proof.lacking, manifests or folder / "manifests")
    if not proof.whole:
        _not_proven(proof)
    say("PROBADO: todas las partes firmaron este documento.", "PROVEN: every party signed this document.")
    if manifests is None:
        say("Vale si estos manifiestos son de ellas: compare cada número por teléfono, o dé los que recibió aparte con --manifests.",
            "It holds if these manifests are theirs: compare each number by phone, or give those you got elsewhere with --manifests.")  # fmt: skip
    return None


def _proof(found: pw.Proposal | None, proof: Proof) -> None:
    for code, file in proof.wrong:
        complain(f"MAL: {file}: {_WRONG[code][0]}", f"WRONG: {file}: {_WRONG[code][1]}")
    if found is None:
        return
    say(f"«{found.protocol}» versión {found.version}, desde el {found.starts}; documento sha256:{found.document}",
        f"`{found.protocol}` version {found.version}, from {found.starts}; document sha256:{found.document}")  # fmt: skip
    for name in found.parties:
        how = words("firmó", "signed") if name in proof.signed else words(*_UNSIGNED[name not in proof.missing])
        seat = words(" (voz de la comunidad)", " (community seat)") if name == found.seat else ""
        key = proof.manifests[name].digest.hex()[:16] if name in proof.manifests else "—"
        typer.echo(f"  {name}{seat}: {how}; {words('manifiesto', 'manifest')} {key}")
    answered = sum(1 for _, said in proof.comments if said)
    say(f"Comentarios: {len(proof.comments)}, con respuesta: {answered}.", f"Comments: {len(proof.comments)}, answered: {answered}.")


def _not_proven(proof: Proof) -> NoReturn:
    """Something is wrong in the files; or they are in order and somebody has not signed; or it only cannot be told yet."""
    if proof.wrong or not (proof.missing or proof.lacking):
        end_with("protocol.not_proven")
    if proof.missing:
        end_with("protocol.not_signed", missing=", ".join(proof.missing))
    end_with("protocol.manifest_missing")


def _lacking(names: Mapping[str, bool], where: Path) -> None:
    for name, known in sorted(names.items()):
        if known:
            complain(f"FALTA otro manifiesto de {name}, anterior o más nuevo: los de {where} no nombran la llave de su firma.",
                     f"MISSING: another manifest of {name}, older or newer; those in {where} do not name the key that signed.")  # fmt: skip
        else:
            complain(f"FALTA el manifiesto de {name}: en {where} no está, y sin él no se sabe si su firma es suya.",
                     f"MISSING: the manifest of {name}; it is not in {where}, and without it the signature can be anybody's.")  # fmt: skip


def _given(folder: Path, as_json: bool) -> dict[str, bytes]:
    """The manifests of a folder, whatever their files are called. A file that only by its name should be one is given too, so that it is told."""
    found: dict[str, bytes] = {}
    for path in [path for path in sorted(folder.iterdir()) if path.is_file()][:1000]:
        named = path.suffix in (".json", ".manifest")
        if named or 0 < path.stat().st_size <= _MOST:
            data = read_file(path, _MOST, as_json=as_json)
            found |= {f"{MANIFESTS}{path.name}": data} if named or _is_manifest(data) else {}
    return found


def _is_manifest(data: bytes) -> bool:
    try:
        Manifest.from_bytes(data)
    except KeysError:
        return False
    return True


def _files(folder: Path, as_json: bool) -> dict[str, bytes]:
    if not (folder / DOCUMENT).is_file():
        end_with("file.absent", Exit.USAGE, as_json=as_json, file=str(folder / DOCUMENT))
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()][:1000]
    return {path.relative_to(folder).as_posix(): read_file(path, _MOST * 2, as_json=as_json) for path in found}
