"""One rendering path for both: what a caseworker is shown before sending, and what then travels.

`_render` is the only place where a decision meets values. `preview` sorts its lines for people; `view` keeps only what leaves.
So what was shown and what is sent cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from policies.decision import Decision, FieldDecision, Outcome, Reason, withheld
from policies.generalise import GENERALISATIONS, MAX_VALUE, generalise
from policies.places import Country
from policies.protocol import OFFER_FIELDS, Protocol

CONSENT_CODES = ("consent_missing", "consent_expired", "consent_withdrawn")
_OUTCOMES = {outcome.word: outcome for outcome in Outcome}


@dataclass(frozen=True, kw_only=True)
class Disclosed:
    """One field as it travels: how it was let out, and its value (None for `presence`: only that it exists)."""

    outcome: Outcome
    value: str | None

    def to_wire(self) -> dict[str, str]:
        """`{"outcome": "release", "value": "…"}`, without `value` for presence."""
        body = {"outcome": self.outcome.word}
        return body if self.value is None else body | {"value": self.value}

    @classmethod
    def from_wire(cls, body: object) -> Disclosed | None:
        """Read what `to_wire` wrote, strictly; None for anything else, whatever it is."""
        if not isinstance(body, Mapping) or not set(body) <= {"outcome", "value"}:
            return None
        word, value = body.get("outcome"), body.get("value")
        outcome = _OUTCOMES.get(word) if isinstance(word, str) else None
        if outcome is None or outcome is Outcome.WITHHOLD or (outcome is Outcome.PRESENCE) != (value is None):
            return None
        if value is not None and (not isinstance(value, str) or not value or len(value) > MAX_VALUE):
            return None
        return cls(outcome=outcome, value=value)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """How one field may go on to somebody else: `outcome` and, where it is generalised, how."""

    outcome: Outcome
    generalisation: str | None = None

    @property
    def text(self) -> str:
        """`release`, `presence`, `generalise:province`: as it stands in a signed grant."""
        return f"{self.outcome.word}:{self.generalisation}" if self.generalisation else self.outcome.word

    def within(self, other: Passage) -> Passage:
        """What both allow. Two different ways to show a part allow only that it exists: nobody can say which part is the smaller."""
        wide = [one for one in (self, other) if one.outcome is not Outcome.RELEASE]
        if not wide or self == other:
            return self
        return wide[0] if len(wide) == 1 else Passage(outcome=Outcome.PRESENCE)

    @classmethod
    def of(cls, text: str) -> Passage | None:
        """Read `text`; None for whatever is no permission."""
        word, _, how = text.partition(":")
        outcome = _OUTCOMES.get(word)
        if outcome in (None, Outcome.WITHHOLD) or (outcome is Outcome.GENERALISE) != (how in GENERALISATIONS):
            return None
        return None if how and outcome is not Outcome.GENERALISE else cls(outcome=outcome, generalisation=how or None)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a preview. `value` is what the recipient would see; None for presence and for what stays home."""

    field: str
    outcome: Outcome
    value: str | None
    reason: Reason
    generalisation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What one recipient would see. Only fields that have a value appear in the four lists.

    `consent_missing` names the withheld fields for which only her consent is missing; `empty` names the permitted fields
    without a value.
    """

    seen: tuple[Line, ...]
    generalised: tuple[Line, ...]
    presence: tuple[Line, ...]
    withheld: tuple[Line, ...]
    consent_missing: tuple[str, ...]
    empty: tuple[str, ...]
    excluded: bool


def preview(decision: Decision, values: Mapping[str, str], today: date) -> Preview:
    """Show what `decision` does with `values` (field id -> text). A value under an unknown field id is listed as withheld."""
    lines = tuple(_render(decision, values, today))

    def of(outcome: Outcome) -> tuple[Line, ...]:
        return tuple(line for line in lines if line.outcome is outcome)

    permitted = (name for name, item in decision.fields.items() if item.outcome is not Outcome.WITHHOLD)
    return Preview(
        seen=of(Outcome.RELEASE),
        generalised=of(Outcome.GENERALISE),
        presence=of(Outcome.PRESENCE),
        withheld=of(Outcome.WITHHOLD),
        consent_missing=tuple(line.field for line in lines if line.reason.code in CONSENT_CODES),
        empty=tuple(name for name in permitted if not _has_value(values, name)),
        excluded=decision.excluded,
    )


def view(decision: Decision, values: Mapping[str, str], today: date) -> dict[str, Disclosed]:
    """What travels: field id -> Disclosed, and nothing for what is withheld or has no value."""
    return {
        line.field: Disclosed(outcome=line.outcome, value=line.value)
        for line in _render(decision, values, today)
        if line.outcome is not Outcome.WITHHOLD
    }


def passed_on(granted: Mapping[str, Passage], held: Mapping[str, Disclosed], today: date, country: Country) -> dict[str, Disclosed]:
    """What a holder may pass on of what it holds, under the owner's grant: never more than either shows."""
    shown = {}
    for name, passage in granted.items():
        item = held.get(name)
        if item is None or passage.outcome is Outcome.WITHHOLD:
            continue
        if item.outcome is Outcome.PRESENCE or passage.outcome is Outcome.PRESENCE:
            shown[name] = Disclosed(outcome=Outcome.PRESENCE, value=None)
        elif item.outcome is Outcome.GENERALISE:  # of two parts nobody can say which is the smaller
            shown[name] = item if passage.outcome is Outcome.RELEASE else Disclosed(outcome=Outcome.PRESENCE, value=None)
        elif item.outcome is Outcome.RELEASE and item.value is not None:
            value = _shown(passage.outcome, passage.generalisation, item.value, today, country)
            if value is not None:
                shown[name] = Disclosed(outcome=passage.outcome, value=value)
    return shown


def offer(protocol: Protocol, values: Mapping[str, str], today: date) -> dict[str, str]:
    """What an offer carries: of `values` (need, territory as a district, urgency, languages, accessibility) only what
    `protocol` lets out."""
    shown = {}
    for name in OFFER_FIELDS:
        rule = protocol.offer.get(name)
        if rule is None or not _has_value(values, name):
            continue
        value = _shown(rule.outcome, rule.generalisation, values[name], today, protocol.country)
        if value is not None:
            shown[name] = value
    return shown


def _render(decision: Decision, values: Mapping[str, str], today: date) -> Iterator[Line]:
    for name in values:
        if _has_value(values, name):
            yield _line(decision.field(name), values[name], today, decision.country)


def _line(item: FieldDecision, raw: str, today: date, country: Country) -> Line:
    value = _shown(item.outcome, item.generalisation, raw, today, country)
    if value is None and item.outcome in (Outcome.RELEASE, Outcome.GENERALISE):
        item = withheld(
            item.field, Reason(code="cannot_generalise" if item.generalisation else "too_long", rule_id=item.reason.rule_id)
        )
    return Line(field=item.field, outcome=item.outcome, value=value, reason=item.reason, generalisation=item.generalisation)


def _shown(outcome: Outcome, how: str | None, raw: str, today: date, country: Country) -> str | None:
    if outcome is Outcome.RELEASE:
        return raw if len(raw) <= MAX_VALUE else None
    if outcome is Outcome.GENERALISE and how is not None:
        return generalise(how, raw, today, country)
    return None


def _has_value(values: Mapping[str, str], name: str) -> bool:
    return bool(values.get(name, "").strip())
