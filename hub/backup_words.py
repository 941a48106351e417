"""The sentences of `tinkuy backup`: what was proven, and for each code what failed and what to do, in Spanish and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.cli_words import filled, sentence
from hub.key_words import Words

FACTS: dict[str, tuple[str, str]] = {
    "data": (
        "La parte de datos ({backup}, hecha {at}) abre, la firmó el hub y sus {members} piezas están enteras.",
        "The data part ({backup}, made {at}) opens, is signed by the hub, and its {members} members are whole.",
    ),
    "keys": (
        "La parte de claves ({backup}, hecha {at}) abre, la firmó el hub y sus {members} piezas están enteras.",
        "The key part ({backup}, made {at}) opens, is signed by the hub, and its {members} members are whole.",
    ),
    "ledger": ("El libro de revelaciones está entero: {value} filas.", "The disclosure ledger holds: {value} rows."),
    "tombstones": (
        "Se conocen {known} destrucciones, hasta {until}; {later} son posteriores y una restauración las repetiría.",
        "{known} destructions are known, up to {until}; {later} are later ones that a restore would repeat.",
    ),
    "cells": ("{open} valores sellados abren; {dead} tienen su clave destruida.", "{open} sealed values open; {dead} have a destroyed key."),
    "no keyring": (
        "No se miró si la llave maestra abre las claves: falta una de las dos.",
        "Not looked at: whether the KEK opens the keys; one of them is missing.",
    ),
    "no origin": (
        "No se probó quién la hizo, solo que calza con el manifiesto de adentro: dé --signer, o la otra parte y la llave maestra.",
        "Not proven: who made it, only that it fits the manifest inside: give --signer, or the other part and the KEK.",
    ),
    "no config": (
        "Aquí no hay tinkuy.toml: no se comparó de qué institución es; su nombre está arriba.",
        "There is no tinkuy.toml here: whose it is was not compared; its name stands above.",
    ),
    "no cells": ("No se miró si cada valor sellado abre.", "Not looked at: whether each sealed value opens."),
    "no tombstones": ("No se miraron las destrucciones posteriores.", "Not looked at: later destructions."),
}

_WORDS: dict[str, Words] = {
    "backup.no_folder": (
        "No se sabe dónde guardar los respaldos.", "Where to keep backups is not known.",
        "Ponga paths.backups en el archivo, o use --to.", "Set paths.backups in the file, or use --to.",
    ),
    "backup.no_recipient": (
        "No se sabe quién podrá abrir el respaldo.", "Who will be able to open the backup is not known.",
        "Haga una identidad con age-keygen, guárdela aparte y ponga su age1… en backup.recipients.",
        "Make an identity with age-keygen, keep it elsewhere, and put its age1… into backup.recipients.",
    ),
    "backup.recipient": (
        "Un destinatario no es una clave age1…", "A recipient is no age1… key.",
        "Cópiela tal como la muestra age-keygen.", "Copy it as age-keygen prints it.",
    ),
    "backup.no_manifest": (
        "Este hub todavía no tiene manifiesto: nunca se puso en marcha.", "This hub has no manifest yet: it was never run.",
        "Póngalo en marcha una vez con tinkuy run.", "Run it once with tinkuy run.",
    ),
    "backup.exists": (
        "Ya hay un respaldo de este mismo segundo.", "There is a backup of this very second already.",
        "Espere un momento y repita.", "Wait a moment and repeat.",
    ),
    "backup.schema_behind": (
        "La base no está en la versión de este programa.", "The database is not at this program's version.",
        "Primero: tinkuy db upgrade.", "First: tinkuy db upgrade.",
    ),
    "backup.absent": (
        "Falta una parte del respaldo, o no se puede leer.", "A part of the backup is missing or cannot be read.",
        "Indique --data y --keys, y revise las rutas y los permisos.", "Name --data and --keys; check paths and permissions.",
    ),
    "backup.not_age": (
        "Ese archivo no es un respaldo de Tinkuy (no es un archivo age).", "That file is no backup of Tinkuy (it is no age file).",
        "Elija el que termina en .data.age o .keys.age.", "Choose the one that ends in .data.age or .keys.age.",
    ),
    "backup.wrong_identity": (
        "Esta identidad no abre este respaldo.", "This identity does not open this backup.",
        "Use la identidad cuyo age1… estaba en backup.recipients cuando se hizo.",
        "Use the identity whose age1… stood in backup.recipients when it was made.",
    ),
    "backup.identity_form": (
        "El archivo de identidad no contiene una línea AGE-SECRET-KEY-1….", "The identity file holds no AGE-SECRET-KEY-1… line.",
        "Use el archivo que escribió age-keygen -o, sin cambiarlo.", "Use the file that age-keygen -o wrote, unchanged.",
    ),
    "backup.damaged": (
        "El respaldo está cortado o cambiado. No se usó nada de él.", "The backup was cut short or changed. Nothing of it was used.",
        "Tome otra copia, o el respaldo anterior.", "Take another copy of it, or the backup before.",
    ),
    "backup.other_part": (
        "Se dio una parte en lugar de la otra.", "One part was given in place of the other.",
        "La de datos termina en .data.age y va en --data; la de claves en .keys.age y va en --keys.",
        "The data part ends in .data.age and goes to --data, the key part in .keys.age to --keys.",
    ),
    "backup.other_institution": (
        "El respaldo es de otra institución ({institution}).", "The backup belongs to another institution ({institution}).",
        "Revise --config y el archivo.", "Check --config and the file.",
    ),
    "keys.bad_signature": (
        "La firma del respaldo no es del hub que dice.", "The backup is not signed by the hub it names.",
        "No lo use: tome otro y averigüe quién lo cambió.", "Do not use it: take another, and find out who changed it.",
    ),
    "backup.foreign_signer": (
        "Las claves de dentro no son las que firmaron el respaldo.", "The keys inside are not those that signed the backup.",
        "No lo use: tome otro y averigüe quién lo cambió.", "Do not use it: take another, and find out who changed it.",
    ),
    "backup.signer": (
        "Lo que dio con --signer no es una clave.", "What --signer gives is no key.",
        "Cópiela tal como la mostró tinkuy backup create.", "Copy it as tinkuy backup create printed it.",
    ),
    "backup.newer": (
        "El respaldo es de una versión más nueva de Tinkuy.", "The backup is of a newer release of Tinkuy.",
        "Instale esa versión y repita.", "Install that release and repeat.",
    ),
    "backup.keys_before_data": (
        "La parte de claves es más antigua que la de datos: le faltarían claves.",
        "The key part is older than the data part: keys would be missing.",
        "Use la parte de claves del mismo respaldo o de uno posterior.", "Use the key part of the same backup or of a later one.",
    ),
    "backup.keys_expired": (
        "La parte de claves tiene más de 7 días y ya no se restaura: traería de vuelta lo que una persona pidió olvidar.",
        "The key part is over 7 days old and is not restored any more: it would bring back what a person asked to forget.",
        "Bórrela y use una más nueva.", "Remove it and use a newer one.",
    ),
    "backup.from_the_future": (
        "El respaldo dice ser de un momento que aún no llega.", "The backup says that it was made in the future.",
        "Revise el reloj de esta máquina.", "Check this machine's clock.",
    ),
    "backup.wrong_kek": (
        "La llave maestra (KEK) de esta máquina no abre las claves del respaldo.",
        "This machine's key-encryption key does not open the backup's keys.",
        "Ponga la copia de la llave maestra de entonces en keys.kek_file.", "Put the copy of that time's key at keys.kek_file.",
    ),
    "backup.journal_broken": (
        "Un diario de destrucciones está cambiado o le faltan líneas.", "A tombstone journal was changed, or lines of it are missing.",
        "Quítelo de la carpeta y use otra copia: la del disco de respaldos o la de la máquina perdida.",
        "Take it out of the folder and use another copy: the backup disk's, or the lost machine's.",
    ),
    "backup.tombstones_old": (
        "No se puede probar que estén todas las destrucciones: los diarios que hay llegan hasta {until}.",
        "That all destructions are here cannot be proven: the journals at hand reach to {until}.",
        "Busque el archivo tombstones-… más nuevo (disco de respaldos, carpeta de estado de la máquina perdida) y déselo con --tombstones; o diga "
        "con --lost-at cuándo dejó de funcionar el hub. Solo si no hay otro: --without-newest-tombstones, y avise a las otras instituciones.",
        "Look for the newest tombstones-… file (the backup disk, the lost machine's state folder) and give it with --tombstones; or say with "
        "--lost-at when the hub stopped. Only if there is no other: --without-newest-tombstones, and tell the other institutions.",
    ),
    "backup.lost_at": (
        "La hora de --lost-at no puede ser: el hub dio señales hasta {seen}, y después de ahora no hay nada.",
        "The time of --lost-at cannot be: the hub gave signs until {seen}, and nothing is later than now.",
        "Diga cuándo dejó de funcionar de verdad (hora local, o con zona: 2026-11-22T09:30+00:00); si no se sabe, no lo diga.",
        "Say when it really stopped (local time, or with its zone: 2026-11-22T09:30+00:00); if nobody knows, leave it out.",
    ),
    "backup.not_empty": (
        "Aquí ya hay un hub o restos de uno. Restaurar no sobrescribe nada.",
        "There is a hub here already, or what is left of one. A restore overwrites nothing.",
        "Use una carpeta de estado y unas bases vacías.", "Use an empty state folder and empty databases.",
    ),
    "backup.no_state": (
        "La carpeta de estado no existe.",
        "The state folder does not exist.",
        "Créela: install -d -m 0700 y la ruta de paths.state.",
        "Make it: install -d -m 0700 and the path of paths.state.",
    ),
    "backup.bad_time": ("La hora no se entiende.",
    "The time was not understood.",
    "Escríbala así: 2026-11-22T09:30.",
    "Write it like this: 2026-11-22T09:30."),
    "backup.disk": ("El disco no lo permitió: {why_es}.",
    "The disk did not allow it: {why_en}.",
    "Revise el espacio y los permisos.",
    "Check space and permissions."),
    "backup.dead_key": (
        "En la parte de claves hay una clave que ya estaba destruida.",
        "The key part holds a key that was already destroyed.",
        "No lo use; informe esta línea.",
        "Do not use it; report this line.",
    ),
    "backup.cells_broken": (
        "Hay valores sellados que no abren con su clave.", "There are sealed values that do not open with their key.",
        "Use otro respaldo e informe esta línea.", "Use another backup, and report this line.",
    ),
    "ledger.broken": (
        "El libro de revelaciones no está entero.",
        "The disclosure ledger does not hold.",
        "Compárelo con lo que guardan las otras instituciones.",
        "Compare it with what the peers keep.",
    ),
    "kek.unavailable": (
        "La llave maestra (KEK) no está o no se puede leer.", "The key-encryption key is absent or cannot be read.",
        "El respaldo no la trae: póngala en keys.kek_file desde su copia aparte, con permisos 0600.",
        "The backup does not hold it: put it at keys.kek_file from its copy kept apart, mode 0600.",
    ),
    "kek.unsafe": (
        "Otros pueden leer un archivo secreto.", "Others can read a secret file.", "Déjelo con permisos 0600.", "Set it to 0600.",
    ),
}  # fmt: skip


def sentence_of(code: str, params: Mapping[str, Any]) -> Words:
    """The four sentences of a code, with its parameters; the general ones where backups have none of their own."""
    return filled(_WORDS[code], params) if code in _WORDS else sentence(code, params)


def backup_codes() -> frozenset[str]:
    """Every code with words of its own here."""
    return frozenset(_WORDS)


__all__ = ["FACTS", "backup_codes", "sentence_of"]
