"""Sentences for the codes that the control socket can answer with, when the answer brings none of its own.

Per code: what failed and why (Spanish, English), what to do (Spanish, English).
"""

from __future__ import annotations

Words = tuple[str, str, str, str]

_WORDS: dict[str, Words] = {
    "control.away": (
        "Ningún hub responde en el socket de control.",
        "No hub answers at the control socket.",
        "Inícielo con `tinkuy run`, o ejecute esta orden como el usuario del hub.",
        "Start it with `tinkuy run`, or run this command as the hub's user.",
    ),
    "control.in_use": (
        "Otro hub ya está en marcha con esta configuración.",
        "Another hub already runs with this configuration.",
        "Deténgalo antes de iniciar otro.",
        "Stop it before you start another.",
    ),
    "database.in_use": (
        "Otro hub ya usa esta base de datos. Dos a la vez perderían mensajes.",
        "Another hub already uses this database. Two at once would lose messages.",
        "Deténgalo antes de iniciar este, o revise `database.url` en su configuración.",
        "Stop it before you start this one, or check `database.url` in its configuration.",
    ),
    "database.row_forged": (
        "Alguien cambió por fuera del hub una fila que decide en quién se confía; el hub no sigue con ella.",
        "Somebody changed a row that decides who is trusted, and it was not the hub; the hub does not go on with it.",
        "Guarde una copia de la base de datos para investigar y recupere el último respaldo, como dice el manual (runbook).",
        "Keep a copy of the database for an inquiry and restore the last backup, as the runbook says.",
    ),
    "database.newer": (
        "La base de datos es de una versión más nueva de Tinkuy.",
        "The database belongs to a newer release of Tinkuy.",
        "Instale la versión nueva; no la use con esta.",
        "Install the newer release; do not use it with this one.",
    ),
    "backup.unfinished": (
        "Una restauración quedó a medias; así no se puede trabajar.",
        "A restore was left unfinished; the hub cannot work like this.",
        "Repita la misma orden `tinkuy backup restore`.",
        "Repeat the same `tinkuy backup restore`.",
    ),
    "journal.unwritable": (
        "El diario de destrucciones no se puede escribir: ninguna clave se destruye sin anotarlo.",
        "The tombstone journal cannot be written: no key is destroyed without a line in it.",
        "Haga sitio en el disco de la carpeta de datos y revise sus permisos.",
        "Make room on the state folder's disk and check its permissions.",
    ),
    "matrix.rows_rolled_back": (
        "Las llaves de Matrix guardadas no son las últimas: parece una copia antigua.",
        "The kept Matrix keys are not the latest ones: this looks like an old copy.",
        "No la ponga en marcha así; recupérela como dice el manual (runbook).",
        "Do not run it like this; restore it as the runbook says.",
    ),
    "control.unknown_command": (
        "El hub en marcha no conoce esta orden.",
        "The running hub does not know this command.",
        "Su versión es anterior: reinícielo después de actualizar.",
        "Its version is older: restart it after upgrading.",
    ),
    "control.bad_request": (
        "El hub no entendió los datos de la orden.",
        "The hub did not understand the command's data.",
        "Revise los argumentos con --help.",
        "Check the arguments with --help.",
    ),
    "control.internal": (
        "El hub falló al cumplir la orden; no se sabe qué quedó hecho.",
        "The hub failed while doing it; what was done is not known.",
        "Mire el registro del hub (control.failed) y `tinkuy status`.",
        "See the hub's log (control.failed) and `tinkuy status`.",
    ),
    "control.too_large": (
        "La respuesta es demasiado grande.",
        "The answer is too large.",
        "Pida menos de una vez.",
        "Ask for less at once.",
    ),
    "staff.unknown": (
        "Esa persona no está inscrita en este hub.",
        "That person is not enrolled at this hub.",
        "Vea la lista con `tinkuy staff list`.",
        "See the list with `tinkuy staff list`.",
    ),
    "staff.exists": (
        "Esa persona ya está inscrita.",
        "That person is already enrolled.",
        "Para fijar de nuevo su clave use `tinkuy staff repin`.",
        "To pin her key again use `tinkuy staff repin`.",
    ),
    "staff.no_identity": (
        "Su cuenta todavía no tiene firma cruzada (cross-signing).",
        "Her account has no cross-signing identity yet.",
        "Pídale que la active en su aplicación y repita la orden.",
        "Ask her to set it up in her client, then repeat.",
    ),
    "staff.fingerprint_differs": (
        "La huella que escribió no es la que muestra el servidor: puede haber un engaño.",
        "The fingerprint you typed is not the one that the server shows: somebody may be deceiving you.",
        "No la inscriba; compare otra vez en persona.",
        "Do not enrol her; compare again in person.",
    ),
    "unknown_code": (
        "Este hub no tiene una derivación recibida con ese código.",
        "This hub has no received referral with that code.",
        "Pida el código a quien la atiende; empieza con R-.",
        "Ask whoever works on it for the code; it begins with R-.",
    ),
    "unknown_basis": (
        "Esa no es una razón legal para conservar.",
        "That is no legal reason to keep it.",
        "Use court_order, prosecutor_order o health_record.",
        "Use court_order, prosecutor_order or health_record.",
    ),
    "bad_date": ("La fecha no se entiende.", "The date was not understood.", "Escríbala así: 2027-05-31.", "Write it like this: 2027-05-31."),
    "date_past": (
        "Esa fecha ya pasó.",
        "That date is past.",
        "Escriba el último día en que se debe conservar.",
        "Give the last day it must be kept.",
    ),
    "hold_too_long": (
        "Es demasiado: como máximo 20 años.",
        "That is too long: 20 years at most.",
        "Ponga una fecha más cercana.",
        "Give a nearer date.",
    ),
    "nothing_to_hold": (
        "De esa derivación no se tiene ningún dato.",
        "No information of that referral is held.",
        "Si ya se destruyó, no vuelve.",
        "What was destroyed does not come back.",
    ),
    "not_held": (
        "Esa derivación no está retenida por ley.",
        "That referral is not kept by law.",
        "Vea `tinkuy hold list`.",
        "See `tinkuy hold list`.",
    ),
    "peer.unknown": (
        "Este hub no conoce esa institución.",
        "This hub does not know that institution.",
        "Agréguela con `tinkuy peer add`.",
        "Add it with `tinkuy peer add`.",
    ),
    "peer.code_differs": (
        "El código no coincide: los dos hubs no tienen los mismos manifiestos.",
        "The code does not match: the two hubs do not hold the same manifests.",
        "No confirme. Pidan de nuevo los manifiestos por otra vía y comparen otra vez.",
        "Do not confirm. Send the manifests again by another road and compare again.",
    ),
}


def sentence(code: str) -> Words:
    """Words for a code; for one that is not here, a plain sentence that leaves the code to speak."""
    return _WORDS.get(code, ("El hub no aceptó la orden.", "The hub did not accept the command.", "", ""))


def known_codes() -> frozenset[str]:
    """Every code with words of its own."""
    return frozenset(_WORDS)
