"""The vocabulary: the words that protocols, cases and people share.

A vocabulary is data (`packs/<country>/vocabulary.yaml`). Codes are English snake_case and never change; labels, synonyms and
the sentences that say *why* something is asked stand beside them in Spanish and English. No field is required by anything here
(R1-R4).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies import marked
from policies.conditions import DIMENSIONS
from policies.errors import DocumentError
from policies.generalise import AGE_BANDS, GENERALISATIONS
from policies.marked import Items, Node, Scalar, Table
from policies.places import plain
from policies.reading import Reader

FIELD_CLASSES = ("identity", "contact", "situation", "health", "legal", "needs", "safety")
SENSITIVITIES = ("low", "medium", "high", "critical")
FIELD_TYPES = ("text", "code", "date", "number", "list")

LISTS = (
    "purposes", "kinds", "needs", "urgencies", "risks", "affiliations", "decline_reasons", "give_back_reasons", "close_outcomes",
    "check_in_outcomes", "documents", "languages", "accessibility", "consent_modes", "legal_bases", "retention_bases", "discrimination_grounds",
    "violence_types", "situation_classes", "measures", "roles",
)  # fmt: skip
"""The code lists every vocabulary has."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """One text in both languages; Spanish is the first."""

    es: str
    en: str

    def get(self, language: str) -> str:
        """The text in `en`, or in Spanish for every other language."""
        return self.en if language == "en" else self.es


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that may be known about a person, and why anybody would ask for it."""

    id: str
    field_class: str
    sensitivity: str
    type: str
    label: Words
    why: Words
    person_identifying: bool
    generalisations: tuple[str, ...]
    codes: str | None = None


@dataclass(frozen=True, kw_only=True)
class Term:
    """One code of a list. Only needs have a purpose and `served_by`; definitions and sources stand where the law asks for
    them (R34)."""

    id: str
    label: Words
    synonyms: tuple[str, ...] = ()
    definition: Words | None = None
    source: str | None = None
    purpose: str | None = None
    served_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All words of one country's pack."""

    id: str
    fields: Mapping[str, Field]
    lists: Mapping[str, Mapping[str, Term]]

    @property
    def kinds(self) -> Mapping[str, Term]:
        """Institution kinds."""
        return self.lists["kinds"]

    @property
    def needs(self) -> Mapping[str, Term]:
        """Need types, each with its purpose and the kinds that serve it."""
        return self.lists["needs"]

    @property
    def domain(self) -> Mapping[str, frozenset[str]]:
        """The finite set of values of each dimension a condition may use."""
        names = {
            "need": "needs",
            "risk": "risks",
            "urgency": "urgencies",
            "aggressor_affiliation": "affiliations",
            "legal_basis": "legal_bases",
        }
        values = {dimension: frozenset(self.lists[names[dimension]]) for dimension in DIMENSIONS if dimension in names}
        return MappingProxyType({**values, "age_band": frozenset(AGE_BANDS)})

    def fields_in(self, field_class: str) -> tuple[Field, ...]:
        """The fields of one class: the groups in which consent may be asked."""
        return tuple(item for item in self.fields.values() if item.field_class == field_class)

    def label(self, list_name: str, code: str, language: str = "es") -> str:
        """The label of a code, or the code itself when the list does not know it."""
        term = self.lists.get(list_name, {}).get(code)
        return term.label.get(language) if term else code

    def match(self, list_name: str, text: str) -> Term | None:
        """The term a person named exactly, by code, label or synonym, whatever the accents and case."""
        wanted = plain(text)
        return next((term for word, term in self.spoken(list_name) if word == wanted), None)

    def spoken(self, list_name: str) -> Iterator[tuple[str, Term]]:
        """Every plain word or phrase that means a term of the list: what a chat offers to a fuzzy matcher."""
        for term in self.lists.get(list_name, {}).values():
            yield from ((plain(word), term) for word in (term.id, term.label.es, term.label.en, *term.synonyms))
            yield plain(term.id.replace("_", " ")), term


