"""What words are read against: the moment, the zone, the language, and the names that things go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.cases.commands import When
from hub.chat.names import Names, Unknown, find, find_all
from hub.chat.when import Misread, read, understand_until

PROGRESS: Names = {
    "in-progress": ("en curso", "en progreso", "en proceso", "en marcha", "iniciado", "atendiendo", "in progress", "started"),
    "on-hold": ("en espera", "en pausa", "pausado", "detenido", "on hold", "waiting", "paused"),
}
"""FHIR Task states that a person may report while the work goes on."""

AsAsked = Callable[[Sequence[str], Sequence[str]], Mapping[str, tuple[str, ...]]]
"""Each field that the protocol asks for, and each group with those of its fields that are asked for."""


def _nothing_asked(_recipients: Sequence[str], _purposes: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything that reading needs, as plain values; the desk fills it from the directory and the vocabulary.

    Each `Names` is id → every name it goes by (labels in both languages, abbreviations, synonyms).
    """

    zone: ZoneInfo
    now: datetime
    """Aware; one reading per unit of work."""
    language: str = "es"
    institutions: Names = field(default_factory=dict)
    fields: Names = field(default_factory=dict)
    """Case fields and, where wanted, field groups."""
    needs: Names = field(default_factory=dict)
    purposes: Names = field(default_factory=dict)
    """Purposes of a consent; when empty, `needs` serve."""
    decline_reasons: Names = field(default_factory=dict)
    giveback_reasons: Names = field(default_factory=dict)
    outcomes: Names = field(default_factory=dict)
    case_outcomes: Names = field(default_factory=dict)
    """Outcomes of a whole case; when empty, `outcomes` serve."""
    consent_modes: Names = field(default_factory=dict)
    legal_bases: Names = field(default_factory=dict)
    again_reasons: Names = field(default_factory=dict)
    """Why she is asked again for what she told once."""
    tellers: Names = field(default_factory=dict)
    account_modes: Names = field(default_factory=dict)
    progress: Names = field(default_factory=lambda: PROGRESS)
    options: Mapping[str, Names] = field(default_factory=dict)
    """Field id → the codes it may hold, for coded fields (`risk_level`, `aggressor_affiliation`, …). Others are free text."""
    several: frozenset[str] = frozenset()
    """Coded fields that may hold more than one code."""
    as_asked: AsAsked = _nothing_asked
    """Recipients and purposes → what *lo necesario* holds for them."""

    def when(self, text: str) -> When | Misread:
        """A point in time, read here and now."""
        return read(text, now=self.now, zone=self.zone, language=self.language)

    def until(self, text: str) -> When | Misread:
        """The end of a span, read here and now."""
        return understand_until(text, now=self.now, zone=self.zone, language=self.language)

    def coded(self, name: str, value: str) -> tuple[str, Unknown | None]:
        """`value` as the field `name` keeps it: codes joined by a comma for a coded field, else as it was typed.

        A word that is no code comes back as unknown. It must never be stored: `aggressor_affiliation: polisía` kept as
        text would exclude nobody (R61).
        """
        options = self.options.get(name)
        if options is None:
            return value, None
        if name in self.several:
            ids, unknown = find_all(value, options)
            return ",".join(ids), unknown
        found = find(value, options, forgive=True)
        return (found.id or "", None) if found.id is not None else ("", (value, found))
