"""A pack's routing rules: YAML -> frozen types, or every reason why not, with line and column.

Routes are data because the law and the institutions differ by country. A rule can move kinds to the front, add some, keep to some or
leave some out, and say how soon, under which law and which rights to tell. What it cannot say is a conflict of interest, for or
against: that stands above all rules (`routing`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from policies import marked, spans
from policies.errors import DocumentError
from policies.findings import Finding
from policies.generalise import AGE_BANDS
from policies.marked import Items, Node, Scalar, Table
from policies.reading import Reader
from policies.vocabulary import Vocabulary, Words

FACTS = {
    "need": "needs", "level": "levels", "affiliation": "affiliations", "risk": "risks", "urgency": "urgencies",
    "situation": "situation_classes", "age_band": "",
}  # fmt: skip
"""What a rule may ask about, and the code list of each; age bands are the same everywhere."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """One sentence about her rights, as plain as can be, with the laws it rests on.

    What is `spoken_only` is told and never written on the paper she carries: whoever finds it would know what happened.
    """

    id: str
    text: Words
    cite: tuple[str, ...]
    spoken_only: bool


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """A number to call now. Its kind says who answers, so that an excluded body's number is never printed."""

    number: str
    kind: str
    text: Words


@dataclass(frozen=True, kw_only=True)
class RouteRule:
    """One routing rule. `within` and `cite` speak about the kinds the rule names, or about every kind when it names none."""

    id: str
    when: Mapping[str, frozenset[str]]
    first: tuple[str, ...]
    also: tuple[str, ...]
    only: tuple[str, ...]
    never: tuple[str, ...]
    within: timedelta | None
    rights: tuple[str, ...]
    cite: tuple[str, ...]
    because: Words

    @property
    def names(self) -> frozenset[str]:
        """The kinds the rule speaks well of."""
        return frozenset((*self.first, *self.also, *self.only))


@dataclass(frozen=True, kw_only=True)
class Routes:
    """All routing rules of a pack, in the order in which they win over one another."""

    id: str
    rights: Mapping[str, Right]
    emergency: tuple[Emergency, ...]
    rules: tuple[RouteRule, ...]


def parse(text: str, vocabulary: Vocabulary, *, source: str = "routes.yaml") -> Routes:
    """Read the routes of a pack. Raises DocumentError with every finding when anything in them is not understood."""
    root, findings = marked.read(text)
    reader = _RoutesReader(findings, vocabulary)
    table = reader.table(root, "routes", ("routes", "rights", "emergency", "rules"))
    name = reader.text(reader.need(table, "routes"), "routes")
    rights = {item.id: item for item in reader.rights(reader.need(table, "rights"))}
    emergency = tuple(reader.emergency(reader.need(table, "emergency")))
    rules = tuple(reader.rules(reader.need(table, "rules"), rights))
    if reader.failed or root is None:
        raise DocumentError(source, reader.findings)
    return Routes(id=name, rights=MappingProxyType(rights), emergency=emergency, rules=rules)


class _RoutesReader(Reader):
    """One method per part; every method returns something harmless when it has reported a finding."""

    def __init__(self, findings: list[Finding], vocabulary: Vocabulary) -> None:
        super().__init__(findings)
        self.lists = vocabulary.lists

    def rights(self, node: Node | None) -> Iterator[Right]:
        for code, row in self._rows(node, "rights", ("id", "es", "en", "cite", "spoken_only")):
            spoken = self.flag(row.entries.get("spoken_only"), "spoken_only")
            yield Right(id=code, text=self._both(row), cite=self._codes(row, "cite", "laws"), spoken_only=spoken)

    def emergency(self, node: Node | None) -> Iterator[Emergency]:
        for code, row in self._rows(node, "emergency", ("id", "kind", "es", "en")):
            kind = self.need(row, "kind")
            known = isinstance(kind, Scalar) and self.is_known(kind, self.lists["kinds"], "kinds")
            yield Emergency(number=code, kind=kind.text if isinstance(kind, Scalar) and known else "", text=self._both(row))

    def rules(self, node: Node | None, rights: Mapping[str, Right]) -> Iterator[RouteRule]:
        keys = ("id", "when", "first", "also", "only", "never", "within", "rights", "cite", "es", "en")
        for code, row in self._rows(node, "rules", keys):
            yield RouteRule(
                id=code,
                when=MappingProxyType(self._when(self.need(row, "when"))),
                first=self._codes(row, "first", "kinds"),
                also=self._codes(row, "also", "kinds"),
                only=self._codes(row, "only", "kinds"),
                never=self._codes(row, "never", "kinds"),
                within=self._within(row.entries.get("within")),
                rights=self.words(row.entries.get("rights"), "rights", rights, "rights"),
                cite=self._codes(row, "cite", "laws"),
                because=self._both(row),
            )

    def _when(self, node: Node | None) -> dict[str, frozenset[str]]:
        table = self.table(node, "when", FACTS)
        known: Collection[str]
        found = {}
        for fact, value in table.entries.items():
            if fact in FACTS:
                known = self.lists[FACTS[fact]] if FACTS[fact] else AGE_BANDS
                found[fact] = frozenset(self.words(value, fact, known, FACTS[fact] or fact))
        return found

    def _within(self, node: Node | None) -> timedelta | None:
        if node is None:
            return None
        span = spans.parse(self.text(node, "within"))
        if span is None or span.months:
            self.report("bad_duration", node, word=self.text(node, "within"))
            return None
        return span.exact

    def _codes(self, row: Table, key: str, listed: str) -> tuple[str, ...]:
        return self.words(row.entries.get(key), key, self.lists[listed], listed)

    def _both(self, row: Table) -> Words:
        return Words(es=self.text(self.need(row, "es"), "es"), en=self.text(self.need(row, "en"), "en"))

    def _rows(self, node: Node | None, key: str, known: tuple[str, ...]) -> Iterator[tuple[str, Table]]:
        if node is not None and not isinstance(node, Items):
            self.report("expected", node, key=key, es="una lista", en="a list")
        seen: set[str] = set()
        for item in node.items if isinstance(node, Items) else ():
            row = self.table(item, key, known)
            code = self.text(self.need(row, "id"), "id")
            if code in seen:
                self.report("duplicate_id", row, word=code, list=key)
            seen.add(code)
            yield code, row
