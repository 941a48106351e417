"""Conditions, levels and cells in words, Spanish first, with the vocabulary's labels. Templates are data; no value of a case enters."""

from __future__ import annotations

from collections.abc import Iterable

from policies.cover import ALWAYS, Alternative, Alternatives, Among, Asked
from policies.decision import Facts, Outcome
from policies.diff import Change
from policies.enumeration import ELSEWHERE
from policies.findings import Finding
from policies.generalise import GENERALISATIONS
from policies.matrix import Cell, Clause
from policies.verdicts import CONSENTS, HOME, Level
from policies.vocabulary import Vocabulary

LISTS = {
    "need": "needs",
    "risk": "risks",
    "urgency": "urgencies",
    "aggressor_affiliation": "affiliations",
    "legal_basis": "legal_bases",
}
"""Dimension → the list of its words; age bands are words themselves."""
_FOUND = {
    "need_without_rule": "needs", "need_unserved": "needs", "need_without_purpose": "needs", "purpose_without_rule": "purposes",
    "purpose_without_need": "purposes", "purpose_without_retention": "purposes", "recipient_without_need": "kinds", "party_idle": "kinds",
    "party_absent": "kinds", "community_seat_absent": "kinds", "urgent_slower": "urgencies", "urgency_without_time": "urgencies",
    "basis_unused": "legal_bases",
}  # fmt: skip
"""Code of a finding → the list of the word that it is about."""
_NAMES = {
    "need": ("necesidad", "need"),
    "risk": ("riesgo", "risk"),
    "urgency": ("urgencia", "urgency"),
    "age_band": ("edad", "age"),
    "aggressor_affiliation": ("quien agrede", "the aggressor"),
    "legal_basis": ("base legal", "legal basis"),
}
_LEVELS = {
    Outcome.RELEASE: ("sí", "yes"),
    Outcome.PRESENCE: ("solo que existe", "only that it exists"),
    Outcome.WITHHOLD: ("no", "no"),
}
_LISTED = 4
"""So many values are named; of more, the others are."""
_CONSENTS = {"yes": ("con su permiso", "with her consent"), "law": ("sin su permiso, por ley", "without her consent, by law")}
_ASKED = {
    ("aggressor_affiliation", False, True): ("quien agrede es: {words}", "the aggressor is: {words}"),
    ("aggressor_affiliation", False, False): ("quien agrede no es: {words}, o no se sabe", "the aggressor is not: {words}, or it is not known"),
    ("aggressor_affiliation", True, True): ("quien agrede es: {words}, o no se sabe", "the aggressor is: {words}, or it is not known"),
    ("aggressor_affiliation", True, False): ("se sabe que quien agrede no es: {words}", "the aggressor is known not to be: {words}"),
    ("legal_basis", False, True): ("consta que {words}", "it is on record that {words}"),
    ("legal_basis", False, False): ("no consta que {words}", "it is not on record that {words}"),
    ("legal_basis", True, True): ("consta que {words}, o no consta ninguna base legal", "it is on record that {words}, or no legal basis is"),
    ("legal_basis", True, False): ("consta otra base legal, y no que {words}", "another legal basis is on record, and not that {words}"),
}
"""(dimension, the side that asks forbids, answer) → words."""


