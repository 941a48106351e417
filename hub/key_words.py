"""Sentences for what stops in the room of keys: manifests, signatures, keyrings, files. Their exceptions speak English to whoever reads the code.

Per code: what failed and why (Spanish, English), what to do (Spanish, English). One that is not here takes its family's: `json.` and the like.
"""

from __future__ import annotations

import errno
import re

from hub.network_words import WORDS as _NETWORK

Words = tuple[str, str, str, str]

_NO_MANIFEST: Words = (
    "Ese archivo no es un manifiesto de Tinkuy, o está dañado.",
    "That file is no manifest of Tinkuy, or it is damaged.",
    "Pida a la institución que lo haga otra vez con `tinkuy manifest export` y mande ese archivo tal cual, sin foto ni copia del texto.",
    "Ask the institution to make it again with `tinkuy manifest export` and to send that very file: no picture, no copied text.",
)
_CALL: tuple[str, str] = (
    "No lo acepte por ahora. Llame a su administración por un número conocido.",
    "Do not accept it for now. Call its administrators on a number you know.",
)
_CALL_OR_REBORN: tuple[str, str] = (
    "No lo acepte por ahora. Llame a su administración por un número conocido. Si perdieron sus raíces y empezaron de nuevo: manual (runbook) 15.",
    "Do not accept it for now. Call its administrators on a number you know. If they lost their roots and began anew: runbook 15.",
)
_OUR_FAULT: tuple[str, str] = (
    "Repita; si vuelve a pasar, informe esta línea: no contiene datos.",
    "Repeat it; if it happens again, report this line: it holds no data.",
)
_SECRET: tuple[str, str] = (
    "No siga con estas claves. Restáurelas de su copia, como dice el manual (runbook).",
    "Do not go on with these keys. Restore them from their copy, as the runbook says.",
)

