"""Examples beside each protocol: RELEASE/*.yaml say what must leave and in which form, WITHHOLD/*.yaml what must stay and why.

An example is one request with invented values and the expected outcome of named fields. Whatever an example does not expect to
leave is not looked at in RELEASE; a WITHHOLD example names each field with the reason code that keeps it.

Two things happen after a referral was accepted, and an example may ask about one of them: `glass` (an emergency opens one field that stays home,
or does not: `glass_forbidden`, `glass_refused`) and `onward` (what the recipient may pass on to a third institution by the owner's grant, under
the pack's protocol with that third; or the code that refuses it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from policies import emergency, marked, onward
from policies.decision import CONSENT_STATES, Decision, Facts, Request
from policies.engine import Compiled
from policies.errors import DocumentError
from policies.findings import some_of
from policies.marked import Node, Scalar
from policies.preview import Line, passed_on, preview, view
from policies.reading import Reader

EXPECTATIONS = ("RELEASE", "WITHHOLD")
_KEYS = ("about", "purpose", "recipient", "facts", "consent", "today", "values", "glass", "onward", "expect")


@dataclass(frozen=True, kw_only=True)
class Glass:
    """An emergency: the role that asks, and the fields that she took back from them or left out."""

    role: str
    said_no: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Onward:
    """A wish to pass on: to whom, for which need, under which protocol of the pack the owner would refer her there."""

    protocol: str
    kind: str
    id: str
    need: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """One case with an expectation: field id -> shown text (`presence` for presence) or reason code."""

    about: str
    request: Request
    values: Mapping[str, str]
    today: date
    expect: Mapping[str, str]
    glass: Glass | None = None
    onward: Onward | None = None


@dataclass(frozen=True, kw_only=True)
class Miss:
    """Where a protocol did not do what its example says."""

    field: str
    expected: str
    found: str


def parse(text: str, compiled: Compiled, *, source: str = "example.yaml") -> Example:
    """Read an example for one protocol. Raises DocumentError; an example that expects nothing is an error too."""
    root, findings = marked.read(text)
    reader = Reader(findings)
    table = reader.table(root, "example", _KEYS)
    get = table.entries.get
    values = _texts(reader, reader.need(table, "values"), "values")
    expect = _texts(reader, reader.need(table, "expect"), "expect")
    example = Example(
        about=reader.text(reader.need(table, "about"), "about"),
        request=_request(reader, table, compiled),
        values=values,
        today=date.fromisoformat(reader.text(get("today"), "today") or "2026-06-01"),
        expect=expect,
        glass=_glass(reader, get("glass")),
        onward=_onward(reader, get("onward")),
    )
    if not expect or reader.failed:
        raise DocumentError(source, reader.findings)
    return example


def misses(example: Example, compiled: Compiled, expectation: str, others: Mapping[str, Compiled] | None = None) -> tuple[Miss, ...]:
    """What does not come out as the example says; empty when all is well. `expectation` is RELEASE or WITHHOLD; `others` are the pack's protocols."""
    found = _all_found(example, compiled, expectation, others or {})
    return tuple(Miss(field=n, expected=e, found=found[n]) for n, e in example.expect.items() if found[n] != e)


def _all_found(example: Example, compiled: Compiled, expectation: str, others: Mapping[str, Compiled]) -> dict[str, str]:
    decision = compiled.decide(example.request)
    if example.glass is not None:
        return {name: _opened(example, example.glass, compiled, decision, name) for name in example.expect}
    if example.onward is not None:
        return {name: _passed(example, example.onward, compiled, decision, others, name) for name in example.expect}
    shown = preview(decision, example.values, example.today)
    leaving = {line.field: line for line in (*shown.seen, *shown.generalised, *shown.presence)}
    staying = {line.field: line for line in shown.withheld}
    return {name: _found(name, expectation, leaving, staying) for name in example.expect}


def _opened(example: Example, glass: Glass, compiled: Compiled, decision: Decision, name: str) -> str:
    """The value that the emergency opens, or the code that refuses it; `leaves` when no emergency is needed."""
    asked = example.request
    wish = emergency.Wish(
        field=name, kind=asked.recipient_kind, purpose=asked.purpose, need=asked.facts.need, role=glass.role, risk=asked.facts.risk,
        said_no=name in glass.said_no,
    )  # fmt: skip
    if emergency.is_open(decision, name):
        return "leaves"
    return emergency.refusal(compiled.protocol, decision, wish) or example.values.get(name, "has no value")


