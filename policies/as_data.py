"""What the tools answer, as JSON values: for programs, the console and whoever exports. Codes only; words are made by `readable`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from policies import beyond
from policies.conditions import Atom
from policies.cover import Alternatives, Among, Literal
from policies.decision import Facts, Request
from policies.diff import Change, Difference
from policies.findings import Finding
from policies.leaves import KeyChange
from policies.matrix import Cell, Matrix
from policies.readable import Reader


def of_finding(item: Finding) -> dict[str, Any]:
    """One finding, in both languages."""
    return {
        "line": item.line, "column": item.column, "code": item.code, "severity": str(item.severity),
        "message_es": item.message_es, "message_en": item.message_en, "suggestion": item.suggestion,
        "about": item.about,
    }  # fmt: skip


def of_facts(facts: Facts) -> dict[str, Any]:
    """The facts that are known."""
    known = {"need": facts.need, "risk": facts.risk, "urgency": facts.urgency, "age_band": facts.age_band}
    several = {"aggressor_affiliation": sorted(facts.aggressor_affiliation), "legal_basis": sorted(facts.legal_basis)}
    return {name: value for name, value in {**known, **several}.items() if value}


def of_request(request: Request) -> dict[str, Any]:
    """One question."""
    return {
        "purpose": request.purpose, "recipient_kind": request.recipient_kind, "facts": of_facts(request.facts),
        "consent": request.consent_state, "consented": sorted(request.consented),
    }  # fmt: skip


def of_condition(alternatives: Alternatives) -> list[list[dict[str, Any]]]:
    """Alternatives (one must hold) of questions (all must hold); `null` among values is "not known"."""
    return [[_literal(literal) for literal in one] for one in alternatives]


def _literal(literal: Literal) -> dict[str, Any]:
    if isinstance(literal, Among):
        return {"dimension": literal.dimension, "among": sorted(literal.values, key=lambda value: (value is not None, value or ""))}
    atom: Atom = literal.atom
    return {"dimension": atom.dimension, "any_of": sorted(atom.values), "holds": literal.answer, "in_doubt": atom.forbids}


def of_cell(cell: Cell, reader: Reader) -> dict[str, Any]:
    """One cell with its clauses and its words."""
    clauses = [{"level": c.level.text, "consent": c.consent, "when": of_condition(c.when)} for c in cell.clauses]
    return {"clauses": clauses, "text": reader.cell(cell)}


def of_matrix(shown: Matrix, reader: Reader) -> dict[str, Any]:
    """The whole matrix, one entry a cell."""
    cells = [
        {"field": field, "purpose": place[0], "recipient": place[1], **of_cell(shown.cells[field, place], reader)}
        for field in shown.fields
        for place in shown.places
    ]
    protocol = shown.protocol
    return {
        "protocol": protocol.id, "version": protocol.version, "needs": sorted(protocol.needs), "cells": cells,
        "cut_by_conflict_of_interest": {kind: list(codes) for kind, codes in shown.closed.items()},
        "opens_beside": list(beyond.opens(protocol, reader, shown.fields)),
    }  # fmt: skip


def of_change(change: Change, reader: Reader) -> dict[str, Any]:
    """One change in what can be seen, with the question that shows it."""
    return {
        "kind": change.kind, "field": change.field, "was": change.was.text, "now": change.now.text, "consent": change.consent,
        "when": of_condition(change.when), "text": reader.change(change), "witness": of_request(change.witness),
        "cells": [{"purpose": purpose, "recipient": kind} for purpose, kind in change.cells],
    }  # fmt: skip


def of_difference(found: Difference, reader: Reader) -> dict[str, Any]:
    """Everything in which two versions differ."""
    return {
        "same": found.empty,
        "visible": [of_change(change, reader) for change in found.visible],
        "opens_beside": beyond.changed(found, reader),
        "document": of_keys(found.document), "reworded": list(found.reworded), "reasons": list(found.reasons),
        "vocabulary": of_keys(found.vocabulary),
    }  # fmt: skip


def of_keys(some: Iterable[KeyChange]) -> list[dict[str, Any]]:
    """Keys that differ."""
    return [dataclasses.asdict(change) for change in some]
