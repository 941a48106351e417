"""The questions of the dialogues, as data: what is asked, why, what an answer may look like, and which field it fills.

Order matters: the name she wants to be called by and a next date come first (R1, R51); all else may be skipped (R4). Neither
the legal name nor a document stands here, and a test says that they never will.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.base.i18n import mark, text
from hub.cases.commands import AS_ASKED
from hub.chat.context import Context
from hub.chat.names import Names

MOST_OPTIONS = 12
"""A longer list is not numbered: the answer is a word, and the hint gives examples."""

Reads = Literal["name", "when", "until", "text", "code", "institutions", "purposes", "fields", "mode", "yes", "teller", "how", "language", "basis"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One step. `reads` names how the answer is read; `field` the vocabulary field it fills; texts are Spanish msgids."""

    key: str
    asks: str
    reads: Reads
    why: str = ""
    hint: str = ""
    field: str | None = None
    optional: bool = False


OPEN_CASE: tuple[Question, ...] = (
    Question(
        key="name",
        reads="name",
        asks=mark("¿Cómo quiere que la llamen?"),
        why=mark("Para llamarla por su nombre. Puede ser uno inventado; no hace falta el legal."),
    ),
    Question(
        key="next",
        reads="when",
        asks=mark("¿Cuándo es el próximo contacto con ella?"),
        why=mark("Para que nadie quede sin seguimiento."),
        hint=mark("Por ejemplo: mañana a las 10, el lunes, en 3 días."),
    ),
    Question(
        key="safe_contact",
        reads="text",
        field="safe_contact",
        optional=True,
        asks=mark("¿Cómo se la puede contactar sin ponerla en riesgo?"),
        why=mark("Para no ponerla en peligro: a qué hora, por dónde, quién puede contestar y qué se puede decir."),
    ),
    Question(
        key="risk",
        reads="code",
        field="risk_level",
        optional=True,
        asks=mark("¿Qué nivel de riesgo ve usted?"),
        why=mark("Para responder con la prisa que hace falta."),
    ),
    Question(
        key="needs",
        reads="code",
        field="needs",
        optional=True,
        asks=mark("¿Qué necesita?"),
        why=mark("Para buscar la ayuda correcta."),
        hint=mark("Puede nombrar varias cosas, separadas por comas."),
    ),
    Question(
        key="languages",
        reads="code",
        field="languages",
        optional=True,
        asks=mark("¿En qué idiomas prefiere que la atiendan?"),
        why=mark("Para atenderla en su idioma o pedir intérprete."),
        hint=mark("Por ejemplo: español, quechua."),
    ),
    Question(
        key="accessibility",
        reads="code",
        field="accessibility",
        optional=True,
        asks=mark("¿Necesita algún apoyo para la atención?"),
        why=mark("Para preparar el lugar. No se pide diagnóstico."),
    ),
    Question(
        key="affiliation",
        reads="code",
        field="aggressor_affiliation",
        optional=True,
        asks=mark("¿La persona agresora trabaja en alguna institución?"),
        why=mark("Para no enviar nada a esa institución."),
        hint=mark("Por ejemplo: policía, serenazgo, fiscalía, salud, ninguna, no se sabe."),
    ),
)

CONSENT: tuple[Question, ...] = (
    Question(
        key="explained",
        reads="yes",
        asks=mark("¿Le explicó esto con sus palabras, y lo entendió?"),
        why=mark("Sin eso no hay consentimiento."),
    ),
    Question(
        key="recipients",
        reads="institutions",
        asks=mark("¿A qué instituciones acepta que se comparta?"),
        why=mark("Nadie más recibirá sus datos."),
        hint=mark("Puede nombrar varias, separadas por comas."),
    ),
    Question(
        key="purposes",
        reads="purposes",
        asks=mark("¿Para qué?"),
        why=mark("Solo podrán usarlos para eso."),
        hint=mark("Puede nombrar varios fines, separados por comas."),
    ),
    Question(
        key="fields",
        reads="fields",
        asks=mark("¿Qué datos acepta compartir?"),
        why=mark("Ella puede decir que no a cualquiera."),
        hint=mark("Nombre los datos, separados por comas, o escriba «lo necesario»: lo que el protocolo pide, y nada más."),
    ),
    Question(
        key="until",
        reads="until",
        asks=mark("¿Hasta cuándo?"),
        why=mark("Ese día el permiso termina solo."),
        hint=mark("Por ejemplo: 3 meses, un año, hasta el 31 de diciembre."),
    ),
    Question(
        key="mode",
        reads="mode",
        asks=mark("¿Cómo dio su consentimiento?"),
        why=mark("De palabra vale igual que por escrito."),
    ),
)


ACCOUNT: tuple[Question, ...] = (
    Question(
        key="teller",
        reads="teller",
        asks=mark("¿Quién lo contó?"),
        why=mark("Para que conste de quién viene. Si ahora no quiere o no puede contarlo, escriba «cancelar»: puede ser otro día."),
    ),
    Question(key="how", reads="how", asks=mark("¿Cómo lo contó?")),
    Question(key="language", reads="language", asks=mark("¿En qué idioma?"), hint=mark("Por ejemplo: español, quechua.")),
    Question(
        key="words",
        reads="text",
        asks=mark("Escriba lo que contó, con las palabras de ella, en un solo mensaje."),
        why=mark("Se guarda una sola vez, para que nadie tenga que preguntarle de nuevo. No hace falta que sea completo: lo que ella quiso decir."),
    ),
)


BASIS: tuple[Question, ...] = (
    Question(
        key="basis",
        reads="basis",
        asks=mark("¿Qué ley u orden permite que salga sin su permiso?"),
        why=mark("Reemplaza su permiso: solo si de verdad la hay."),
    ),
    Question(
        key="recipients",
        reads="institutions",
        asks=mark("¿Para qué institución?"),
        why=mark("Vale solo para las que nombre."),
    ),
    Question(
        key="why",
        reads="text",
        asks=mark("¿Por qué? Escríbalo en un mensaje corto: qué orden o qué peligro, y de qué fecha."),
        why=mark("Queda guardado bajo llave, para revisarlo y para contárselo a ella."),
    ),
)


def options_of(question: Question, context: Context) -> tuple[tuple[str, str], ...]:
    """The numbered choices of a question: (id, label). Empty when it has none, or too many to number."""
    if question.reads == "yes":
        return (("yes", text(context.language, "Sí")), ("no", text(context.language, "Todavía no")))
    shown = tuple((i, labels[0] if labels else i) for i, labels in table_of(question, context).items())
    if question.reads == "fields":
        return ((AS_ASKED[0], text(context.language, "Lo necesario: lo que el protocolo pide, y nada más")),)
    return shown if len(shown) <= MOST_OPTIONS else ()


def table_of(question: Question, context: Context) -> Names:
    """The names that answers of this question are matched against; empty for free text."""
    tables: dict[str, Names] = {
        "institutions": context.institutions,
        "purposes": context.purposes or context.needs,
        "fields": context.fields,
        "mode": context.consent_modes,
        "basis": context.legal_bases,
        "teller": context.tellers,
        "how": context.account_modes,
        "language": context.options.get("languages", {}),
        "code": context.options.get(question.field or "", {}),
    }
    return tables.get(question.reads, {})