def _passed(example: Example, wish: Onward, compiled: Compiled, decision: Decision, others: Mapping[str, Compiled], name: str) -> str:
    """What the third would read of this field, or the code that refuses it."""
    third = others.get(wish.protocol)
    if third is None:
        return "no protocol"
    facts = replace(example.request.facts, need=wish.need)
    request = replace(
        example.request, purpose=third.protocol.purpose_of(wish.need), recipient_kind=wish.kind, recipient_id=wish.id, facts=facts,
    )  # fmt: skip
    ruled, held = third.decide(request), view(decision, example.values, example.today)
    outcomes = {field: item.outcome for field, item in held.items()}
    why_not = onward.refusal(compiled.protocol, wish.kind, ruled, outcomes, (name,))
    if why_not is not None:
        return why_not
    shown = passed_on(onward.passages(ruled, outcomes, (name,)), held, example.today, compiled.protocol.country).get(name)
    return "stays home" if shown is None else shown.value or "presence"


def _found(name: str, expectation: str, leaving: Mapping[str, Line], staying: Mapping[str, Line]) -> str:
    if expectation == "WITHHOLD":
        return staying[name].reason.code if name in staying else ("leaves" if name in leaving else "has no value")
    line = leaving.get(name)
    return ("presence" if line.value is None else line.value) if line else "stays home"


def _request(reader: Reader, table: marked.Table, compiled: Compiled) -> Request:
    get, protocol = table.entries.get, compiled.protocol
    recipient = reader.table(reader.need(table, "recipient"), "recipient", ("kind", "id"))
    consent = reader.table(reader.need(table, "consent"), "consent", ("state", "fields"))
    fields = [item.text for item in reader.scalars(consent.entries.get("fields"), "fields")]
    state = reader.text(reader.need(consent, "state"), "state")
    if state not in CONSENT_STATES:
        reader.report("unknown_word", consent, word=state, list="consent", known=some_of(CONSENT_STATES))
    return Request(
        purpose=reader.text(get("purpose"), "purpose") or protocol.purpose,
        recipient_kind=reader.text(reader.need(recipient, "kind"), "kind"),
        recipient_id=reader.text(reader.need(recipient, "id"), "id"),
        facts=_facts(reader, reader.need(table, "facts")),
        consented=frozenset(protocol.universe if fields == ["all"] else fields),
        consent_state=state,
    )


def _glass(reader: Reader, node: Node | None) -> Glass | None:
    if node is None:
        return None
    table = reader.table(node, "glass", ("role", "said_no"))
    left_out = frozenset(item.text for item in reader.scalars(table.entries.get("said_no"), "said_no"))
    return Glass(role=reader.text(reader.need(table, "role"), "role"), said_no=left_out)


def _onward(reader: Reader, node: Node | None) -> Onward | None:
    if node is None:
        return None
    table = reader.table(node, "onward", ("protocol", "kind", "id", "need"))
    protocol, kind, name, need = (reader.text(reader.need(table, key), key) for key in ("protocol", "kind", "id", "need"))
    return Onward(protocol=protocol, kind=kind, id=name, need=need)


def _facts(reader: Reader, node: Node | None) -> Facts:
    table = reader.table(node, "facts", ("need", "risk", "urgency", "aggressor_affiliation", "age_band", "legal_basis"))

    def one(key: str) -> str | None:
        return reader.text(table.entries.get(key), key) or None

    def many(key: str) -> frozenset[str]:
        return frozenset(item.text for item in reader.scalars(table.entries.get(key), key))

    return Facts(
        need=reader.text(reader.need(table, "need"), "need"),
        risk=one("risk"),
        urgency=one("urgency"),
        age_band=one("age_band"),
        aggressor_affiliation=many("aggressor_affiliation"),
        legal_basis=many("legal_basis"),
    )


def _texts(reader: Reader, node: Node | None, key: str) -> dict[str, str]:
    table = reader.table(node, key)
    return {name: value.text for name, value in table.entries.items() if isinstance(value, Scalar)}
