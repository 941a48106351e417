"""Why a link stands still, in words: for the admin room and for `tinkuy doctor`."""

from __future__ import annotations

from hub.base.i18n import mark, text

BECAUSE = {
    "people": mark("administración lo detuvo"),
    "stranger": mark("alguien ajeno entró en su sala"),
    "changed_twin": mark("un mismo mensaje llegó dos veces, con contenido distinto"),
    "behind_unseen": mark("llegó un mensaje con un número ya pasado que aquí nunca se vio"),
    "chain_broken": mark("los mensajes no siguen a los anteriores"),
    "two_manifests": mark("mostró dos manifiestos distintos de una misma versión"),
}


def because(lang: str, code: str) -> str:
    """The reason in words; one that this hub has no words for stays a code."""
    return text(lang, BECAUSE[code]) if code in BECAUSE else code
