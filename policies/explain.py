"""Reasons as sentences: plain and kind, Spanish first. Templates are data; no value of a case ever enters one."""

from __future__ import annotations

from policies.decision import FieldDecision, Outcome, Reason
from policies.generalise import GENERALISATIONS
from policies.vocabulary import Vocabulary

SENTENCES: dict[str, tuple[str, str]] = {
    "consent": ("Ella dijo que sí y el protocolo lo permite.", "She agreed to share it and the protocol allows it."),
    "legal_basis": (
        "Sale sin su permiso porque la ley lo deja: {basis}.",
        "It is shared without her consent because the law allows it: {basis}.",
    ),
    "withheld_by_rule": ("El protocolo pide guardarlo en casa.", "The protocol asks to keep it home."),
    "no_rule": ("El protocolo no lo pide, por eso no sale.", "The protocol does not ask for it, so it is not shared."),
    "condition_not_met": (
        "En este caso el protocolo no deja que salga.",
        "In this case the protocol does not allow sharing it.",
    ),
    "consent_missing": (
        "Falta que ella diga si quiere que lo vean.",
        "She has not yet said whether they may see it.",
    ),
    "consent_expired": ("Su permiso ya venció. Se puede volver a preguntar.", "Her consent has expired. You can ask again."),
    "consent_withdrawn": ("Ella retiró su permiso.", "She has withdrawn her consent."),
    "conflict_of_interest": (
        "No sale nada: quien la agredió es de esa misma entidad.",
        "Nothing is shared: the aggressor belongs to this institution.",
    ),
    "purpose_not_covered": ("El protocolo no sirve para este fin.", "The protocol does not cover this purpose."),
    "recipient_not_covered": ("El protocolo no nombra a esa entidad.", "The protocol does not include this institution."),
    "need_not_covered": ("El protocolo no sirve para lo que ella pide.", "The protocol does not cover this need."),
    "cannot_generalise": (
        "No se pudo decir en parte, por eso no sale.",
        "It could not be made less precise safely, so it is not shared.",
    ),
    "too_long": ("El texto es muy largo para que salga.", "The text is too long to share."),
    "unknown_field": (
        "Este dato no está en la lista, por eso no sale.",
        "This field is not in the vocabulary, so it is not shared.",
    ),
    "error": (
        "Hubo un problema al decidir, por eso no sale nada.",
        "Something went wrong while deciding, so nothing is shared.",
    ),
}
"""Code -> Spanish, English. Every reason code the room can give stands here; a test says so."""

_HOW = {
    Outcome.RELEASE: ("Se comparte.", "It is shared."),
    Outcome.GENERALISE: ("Se comparte {how}.", "It is shared: {how}."),
    Outcome.PRESENCE: ("Solo se dice que existe.", "Only its existence is shown."),
    Outcome.WITHHOLD: ("No se comparte.", "It is not shared."),
}


def explain(reason: Reason, language: str = "es", vocabulary: Vocabulary | None = None) -> str:
    """One plain sentence for a reason. A sentence that the protocol itself wrote (`because`) wins over the general one."""
    english = language == "en"
    own = reason.params.get("because_en" if english else "because_es")
    if own and reason.code != "legal_basis":
        return own
    template = SENTENCES.get(reason.code, SENTENCES["error"])[english]
    bases = [code for code in reason.params.get("legal_basis", "").split("|") if code]
    named = [vocabulary.label("legal_bases", code, language) if vocabulary else code for code in bases]
    return template.format(basis=(" or " if english else " o ").join(named))


def describe(item: FieldDecision, language: str = "es", vocabulary: Vocabulary | None = None) -> str:
    """What happens to a field and why, in two short sentences."""
    english = language == "en"
    how = GENERALISATIONS.get(item.generalisation or "")
    what = _HOW[item.outcome][english].format(how=(how.en if english else how.es) if how else "")
    return f"{what} {explain(item.reason, language, vocabulary)}"
