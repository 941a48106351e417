"""Findings: what is wrong in a document, exactly where, and what the writer probably meant.

Lines and columns count from 1, as editors do. Sentences are data, Spanish first; `_SENTENCES` holds one pair per code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz, process


class Severity(StrEnum):
    """An `error` keeps the document out of use; a `warning` asks a person to look; a `note` says what follows from silence, which is withholding."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One remark about one place in a document."""

    line: int
    column: int
    code: str
    severity: Severity
    message_es: str
    message_en: str
    suggestion: str | None = None
    about: str = ""
    """The word of the vocabulary that it is about, where there is one."""

    @property
    def is_warning(self) -> bool:
        """Whether a person should look again."""
        return self.severity is Severity.WARNING

    @property
    def is_error(self) -> bool:
        """Whether this finding keeps the document out of use."""
        return self.severity is Severity.ERROR

    def message(self, language: str) -> str:
        """The sentence in `es` (default) or `en`."""
        return self.message_en if language == "en" else self.message_es


_SENTENCES: dict[str, tuple[str, str]] = {
    "not_yaml": ("El archivo no se puede leer como YAML: {detail}.", "the file cannot be read as YAML: {detail}"),
    "too_large": ("El archivo pasa de {limit} bytes.", "the file is larger than {limit} bytes"),
    "alias": (
        "Las anclas y los alias de YAML no se usan aquí; escriba el valor completo.",
        "YAML anchors and aliases are not used here; write the value out",
    ),
    "duplicate_key": ("`{word}` aparece dos veces.", "`{word}` appears twice"),
    "expected": ("En `{key}` se espera {es}.", "`{key}` must be {en}"),
    "missing_key": ("Falta `{key}`.", "`{key}` is missing"),
    "unknown_key": ("No se conoce la clave `{word}`.", "the key `{word}` is unknown"),
    "unknown_word": ("`{word}` no está en la lista «{list}»: {known}.", "`{word}` is not in the list `{list}`: {known}"),
    "unknown_outcome": (
        "`{word}` no es una decisión; use release, generalise:<cómo>, presence o withhold.",
        "`{word}` is not a decision; use release, generalise:<how>, presence or withhold",
    ),
    "bad_generalisation": (
        "El campo `{field}` no se puede generalizar como `{word}`; como se puede: {known}.",
        "the field `{field}` cannot be generalised as `{word}`; how it can: {known}",
    ),
    "bad_duration": (
        "`{word}` no es una duración ISO 8601 como PT4H o P5Y.",
        "`{word}` is not an ISO 8601 duration such as PT4H or P5Y",
    ),
    "bad_date": ("`{word}` no es una fecha como 2026-01-31.", "`{word}` is not a date such as 2026-01-31"),
    "bad_version": ("La versión debe ser un número entero desde 1.", "the version must be a whole number from 1"),
    "dates_reversed": ("El protocolo vence antes de empezar.", "the protocol expires before it takes effect"),
    "duplicate_rule": ("Esta regla repite otra del campo `{field}`.", "this rule repeats another one of the field `{field}`"),
    "too_many_atoms": (
        "El documento usa {count} condiciones distintas; el máximo es {limit}.",
        "the document uses {count} different conditions; at most {limit} are allowed",
    ),
    "offer_personal": (
        "Una oferta nunca lleva datos de la persona: `{word}` no se permite en `offer`.",
        "an offer never carries personal data: `{word}` is not allowed in `offer`",
    ),
    "auto_accept_dimension": (
        "La aceptación automática solo mira la oferta: `{word}` no viaja en ella.",
        "automatic acceptance sees only the offer: `{word}` does not travel in it",
    ),
    "community_seat_absent": (
        "La silla comunitaria `{word}` debe estar también entre las partes.",
        "the community seat `{word}` must also be among the parties",
    ),
    "party_absent": (
        "`{word}` puede enviar o recibir, pero no está entre las partes.",
        "`{word}` may send or receive but is not among the parties",
    ),
    "purpose_without_retention": (
        "El propósito `{word}` no dice cuánto tiempo se guardan los datos.",
        "the purpose `{word}` does not say how long data are kept",
    ),
    "need_without_purpose": (
        "La necesidad `{word}` sirve al propósito `{purpose}`, que este protocolo no declara.",
        "the need `{word}` serves the purpose `{purpose}`, which this protocol does not declare",
    ),
    "urgency_without_time": (
        "Falta el tiempo de respuesta para la urgencia `{word}`.",
        "the urgency `{word}` has no response time",
    ),
    "unreachable": (
        "La regla `{rule}` nunca decide: siempre gana otra.",
        "the rule `{rule}` never decides: another one always wins",
    ),
    "contradiction": (
        "El campo `{field}` se permite y se retiene a la vez; siempre gana retener.",
        "the field `{field}` is both permitted and withheld; withholding always wins",
    ),
    "field_unmentioned": (
        "Ninguna regla menciona `{field}`; no se compartirá.",
        "no rule mentions `{field}`; it will not be shared",
    ),
    "identity_released": (
        "`{field}` es muy delicado y se comparte sin condición.",
        "`{field}` is highly sensitive and is shared without a condition",
    ),
    "break_glass_watch": (
        "`break_glass` pide una de dos: `second_person: true`, o `review_within` con un plazo.",
        "`break_glass` takes one of two: `second_person: true`, or `review_within` with a time",
    ),
    "basis_on_withhold": (
        "Una base legal permite compartir; no va con withhold.",
        "a legal basis permits sharing; it does not go with withhold",
    ),
    "need_without_rule": (
        "Ninguna regla deja salir nada para la necesidad `{word}`.",
        "no rule lets anything leave for the need `{word}`",
    ),
    "need_unserved": (
        "Ninguna institución que recibe atiende la necesidad `{word}`; la atienden: {kinds}.",
        "no recipient of this protocol serves the need `{word}`; it is served by: {kinds}",
    ),
    "purpose_without_rule": (
        "Para el propósito `{word}` no sale nada.",
        "nothing leaves for the purpose `{word}`",
    ),
    "purpose_without_need": (
        "Ninguna necesidad del protocolo sirve al propósito `{word}`; nunca se usará.",
        "no need of this protocol serves the purpose `{word}`; it will never be used",
    ),
    "recipient_without_need": (
        "A `{word}` no se le puede derivar: no atiende ninguna necesidad de este protocolo.",
        "nobody can refer to `{word}`: it serves no need of this protocol",
    ),
    "party_idle": (
        "`{word}` firma como parte, pero ni envía ni recibe.",
        "`{word}` signs as a party but neither sends nor receives",
    ),
    "expired": ("El protocolo venció el {date}; ya no permite nada.", "the protocol expired on {date} and permits nothing any more"),
    "urgent_slower": (
        "Para la urgencia `{word}` se responde más tarde que para lo de rutina.",
        "the urgency `{word}` is answered later than routine ones",
    ),
    "basis_unused": ("Ninguna regla usa la base legal `{word}`.", "no rule uses the legal basis `{word}`"),
    "affiliation_owns_nothing": (
        "La pertenencia `{word}` no dice qué clases de institución son suyas; escriba `owns`, o `private: true` si no es un órgano.",
        "the affiliation `{word}` does not say which institution kinds are its own; write `owns`, or `private: true` if it is no body",
    ),
    "affiliation_private_owner": (
        "La pertenencia `{word}` es particular y a la vez tiene instituciones; quite `private` o `owns`.",
        "the affiliation `{word}` is private and owns institutions as well; remove `private` or `owns`",
    ),
    "kind_without_affiliation": (
        "La clase `{word}` no es de ninguna pertenencia: si alguien de ahí agrede, nada la detendría. Póngala en el `owns` de una.",
        "the kind `{word}` belongs to no affiliation: an aggressor from there would stop nothing; put it in the `owns` of one",
    ),
    "duplicate_id": ("El código `{word}` aparece dos veces en «{list}».", "the code `{word}` appears twice in `{list}`"),
}


def codes() -> frozenset[str]:
    """Every finding code this room can report."""
    return frozenset(_SENTENCES)


def finding(
    code: str, line: int, column: int, *, severity: Severity = Severity.ERROR, suggestion: str | None = None, **words: object
) -> Finding:
    """Build a finding from its code and the words its sentence needs; line and column count from 1."""
    spanish, english = _SENTENCES[code]
    return Finding(
        line=line, column=column, code=code, severity=severity,
        message_es=spanish.format(**words), message_en=english.format(**words), suggestion=suggestion,
        about=str(words.get("word", words.get("field", ""))),
    )  # fmt: skip


def some_of(known: Iterable[str], most: int = 15) -> str:
    """The words that there are, as many as a sentence bears; a dash for none."""
    words = sorted(known)
    return (", ".join(words[:most]) + (" …" if len(words) > most else "")) or "—"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word a writer most likely meant, or None when nothing is close."""
    best = process.extractOne(word, sorted(known), scorer=fuzz.WRatio, score_cutoff=70)
    return best[0] if best else None