def parse(text: str, *, source: str = "vocabulary.yaml") -> Vocabulary:
    """Read a vocabulary. Raises DocumentError with every finding when anything in it is not understood."""
    root, findings = marked.read(text)
    reader = Reader(findings)
    table = reader.table(root, "vocabulary", ("vocabulary", "fields", *LISTS))
    name = reader.text(reader.need(table, "vocabulary"), "vocabulary")
    fields = {item.id: item for item in _fields(reader, reader.need(table, "fields"))}
    lists = {key: _terms(reader, key, reader.need(table, key)) for key in LISTS}
    _check_needs(reader, table, lists)
    if reader.failed or root is None:
        raise DocumentError(source, reader.findings)
    return Vocabulary(
        id=name, fields=MappingProxyType(fields), lists=MappingProxyType({k: MappingProxyType(v) for k, v in lists.items()})
    )


def _rows(reader: Reader, key: str, node: Node | None, known: tuple[str, ...]) -> Iterator[Table]:
    if not isinstance(node, Items):
        if node is not None:
            reader.report("expected", node, key=key, es="una lista", en="a list")
        return
    seen: set[str] = set()
    for item in node.items:
        row = reader.table(item, key, known)
        code = reader.text(reader.need(row, "id"), "id")
        if code in seen:
            reader.report("duplicate_id", row, word=code, list=key)
        seen.add(code)
        yield row


def _words(reader: Reader, row: Table, prefix: str = "") -> Words:
    spanish, english = (reader.text(reader.need(row, prefix + language), prefix + language) for language in ("es", "en"))
    return Words(es=spanish, en=english)


def _choice(reader: Reader, row: Table, key: str, known: tuple[str, ...]) -> str:
    node = reader.need(row, key)
    return node.text if isinstance(node, Scalar) and reader.is_known(node, known, key) else known[0]


_FIELD_KEYS = ("id", "class", "sensitivity", "type", "es", "en", "why_es", "why_en", "identifying", "generalisations", "codes")


def _fields(reader: Reader, node: Node | None) -> Iterator[Field]:
    for row in _rows(reader, "fields", node, _FIELD_KEYS):
        yield Field(
            id=reader.text(row.entries.get("id"), "id"),
            field_class=_choice(reader, row, "class", FIELD_CLASSES),
            sensitivity=_choice(reader, row, "sensitivity", SENSITIVITIES),
            type=_choice(reader, row, "type", FIELD_TYPES),
            label=_words(reader, row),
            why=_words(reader, row, "why_"),
            person_identifying=reader.flag(row.entries.get("identifying"), "identifying"),
            generalisations=reader.words(
                row.entries.get("generalisations"), "generalisations", GENERALISATIONS, "generalisations"
            ),
            codes=_codes_of(reader, row),
        )


def _codes_of(reader: Reader, row: Table) -> str | None:
    node = row.entries.get("codes")
    return node.text if isinstance(node, Scalar) and reader.is_known(node, LISTS, "codes") else None


_TERM_KEYS = ("id", "es", "en", "synonyms", "definition_es", "definition_en", "source")


def _terms(reader: Reader, key: str, node: Node | None) -> dict[str, Term]:
    known = (*_TERM_KEYS, "purpose", "served_by") if key == "needs" else _TERM_KEYS
    terms = {}
    for row in _rows(reader, key, node, known):
        code = reader.text(row.entries.get("id"), "id")
        terms[code] = Term(
            id=code,
            label=_words(reader, row),
            synonyms=tuple(item.text for item in reader.scalars(row.entries.get("synonyms"), "synonyms")),
            definition=_words(reader, row, "definition_") if "definition_es" in row.entries else None,
            source=reader.text(row.entries.get("source"), "source") or None,
            purpose=reader.text(row.entries.get("purpose"), "purpose") or None,
            served_by=tuple(item.text for item in reader.scalars(row.entries.get("served_by"), "served_by")),
        )
    return terms


def _check_needs(reader: Reader, table: Table, lists: Mapping[str, Mapping[str, Term]]) -> None:
    node = table.entries.get("needs")
    for row in node.items if isinstance(node, Items) else ():
        if isinstance(row, Table):
            purpose = reader.need(row, "purpose")
            if isinstance(purpose, Scalar):
                reader.is_known(purpose, lists["purposes"], "purposes")
            reader.words(row.entries.get("served_by"), "served_by", lists["kinds"], "kinds")
