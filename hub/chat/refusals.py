"""Every refusal as one kind sentence: what failed, why, what to do, and the code for the administrator (chat rule 10)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.errors import TinkuyError
from hub.base.i18n import mark, text
from hub.chat.plain import Message, message, paragraph
from hub.chat.wording import field_label, institution

SENTENCES = {
    "no_code": mark("¿De cuál caso habla? Escriba su código (por ejemplo «{example}») o responda en el hilo del caso."),
    "unknown_code": mark("No encuentro el código {code} aquí. Revise las letras; yo nunca adivino un caso."),
    "case_closed": mark("El caso {code} ya está cerrado. Si ella vuelve, abra uno nuevo con «abrir»: siempre se puede."),
    "not_enrolled": mark("No puedo actuar por usted: su cuenta no está inscrita. Pida a su administradora «tinkuy staff add»."),
    "name_missing": mark("Falta el nombre con el que ella quiere que la llamen. Puede ser cualquiera."),
    "date_past": mark("Esa fecha ya pasó. Escriba una por venir, por ejemplo «mañana a las 10»."),
    "unknown_field": mark("No conozco el dato «{field}». Escriba «ayuda anotar» para ver los que hay."),
    "bad_value": mark("No entendí ese valor para «{field}». Puede ser: {suggestions}."),
    "value_too_long": mark("Ese texto es muy largo (más de {limit} caracteres). Guarde aquí lo esencial."),
    "not_explained": mark("No registré el consentimiento: antes hay que explicarle la confidencialidad. Cuando lo haga, repítalo con «explicado»."),
    "consent_empty": mark("Falta decir a quién, para qué y qué datos. Escriba «consentimiento» y le pregunto paso a paso."),
    "unknown_mode": mark("¿Cómo lo dio: oral, escrito o por representante?"),
    "unknown_institution": mark("No conozco la institución «{institution}» o aún no está enlazada. Escriba «ayuda derivar» para ver las enlazadas."),
    "unknown_need": mark("No entendí por qué necesidad se deriva. Escriba «ayuda derivar» para ver la lista."),
    "no_protocol": mark("No hay un protocolo vigente que permita derivar a {institution} por eso. No salió nada. Avise a su administradora."),
    "conflict_of_interest": mark(
        "No se puede derivar a {institution}: el agresor pertenece a ese sector, y esta regla no tiene excepción. "
        "Pueden atender: {alternatives}."
    ),
    "already_referred": mark("El caso {code} ya está derivado a {institution} por esa necesidad."),
    "draft_gone": mark("Esa vista previa ya no vale. Repita «derivar» y la preparo de nuevo; no salió nada."),
    "nothing_released": mark("Así no llegaría nada a {institution}: falta su consentimiento. Registre «consentimiento {code}» y repita."),
    "move_not_allowed": mark("Eso ya no se puede hacer: cambió de estado. Mire la tarjeta; no cambié nada."),
    "already_answered": mark("Eso ya fue respondido; vale la primera respuesta."),
    "unknown_answer": mark("No entendí la respuesta. Responda con uno de los números."),
    "unknown_reason": mark("Elija un motivo de la lista con su número."),
    "unknown_outcome": mark("Elija un resultado de la lista con su número."),
    "not_working": mark("Aún no se puede: la derivación {code} no está aceptada o ya terminó."),
    "why_missing": mark("Diga para qué se necesita: «pedir {field} para …». Sin motivo no se pide."),
    "nothing_said": mark("Falta el mensaje: «decir: …»."),
    "too_long": mark("El mensaje es muy largo (más de {limit} caracteres). Divídalo en dos."),
    "nothing_to_withdraw": mark("El caso {code} no tiene nada que retirar ahí."),
    "reason_needed": mark("{code} está a cargo de otra persona. Si hace falta verlo, escriba «ver {code} porque …»; queda registrado."),
    "nothing_to_show": mark("{code}: no hay datos que mostrar."),
    "withdrawn": mark("{code} fue retirado: aquí ya no queda ningún dato de ella."),
    "referrals_open": mark("{code} tiene derivaciones abiertas ({referrals}). Espere su resultado o retírelas, y cierre después."),
    "nothing_to_undo": mark("No hay nada que deshacer: pasó el tiempo o no hizo nada que se pueda deshacer aquí."),
    "already_left": mark("Ya salió, así que no se puede deshacer. Puede retirarlo: «retirar»."),
    "not_paired": mark("Con {institution} aún no hay enlace. Avise a su administradora."),
    "link_frozen": mark("El enlace con {institution} está detenido por seguridad. Administración ya fue avisada; no salió nada."),
    "wrong_room": mark("Aquí no: eso se pide en la sala de la mesa."),
    "no_number": mark("El {number} no corresponde a ninguna pregunta abierta para usted en esta sala."),
    "code_mistyped": mark("El código «{given}» tiene una letra equivocada. Revise el código, por favor; no hice nada."),
}


def sentence(unit: Unit, lang: str, error: TinkuyError) -> str:
    """The sentence for an error, its code in brackets at the end."""
    params = {k: str(v) for k, v in error.params.items()}
    if "institution" in params:
        params["institution"] = institution(unit, params["institution"])
    if "field" in params:
        params["field"] = field_label(unit, params["field"], lang)
    if error.code == "conflict_of_interest":
        found = [institution(unit, p) for p in params.get("alternatives", "").split(", ") if p]
        params["alternatives"] = ", ".join(found) or text(lang, "consulte con supervisión")
    template = SENTENCES.get(error.code, mark("No se pudo hacer y no cambié nada. Avise a administración con este código."))
    filled = {"example": "C-7QK4M", "code": "", "alternatives": "", "suggestions": "", "limit": "", **params}
    return f"{text(lang, template, **filled)} [{error.code}]"


def refusal(unit: Unit, lang: str, error: TinkuyError) -> Message:
    """The same as a message."""
    return message(paragraph(sentence(unit, lang, error)))
