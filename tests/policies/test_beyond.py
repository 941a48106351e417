"""What opens beside the rules, in words: the emergency, the offer, passing on; and nothing of it is lost between words and keys."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import pytest

from hub.actions.protocol_changes import compare
from policies import beyond
from policies.decision import Outcome
from policies.diff import diff
from policies.protocol import BreakGlass, OfferRule, Protocol
from policies.readable import Reader
from tests.policies.worlds import PACK

SHELTER = PACK.protocols["shelter"]
GLASS = SHELTER.break_glass
assert GLASS is not None
ES = Reader(PACK.vocabulary)


def told(now: Protocol, was: Protocol = SHELTER) -> list[str]:
    return [line.es for line in compare(was, now, PACK.vocabulary)]


def glass(**changed: object) -> Protocol:
    return dataclasses.replace(SHELTER, break_glass=dataclasses.replace(GLASS, **changed))


def offer(**changed: OfferRule) -> Mapping[str, OfferRule]:
    return MappingProxyType({**SHELTER.offer, **changed})


HEAD = "Con su permiso o por ley nadie ve nada distinto, pero cambia lo que sigue:"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (glass(fields=GLASS.fields | {"document_number"}),
         "En una emergencia (una persona, con aviso y revisión en 24 h) podrá abrirse además: número de documento."),
        (glass(fields=GLASS.fields - {"address"}), "En una emergencia ya no podrá abrirse: dirección."),
        (glass(second_person=True, review_within=None),
         "La emergencia se cuida así: dos personas, con aviso (antes: una persona, con aviso y revisión en 24 h)."),
        (glass(lasts=timedelta(hours=30)), "Lo abierto en una emergencia dura: 30 h (antes: 8 h)."),
        (glass(risks=frozenset({"critical"})), "La emergencia pide riesgo: crítico (antes: alto o crítico)."),
        (glass(needs=frozenset({"shelter"})), "La emergencia vale para las necesidades: refugio (antes: todas las del protocolo)."),
        (dataclasses.replace(SHELTER, onward=False, onward_to=frozenset()), "Quien recibe ya no podrá pasarlo a otra institución."),
        (dataclasses.replace(SHELTER, offer=offer(territory=OfferRule(outcome=Outcome.RELEASE))),
         "La oferta, antes de aceptar, mostrará: distrito tal cual (antes: solo la región)."),
        (dataclasses.replace(SHELTER, offer=offer(languages=OfferRule(outcome=Outcome.WITHHOLD))),
         "La oferta, antes de aceptar, ya no mostrará: idiomas (antes: tal cual)."),
    ],
)  # fmt: skip
def test_each_change_is_one_sentence_under_an_honest_heading(now: Protocol, said: str) -> None:
    assert told(now) == [HEAD, said]


def test_whom_it_may_be_passed_on_to_is_named() -> None:
    (_, line) = told(dataclasses.replace(SHELTER, onward_to=frozenset({"court"})))
    assert line.startswith("Quien recibe podrá pasarlo a otra institución si la dueña lo concede cada vez: Poder Judicial (juzgado) (antes: ")
    (_, line) = told(dataclasses.replace(SHELTER, onward_to=frozenset()))
    assert "cada vez: a cualquiera a la que ella misma podría derivar (antes: " in line


def test_an_emergency_that_appears_is_told_whole_and_one_that_goes_too() -> None:
    bare = dataclasses.replace(SHELTER, break_glass=None)
    came = told(SHELTER, bare)
    assert came[0] == HEAD
    assert "dirección" in came[1]
    assert [line.partition(":")[0] for line in came[2:]] == [
        "La emergencia la abre", "La emergencia pide riesgo", "La emergencia vale para las necesidades", "Lo abierto en una emergencia dura",
        "La emergencia se cuida así",
    ]  # fmt: skip
    assert len(told(bare)) == 2
    assert told(bare)[1].startswith("En una emergencia ya no podrá abrirse: ")


def test_other_keys_stay_raw_with_words_for_yes_and_no_and_the_old_heading() -> None:
    assert told(dataclasses.replace(SHELTER, version=2)) == ["Nadie ve nada distinto.", "version: 1 → 2"]
    assert SHELTER.auto_accept is not None
    now = dataclasses.replace(SHELTER, auto_accept=dataclasses.replace(SHELTER.auto_accept, on_duty=not SHELTER.auto_accept.on_duty))
    assert told(now)[1] == "auto_accept.on_duty: sí → no"


def test_an_offer_that_only_spells_out_its_no_opens_nothing_and_is_still_shown() -> None:
    silent = dataclasses.replace(SHELTER, offer=MappingProxyType({name: rule for name, rule in SHELTER.offer.items() if name != "languages"}))
    now = dataclasses.replace(silent, offer=offer(languages=OfferRule(outcome=Outcome.WITHHOLD)))
    lines = told(now, silent)
    assert lines[0] == "Nadie ve nada distinto."
    assert "offer.languages.outcome: – → withhold" in lines


def test_a_word_that_this_vocabulary_does_not_have_is_told_by_its_code() -> None:
    assert told(SHELTER, glass(roles=GLASS.roles | {"night_guard"}))[1].endswith("o night_guard).")


def test_no_part_of_an_emergency_is_left_out_of_words_and_keys() -> None:
    """A part that is added to `BreakGlass` or to the offer tomorrow is shown, raw at least."""
    assert {field.name for field in dataclasses.fields(BreakGlass)} == beyond._GLASS, "say the new part in `_terms`, or leave it raw"
    assert {field.name for field in dataclasses.fields(OfferRule)} == beyond._RULE
    now = glass(fields=GLASS.fields | {"email"})
    assert beyond.raw(diff(SHELTER, now), ES) == ()
    assert beyond.changed(diff(SHELTER, now), ES)


def test_the_lines_of_a_matrix_are_those_that_apply() -> None:
    bare = dataclasses.replace(SHELTER, break_glass=None, onward=False, onward_to=frozenset(), offer=MappingProxyType({}))
    assert list(beyond.opens(bare, ES)) == []
    assert len(list(beyond.opens(SHELTER, ES))) == 3
    assert len(list(beyond.opens(SHELTER, ES, ("legal_name",)))) == 2
    assert beyond.never(SHELTER, "address", ES) == "dirección (salvo emergencia)"
    assert beyond.never(SHELTER, "email", ES) == "correo"
