"""A sharing protocol's text: YAML -> `Protocol`, or every reason why not, with line and column.

Every key and every word must be known; an unknown one is an error with a suggestion. `validator` looks further, for what is
well formed and still wrong.
"""

from __future__ import annotations

from datetime import date, timedelta
from types import MappingProxyType

from policies import marked, spans
from policies.conditions import DIMENSIONS, MAX_ATOMS, Atom, Condition
from policies.decision import Outcome
from policies.errors import DocumentError
from policies.findings import Finding, Severity, nearest, some_of
from policies.marked import Items, Node, Scalar, Table
from policies.protocol import OFFER_FIELDS, AutoAccept, BreakGlass, Duty, OfferRule, Protocol, Purpose, Rule
from policies.reading import Reader
from policies.spans import Span
from policies.vocabulary import Vocabulary, Words

_OFFER_DIMENSIONS = ("need", "urgency")


def parse(text: str, vocabulary: Vocabulary, *, source: str = "protocol.yaml") -> Protocol:
    """Read a protocol. Raises DocumentError when it has any error; warnings are the validator's business."""
    protocol, findings = read(text, vocabulary)
    if protocol is None:
        raise DocumentError(source, findings)
    return protocol


_KEYS = (
    "protocol", "version", "title", "purposes", "needs", "from_kinds", "to_kinds", "parties", "community_seat", "effective",
    "expires", "respond_within", "offer", "legal_basis", "onward", "break_glass", "auto_accept", "duty", "citations", "rules",
)  # fmt: skip


def read(text: str, vocabulary: Vocabulary) -> tuple[Protocol | None, list[Finding]]:
    """Read a protocol without raising: the protocol when there is no error, and every finding either way."""
    root, findings = marked.read(text)
    if root is None:
        return None, findings
    reader = _ProtocolReader(findings, vocabulary)
    protocol = reader.protocol(root)
    return (None if reader.failed else protocol), sorted(reader.findings)


