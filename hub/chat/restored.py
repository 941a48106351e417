"""What the desk hears when its hub came back from a copy: what is known again, and what only the other institution knows now."""

from __future__ import annotations

from hub.actions.common import on_duty, supervisors
from hub.actions.ports import Unit
from hub.base.i18n import text
from hub.cases import events as e
from hub.chat import wording as w
from hub.chat.plain import message, paragraph, strong
from hub.chat.posting import Place, put


def tell_restored(unit: Unit, event: e.Restored) -> None:
    """One message for each peer that answered. What the copy forgot rings whoever is on duty, for nobody here follows it now."""
    lang, institution = unit.me.language, w.institution(unit, event.institution)
    if not event.codes:
        line = text(lang, "Este hub se recuperó de un respaldo. Con {institution} ya se puso al día.", institution=institution)
        return put(unit, Place(purpose="desk"), message(paragraph(line)))
    head = text(lang, "Este hub se recuperó de un respaldo y no recuerda estas derivaciones a {institution}: {codes}.",
                institution=institution, codes=", ".join(event.codes))  # fmt: skip
    rest = text(
        lang,
        "Allá siguen en pie, con los datos que se entregaron. Llame a {institution}, acuerden qué sigue, y abra otra vez el caso si hace falta. "
        "Si ella retiró su permiso, pídales «devolver»: así se destruye allá y se confirma.",
        institution=institution,
    )
    ring = tuple(dict.fromkeys((*on_duty(unit), *supervisors(unit))))
    return put(unit, Place(purpose="desk"), message(paragraph([strong(head)]), paragraph(rest)), ring=ring)
