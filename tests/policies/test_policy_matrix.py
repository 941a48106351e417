"""The matrix says what the referee says, for every state; and nothing that decides is left out of it."""

from __future__ import annotations

import dataclasses
import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import conflict, matrix, meaning
from policies.conditions import Atom
from policies.decision import Outcome
from policies.protocol import Protocol, Rule
from policies.readable import Reader
from policies.verdicts import CONSENTS, Level
from tests.policies.worlds import FACTS, FIELDS, PACK, ask, is_cut, protocols

laws = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@laws
@given(protocols(), st.randoms(use_true_random=False))
def test_a_cell_says_what_the_referee_says_in_every_state(protocol: Protocol, chance: random.Random) -> None:
    shown = matrix.matrix(protocol)
    for facts in chance.sample(FACTS, 60):
        for purpose, kind in shown.places:
            for consent in CONSENTS:
                decision = meaning.decide(protocol, ask(facts, purpose, kind, consent))
                for field in FIELDS:
                    item = decision.field(field)
                    said = shown.cells[field, (purpose, kind)].level(facts, consent)
                    if facts.need in protocol.needs and not is_cut(kind, facts):
                        assert said == Level(outcome=item.outcome, generalisation=item.generalisation)
                    else:
                        assert not decision.discloses


SHELTER = matrix.matrix(PACK.protocols["shelter"])
PLACE = ("shelter_protection", "shelter")


def test_a_cell_reads_as_a_sentence_in_both_languages() -> None:
    es, en = Reader(PACK.vocabulary), Reader(PACK.vocabulary, "en")
    cells = {name: SHELTER.cells[name, PLACE] for name in SHELTER.fields}
    assert es.cell(cells["phone"]) == "sí; y sin su permiso si consta que su vida está en peligro"
    assert en.cell(cells["phone"]) == "yes; and without her consent if it is on record that her life is in danger"
    assert es.cell(cells["legal_name"]) == "sí si consta que lo ordena un juzgado"
    assert es.cell(cells["self_harm_risk"]) == "sí; y sin su permiso: solo que existe si consta que su vida está en peligro"
    assert es.cell(cells["district"]) == "solo la provincia"
    assert es.cell(cells["notes"]) == es.cell(cells["email"]) == "no"
    both = "sí si riesgo alto o crítico; y sin su permiso si riesgo alto o crítico y consta que su vida está en peligro"
    assert es.cell(cells["not_coincide_with"]) == both


def test_every_kind_says_which_affiliations_cut_it() -> None:
    for protocol in PACK.protocols.values():
        shown = matrix.matrix(protocol)
        assert set(shown.closed) == set(protocol.to_kinds)
        for kind, codes in shown.closed.items():
            assert set(codes) == {a for a in protocol.domain["aggressor_affiliation"] if conflict.excluded(kind, "x", {a}, protocol.bodies)}
    assert SHELTER.closed["shelter"] == ("shelter", "women_ministry")


def test_a_part_of_the_matrix_is_that_part() -> None:
    whole = matrix.matrix(PACK.protocols["emergency-centre"])
    part = matrix.matrix(PACK.protocols["emergency-centre"], fields=["phone"], purposes=["legal_aid"])
    assert part.places == (("legal_aid", "emergency_centre"),)
    assert part.cells == {("phone", part.places[0]): whole.cells["phone", part.places[0]]}


def test_equal_rows_and_columns_are_put_together_and_nothing_is_lost() -> None:
    whole = matrix.matrix(PACK.protocols["emergency-centre"])
    assert sorted(name for row in whole.rows() for name in row) == sorted(whole.fields)
    assert sorted(place for column in whole.columns() for place in column) == sorted(whole.places)
    for row in whole.rows():
        for place in whole.places:
            assert len({whole.cells[name, place] for name in row}) == 1


def test_a_prohibition_takes_its_states_out_of_a_cell_and_doubt_is_on_its_side() -> None:
    when = frozenset({Atom(dimension="risk", values=frozenset({"low"}), forbids=True)})
    rules = (Rule(field="email", outcome=Outcome.RELEASE), Rule(field="email", outcome=Outcome.WITHHOLD, when=when))
    shown = matrix.matrix(dataclasses.replace(PACK.protocols["shelter"], rules=rules), fields=["email"])
    assert Reader(PACK.vocabulary).cell(shown.cells["email", PLACE]) == "sí si riesgo medio, alto o crítico"
