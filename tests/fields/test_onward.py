"""Passing on (R71): by the owner's grant alone, only as far as it reaches, and back again when she takes it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import answer, onward_holder, onward_owner, open_case, receipts, withdraw, work
from hub.base.errors import Refused
from hub.cases.records import Case, LegalHold, Onward, Referral
from hub.testing.twin import START
from keys.grant import verify_grant
from keys.primitives import SigningKey
from policies import packs
from policies.decision import Outcome
from policies.preview import Disclosed, Passage, passed_on
from tests.actions import road
from tests.actions.road import CEM, CSMC, HOGAR, Net, code_of, everything, held
from tests.fields.road import begun, fresh, give, pack, pick, thread, typed

LAND = packs.load("pe").vocabulary.country
ASKED = ("social_name", "phone", "safe_contact", "medication")


def wished(net: Net, referral: Referral, fields: tuple[str, ...] = ASKED, third: str = HOGAR, need: str = "shelter") -> Onward:
    """The holder asks the owner."""
    who = net.csmc.person("ana")
    made: Onward = net.csmc.run(lambda unit: onward_holder.ask_onward(unit, who, referral.id, third, need, fields, "tiene que salir hoy"))
    net.settle()
    return made


def row(twin: Any, onward: Onward) -> Onward:
    found: Onward = twin.run(lambda unit: unit.onwards.get(onward.id))
    return found


def granted(net: Net, referral: Referral, fields: tuple[str, ...] = ASKED) -> tuple[Onward, Referral]:
    """Granted, offered to the third and not yet accepted there: the child as the holder knows it."""
    onward = wished(net, referral, fields)
    net.cem.run(lambda unit: onward_owner.answer_onward(unit, net.cem.person("ana"), onward.id, "grant"))
    net.settle()
    onward = row(net.csmc, onward)
    assert onward.child is not None
    return onward, net.csmc.run(lambda unit: unit.referrals.get(onward.child))


def passed(net: Net) -> tuple[Case, Referral, Onward, Referral]:
    """Everything went."""
    case, referral = begun(net)
    onward, child = granted(net, referral)
    road.taken(net, child, HOGAR)
    net.settle(12)
    assert set(held(net.hogar, child)) == set(ASKED)
    return case, referral, row(net.csmc, onward), child


def test_the_third_knows_whose_they_are_and_the_owner_who_has_them(net: Net) -> None:
    case, _, onward, child = passed(net)
    (disclosure,) = net.hogar.run(lambda unit: unit.disclosures.all(referral=child.id))
    assert (disclosure.owner, net.hogar.refused) == (CEM, [])
    grant = verify_grant(disclosure.grant, CEM, [net.cem.store.given.hand.signer.public])
    assert (grant.holder, grant.third, set(grant.fields)) == (CSMC, HOGAR, set(ASKED))
    assert disclosure.until <= grant.until
    at_owner = row(net.cem, onward)
    assert (at_owner.state, at_owner.disclosures, at_owner.child) == ("passed", (disclosure.id,), child.id)
    net.cem.post()
    shown = typed(net.cem, "quién sabe", thread(net.cem, f"{case.code} · "))
    assert "Hogar Luz (por medio de Csmc Comas, con su permiso) · lo tiene" in shown
    assert "Estos datos son de Cem Lima" in net.hogar.find("derivación de Csmc Comas").body


@pytest.mark.parametrize("how", ["whole", "third", "field", "consent_ends", "holder_ends", "conflict"])
def test_what_is_taken_back_is_destroyed_on_both_sides_and_signed_for(net: Net, how: str) -> None:
    case, referral, onward, child = passed(net)
    who = net.cem.person("ana")
    if how == "holder_ends":
        net.csmc.run(lambda unit: work.give_back(unit, net.csmc.person("ana"), referral.id, "moved_away"))
    elif how == "conflict":
        net.cem.run(lambda unit: open_case.set_field(unit, who, case.id, "aggressor_affiliation", "shelter"))
    elif how == "consent_ends":
        net.clock.advance(timedelta(days=91))
        for twin in net.twins.values():
            twin.ring()
    else:
        recipient, fields = {"whole": (None, ()), "third": (HOGAR, ()), "field": (CSMC, ("phone",))}[how]
        net.cem.run(lambda unit: withdraw.withdraw(unit, who, case.id, recipient, fields))
    net.settle(16)
    assert held(net.hogar, child) == {}
    assert b"900000123" not in everything(net.hogar)
    (disclosure,) = net.hogar.run(lambda unit: unit.disclosures.all(referral=child.id))
    assert disclosure.state == "destroyed"
    assert (row(net.cem, onward).state, bool(row(net.cem, onward).receipt)) == ("ended", True), "by the third's own signed word"
    assert ("phone" in held(net.csmc, referral)) is (how in ("third", "conflict"))
    net.cem.post()
    assert "Hogar Luz ya no tiene lo que le pasó Csmc Comas" in net.cem.find("ya no tiene").body


def test_a_receipt_of_somebody_else_ends_nothing(net: Net) -> None:
    _, referral, onward, child = passed(net)
    forged = net.csmc.run(lambda unit: receipts.make_receipt(unit, unit.referrals.get(child.id), list(onward.disclosures)))
    net.csmc.run(
        lambda unit: onward_holder.intend(unit, CEM, "onward.ended", referral=referral.id, onward=onward.id, receipt=forged.hex())
    )  # fmt: skip
    net.settle()
    assert row(net.cem, onward).state == "passed"


@pytest.mark.parametrize("what", ["another disclosure", "another referral", "kept by law"])
def test_the_thirds_own_word_about_something_else_ends_nothing(net: Net, what: str) -> None:
    """A genuine signature under it: the holder shows a receipt that is of another matter."""
    _, referral, onward, child = passed(net)
    there = net.hogar.run(lambda unit: unit.referrals.get(child.id))
    names = list(onward.disclosures) if what != "another disclosure" else ["dsc_" + "1" * 24]
    of = replace(there, id="ref_" + "1" * 24) if what == "another referral" else there
    hold = LegalHold(id=there.id, basis="court_order", until=net.clock.now() + timedelta(days=30), by="x", at=net.clock.now())
    told = net.hogar.run(lambda unit: receipts.make_receipt(unit, of, names, hold if what == "kept by law" else None))
    net.csmc.run(
        lambda unit: onward_holder.intend(unit, CEM, "onward.ended", referral=referral.id, onward=onward.id, receipt=told.hex())
    )  # fmt: skip
    net.settle()
    assert (row(net.cem, onward).state, row(net.cem, onward).disclosures) == ("passed", onward.disclosures)


@pytest.mark.parametrize("case", ["protocol", "consent", "unknown", "not_consented_field"])
def test_the_owners_hub_says_no_by_itself_and_tells_no_fact(case: str) -> None:
    net = fresh()
    _, referral = begun(net, shelter=case not in ("consent",))
    code, kept = "onward_protocol", {"protocol": "onward_forbidden", "consent": "onward_consent", "unknown": "onward_unknown"}.get(case, "")
    if case == "protocol":
        give(net.cem, pack(onward=False))
    if case == "unknown":
        peer = net.cem.run(lambda unit: unit.peers.get(HOGAR))
        net.cem.run(lambda unit: unit.peers.put(replace(peer, state="known")))
    fields = ("district",) if case == "not_consented_field" else ASKED
    if case == "not_consented_field":  # held in full, and the shelter's protocol shows its province: nothing is refused
        code = ""
    onward = wished(net, referral, fields)
    found_row = row(net.csmc, onward)
    assert found_row.reason == code
    assert (found_row.state, net.hogar.run(lambda unit: unit.referrals.count())) == ("refused" if code else "asked", 0)
    assert row(net.cem, onward).reason == kept, "at home the reason is known"


@pytest.mark.parametrize("said", ["no", "grant"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_r62_a_conflict_of_interest_is_answered_by_a_person_like_any_other_wish(net: Net, when: str, said: str) -> None:
    """By the hub, at once, it would be told apart from an institution of the same kind where nobody of his works."""
    case, referral = begun(net)
    onward = wished(net, referral) if when == "meanwhile" else None
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", "shelter"))
    net.settle()
    onward = onward or wished(net, referral)
    assert (row(net.cem, onward).state, row(net.csmc, onward).state) == ("asked", "asked")
    net.cem.post()
    asked = net.cem.find("pide permiso").body
    assert ("dar permiso" in asked) is (when == "meanwhile")
    if when == "before":
        assert "queda fuera" in asked
        if said == "no":
            typed(net.cem, pick(asked, "no: ahora no es seguro"), thread(net.cem, f"{case.code} · "))
            assert row(net.cem, onward).reason == "not_safe"
            return
    net.cem.run(lambda unit: onward_owner.answer_onward(unit, net.cem.person("ana"), onward.id, "refused" if said == "no" else "grant"))
    net.settle()
    assert (row(net.csmc, onward).state, row(net.csmc, onward).reason) == ("refused", "refused"), "a person's word, whatever she typed"
    assert net.hogar.run(lambda unit: unit.referrals.count()) == 0
    net.csmc.post()
    assert "agres" not in net.csmc.find("no se puede pasar").body


def test_the_holder_need_not_ask_what_its_own_protocol_forbids(net: Net) -> None:
    _, referral = begun(net)
    give(net.csmc, pack(onward=False))
    with pytest.raises(Refused) as refused:
        wished(net, referral)
    assert code_of(refused) == "onward_forbidden"


@pytest.mark.parametrize("what", ["late", "ended_parent", "no_protocol", "forged", "changed"])
def test_the_grant_is_looked_at_again_at_dispatch(net: Net, what: str) -> None:
    _, referral = begun(net)
    onward, child = granted(net, referral)
    mine = row(net.csmc, onward)
    if what == "late":
        net.clock.advance(timedelta(days=8))
        for twin in net.twins.values():
            twin.ring()
    if what == "ended_parent":
        net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "needs_met"))
    if what == "no_protocol":
        give(net.csmc, pack().cut_to({"mental-health"}))
    if what in ("forged", "changed"):
        wrong = {"forged": replace(mine, grant=b"{}"), "changed": replace(mine, third=CEM)}[what]
        net.csmc.run(lambda unit: unit.onwards.put(wrong))
    net.hogar.run(lambda unit: answer.accept(unit, net.hogar.person("ana"), child.id))
    net.settle(12)
    assert held(net.hogar, child) == {}
    assert net.csmc.run(lambda unit: unit.disclosures.count(referral=child.id)) == 0


def test_the_third_takes_nothing_that_the_owner_did_not_sign(net: Net) -> None:
    """A holder that sends more than was granted: what goes beyond it is dropped before storage."""
    _, referral = begun(net)
    _, child = granted(net, referral, ("social_name",))
    full = {"phone": Passage(outcome=Outcome.RELEASE), "social_name": Passage(outcome=Outcome.RELEASE)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onward_holder, "passed_on", lambda granted, held, *given: passed_on(full, held, *given))
        net.mute.add(CEM)
        road.taken(net, child, HOGAR)
        net.settle(12)
        assert set(held(net.hogar, child)) == {"social_name"}
        net.mute.clear()
    net.settle(16)
    assert held(net.hogar, child) == {}, "and the owner, who hears that more went than it granted, calls all of it back"


def test_a_grant_signed_by_the_holder_is_none(net: Net) -> None:
    _, referral = begun(net)
    _, child = granted(net, referral)
    other = SigningKey.generate()
    peer_keys = onward_holder.keys_now
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onward_holder, "keys_now", lambda unit, owner: (*peer_keys(unit, owner), other.public))
        forged = net.csmc.run(lambda unit: _resigned(unit, child, other))
        net.csmc.run(lambda unit: unit.onwards.put(replace(unit.onwards.get(str(child.offer["onward"])), grant=forged)))
        road.taken(net, child, HOGAR)
        net.settle(12)
    assert held(net.hogar, child) == {}


def _resigned(unit: Any, child: Referral, key: SigningKey) -> bytes:
    from keys.grant import sign_grant

    onward = unit.onwards.get(str(child.offer["onward"]))
    grant = verify_grant(onward.grant, CEM, onward_holder.keys_now(unit, CEM))
    return sign_grant(grant, key)


def test_passed_on_data_go_no_further(net: Net) -> None:
    _, _, _, child = passed(net)
    with pytest.raises(Refused) as refused:
        net.hogar.run(lambda unit: onward_holder.ask_onward(unit, net.hogar.person("ana"), child.id, CEM, "violence_support", ("phone",), "x"))
    assert code_of(refused) == "not_ours_to_pass"


def test_without_a_grant_no_word_of_the_room_lets_a_held_value_out(net: Net) -> None:
    """Every verb a caseworker of the holder may type about what she holds, each aimed at the third institution: nothing arrives there."""
    _, referral = begun(net)
    card = thread(net.csmc, f"{referral.code} · derivación")
    for words in (
        "ver", f"derivar {referral.code} a hogar-luz por refugio", "derivar a hogar-luz por refugio", f"consentimiento {referral.code}",
        "quién sabe", f"quién sabe {referral.code} para ella", f"ver {referral.code} teléfono para hogar-luz", "avance en curso",
        "compartir a hogar-luz por refugio: teléfono porque urge", "compartir a hogar-luz", "decir a hogar-luz: su teléfono",
    ):  # fmt: skip
        typed(net.csmc, words, card)
        net.settle(3)
    assert b"900000123" not in everything(net.hogar)
    assert net.hogar.run(lambda unit: unit.referrals.count()) == 0
    assert net.csmc.run(lambda unit: unit.outbox.count(kind="disclose")) == 0


def test_no_is_one_number_and_says_why(net: Net) -> None:
    _, referral = begun(net)
    wished(net, referral)
    net.cem.post()
    case = net.cem.run(lambda unit: unit.cases.all())[0]
    typed(net.cem, pick(net.cem.find("pide permiso").body, "no: ella no quiere"), thread(net.cem, f"{case.code} · "))
    net.settle()
    assert "no se puede pasar a Hogar Luz: ella no quiere" in net.csmc.find("no se puede pasar").body


RELEASE, PRESENCE = Passage(outcome=Outcome.RELEASE), Passage(outcome=Outcome.PRESENCE)
PROVINCE, REGION = (Passage(outcome=Outcome.GENERALISE, generalisation=how) for how in ("province", "region"))


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (RELEASE, RELEASE, RELEASE), (RELEASE, PROVINCE, PROVINCE), (PROVINCE, PROVINCE, PROVINCE), (PROVINCE, REGION, PRESENCE),
        (PRESENCE, RELEASE, PRESENCE),
    ],
)  # fmt: skip
def test_two_passages_never_show_more_than_either(a: Passage, b: Passage, both: Passage) -> None:
    assert a.within(b) == b.within(a) == both


@pytest.mark.parametrize("text", ["release", "presence", "generalise:province"])
def test_a_passage_reads_back(text: str) -> None:
    passage = Passage.of(text)
    assert passage is not None
    assert passage.text == text


@pytest.mark.parametrize("text", ["", "withhold", "generalise", "generalise:nada", "release:province", "todo"])
def test_what_is_no_permission_is_none(text: str) -> None:
    assert Passage.of(text) is None


def test_what_is_held_in_part_goes_on_in_part_or_as_presence() -> None:
    part = {"district": Disclosed(outcome=Outcome.GENERALISE, value="Lima")}
    today = START.date()
    assert passed_on({"district": RELEASE}, part, today, LAND) == part
    assert passed_on({"district": PROVINCE}, part, today, LAND)["district"].value is None
