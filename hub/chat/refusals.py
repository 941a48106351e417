"""Every refusal as one kind sentence: what failed, why, what to do, and the code for the administrator (chat rule 10)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.base.errors import TinkuyError
from hub.base.i18n import mark, text
from hub.chat.plain import Message, message, paragraph
from hub.chat.wording import field_label, institution

SENTENCES = {
    "no_code": mark("¿De cuál caso habla? Escriba también su código, por ejemplo «{example}», o hágalo en el hilo del caso. «casos» los muestra."),
    "no_referral_code": mark("¿De cuál derivación habla? Escriba también su código («R-…») o hágalo en su hilo. «casos» las muestra."),
    "loose_thread": mark(
        "Su programa de chat no protege a qué mensaje responde, así que no adivino y no hice nada. "
        "Escriba también el código, por ejemplo «decir {example}: …»."
    ),
    "no_referral": mark("{code} no tiene ninguna derivación en marcha. Para empezar una: «derivar {code}»."),
    "which_referral": mark("{code} tiene varias derivaciones en marcha: {referrals}. Escriba también el código de una."),
    "theirs_to_do": mark("{code}: eso lo hace {institution}, que la recibió. Para escribirles: «decir: …»; para retirarla: «retirar {code}»."),
    "field_empty": mark("{code}: «{field}» no está anotado, o no llegó."),
    "unknown_code": mark("No encuentro el código {code} aquí. Revise las letras; yo nunca adivino un caso."),
    "case_undone": mark("{code} se deshizo: ya no queda nada de ese caso. Si hace falta, abra uno nuevo con «abrir»."),
    "case_closed": mark("El caso {code} ya está cerrado. Si ella vuelve, abra uno nuevo con «abrir»: siempre se puede."),
    "not_enrolled": mark("No puedo actuar por usted: su cuenta no está inscrita. Pida a administración que la inscriba."),
    "name_missing": mark("Falta el nombre con el que ella quiere que la llamen. Puede ser cualquiera."),
    "date_past": mark("Esa fecha ya pasó. Escriba una por venir, por ejemplo «mañana a las 10»."),
    "unknown_field": mark("No conozco el dato «{field}». Escriba «ayuda anotar» para ver los que hay."),
    "field_missing": mark("¿Qué dato necesita, y para qué? Por ejemplo: «pedir teléfono para llamarla»."),
    "unknown_purpose": mark("No entendí para qué. Escriba «consentimiento» y le pregunto paso a paso."),
    "bad_value": mark("No entendí ese valor para «{field}». Puede ser: {suggestions}."),
    "value_too_long": mark("Ese texto es muy largo (más de {limit} caracteres). Guarde aquí lo esencial."),
    "not_explained": mark("No registré el consentimiento: antes hay que explicarle la confidencialidad. Cuando lo haga, repítalo con «explicado»."),
    "consent_empty": mark("Falta decir a quién, para qué y qué datos. Escriba «consentimiento» y le pregunto paso a paso."),
    "unknown_mode": mark("¿Cómo lo dio: oral, escrito o por representante?"),
    "unknown_institution": mark("No conozco la institución «{institution}» o aún no está enlazada. Escriba «ayuda derivar» para ver las enlazadas."),
    "unknown_need": mark("No entendí por qué necesidad se deriva. Escriba «ayuda derivar» para ver la lista."),
    "protocol.unknown": mark("No conozco una versión «{protocol}». «protocolo lista» muestra las que hay; se nombran así: «shelter@2»."),
    "protocol.two": mark("Hay dos documentos con ese número; nómbrelo con su huella: {names}."),
    "protocol.several": mark("Hay varias versiones en camino: {names}. Diga cuál."),
    "protocol.which": mark("¿Cuál versión? Se nombran así: «protocolo ver shelter@2»."),
    "protocol.contested": mark("Hay dos documentos distintos como {protocol}@{version}. Rechace uno antes: «protocolo lista»."),
    "protocol.not_open": mark("{protocol}@{version} ya no está en consulta ni en firma."),
    "protocol.signed_already": mark("Esta institución ya firmó {protocol}@{version}. Solo otra versión la cambia."),
    "protocol.unanswered": mark("No se puede firmar {protocol}@{version}: hay comentarios sin respuesta ({count})."),
    "protocol.consulting": mark(
        "{protocol}@{version} está en consulta hasta el {until}. Se firma después, o cuando firme {institution}, que tiene la voz de la comunidad."
    ),
    "protocol.consulted": mark(
        "La consulta de {protocol}@{version} ya cerró: firmó {institution}, que tiene la voz de la comunidad. Lo que falte decir va en la siguiente "
        "versión; si así no debe regir, «protocolo rechazar {protocol}@{version} MOTIVO»."
    ),
    "protocol.text": mark("Falta el texto, o es muy largo (más de {limit} caracteres)."),
    "protocol.said_already": mark("Eso ya está dicho, con las mismas palabras."),
    "protocol.not_proposer": mark("A los comentarios responde {institution}, que propuso la versión."),
    "protocol.no_comment": mark("No hay un comentario «{number}»; van del 1 al {count}. Así: «protocolo responder shelter@2 1 SU RESPUESTA»."),
    "protocol.answered": mark("El comentario {number} ya tiene respuesta."),
    "restore_unanswered": mark("Este hub volvió de un respaldo y no todas las instituciones han contestado. Se puede firmar cuando contesten."),
    "no_protocol": mark("No hay un protocolo vigente que permita derivar a {institution} por eso. No salió nada. Avise a su administradora."),
    "conflict_of_interest": mark(
        "No se puede derivar a {institution}: el agresor pertenece a ese sector, y esta regla no tiene excepción. "
        "Pueden atender: {alternatives}."
    ),
    "already_referred": mark("El caso {code} ya está derivado a {institution} por esa necesidad."),
    "draft_gone": mark("Esa vista previa ya no vale. Repita «derivar» y la preparo de nuevo; no salió nada."),
    "nothing_released": mark("Así no llegaría nada a {institution}: falta su consentimiento. Escriba «consentimiento {code}» y luego repita."),
    "move_not_allowed": mark("Eso ya no se puede hacer, porque la derivación cambió. Mire su tarjeta; no cambié nada."),
    "already_answered": mark("Eso ya fue respondido; vale la primera respuesta."),
    "unknown_answer": mark("No entendí la respuesta. Responda con uno de los números."),
    "unknown_reason": mark("Elija un motivo de la lista con su número."),
    "unknown_outcome": mark("Elija un resultado de la lista con su número."),
    "not_working": mark("Aún no se puede: la derivación {code} no está aceptada o ya terminó."),
    "why_missing": mark("Diga para qué se necesita: «pedir {field} para …». Sin motivo no se pide."),
    "nothing_said": mark("Falta el mensaje: «decir: …»."),
    "too_long": mark("El mensaje es muy largo (más de {limit} caracteres). Divídalo en dos."),
    "nothing_to_withdraw": mark("{code}: no hay nada que retirar ahí."),
    "not_ours_to_withdraw": mark("{code} es de {institution}; solo ahí la pueden retirar. Si ustedes no pueden seguir, escriba «devolver»."),
    "own_house": mark("{code} está restringido: lo ven solo quien lo lleva y supervisión."),
    "reason_needed": mark("{code} está a cargo de otra persona. Si hace falta verlo, escriba «ver {code} porque …»; queda registrado."),
    "nothing_to_show": mark("{code}: no hay datos que mostrar."),
    "withdrawn_kept": mark("{code} fue retirado. Una ley obliga a conservar sus datos por un tiempo: están sellados y aquí nadie los ve."),
    "withdrawn": mark("{code} fue retirado: aquí ya no queda ningún dato de ella."),
    "referrals_open": mark("{code} tiene derivaciones abiertas ({referrals}). Espere su resultado o retírelas, y cierre después."),
    "nothing_to_undo": mark("No hay nada que deshacer: pasó el tiempo o no hizo nada que se pueda deshacer aquí."),
    "already_left": mark("Ya salió, así que no se puede deshacer. Puede retirarlo: «retirar {code}»."),
    "undo_has_notes": mark(
        "No deshice nada: en {code} ya hay cosas anotadas después de abrirlo. Para corregir un dato, anótelo otra vez; "
        "para terminar el caso, «cerrar {code}»."
    ),
    "not_accepted": mark("{code} aún no está aceptada, así que todavía no hay datos de ella. Para tomarla: «aceptar»."),
    "not_paired": mark("Con {institution} aún no hay enlace, así que no salió nada. Avise a administración."),
    "link_frozen": mark("El enlace con {institution} está detenido por seguridad. Administración ya fue avisada; no salió nada."),
    "manifest_expired": mark("El manifiesto de {institution} (o el nuestro) venció: no salen derivaciones nuevas. Avise a su administradora."),
    "last_check_in": mark("Es el único seguimiento del caso, y ninguno queda sin fecha. Ponga otro primero: «control en 3 días»."),
    "not_frozen": mark("El enlace con {institution} no está detenido."),
    "text_not_storable": mark("Ese texto trae caracteres que no se pueden guardar. Escríbalo de nuevo, sin pegar."),
    "verification_over": mark("Esa verificación ya terminó o pasó su tiempo. Si hace falta, que ella vuelva a empezar desde su programa de chat."),
    "own_verification": mark("Nadie se verifica a sí misma: compare otra administradora, o hágalo en la terminal con «tinkuy staff verify»."),
    "voucher_unproven": mark(
        "Su propia llave se fijó a primera vista, así que aún no puede responder por la de otra. Primero verifíquese usted, o hágalo en la "
        "terminal con «tinkuy staff verify»."
    ),
    "no_room_code": mark("¿De qué sala habla? Escriba también su código («S-…») o hágalo en el hilo del caso."),
    "which_room": mark("Puede ser más de una sala: {rooms}. Escriba también el código de la que quiere decir."),
    "unknown_room": mark("No encuentro la sala {code} aquí. Revise las letras, por favor."),
    "room_closed": mark("La sala {code} ya está cerrada."),
    "room_exists": mark("El caso {code} ya tiene una sala: {room}. Para sumar a alguien: «sumar institución a {room}»."),
    "nobody_to_meet": mark("¿Con qué institución? Por ejemplo: «reunir C-7QK4M a csmc-comas y hogar-luz»."),
    "too_many_institutions": mark("Son demasiadas instituciones para una sala (más de {limit}). Cuantas más leen, menos se puede mostrar."),
    "no_shared_referral": mark(
        "{institution} no tiene una derivación aceptada de {code}, así que no puede estar en la sala: nada dice qué puede ver. Primero «derivar»."
    ),
    "already_there": mark("{institution} ya está en la sala {code}, o ya está invitada."),
    "not_there": mark("{institution} no está en la sala {code}."),
    "not_owner": mark("{code} la abrió {institution}: solo ahí pueden cambiar quién está."),
    "key_not_pinned": mark("Todavía no puedo responder por su llave ante las demás instituciones. Pida a administración que la verifique y repita."),
    "already_in_room": mark("Usted ya está en la sala {code}."),
    "not_in_room": mark("Usted no está en la sala {code}."),
    "last_of_owner": mark(
        "Usted es la última de aquí en la sala {code}. Que entre antes una colega («entrar {code}») o ciérrela: «terminar reunión {code}»."
    ),
    "asked_in_room": mark("Eso lo responde la sala {code}: escriba ahí «!tk responsables»."),
    "tables_by_administration": mark("{code} es una mesa: la maneja administración, con «tinkuy tables»."),
    "bad_label": mark("El nombre de la mesa debe ser corto (hasta {limit} letras) y decir de qué territorio o red es, nunca de una persona."),
    "basis_role": mark("{code}: una base legal la registra supervisión, o quien lleva el caso junto con otra persona. No salió nada."),
    "unknown_legal_basis": mark("No conozco esa base legal. Puede ser: {suggestions}."),
    "basis_recipients": mark("Diga para qué instituciones (hasta {limit}): una base legal nunca vale para todas."),
    "basis_why": mark("{code}: diga por qué: qué orden o qué peligro. Sin motivo no se registra."),
    "basis_too_long": mark("Una base legal vale un año como mucho; si hace falta más, se registra otra vez."),
    "basis_conflict": mark("No se puede para {institution}: el agresor es de ese sector, y ninguna base legal levanta esa regla. No salió nada."),
    "basis_none": mark("{code} no tiene ninguna base legal vigente."),
    "field_never": mark("{code}: el protocolo no deja pedir «{field}» para esto, así que no molesté a nadie. No salió nada."),
    "not_ours_to_pass": mark("{code}: esos datos son de {institution}; solo ahí pueden dar permiso para pasarlos. No salió nada."),
    "onward_forbidden": mark("{code}: el protocolo con {institution} no permite pasar sus datos a nadie más. No salió nada."),
    "onward_kind": mark("{code}: el protocolo no permite pasar sus datos a una institución como {institution}. No salió nada."),
    "grant_ended": mark("El permiso para pasar esos datos ya terminó, así que no salió nada. Para otro: «compartir»."),
    "glass_ended": mark("Esa emergencia ya terminó, así que no salió nada. Si sigue, pídala otra vez."),
    "onward_unknown": mark("{code}: son suyos, allá ya los tienen."),
    "not_here": mark("{code}: aquí no tenemos ninguno de esos datos."),
    "emergency_field": mark("¿Qué dato hace falta, y por qué? Por ejemplo: «emergencia {code} dirección porque no responde y la vieron con él»."),
    "emergency_why": mark("Diga qué pasa: «emergencia {code} {field} porque …». Sin motivo no se pide."),
    "glass_forbidden": mark("{code}: el protocolo no deja abrir «{field}» por emergencia, o no a su rol. Si corre peligro, llame al 105."),
    "glass_too_often": mark("Ya pidió varias emergencias hoy. Vea con supervisión; si alguien corre peligro, llame al 105."),
    "already_here": mark("{code}: «{field}» ya está aquí: «ver {code}»."),
    "second_person": mark("Eso lo responde otra persona, no quien lo pidió ni quien no puede revisarlo."),
    "account_told": mark("{code}: ya lo contó y está guardado. Para preguntarle otra vez hace falta un motivo: «volver a preguntar {code}»."),
    "account_in_direct": mark("El relato se escribe en nuestro chat directo, no en la sala: allí, «relato {code}»."),
    "account_not_known": mark("{code}: {institution} no dijo si ya lo contó. Pregunte ahí antes que a ella: «decir: …»."),
    "not_told_yet": mark("{code}: todavía no contó nada aquí. Cuando quiera: «relato {code}» en el chat directo."),
    "admin_room_only": mark("Aquí no: eso se pide en la sala de administración."),
    "administrators_only": mark("Eso lo pide solo quien administra."),
    "unknown_protocol": mark("No conozco un protocolo «{given}». Hay: {known}."),
    "unknown_version": mark("No tengo la versión {version} de «{given}». Las que hay: {known}."),
    "unknown_policy_verb": mark("No le entendí. Escriba «política» y: {verbs}."),
    "policy_names_missing": mark("Faltan nombres. Por ejemplo: «{example}»."),
    "unknown_part": mark("«{given}» no es un dato, una entidad ni un propósito de {known}."),
    "route_of_received": mark(
        "{code} la deriva {institution}: aquí no hay un caso suyo. Para pasarla a otra, ya aceptada: «compartir a institución por necesidad: dato, "
        "dato porque …». Para un caso de aquí, escriba también su código."
    ),
    "wrong_room": mark("Aquí no: eso se pide en la sala de la mesa."),
    "no_number": mark("El {number} no es de ninguna pregunta abierta para usted. Abiertas aquí: {open}."),
    "number_twice": mark("El {number} es de dos preguntas a la vez ({open}), así que no hice nada. Repita la orden y le doy números nuevos."),
    "no_number_open": mark("El {number} no es de ninguna pregunta: ahora no tiene ninguna abierta aquí. Escriba «casos» para ver lo pendiente."),
    "code_mistyped": mark("El código «{given}» tiene una letra equivocada. Revise el código, por favor; no hice nada."),
}

SLIPS = frozenset(
    {"no_code", "unknown_code", "code_mistyped", "name_missing", "date_past", "unknown_field", "field_missing", "bad_value", "value_too_long"}
    | {"not_explained", "consent_empty", "unknown_mode", "unknown_purpose", "unknown_institution", "unknown_need", "unknown_answer"}
    | {"unknown_reason", "unknown_outcome", "field_empty", "why_missing", "nothing_said", "too_long", "reason_needed", "nothing_to_undo", "no_number"}
    | {"no_referral_code", "no_referral", "which_referral", "theirs_to_do", "not_ours_to_withdraw", "nothing_to_withdraw", "nothing_to_show"}
    | {"admin_room_only", "unknown_protocol", "unknown_version", "unknown_policy_verb", "policy_names_missing", "unknown_part"}
    | {"already_answered", "wrong_room", "route_of_received", "already_referred", "loose_thread", "case_undone"}
    | {"undo_has_notes", "not_accepted"}
    | {"no_room_code", "which_room", "unknown_room", "room_closed", "room_exists", "nobody_to_meet", "already_there", "not_there", "not_owner"}
    | {"already_in_room", "not_in_room", "last_of_owner", "asked_in_room", "no_shared_referral"}
    | {"undo_has_notes", "not_accepted", "field_never", "not_ours_to_pass", "onward_forbidden", "onward_kind", "onward_unknown"}
    | {"not_here", "emergency_field", "own_house"}
    | {"emergency_why", "glass_forbidden", "already_here", "second_person", "account_told", "account_in_direct", "account_not_known"}
    | {"not_told_yet", "glass_too_often", "unknown_legal_basis", "basis_recipients", "basis_why", "basis_too_long", "basis_none"}
)
"""What a person puts right herself: nobody needs a code for it."""


def sentence(unit: Unit, lang: str, error: TinkuyError) -> str:
    """The sentence for an error; at its end the code for the administrator, but where it was only a slip in typing."""
    params = {k: str(v) for k, v in error.params.items()}
    if "institution" in params:
        params["institution"] = institution(unit, params["institution"])
    if "field" in params:
        params["field"] = field_label(unit, params["field"], lang)
    if error.code == "conflict_of_interest":
        found = [institution(unit, p) for p in params.get("alternatives", "").split(", ") if p]
        params["alternatives"] = ", ".join(found) or text(lang, "consulte con supervisión")
    if error.code == "no_number" and not params.get("open"):
        return text(lang, SENTENCES["no_number_open"], **params)
    template = SENTENCES.get(error.code, mark("No se pudo hacer y no cambié nada. Avise a administración con este código."))
    filled = {"example": "C-7QK4M", "code": "", "alternatives": "", "suggestions": "", "limit": "", **params}
    said = text(lang, template, **filled)
    return said if error.code in SLIPS else f"{said} [{error.code}]"


def refusal(unit: Unit, lang: str, error: TinkuyError) -> Message:
    """The same as a message."""
    return message(paragraph(sentence(unit, lang, error)))
