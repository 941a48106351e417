"""Why a link stands still, in words for the admin room and for `tinkuy doctor`; and, for a desk, what that means for what was just asked."""

from __future__ import annotations

from collections.abc import Iterable

from hub.actions.ports import Unit
from hub.actions.unheard import silent_since
from hub.base.i18n import mark, text
from hub.cases.records import Referral
from hub.chat import wording as w

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


NOT_HEARD = mark(
    "ATENCIÓN: {institution} todavía NO se entera. El enlace está detenido: no sale nada hasta que administración lo abra. "
    "Llámeles ahora por teléfono."
)
STILL_READS = mark("Mientras tanto allá pueden seguir leyendo lo que tengan.")


def not_heard(unit: Unit, lang: str, peers: Iterable[str], *, holding: bool = True) -> list[str]:
    """A sentence for each institution that is to be told something over a stopped link: whoever asks believes otherwise that they know.

    With `holding`, one more: what is taken back from them they go on reading.
    """
    lines = [text(lang, NOT_HEARD, institution=w.institution(unit, peer)) for peer in peers]
    return lines + ([text(lang, STILL_READS)] if lines and holding else [])


def minutes_unheard(unit: Unit, referral: Referral) -> int:
    """For how many minutes they acknowledged nothing that was said about this referral; 0 while that is not worth a word."""
    since = silent_since(unit, referral)
    return int((unit.now - since).total_seconds() // 60) if since else 0


def sent(unit: Unit, lang: str, referral: Referral) -> list[str]:
    """The answer to words that go to the other side, and whether it is deaf to what was said before them."""
    name, silent = w.institution(unit, referral.peer), minutes_unheard(unit, referral)
    lines = [text(lang, "Enviado a {institution}, sellado ({code}).", institution=name, code=referral.code)]
    late = mark("Pero {institution} no da acuse de lo anterior desde hace {minutes} minutos: esto tampoco le habrá llegado. Si urge, llame.")
    return lines + ([text(lang, late, institution=name, minutes=silent)] if silent else [])
