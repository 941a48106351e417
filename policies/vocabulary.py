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
from policies.conflict import Bodies
from policies.errors import DocumentError
from policies.generalise import AGE_BANDS, GENERALISATIONS
from policies.marked import Items, Node, Scalar, Table
from policies.places import Country, Place, country, plain
from policies.reading import Reader

FIELD_CLASSES = ("identity", "contact", "situation", "health", "legal", "needs", "safety")
SENSITIVITIES = ("low", "medium", "high", "critical")
FIELD_TYPES = ("text", "code", "date", "number", "list")

LISTS = (
    "purposes", "kinds", "needs", "urgencies", "risks", "affiliations", "decline_reasons", "give_back_reasons", "close_outcomes",
    "check_in_outcomes", "documents", "languages", "accessibility", "consent_modes", "legal_bases", "retention_bases", "discrimination_grounds",
    "violence_types", "situation_classes", "measures", "roles", "levels", "territory_types", "vulnerabilities", "reporter_roles",
    "complaint_modes", "laws",
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
    """One code of a list. Definitions and sources stand where the law asks for them (R34).

    Only needs have a purpose and `served_by`; only kinds have `overseen_by`, `levels` of government and `meeting` (a table of
    institutions); only affiliations have `owns` and `private`. `to_verify` marks a law that nobody has checked at its source yet,
    `spoken_only` a need or kind that is not written on the paper she carries, because of who may find it. `only_in` are the situation
    classes in which a need is proposed to somebody who did not name it: nobody is taken for a trafficked person unless it is recorded (R35).
    """

    id: str
    label: Words
    synonyms: tuple[str, ...] = ()
    definition: Words | None = None
    source: str | None = None
    purpose: str | None = None
    served_by: tuple[str, ...] = ()
    owns: tuple[str, ...] = ()
    private: bool = False
    overseen_by: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    meeting: bool = False
    to_verify: bool = False
    spoken_only: bool = False
    only_in: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """All words of one country's pack."""

    id: str
    fields: Mapping[str, Field]
    lists: Mapping[str, Mapping[str, Term]]
    bodies: Bodies
    country: Country

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
    table = reader.table(root, "vocabulary", ("vocabulary", "fields", "nationals", "places", *LISTS))
    name = reader.text(reader.need(table, "vocabulary"), "vocabulary")
    fields = {item.id: item for item in _fields(reader, reader.need(table, "fields"))}
    lists = {key: _terms(reader, key, reader.need(table, key)) for key in LISTS}
    _check_references(reader, table, lists)
    bodies = _bodies(reader, table, lists)
    land = country(_places(reader, table.entries.get("places")), _texts(reader, table, "nationals"))
    if reader.failed or root is None:
        raise DocumentError(source, reader.findings)
    return Vocabulary(
        id=name, fields=MappingProxyType(fields), lists=MappingProxyType({k: MappingProxyType(v) for k, v in lists.items()}),
        bodies=bodies, country=land,
    )  # fmt: skip


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


_OWN_KEYS = {
    "needs": ("purpose", "served_by", "spoken_only", "only_in"),
    "kinds": ("overseen_by", "levels", "meeting", "spoken_only"),
    "affiliations": ("owns", "private"),
    "laws": ("to_verify",),
}
"""What only the terms of one list can say."""


def _terms(reader: Reader, key: str, node: Node | None) -> dict[str, Term]:
    known = (*_TERM_KEYS, *_OWN_KEYS.get(key, ()))
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
            served_by=_texts(reader, row, "served_by"),
            owns=_texts(reader, row, "owns"),
            private=reader.flag(row.entries.get("private"), "private"),
            overseen_by=_texts(reader, row, "overseen_by"),
            levels=_texts(reader, row, "levels"),
            meeting=reader.flag(row.entries.get("meeting"), "meeting"),
            to_verify=reader.flag(row.entries.get("to_verify"), "to_verify"),
            spoken_only=reader.flag(row.entries.get("spoken_only"), "spoken_only"),
            only_in=_texts(reader, row, "only_in"),
        )
    return terms


def _texts(reader: Reader, row: Table, key: str) -> tuple[str, ...]:
    return tuple(item.text for item in reader.scalars(row.entries.get(key), key))


_REFERENCES = (
    ("needs", "purpose", "purposes"), ("needs", "served_by", "kinds"), ("needs", "only_in", "situation_classes"),
    ("kinds", "overseen_by", "kinds"), ("kinds", "levels", "levels"), ("affiliations", "owns", "kinds"),
)  # fmt: skip
"""Which words of which list must stand in which other list."""


def _rows_of(table: Table, key: str) -> Iterator[Table]:
    node = table.entries.get(key)
    yield from (row for row in (node.items if isinstance(node, Items) else ()) if isinstance(row, Table))


def _check_references(reader: Reader, table: Table, lists: Mapping[str, Mapping[str, Term]]) -> None:
    for row in _rows_of(table, "needs"):
        reader.need(row, "purpose")
    for key, name, listed in _REFERENCES:
        for row in _rows_of(table, key):
            reader.words(row.entries.get(name), name, lists[listed], listed)


def _bodies(reader: Reader, table: Table, lists: Mapping[str, Mapping[str, Term]]) -> Bodies:
    """Who belongs to whom. An affiliation or a kind without meaning here would be a conflict of interest that nobody sees."""
    affiliations, kinds = lists["affiliations"], lists["kinds"]
    meetings = frozenset(code for code, term in kinds.items() if term.meeting)
    owned = {code: frozenset(term.owns) | (meetings if term.owns else frozenset()) for code, term in affiliations.items()}
    for row in _rows_of(table, "affiliations"):
        term = affiliations[reader.text(row.entries.get("id"), "id")]
        if bool(term.owns) == term.private:
            reader.report("affiliation_private_owner" if term.private else "affiliation_owns_nothing", row, word=term.id)
    belonging = frozenset[str]().union(*owned.values())
    for row in _rows_of(table, "kinds"):
        term = kinds[reader.text(row.entries.get("id"), "id")]
        if term.id not in belonging:
            reader.report("kind_without_affiliation", row, word=term.id)
    oversight = {code: term.overseen_by for code, term in kinds.items() if term.overseen_by}
    return Bodies(owned=MappingProxyType(owned), oversight=MappingProxyType(oversight), kinds=belonging)


def _places(reader: Reader, node: Node | None) -> Iterator[tuple[Place, tuple[str, ...]]]:
    if node is not None and not isinstance(node, Items):
        reader.report("expected", node, key="places", es="una lista", en="a list")
    for item in node.items if isinstance(node, Items) else ():
        row = reader.table(item, "places", ("province", "region", "districts"))
        province, region = (reader.text(reader.need(row, key), key) for key in ("province", "region"))
        reader.need(row, "districts")
        yield Place(province=province, region=region), _texts(reader, row, "districts")