WORDS: dict[str, Words] = {
    **_NETWORK,
    "keys.error": ("Algo falló con las claves.", "Something about the keys failed.", *_OUR_FAULT),
    "keys.malformed": (
        "El archivo no tiene la forma que debe: es otro archivo, o está dañado.",
        "The file is not of the form it should have: it is another file, or damaged.",
        "Revise qué archivo es; pida o haga otro.",
        "Check which file it is; ask for another, or make one.",
    ),
    "keys.too_large": (
        "El archivo es más grande de lo que puede ser: es otro archivo.",
        "The file is larger than it can be: it is another file.",
        "Revise qué archivo es.",
        "Check which file it is.",
    ),
    "keys.bad_signature": (
        "La firma no corresponde: faltan firmas, o alguien cambió el contenido.",
        "The signature does not fit: signatures are missing, or somebody changed the content.",
        "No lo use. Pida otro a quien lo hizo, por otra vía.",
        "Do not use it. Ask whoever made it for another, by another road.",
    ),
    "keys.unknown_signer": (
        "Lo firmó una clave que no se conoce.",
        "A key signed it that is not known.",
        "No lo use. Pida otro a quien lo hizo, por otra vía.",
        "Do not use it. Ask whoever made it for another, by another road.",
    ),
    "keys.other_hint": ("Está cerrado para otra clave.", "It is sealed to another key.", *_OUR_FAULT),
    "hek.gone": (
        "La clave de apertura de ese día ya no existe: dura siete días.",
        "The opening key of that day is gone: it lasts for seven days.",
        "No haga nada: la otra institución lo manda otra vez.",
        "Do nothing: the other institution sends it again.",
    ),
    "keys.unsupported_library": (
        "La librería de criptografía instalada no es la que Tinkuy probó; así no arranca.",
        "The installed library of cryptography is not the one that Tinkuy was tested with; it does not start like this.",
        "Instale otra vez desde requirements/, con sus sumas.",
        "Install again from requirements/, with its hashes.",
    ),
    "keys.exists": (
        "Ya hay una clave con ese nombre, y ninguna se sobrescribe.",
        "There is a key of that name already, and none is ever overwritten.",
        "Revise la carpeta de estado: puede ser la de otra instalación.",
        "Check the state folder: it may be another installation's.",
    ),
    "keys.destroyed": (
        "Esa clave se destruyó, o nunca se hizo: lo que cerraba no vuelve.",
        "That key was destroyed, or never made: what it sealed is gone for good.",
        "Así se olvida en Tinkuy; no es una falla.",
        "This is how Tinkuy forgets; it is no fault.",
    ),
    "keys.not_erased": (
        "Una clave que se destruyó sigue en la base de claves.",
        "A key that was destroyed is still in the key store.",
        "No siga: revise que nadie haya devuelto una copia vieja de la base de claves.",
        "Stop here: check that nobody brought back an old copy of the key store.",
    ),
    "kek.exists": (
        "Ya hay una llave maestra (KEK) en ese lugar, y nunca se sobrescribe.",
        "There is a key-encryption key in that place already, and it is never overwritten.",
        "Úsela, o indique otro lugar.",
        "Use it, or name another place.",
    ),
    "directory.conflict": (
        "Dos instituciones dicen tener la misma clave, cuenta o dispositivo.",
        "Two institutions say that they have one and the same key, account or device.",
        *_CALL,
    ),
    "directory.matrix_user": (
        "Ese manifiesto nombra una cuenta Matrix que ya es de otra institución o persona ({holder}).",
        "That manifest names a Matrix account that is another institution's or person's already ({holder}).",
        *_CALL,
    ),
    "directory.hub_key": (
        "Ese manifiesto nombra una clave de firma que ya es de {holder}.", "That manifest names a signing key that is {holder}'s already.", *_CALL,
    ),
    "directory.master_key": (
        "Ese manifiesto nombra una identidad Matrix que ya es de {holder}.", "That manifest names a Matrix identity that is {holder}'s already.",
        *_CALL,
    ),
    "directory.opening_key": (
        "Ese manifiesto nombra una clave de apertura que ya es de {holder}.", "That manifest names an opening key that is {holder}'s already.",
        *_CALL,
    ),
    "directory.device_id": (
        "Ese manifiesto nombra un dispositivo Matrix que ya es de {holder}.", "That manifest names a Matrix device that is {holder}'s already.",
        *_CALL,
    ),
    "directory.device_key": (
        "Ese manifiesto nombra la clave de un dispositivo Matrix que ya es de {holder}.",
        "That manifest names the key of a Matrix device that is {holder}'s already.",
        *_CALL,
    ),
    "ledger.broken": (
        "El libro de revelaciones no está entero: una fila se cambió, se quitó o se movió.",
        "The disclosure ledger does not hold: a row was changed, removed or moved.",
        "Guarde una copia para investigar y compárela con lo que firmaron las otras instituciones (tinkuy ledger verify).",
        "Keep a copy for an inquiry and compare it with what the other institutions signed for (tinkuy ledger verify).",
    ),
    "manifest.malformed": _NO_MANIFEST,
    "manifest.refused": ("Ese manifiesto no se aceptó.", "That manifest was not accepted.", *_CALL),
    "manifest.life": (
        "Ese manifiesto dice valer más de 400 días, o vence antes de empezar.",
        "That manifest says that it lasts more than 400 days, or ends before it begins.",
        "Pida uno nuevo.",
        "Ask for a new one.",
    ),
    "manifest.signature": (
        "Sus propias raíces no firmaron ese manifiesto: le faltan firmas, o alguien lo cambió.",
        "Its own roots did not sign that manifest: signatures are missing, or somebody changed it.",
        "Pida el que está en vigor (tinkuy manifest export); uno por firmar todavía no vale.",
        "Ask for the one in force (tinkuy manifest export); one that is still to be signed does not count.",
    ),
    "manifest.future": (
        "Ese manifiesto tiene fecha de un día que aún no llega.",
        "That manifest is dated on a day that is still to come.",
        "Revisen los relojes de las dos máquinas.",
        "Check the clocks of both machines.",
    ),
    "manifest.expired": (
        "Ese manifiesto ya venció.", "That manifest has expired.",
        "Pida el que está en vigor (tinkuy manifest export).", "Ask for the one in force (tinkuy manifest export).",
    ),
    "manifest.other": (
        "Ese manifiesto es de otra institución, o de otro tipo de institución que antes.",
        "That manifest is another institution's, or of another kind of institution than before.",
        *_CALL,
    ),
    "manifest.rollback": (
        "Ese manifiesto es más viejo que el que este hub ya tiene.", "That manifest is older than the one that this hub has.",
        "Pida el que está en vigor (tinkuy manifest export). Si perdieron sus raíces y empezaron de nuevo: manual (runbook) 15.",
        "Ask for the one in force (tinkuy manifest export). If they lost their roots and began anew: runbook 15.",
    ),
    "manifest.equivocation": (
        "Hay dos manifiestos distintos con la misma versión: este no es el que ya se tiene.",
        "There are two different manifests of one version: this is not the one that is held.",
        *_CALL_OR_REBORN,
    ),
    "manifest.gap": (
        "Falta un manifiesto entre el que se tiene y ese.", "A manifest between the one that is held and that one is missing.",
        "Pida el de la versión que sigue y agréguelo primero.", "Ask for the one of the next version and add that first.",
    ),
    "manifest.fork": (
        "Ese manifiesto no continúa el que se tiene: sigue a otro.", "That manifest does not continue the one that is held: it follows another.",
        *_CALL_OR_REBORN,
    ),
    "manifest.roots": (
        "Las raíces que este hub conoce de esa institución no firmaron ese manifiesto.",
        "The roots that this hub knows of that institution did not sign that manifest.",
        *_CALL_OR_REBORN,
    ),
    "manifest.downgrade": (
        "Ese manifiesto volvería a un protocolo más viejo.", "That manifest would go back to an older protocol.", *_CALL,
    ),
    "manifest.empty": ("No hay ningún manifiesto que aceptar.", "There is no manifest to accept.", *_NO_MANIFEST[2:]),
    "manifest.too_many": ("Llegaron demasiados manifiestos juntos.", "Too many manifests came at once.", *_CALL),
    "manifest.user": (
        "Ese manifiesto nombra otra cuenta Matrix: eso lo deciden las personas.", "That manifest names another Matrix account: people decide that.",
        "Emparejen otra vez en persona: tinkuy peer add, y comparen el código.", "Pair again in person: tinkuy peer add, and compare the code.",
    ),
    "manifest.other_draft": (
        "Esos archivos no son firmas de un mismo manifiesto.", "Those files are not signatures over one and the same manifest.",
        "Junte solo las copias firmadas del último manifest-next.json.", "Join only the signed copies of the last manifest-next.json.",
    ),
    "manifest.not_ours": (
        "El manifiesto de la carpeta de estado no es de las claves de este hub.", "The manifest in the state folder is not of this hub's keys.",
        *_SECRET,
    ),
    "matrix.unsigned": (
        "El servidor Matrix muestra un dispositivo o una identidad sin la firma que debe llevar.",
        "The homeserver shows a device or an identity without the signature that it must carry.",
        "Mire `tinkuy doctor`.",
        "See `tinkuy doctor`.",
    ),
    "base64": _NO_MANIFEST,
}  # fmt: skip

