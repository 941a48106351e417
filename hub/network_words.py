"""Sentences for what stops about network lists. Per code: what failed and why (Spanish, English), what to do (Spanish, English)."""

from __future__ import annotations

Words = tuple[str, str, str, str]

_ASK_TABLE: tuple[str, str] = (
    "Sigue valiendo la anterior. Llame a quienes firman la lista, por un número conocido.",
    "The one before goes on. Call those who sign the list, on a number you know.",
)
_SHOW: tuple[str, str] = ("Vea la lista con `tinkuy network show`.", "See the list with `tinkuy network show`.")

WORDS: dict[str, Words] = {
    "network_refused": (
        "Esa lista no se aceptó.",
        "That list was not accepted.",
        *_ASK_TABLE,
    ),
    "network.refused": ("Esa lista no se aceptó.", "That list was not accepted.", *_ASK_TABLE),
    "network.signature": (
        "A la lista le faltan firmas: todavía no firmaron bastantes, o ningún asiento comunitario.",
        "The list lacks signatures: too few signed it, or no community seat did.",
        "Reúna las que faltan (tinkuy network sign) e importe todos los archivos juntos.",
        "Gather those missing (tinkuy network sign) and import all the files together.",
    ),
    "network.malformed": (
        "Ese archivo no es una lista de red de Tinkuy, o está dañado.",
        "That file is no network list of Tinkuy, or it is damaged.",
        "Pida que la escriban otra vez con `tinkuy network export` y la manden tal cual.",
        "Ask for it to be written again with `tinkuy network export` and sent as it is.",
    ),
    "network.future": ("La lista tiene fecha del futuro.", "The list is dated in the future.", "Revise los relojes.", "Check both clocks."),
    "network.other": ("La lista es de otra mesa.", "The list is another table's.", *_ASK_TABLE),
    "network.rollback": (
        "La lista es más vieja que la que vale aquí.",
        "The list is older than the one that counts here.",
        "No haga nada; o pida la actual.",
        "Do nothing; or ask for the present one.",
    ),
    "network.equivocation": (
        "Hay dos listas distintas de una misma versión, las dos firmadas.",
        "There are two different lists of one version, both signed.",
        *_ASK_TABLE,
    ),
    "network.gap": (
        "Falta una versión entre la que vale aquí y esa.",
        "A version is missing between the one that counts here and that one.",
        "Importe primero la que sigue; por los enlaces llegan todas, en orden.",
        "Import the next one first; over the links all come, in order.",
    ),
    "network.fork": ("La lista no sigue a la que vale aquí.", "The list does not continue the one that counts here.", *_ASK_TABLE),
    "network.stewards": (
        "No la firmaron bastantes de las que firman la versión que vale aquí.",
        "Too few of those who sign the version that counts here signed it.",
        *_ASK_TABLE,
    ),
    "network.expired": (
        "La lista venció.",
        "The list has expired.",
        "Pida la actual; quien la cuida la renueva con `tinkuy network renew`.",
        "Ask for the present one; whoever keeps it renews it with `tinkuy network renew`.",
    ),
    "network.life": (
        "La lista dura más de lo que puede durar (400 días).",
        "The list lasts longer than it may (400 days).",
        "Redacte otra con `tinkuy network renew`.",
        "Draft another with `tinkuy network renew`.",
    ),
    "network.other_draft": (
        "Esos archivos no son firmas de una misma lista.",
        "Those files are not signatures of one and the same list.",
        "Junte solo copias del mismo borrador.",
        "Put only copies of the same draft together.",
    ),
    "network.too_many": (
        "Este hub ya guarda demasiadas listas.",
        "This hub keeps too many lists already.",
        "Quite las que no use: tinkuy network drop MESA",
        "Drop those you do not use: tinkuy network drop TABLE",
    ),
    "network.threshold": (
        "Se piden más firmas que instituciones que firman.",
        "More signatures are asked for than there are stewards.",
        "Baje `--threshold`, o agregue quien firme con `--steward`.",
        "Lower `--threshold`, or add stewards with `--steward`.",
    ),
    "network.no_seat": (
        "Se pide la firma de un asiento comunitario y ninguna organización comunitaria firma.",
        "A community seat's signature is asked for, and no community organisation is a steward.",
        "Agregue una con `--steward`, o redacte con `--community-may`.",
        "Add one with `--steward`, or draft with `--community-may`.",
    ),
    "network.people": (
        "Los miembros o quienes firman no cuadran: alguien repetido, demasiados, o ninguno.",
        "Members or stewards do not fit: somebody twice, too many, or none.",
        *_SHOW,
    ),
    "network.text": (
        "Un nombre, un lugar, un tipo o el nombre corto de la mesa tiene una forma que no se puede usar.",
        "A name, a place, a kind or the table's short name has a form that cannot be used.",
        "Nombres cortos en minúsculas y con guiones (mesa-lima-norte); los demás, hasta 120 letras.",
        "Short names in lower case with hyphens (mesa-lima-norte); others up to 120 letters.",
    ),
    "network.no_root": (
        "La raíz de esta institución no está en esta máquina.",
        "This institution's root is not on this machine.",
        "Firme donde esté: tinkuy network sign ARCHIVO --root RAÍZ",
        "Sign where it is: tinkuy network sign FILE --root ROOT",
    ),
    "network_draft": (
        "Con esos datos no se puede redactar una lista.",
        "No list can be drafted from that.",
        "Revise las opciones con `tinkuy network make --help`.",
        "Check the options with `tinkuy network make --help`.",
    ),
    "network_exists": (
        "La mesa {table} ya tiene una lista aquí.",
        "The table {table} has a list here already.",
        "Redacte la siguiente: tinkuy network add, remove o renew.",
        "Draft the next one: tinkuy network add, remove or renew.",
    ),
    "no_network_list": (
        "Este hub no tiene esa lista, o no hay ninguna por confirmar.",
        "This hub has no such list, or none to be confirmed.",
        "Importe una: tinkuy network import ARCHIVO",
        "Import one: tinkuy network import FILE",
    ),
    "which_table": (
        "Este hub tiene listas de varias mesas: {tables}.",
        "This hub has lists of several tables: {tables}.",
        "Diga cuál: --table MESA",
        "Say which: --table TABLE",
    ),
    "wrong_list_code": (
        "El código no coincide: quien lo leyó tiene otra lista, o hay un error al escribirlo.",
        "The code does not agree: whoever read it has another list, or it was mistyped.",
        "Compárenlo otra vez por un número conocido. Si sigue sin coincidir, no confirme.",
        "Compare it once more on a number you know. If it still differs, do not confirm.",
    ),
    "not_on_list": (
        "{institution} no está en la lista de {table}.",
        "{institution} is not on the list of {table}.",
        *_SHOW,
    ),
}