class _ProtocolReader(Reader):
    """One method per part of the document; every method returns something harmless when it has reported a finding."""

    def __init__(self, findings: list[Finding], vocabulary: Vocabulary) -> None:
        super().__init__(findings)
        self.vocabulary = vocabulary
        self.domain = vocabulary.domain
        self.bases: tuple[str, ...] = ()

    def protocol(self, root: Node) -> Protocol:
        table = self.table(root, "protocol", _KEYS)
        get = table.entries.get

        def need(key: str) -> Node | None:
            return self.need(table, key)

        lists = self.vocabulary.lists
        purposes = self.purposes(need("purposes"))
        self.bases = self.words(get("legal_basis"), "legal_basis", lists["legal_bases"], "legal_bases")
        to_kinds = self.words(need("to_kinds"), "to_kinds", lists["kinds"], "kinds")
        protocol = Protocol(
            id=self.text(need("protocol"), "protocol"),
            version=self.version(need("version")),
            title=self.title(need("title"), "title"),
            purposes=MappingProxyType(purposes),
            needs=frozenset(self.words(need("needs"), "needs", lists["needs"], "needs")),
            from_kinds=frozenset(self.words(need("from_kinds"), "from_kinds", lists["kinds"], "kinds")),
            to_kinds=frozenset(to_kinds),
            parties=frozenset(self.words(need("parties"), "parties", lists["kinds"], "kinds")),
            community_seat=self.seat(need("community_seat")),
            effective=self.day(need("effective"), "effective"),
            expires=self.day(need("expires"), "expires"),
            respond_within=MappingProxyType(self.respond_within(need("respond_within"))),
            offer=MappingProxyType(self.offer(need("offer"))),
            rules=self.rules(need("rules"), frozenset(purposes), frozenset(to_kinds)),
            legal_basis=self.bases,
            onward=self.onward(get("onward")),
            onward_to=self.onward_to(get("onward")),
            break_glass=self.break_glass(get("break_glass")),
            auto_accept=self.auto_accept(get("auto_accept")),
            duty=self.duty(get("duty")),
            citations=self.words(get("citations"), "citations", lists["laws"], "laws"),
            universe=tuple(self.vocabulary.fields),
            domain=self.domain,
            needs_purpose=MappingProxyType({code: term.purpose or "" for code, term in lists["needs"].items()}),
            bodies=self.vocabulary.bodies,
            country=self.vocabulary.country,
        )  # fmt: skip
        self.whole(table, protocol)
        return protocol

    def version(self, node: Node | None) -> int:
        word = self.text(node, "version")
        if word.isascii() and word.isdigit() and 0 < len(word) <= 6 and int(word) >= 1:
            return int(word)
        if node is not None:
            self.report("bad_version", node)
        return 1

    def title(self, node: Node | None, key: str) -> Words:
        table = self.table(node, key, ("es", "en"))
        if node is None:
            return Words(es="", en="")
        return Words(es=self.text(self.need(table, "es"), "es"), en=self.text(self.need(table, "en"), "en"))

    def seat(self, node: Node | None) -> str:
        if isinstance(node, Scalar) and self.is_known(node, self.vocabulary.kinds, "kinds"):
            return node.text
        if node is not None and not isinstance(node, Scalar):
            self.report("expected", node, key="community_seat", es="una clase de institución", en="one institution kind")
        return ""

    def day(self, node: Node | None, key: str) -> date:
        word = self.text(node, key)
        try:
            if len(word) == 10:
                return date.fromisoformat(word)
        except ValueError:
            pass
        if node is not None:
            self.report("bad_date", node, word=word)
        return date.min

    def span(self, node: Node | None, key: str) -> Span | None:
        word = self.text(node, key)
        span = spans.parse(word)
        if span is None and node is not None:
            self.report("bad_duration", node, word=word)
        return span

    def exact(self, node: Node | None, key: str) -> timedelta:
        span = self.span(node, key)
        if span is None:
            return timedelta()
        if span.months and node is not None:
            self.report("bad_duration", node, word=span.text)
        return span.exact

    def purposes(self, node: Node | None) -> dict[str, Purpose]:
        table = self.table(node, "purposes")
        known = self.vocabulary.lists["purposes"]
        found = {}
        for code, value in table.entries.items():
            self.is_known(table.keys[code], known, "purposes")
            body = (
                self.table(value, code, ("retention",))
                if isinstance(value, Table)
                else Table(line=table.keys[code].line, column=table.keys[code].column)
            )
            if "retention" not in body.entries:
                self.report("purpose_without_retention", table.keys[code], word=code)
                continue
            retention = self.span(body.entries["retention"], "retention")
            if retention is not None:
                found[code] = Purpose(id=code, retention=retention)
        return found or {"": Purpose(id="", retention=Span(text="", months=0, exact=timedelta()))}

    def respond_within(self, node: Node | None) -> dict[str, timedelta]:
        urgencies = self.vocabulary.lists["urgencies"]
        table = self.table(node, "respond_within", urgencies)
        if node is not None:
            for code in urgencies:
                if code not in table.entries:
                    self.report("urgency_without_time", node, word=code)
        return {code: self.exact(value, code) for code, value in table.entries.items()}

    def offer(self, node: Node | None) -> dict[str, OfferRule]:
        table = self.table(node, "offer")
        found = {}
        for name, value in table.entries.items():
            if name not in OFFER_FIELDS:
                self.report("offer_personal", table.keys[name], word=name, suggestion=nearest(name, OFFER_FIELDS))
                continue
            if isinstance(value, Scalar):
                # A territory is written as a district; the other four are codes, which have no coarser form.
                allowed = (
                    self.vocabulary.fields["district"].generalisations
                    if name == "territory" and "district" in self.vocabulary.fields
                    else ()
                )
                outcome, how = self.outcome(value, name, allowed)
                found[name] = OfferRule(outcome=outcome, generalisation=how)
            else:
                self.report("expected", value, key=name, es="una decisión", en="a decision")
        return found

    def outcome(self, node: Scalar, name: str, allowed: tuple[str, ...]) -> tuple[Outcome, str | None]:
        word, _, how = node.text.partition(":")
        if word == "generalise":
            if how not in allowed:
                meant = nearest(how, allowed) if how else None
                self.report("bad_generalisation", node, field=name, word=how, known=some_of(allowed), suggestion=meant)
                return Outcome.WITHHOLD, None
            return Outcome.GENERALISE, how
        plain_words = {"release": Outcome.RELEASE, "presence": Outcome.PRESENCE, "withhold": Outcome.WITHHOLD}
        if node.text not in plain_words:
            self.report("unknown_outcome", node, word=node.text, suggestion=nearest(node.text, (*plain_words, "generalise")))
        return plain_words.get(node.text, Outcome.WITHHOLD), None

    def rules(self, node: Node | None, purposes: frozenset[str], to_kinds: frozenset[str]) -> tuple[Rule, ...]:
        table = self.table(node, "rules", self.vocabulary.fields)
        found: dict[Rule, None] = {}
        for name, value in table.entries.items():
            if name not in self.vocabulary.fields:
                continue
            for item in value.items if isinstance(value, Items) else (value,):
                rule = self.rule(name, item, purposes, to_kinds)
                if rule in found:
                    self.report("duplicate_rule", item, field=name)
                found[rule] = None
        # Canonical order: two files that say the same become the same protocol.
        return tuple(sorted(found, key=lambda rule: rule.id))

    def rule(self, name: str, node: Node, purposes: frozenset[str], to_kinds: frozenset[str]) -> Rule:
        allowed = self.vocabulary.fields[name].generalisations
        if isinstance(node, Scalar):
            outcome, how = self.outcome(node, name, allowed)
            return Rule(field=name, outcome=outcome, generalisation=how, line=node.line, column=node.column)
        table = self.table(node, name, ("share", "when", "purpose", "to", "legal_basis", "because"))
        share = self.need(table, "share")
        if isinstance(share, Scalar):
            outcome, how = self.outcome(share, name, allowed)
        else:
            outcome, how = Outcome.WITHHOLD, None
            if share is not None:
                self.report("expected", share, key="share", es="una decisión", en="a decision")
        get = table.entries.get
        if outcome is Outcome.WITHHOLD and (basis := get("legal_basis")) is not None:
            self.report("basis_on_withhold", basis)
        return Rule(
            field=name, outcome=outcome, generalisation=how, line=table.line, column=table.column,
            when=self.condition(get("when"), DIMENSIONS, forbids=outcome is Outcome.WITHHOLD),
            purposes=frozenset(self.words(get("purpose"), "purpose", purposes, "purposes")),
            to_kinds=frozenset(self.words(get("to"), "to", to_kinds, "to_kinds")),
            legal_basis=frozenset(self.words(get("legal_basis"), "legal_basis", self.bases, "legal_basis")),
            because=self.title(get("because"), "because") if "because" in table.entries else None,
        )  # fmt: skip

    def condition(self, node: Node | None, dimensions: tuple[str, ...], *, forbids: bool = False) -> Condition:
        table = self.table(node, "when", dimensions)
        atoms = []
        for dimension, value in table.entries.items():
            if dimension in dimensions:
                words = self.words(value, dimension, self.domain[dimension] - {"unknown"}, dimension)
                atoms.append(Atom(dimension=dimension, values=frozenset(words), forbids=forbids))
        return frozenset(atoms)

    def auto_accept(self, node: Node | None) -> AutoAccept | None:
        if node is None:
            return None
        table = self.table(node, "auto_accept", ("when", "on_duty"))
        when = table.entries.get("when")
        if isinstance(when, Table):
            for name, place in when.keys.items():
                if name in DIMENSIONS and name not in _OFFER_DIMENSIONS:
                    self.report("auto_accept_dimension", place, word=name)
        condition = self.condition(self.need(table, "when"), DIMENSIONS)
        return AutoAccept(when=condition, on_duty=self.flag(table.entries.get("on_duty"), "on_duty", default=True))

    def onward(self, node: Node | None) -> bool:
        """`grant`, or `{to: [kinds]}`: only by the owner's word for each time. There is no `true`: nothing is ever passed on freely."""
        if node is None:
            return False
        if isinstance(node, Table):
            return bool(self.onward_to(node))
        if isinstance(node, Scalar) and node.text in ("grant", "false"):
            return node.text == "grant"
        self.report("expected", node, key="onward", es="grant o false", en="grant or false", suggestion="grant")
        return False

    def onward_to(self, node: Node | None) -> frozenset[str]:
        if not isinstance(node, Table):
            return frozenset()
        table = self.table(node, "onward", ("to",))
        return frozenset(self.words(self.need(table, "to"), "to", self.vocabulary.lists["kinds"], "kinds"))

    def break_glass(self, node: Node | None) -> BreakGlass | None:
        if node is None:
            return None
        table = self.table(node, "break_glass", ("fields", "roles", "risk", "needs", "lasts", "second_person", "review_within"))
        get, lists = table.entries.get, self.vocabulary.lists
        second, review = self.flag(get("second_person"), "second_person"), get("review_within")
        if second == (review is not None):
            self.report("break_glass_watch", node)
        return BreakGlass(
            fields=frozenset(self.words(self.need(table, "fields"), "fields", self.vocabulary.fields, "fields")),
            roles=frozenset(self.words(self.need(table, "roles"), "roles", lists["roles"], "roles")),
            risks=frozenset(self.words(self.need(table, "risk"), "risk", lists["risks"], "risks")),
            needs=frozenset(self.words(get("needs"), "needs", lists["needs"], "needs")),
            lasts=self.exact(self.need(table, "lasts"), "lasts"),
            second_person=second,
            review_within=self.exact(review, "review_within") if review is not None else None,
        )

    def duty(self, node: Node | None) -> Duty | None:
        if node is None:
            return None
        table = self.table(node, "duty", ("roles", "ring_every"))
        roles = self.words(self.need(table, "roles"), "roles", self.vocabulary.lists["roles"], "roles")
        return Duty(roles=roles, ring_every=self.exact(self.need(table, "ring_every"), "ring_every"))

    def whole(self, table: Table, protocol: Protocol) -> None:
        """What only the whole document can show to be wrong."""
        get = table.entries.get
        if protocol.expires <= protocol.effective and (expires := get("expires")) is not None:
            self.report("dates_reversed", expires)
        if (
            (seat := get("community_seat")) is not None
            and protocol.community_seat
            and protocol.community_seat not in protocol.parties
        ):
            self.report("community_seat_absent", seat, word=protocol.community_seat)
        if (parties := get("parties")) is not None:
            for kind in sorted((protocol.from_kinds | protocol.to_kinds) - protocol.parties):
                self.report("party_absent", parties, word=kind)
        if (needs := get("needs")) is not None:
            for item in self.scalars(needs, "needs"):
                purpose = protocol.needs_purpose.get(item.text)
                if purpose and purpose not in protocol.purposes:
                    self.report("need_without_purpose", item, severity=Severity.WARNING, word=item.text, purpose=purpose)
        if (rules := get("rules")) is not None and len(protocol.atoms) > MAX_ATOMS:
            self.report("too_many_atoms", rules, count=len(protocol.atoms), limit=MAX_ATOMS)