class Reader:
    """Says things in one language with one vocabulary's labels."""

    def __init__(self, vocabulary: Vocabulary, language: str = "es") -> None:
        self.vocabulary = vocabulary
        self.english = language == "en"
        self.language = "en" if self.english else "es"

    def pick(self, both: tuple[str, str]) -> str:
        """The Spanish or the English of a pair."""
        return both[self.english]

    def field(self, code: str) -> str:
        """The label of a field."""
        known = self.vocabulary.fields.get(code)
        return self._small(known.label.get(self.language)) if known else code

    def word(self, listed: str, code: str) -> str:
        """The label of a code in a list."""
        return self._small(self.vocabulary.label(listed, code, self.language))

    def called(self, finding: Finding) -> str:
        """The code that a finding is about as it stands in the document, and what it is called."""
        listed, about = _FOUND.get(finding.code), finding.about
        label = self.word(listed, about) if listed else self.field(about)
        return f"`{about}`" if label == about else f"`{about}` ({label})"

    def finding(self, finding: Finding) -> str:
        """Its sentence, the word beside the code."""
        said = finding.message(self.language)
        return said.replace(f"`{finding.about}`", self.called(finding)) if finding.about else said

    def kind(self, code: str) -> str:
        """The name of an institution kind, as it is written."""
        return self.vocabulary.label("kinds", code, self.language)

    def value(self, dimension: str, code: str) -> str:
        """The label of a value of a fact."""
        if code == ELSEWHERE:
            return self.pick(("otra institución", "another institution"))
        return self.word(LISTS[dimension], code) if dimension in LISTS else code

    def any_of(self, words: Iterable[str]) -> str:
        """`a, b o c`."""
        return self.joined(words, (" o ", " or "))

    def joined(self, words: Iterable[str], last: tuple[str, str]) -> str:
        """Words with commas, and `last` before the last one."""
        listed = list(words)
        return self.pick(last).join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)

    def level(self, level: Level) -> str:
        """How much leaves."""
        how = GENERALISATIONS.get(level.generalisation or "")
        return self.pick((how.es, how.en) if how else _LEVELS.get(level.outcome, _LEVELS[Outcome.WITHHOLD]))

    def condition(self, alternatives: Alternatives) -> str:
        """The alternatives in words; empty for one that always holds."""
        if alternatives == ALWAYS:
            return ""
        return self.pick(("; o ", "; or ")).join(self._alternative(one) for one in alternatives)

    def clause(self, clause: Clause) -> str:
        """`sí si riesgo alto o crítico`."""
        when = self.condition(clause.when)
        return self.level(clause.level) + (self.pick((" si ", " if ")) + when if when else "")

    def cell(self, cell: Cell) -> str:
        """A whole cell: what leaves with her consent; and what the law lets out without it."""
        agreed, lawful = ([clause for clause in cell.clauses if clause.consent == consent] for consent in CONSENTS)
        said = "; ".join(self.clause(clause) for clause in agreed) or self.level(HOME)
        for clause in lawful:
            alone = len(agreed) == 1 and agreed[0].level == clause.level
            level = "" if alone else f": {self.level(clause.level)}"
            when = self.condition(clause.when)
            said += self.pick(("; y sin su permiso", "; and without her consent")) + level + (self.pick((" si ", " if ")) + when if when else "")
        return said

    def change(self, change: Change) -> str:
        """`antes no; ahora sí, con su permiso, si …`."""
        consent = self.pick(_CONSENTS[change.consent])
        when = self.condition(change.when)
        shown = self.pick(("antes {was}; ahora {now}; {consent}", "before {was}; now {now}; {consent}"))
        line = shown.format(was=self.level(change.was), now=self.level(change.now), consent=consent)
        return line + (self.pick(("; si ", "; if ")) + when if when else self.pick(("; siempre", "; always")))

    def changes(self, some: Iterable[Change]) -> list[tuple[str, tuple[tuple[str, str], ...], str]]:
        """Changes that read the same in the same cells, put together: their fields, the cells, the line."""
        told: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, None]] = {}
        for change in some:
            told.setdefault((self.change(change), change.cells), {})[self.field(change.field)] = None
        return [(", ".join(fields), cells, line) for (line, cells), fields in told.items()]

    def facts(self, facts: Facts) -> str:
        """The facts of an invented case, the ones that are known."""
        told = [f"{self.pick(_NAMES['need'])}: {self.value('need', facts.need)}"]
        for name in ("risk", "urgency", "age_band"):
            if (known := getattr(facts, name)) is not None:
                told.append(f"{self.pick(_NAMES[name])}: {self.value(name, known)}")
        for name, values in (("aggressor_affiliation", facts.aggressor_affiliation), ("legal_basis", facts.legal_basis)):
            if values:
                told.append(f"{self.pick(_NAMES[name])}: {', '.join(self.value(name, value) for value in sorted(values))}")
        return "; ".join(told)

    def _alternative(self, literals: Alternative) -> str:
        return self.pick((" y ", " and ")).join(self._among(one) if isinstance(one, Among) else self._asked(one) for one in literals)

    def _among(self, one: Among) -> str:
        name, doubt = self.pick(_NAMES[one.dimension]), None in one.values
        inside, outside = (self._ordered(one.dimension, values) for values in (one.values, one.out_of - one.values))
        if not inside:
            return self.pick(("no se sabe: {name}", "not known: {name}")).format(name=name)
        if not outside:
            return self.pick(("se sabe: {name}", "known: {name}")).format(name=name)
        if len(outside) < len(inside) and (doubt or len(inside) > _LISTED):
            said = f"{name} {self.pick(('que no sea ', 'other than '))}{self.joined(outside, (' ni ', ' or '))}"
            sure = (" (y se sabe)", " (and known)") if None in one.out_of else ("", "")
            return said + self.pick((" (o no se sabe)", " (or not known)") if doubt else sure)
        return f"{name} {self.any_of([*inside, *((self.pick(('no se sabe', 'not known')),) if doubt else ())])}"

    def _asked(self, one: Asked) -> str:
        atom = one.atom
        words = self.any_of(self._ordered(atom.dimension, atom.values))
        return self.pick(_ASKED[atom.dimension, atom.forbids, one.answer]).format(words=words)

    def _ordered(self, dimension: str, values: frozenset[str | None] | frozenset[str]) -> list[str]:
        known = self.vocabulary.lists[LISTS[dimension]] if dimension in LISTS else {}
        order = {code: number for number, code in enumerate(known)}
        return [self.value(dimension, code) for code in sorted((v for v in values if v is not None), key=lambda v: (order.get(v, 999), v))]

    @staticmethod
    def _small(label: str) -> str:
        """A label inside a sentence: small at its head, but for names and abbreviations."""
        return label[:1].lower() + label[1:] if label[1:].islower() else label
