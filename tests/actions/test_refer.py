"""Refer: nothing of a person in the offer, conflict of interest is never offered nor forced, and only what was allowed arrives."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.actions import compose, decide, refer
from hub.actions import dispatch as dispatching
from hub.base.errors import Refused
from hub.cases.lifecycle import State
from hub.exchange import wire
from policies import conflict
from tests.actions.road import (
    CANARY,
    CSMC,
    HOGAR,
    HUBS,
    NEED,
    PACK,
    VALUES,
    Net,
    code_of,
    confirmed,
    consented,
    drafted,
    everything,
    fresh,
    held,
    offered,
    opened,
    taken,
    there,
    working,
)

KINDS = tuple(PACK.vocabulary.lists["kinds"])
BODIES = PACK.vocabulary.bodies


def bodies(net: Net, twin: str, kind: str) -> list[Any]:
    """Every body of a kind that this hub composes from now on."""
    found: list[Any] = []
    real = dispatching.compose

    def spy(unit: Any, row: Any) -> Any:
        letter = real(unit, row)
        if letter.body.kind == kind and unit.me.id == twin:
            found.append(letter.body)
        return letter

    patch = mock.patch.object(dispatching, "compose", spy)
    patch.start()
    return found


def test_the_offer_names_nobody(net: Net) -> None:
    case = opened(net.cem, VALUES | {"district": "Comas", "languages": "es, qu", "accessibility": "wheelchair"})
    consented(net.cem, case)
    sent = bodies(net, net.cem.id, "offer")
    offered(net, case)
    mock.patch.stopall()
    text = wire.encode(sent[0]).decode()
    assert CANARY not in text
    assert case.code not in text
    assert case.id not in text
    assert set(dataclasses.asdict(sent[0])) == {
        "referral", "code", "need", "purpose", "protocol", "version", "urgency", "territory", "languages", "accessibility", "opened_at",
        "respond_by", "key",
    }  # fmt: skip
    assert sent[0].languages == ("es", "qu")
    assert CANARY.encode() not in everything(net.csmc)


def test_an_offer_carries_codes_where_codes_belong_p05(net: Net) -> None:
    """A caseworker typed words into a list of codes: the peer keeps only what it knows as a code."""
    case = opened(net.cem, {"languages": f"es, {CANARY}", "accessibility": f"wheelchair, {CANARY}"})
    consented(net.cem, case)
    referral = offered(net, case)
    assert there(net.csmc, referral).offer["languages"] == ["es"]
    assert there(net.csmc, referral).offer["accessibility"] == ["wheelchair"]


def test_what_was_allowed_arrives_and_nothing_else(net: Net) -> None:
    draft_case = opened(net.cem)
    consented(net.cem, draft_case)
    draft = drafted(net.cem, draft_case)
    shown = {line.field: line.value or "" for part in (draft.preview.seen, draft.preview.generalised, draft.preview.presence) for line in part}
    referral = taken(net, (confirmed(net.cem, draft), net.settle())[0])
    got = {field: value for field, (_, value) in held(net.csmc, referral).items()}
    assert got == shown, "what was previewed is what arrived"
    never = set(VALUES) - set(shown)
    assert {"legal_name", "document_number"} <= never


def test_held_back_fields_stay(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    referral = confirmed(net.cem, drafted(net.cem, case, held_back=("phone",)))
    net.settle()
    taken(net, referral)
    assert "social_name" in held(net.csmc, referral)
    assert "phone" not in held(net.csmc, referral)


def test_without_consent_nothing_can_be_confirmed(net: Net) -> None:
    case = opened(net.cem)
    draft = drafted(net.cem, case)
    assert not draft.ready
    assert "social_name" in draft.preview.consent_missing
    with pytest.raises(Refused) as refused:
        confirmed(net.cem, draft)
    assert code_of(refused) == "nothing_released"


@pytest.mark.parametrize(("to", "need", "code"), [
    ("nadie", NEED, "unknown_institution"), (CSMC, "volar", "unknown_need"), (CSMC, "shelter", "no_protocol"),
])  # fmt: skip
def test_p02_a_referral_that_no_protocol_covers_is_refused(net: Net, to: str, need: str, code: str) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    with pytest.raises(Refused) as refused:
        drafted(net.cem, case, to, need)
    assert code_of(refused) == code


def test_twice_the_same_is_refused_also_from_two_previews(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    mine = drafted(net.cem, case)
    hers = net.cem.run(lambda unit: refer.draft(unit, net.cem.person("berta"), case.id, CSMC, NEED))
    confirmed(net.cem, mine)
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: refer.refer(unit, net.cem.person("berta"), "!cem-lima.desk", hers.referral.id))
    assert code_of(refused) == "already_referred"
    with pytest.raises(Refused) as refused:
        drafted(net.cem, case)
    assert code_of(refused) == "already_referred"


def test_a_new_preview_ends_the_older_one(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    old = drafted(net.cem, case)
    drafted(net.cem, case)
    with pytest.raises(Refused) as refused:
        confirmed(net.cem, old)
    assert code_of(refused) == "draft_gone"


def test_consent_is_decided_again_at_dispatch_p04(net: Net) -> None:
    """Withdrawn while the disclosure waits: it does not leave, and the lead is told."""
    from hub.actions import answer, withdraw

    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.deliver(net.csmc)  # the acceptance is here, the disclosure an intent
    assert net.cem.run(lambda unit: unit.outbox.one(kind="disclose", state="ready")) is not None
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None, tuple(VALUES)))
    net.settle()
    assert held(net.csmc, referral) == {}
    assert CANARY.encode() not in everything(net.csmc)
    assert net.cem.run(lambda unit: unit.outbox.count(kind="disclose", state="acked")) == 0


def test_a_conflict_that_shows_before_dispatch_stops_the_offer(net: Net) -> None:
    from hub.actions import open_case

    case = opened(net.cem)
    consented(net.cem, case)
    referral = confirmed(net.cem, drafted(net.cem, case))
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", "health"))
    net.settle()
    assert there(net.cem, referral).state is State.CANCELLED
    assert net.csmc.run(lambda unit: unit.referrals.get(referral.id)) is None
    assert net.moved(net.cem, "conflict")[-1].ring
    assert net.mentioned(net.cem) == (net.cem.person("ana"),)


def test_and_before_disclosure_keeps_her_data_home(net: Net) -> None:
    from hub.actions import answer, open_case

    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", f"institution:{CSMC}"))
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.settle()
    assert held(net.csmc, referral) == {}
    assert CANARY.encode() not in everything(net.csmc)


@given(
    kind=st.sampled_from(KINDS),
    affiliations=st.lists(
        st.one_of(st.sampled_from(sorted(BODIES.affiliations)), st.sampled_from(["institution:destino", "institution:otra", "¿?"])), max_size=4
    ),
    need=st.sampled_from(sorted(PACK.vocabulary.needs)),
)
@example(kind="emergency_centre", affiliations=["women_ministry"], need="child_care")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_r61_r62_a_conflict_of_interest_is_never_offered_nor_forced(kind: str, affiliations: list[str], need: str) -> None:
    """For every body an aggressor may belong to and every kind of recipient: not among the candidates, not drafted, not confirmed, not sent."""
    net = fresh()
    case = opened(net.cem, {"social_name": "Marisol", "aggressor_affiliation": ", ".join(affiliations)})
    consented(net.cem, case, recipients=(CSMC,), purposes=PACK.vocabulary.lists["purposes"])
    excluded = conflict.excluded(kind, CSMC, affiliations, BODIES)
    named = [a.replace("destino", CSMC) for a in affiliations]
    net.cem.run(lambda unit: decide_affiliations(unit, net, case.id, named))
    excluded = conflict.excluded(kind, CSMC, [a.strip() for a in named], BODIES)
    real = decide.kind_stated
    with mock.patch.object(decide, "kind_stated", lambda unit, peer: kind if peer == CSMC else real(unit, peer)):
        offers = net.cem.run(lambda unit: decide.candidates(unit, case, need))
        assert not (excluded and CSMC in offers)
        try:
            draft = drafted(net.cem, case, CSMC, need)
        except Refused as error:
            named_instead = str(error.params.get("alternatives", "")).split(", ")
            draft = None
        else:
            named_instead = []
        assert not (excluded and CSMC in named_instead)
        if draft is None:
            return
        assert not excluded, "an excluded recipient got a draft"
        if draft.ready:
            confirmed(net.cem, draft)


def decide_affiliations(unit: Any, net: Net, case: str, affiliations: list[str]) -> None:
    from hub.actions import open_case

    open_case.set_field(unit, net.cem.person("ana"), case, "aggressor_affiliation", ", ".join(affiliations))


@given(affiliation=st.sampled_from(sorted(BODIES.affiliations)), kind=st.sampled_from(KINDS))
@settings(max_examples=60, deadline=None)
def test_r61_r62_a_draft_made_before_does_not_help(affiliation: str, kind: str) -> None:
    """The affiliation becomes known after the preview: confirming, and dispatching what was confirmed, both decide again."""
    net = fresh()
    case = opened(net.cem, {"social_name": "Marisol"})
    consented(net.cem, case)
    draft = drafted(net.cem, case)
    excluded = conflict.excluded("mental_health_centre", CSMC, (affiliation,), BODIES)
    net.cem.run(lambda unit: decide_affiliations(unit, net, case.id, [affiliation]))
    if excluded:
        with pytest.raises(Refused) as refused:
            confirmed(net.cem, draft)
        assert code_of(refused) == "conflict_of_interest"
    else:
        confirmed(net.cem, draft)
    net.settle(3)
    assert net.csmc.run(lambda unit: unit.referrals.count()) == (0 if excluded else 1)


def test_competent_alternatives_are_named(net: Net) -> None:
    case = opened(net.cem, {"social_name": "Marisol", "aggressor_affiliation": "health"})
    consented(net.cem, case)
    with pytest.raises(Refused) as refused:
        drafted(net.cem, case)
    assert code_of(refused) == "conflict_of_interest"
    shelter = net.cem.run(lambda unit: decide.candidates(unit, case, "shelter"))
    assert shelter == [HOGAR]


def test_an_expired_manifest_blocks_new_offers_and_nothing_else(net: Net) -> None:
    from hub.actions import withdraw, work

    case, referral = working(net)
    other = opened(net.cem)
    consented(net.cem, other)
    waiting = drafted(net.cem, other)
    net.clock.advance(timedelta(days=366))
    consented(net.cem, other)
    for attempt in (lambda: drafted(net.cem, other), lambda: confirmed(net.cem, waiting)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert code_of(refused) in ("manifest_expired", "nothing_released")
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, "¿Cómo va?"))
    net.settle()
    assert net.csmc.find("¿Cómo va?")
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None))
    net.settle()
    assert held(net.csmc, referral) == {}


def test_a_frozen_link_stops_dispatch_and_says_so(net: Net) -> None:
    from dataclasses import replace

    from hub.actions import staff, withdraw

    case, referral = working(net)
    other = opened(net.cem)
    consented(net.cem, other)
    net.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer=CSMC), frozen="changed_twin")))
    said = net.cem.type("ana", f"!tk derivar {other.code} a csmc-comas por salud mental")
    assert "link_frozen" in said
    assert "link_frozen" in net.cem.type("ana", f"!tk decir {referral.code} hola")
    assert net.cem.run(dispatching.dispatch) == []
    # What she asks for, and what time brings, is written all the same and leaves when the link is open again.
    net.cem.run(lambda unit: staff.set_duty(unit, net.cem.person("ana"), on=False))
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None))
    net.settle()
    assert held(net.csmc, referral) != {}
    net.cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer=CSMC), frozen=None)))
    net.settle()
    assert held(net.csmc, referral) == {}


def test_two_pairs_with_the_same_code_stay_apart(net: Net) -> None:
    """Two senders choose the same code: at the recipient each has a code of its own that can be typed."""
    from hub.cases.codes import ALPHABET, parse_code

    one = opened(net.cem)
    consented(net.cem, one)
    two = opened(net.hogar)
    consented(net.hogar, two)
    code = next(c for c in (f"R-7QK4{x}" for x in ALPHABET) if parse_code(c))
    with mock.patch.object(refer, "_free_code", return_value=code):
        first, second = confirmed(net.cem, drafted(net.cem, one)), confirmed(net.hogar, drafted(net.hogar, two))
    net.settle()
    here = [there(net.csmc, r).code for r in (first, second)]
    assert len(set(here)) == 2
    assert code in here
    assert all(parse_code(c) == c for c in here)
    from hub.actions.common import find_referral

    assert {net.csmc.run(find_referral, c).id for c in here} == {first.id, second.id}


@given(respond_by=st.datetimes(), opened_at=st.datetimes())
@settings(max_examples=40, deadline=None)
def test_an_offer_with_absurd_dates_is_read_near_ours(respond_by: Any, opened_at: Any) -> None:
    from datetime import UTC

    net = fresh()
    case = opened(net.cem)
    consented(net.cem, case)
    real = compose._offer

    def absurd(unit: Any, row: Any, referral: Any) -> Any:
        letter = real(unit, row, referral)
        body = dataclasses.replace(letter.body, respond_by=respond_by.replace(tzinfo=UTC), opened_at=opened_at.replace(tzinfo=UTC))
        return dataclasses.replace(letter, body=body)

    with mock.patch.dict(compose._WRITERS, {"offer": absurd}):
        referral = offered(net, case)
    there_ = there(net.csmc, referral)
    assert there_.opened_at <= there_.respond_by <= net.clock.now() + timedelta(days=3)
    assert there_.opened_at <= net.clock.now()
    net.csmc.ring()
    assert not net.alarms(net.csmc)


def test_the_recipient_knows_nothing_before_it_accepts(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    assert held(net.csmc, referral) == {}
    assert not any(CANARY in s.body for s in net.csmc.said)
    assert CANARY not in str(net.csmc.run(lambda unit: unit.log.all()))


def test_hubs_are_what_this_file_thinks() -> None:
    assert [kind for _, kind in HUBS] == ["emergency_centre", "mental_health_centre", "shelter"]
