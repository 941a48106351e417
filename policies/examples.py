"""Examples beside each protocol: RELEASE/*.yaml say what must leave and in which form, WITHHOLD/*.yaml what must stay and why.

An example is one request with invented values and the expected outcome of named fields. Whatever an example does not expect to
leave is not looked at in RELEASE; a WITHHOLD example names each field with the reason code that keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policies import marked
from policies.decision import CONSENT_STATES, Facts, Request
from policies.engine import Compiled
from policies.errors import DocumentError
from policies.marked import Node, Scalar
from policies.preview import Line, preview
from policies.reading import Reader

EXPECTATIONS = ("RELEASE", "WITHHOLD")
_KEYS = ("about", "purpose", "recipient", "facts", "consent", "today", "values", "expect")


@dataclass(frozen=True, kw_only=True)
class Example:
    """One case with an expectation: field id -> shown text (`presence` for presence) or reason code."""

    about: str
    request: Request
    values: Mapping[str, str]
    today: date
    expect: Mapping[str, str]


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
    )
    if not expect or reader.failed:
        raise DocumentError(source, reader.findings)
    return example


def misses(example: Example, compiled: Compiled, expectation: str) -> tuple[Miss, ...]:
    """What does not come out as the example says; empty when all is well. `expectation` is RELEASE or WITHHOLD."""
    shown = preview(compiled.decide(example.request), example.values, example.today)
    leaving = {line.field: line for line in (*shown.seen, *shown.generalised, *shown.presence)}
    staying = {line.field: line for line in shown.withheld}
    found = {name: _found(name, expectation, leaving, staying) for name in example.expect}
    return tuple(Miss(field=n, expected=e, found=found[n]) for n, e in example.expect.items() if found[n] != e)


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
        reader.report("unknown_word", consent, word=state, list="consent")
    return Request(
        purpose=reader.text(get("purpose"), "purpose") or protocol.purpose,
        recipient_kind=reader.text(reader.need(recipient, "kind"), "kind"),
        recipient_id=reader.text(reader.need(recipient, "id"), "id"),
        facts=_facts(reader, reader.need(table, "facts")),
        consented=frozenset(protocol.universe if fields == ["all"] else fields),
        consent_state=state,
    )


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
