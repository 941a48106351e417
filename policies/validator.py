"""The validator: what is well formed and still wrong, or at least worth a second look.

`check` gives every finding of a protocol text, exact by enumeration: whatever its rules can tell apart is tried, for every purpose,
recipient kind and need of the document, and only where no conflict of interest stands above.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from policies import document, marked
from policies.decision import Outcome
from policies.findings import Finding, Severity, finding
from policies.marked import Items, Node, Scalar, Table
from policies.protocol import Protocol, Rule
from policies.verdicts import Cells, Cut, Group, Side, cuts, groups, reaching, widest_first
from policies.vocabulary import Vocabulary


def check(text: str, vocabulary: Vocabulary, today: date | None = None) -> tuple[Finding, ...]:
    """Every finding about a protocol text, ordered by place. Never raises; a document with errors is not examined further.

    With `today` it is also said when the version has expired.
    """
    protocol, findings = document.read(text, vocabulary)
    if protocol is not None:
        findings = [*findings, *_deeper(protocol, text, vocabulary, today)]
    return tuple(sorted(set(findings)))


def _deeper(protocol: Protocol, text: str, vocabulary: Vocabulary, today: date | None) -> Iterator[Finding]:
    root, _ = marked.read(text)
    table = root if isinstance(root, Table) else Table(line=1, column=1)
    shows = _Shown(protocol)
    yield from _fields(protocol, table, vocabulary, shows)
    yield from _needs(protocol, table, vocabulary, shows)
    yield from _purposes(protocol, table, shows)
    yield from _recipients(protocol, table, vocabulary)
    yield from _times(protocol, table, today)
    yield from _bases(protocol, table)


class _Shown:
    """Which rules decide somewhere, and for which purposes and needs anything leaves at all."""

    def __init__(self, protocol: Protocol) -> None:
        self.deciding: set[str] = set()
        self.forbidden: set[str] = set()
        self.shadowed: set[str] = set()
        self.purposes: set[str] = set()
        self.needs: set[str] = set()
        cells = Cells(purposes=tuple(protocol.purposes), kinds=tuple(sorted(protocol.to_kinds)))
        side, cut = Side(protocol, cells), cuts(cells, protocol)
        for field in side.rules:
            for group in groups((side,), cells, field):
                self._look(protocol, cells, side, group, cut)

    def _look(self, protocol: Protocol, cells: Cells, side: Side, group: Group, cut: tuple[Cut, ...]) -> None:
        space, rules = group.space, [rule for rule, covered in side.rules[group.field] if covered & group.cells]
        forbidden = 0
        for rule in (rule for rule in rules if rule.outcome is Outcome.WITHHOLD):
            forbidden |= space.where(rule.when)
        self._prohibitions(group, rules, cut)
        agreed = lawful = space.all & ~forbidden
        for rule in widest_first(rule for rule in rules if rule.outcome is not Outcome.WITHHOLD):
            applies = space.where(rule.when)
            by_law = applies & (space.where(frozenset((rule.basis_atom,))) if rule.basis_atom else 0)
            decides = agreed & applies | lawful & by_law
            agreed, lawful = agreed & ~applies, lawful & ~by_law
            places = [own for _, own in reaching(group, decides, cut)] if decides else []
            if places:
                self.deciding.add(rule.id)
                self.purposes |= {purpose for own in places for purpose, _ in cells.pairs(own)}
                asked = [atom.values for atom in rule.when if atom.dimension == "need"]
                self.needs |= protocol.needs.intersection(*asked)
            elif list(reaching(group, applies & ~forbidden, cut)):
                self.shadowed.add(rule.id)
            elif list(reaching(group, applies, cut)):
                self.forbidden.add(rule.id)

    def _prohibitions(self, group: Group, rules: list[Rule], cut: tuple[Cut, ...]) -> None:
        said = 0
        for rule in sorted((rule for rule in rules if rule.outcome is Outcome.WITHHOLD), key=lambda rule: rule.id):
            states = group.space.where(rule.when)
            if states & ~said and list(reaching(group, states & ~said, cut)):
                self.deciding.add(rule.id)
            said |= states


def _fields(protocol: Protocol, table: Table, vocabulary: Vocabulary, shows: _Shown) -> Iterator[Finding]:
    line, column = _key(table, "rules")
    for name in protocol.universe:
        rules = [rule for rule in protocol.rules if rule.field == name]
        if not rules:
            # Not shared is how everything begins, and no oversight; it is told so that the writer sees what she left out.
            yield finding("field_unmentioned", line, column, severity=Severity.NOTE, field=name)
        for rule in rules:
            yield from _rule(rule, vocabulary, shows)


def _rule(rule: Rule, vocabulary: Vocabulary, shows: _Shown) -> Iterator[Finding]:
    if rule.id not in shows.deciding:
        # A silent permission that always loses against a prohibition is a contradiction of the writer, anything else a line too many.
        if rule.id in shows.forbidden - shows.shadowed:
            yield finding("contradiction", rule.line, rule.column, field=rule.field)
        else:
            yield finding("unreachable", rule.line, rule.column, severity=Severity.WARNING, rule=rule.id)
    field = vocabulary.fields[rule.field]
    if field.sensitivity == "critical" and field.person_identifying and rule.outcome is Outcome.RELEASE and not rule.when:
        yield finding("identity_released", rule.line, rule.column, severity=Severity.WARNING, field=rule.field)


def _needs(protocol: Protocol, table: Table, vocabulary: Vocabulary, shows: _Shown) -> Iterator[Finding]:
    for item in _items(table, "needs"):
        term = vocabulary.needs.get(item.text)
        if item.text not in shows.needs:
            yield _warn("need_without_rule", item, word=item.text)
        elif term and term.served_by and not protocol.to_kinds & _competent(term.served_by, vocabulary):
            yield _warn("need_unserved", item, word=item.text, kinds=", ".join(term.served_by))


def _competent(served_by: tuple[str, ...], vocabulary: Vocabulary) -> set[str]:
    """Who serves a need, and who oversees them: where she goes when the aggressor is of the body that should serve her (R61)."""
    return {*served_by, *(kind for body in served_by for kind in vocabulary.bodies.oversight.get(body, ()))}


def _purposes(protocol: Protocol, table: Table, shows: _Shown) -> Iterator[Finding]:
    purposes = table.entries.get("purposes")
    served = {protocol.purpose_of(need) for need in protocol.needs}
    for code, key in purposes.keys.items() if isinstance(purposes, Table) else ():
        if code not in shows.purposes:
            yield _warn("purpose_without_rule", key, word=code)
        elif code not in served:
            yield _warn("purpose_without_need", key, word=code)


def _recipients(protocol: Protocol, table: Table, vocabulary: Vocabulary) -> Iterator[Finding]:
    terms = [vocabulary.needs[need] for need in protocol.needs if need in vocabulary.needs]
    serving = {kind for term in terms for kind in term.served_by}
    for item in _items(table, "to_kinds"):
        if item.text not in serving and all(term.served_by for term in terms):
            yield _warn("recipient_without_need", item, word=item.text)
    taking_part = protocol.from_kinds | protocol.to_kinds | {protocol.community_seat}
    for item in _items(table, "parties"):
        if item.text not in taking_part:
            yield _warn("party_idle", item, word=item.text)


def _times(protocol: Protocol, table: Table, today: date | None) -> Iterator[Finding]:
    expires, within = table.entries.get("expires"), table.entries.get("respond_within")
    if today is not None and expires is not None and protocol.expires <= today:
        yield _warn("expired", expires, date=protocol.expires.isoformat())
    slowest = protocol.respond_within.get("routine")
    for code, key in within.keys.items() if isinstance(within, Table) else ():
        if slowest is not None and protocol.respond_within.get(code, slowest) > slowest:
            yield _warn("urgent_slower", key, word=code)


def _bases(protocol: Protocol, table: Table) -> Iterator[Finding]:
    used = {basis for rule in protocol.rules for basis in rule.legal_basis}
    used |= {value for atom in protocol.atoms if atom.dimension == "legal_basis" for value in atom.values}
    for item in _items(table, "legal_basis"):
        if item.text not in used:
            yield _warn("basis_unused", item, word=item.text)


def _items(table: Table, key: str) -> Iterator[Scalar]:
    """The words of a list, or of a single one."""
    node: Node | None = table.entries.get(key)
    some = node.items if isinstance(node, Items) else (node,)
    yield from (item for item in some if isinstance(item, Scalar))


def _key(table: Table, key: str) -> tuple[int, int]:
    place: Mapping[str, Scalar] = table.keys
    return (place[key].line, place[key].column) if key in place else (1, 1)


def _warn(code: str, at: Node, **words: str) -> Finding:
    return finding(code, at.line, at.column, severity=Severity.WARNING, suggestion=None, **words)