_FAMILIES: dict[str, Words] = {
    "matrix": (
        "El servidor Matrix no contestó como debe, o no aceptó lo que se le pidió.",
        "The homeserver did not answer as it should, or refused what it was asked.",
        "Mire `tinkuy doctor` y el registro del hub.",
        "See `tinkuy doctor` and the hub's log.",
    ),
    "json": _NO_MANIFEST,
    "bytes": WORDS["keys.malformed"],
    "frame": WORDS["keys.malformed"],
    "envelope": WORDS["keys.malformed"],
    "roster": (
        "La lista firmada de quién participa en una sala no vale.", "The signed roster of a room does not count.", *_CALL,
    ),
    "devices": (
        "La lista firmada de dispositivos Matrix no vale.", "The signed list of Matrix devices does not count.", *_CALL,
    ),
}  # fmt: skip
_HELD = re.compile(r"(directory\.[a-z_]+) \((.{1,80})\)")

_DISK: dict[int, tuple[str, str]] = {
    errno.ENOENT: ("no existe", "there is no such file"),
    errno.ENOTDIR: ("una parte de la ruta no es una carpeta", "a part of the path is no folder"),
    errno.EISDIR: ("es una carpeta", "it is a folder"),
    errno.EACCES: ("falta permiso", "permission is lacking"),
    errno.EPERM: ("falta permiso", "permission is lacking"),
    errno.EEXIST: ("ya existe", "it exists already"),
    errno.ENOSPC: ("el disco está lleno", "the disk is full"),
    errno.EDQUOT: ("se acabó la cuota del disco", "the disk quota is used up"),
    errno.EROFS: ("el disco es de solo lectura", "the disk is read-only"),
    errno.ELOOP: ("es un enlace, y aquí no se siguen", "it is a link, and links are not followed here"),
    errno.EIO: ("el disco falla", "the disk fails"),
    errno.ENAMETOOLONG: ("el nombre es demasiado largo", "the name is too long"),
}


def key_words(code: str) -> Words | None:
    """The words of a code of `keys`, with `{holder}` filled in where the code names one; None for a code that is not of that room."""
    held = _HELD.fullmatch(code)
    if held:
        es, en, fix_es, fix_en = WORDS.get(held[1], WORDS["directory.conflict"])
        return es.replace("{holder}", held[2]), en.replace("{holder}", held[2]), fix_es, fix_en
    return WORDS.get(code) or (_FAMILIES.get(code.split(".")[0]) if "." in code else None)


def disk_words(error: OSError) -> tuple[str, str]:
    """Why the disk refused, as people say it; libc speaks whatever the machine speaks."""
    return _DISK.get(error.errno or 0, ("el sistema no lo permitió", "the system did not allow it"))
