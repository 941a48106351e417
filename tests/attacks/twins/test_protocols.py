"""P07, C08: who would widen what is shared: an insider, a peer, a proposer, who writes into the database. All sign, or it does not count."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import answer, hear_protocol, protocols
from hub.actions.handle import handle
from hub.actions.peers import link_id
from hub.actions.ports import Unit
from hub.actions.protocol_state import find_proposal, said_of
from hub.actions.protocols_now import forget
from hub.base.errors import Forged, PeerFault, Refused
from hub.cases.events import Alarm
from hub.exchange import wire
from hub.exchange.records import ProtocolPaper, ProtocolProposal, ProtocolWord
from hub.store import snapshot, tables
from hub.store.repositories import Rows
from hub.store.unit_of_work import check_vouched
from keys import protocolword as pw
from keys.primitives import SigningKey, sha256
from tests.actions.road import Net, consented, offered, opened, raw, taken, there
from tests.governance.agreement import CEM, HOGAR, RED, agree, days, fresh, propose, sign, stage, stages, text_of, version_here

VALUES = {"social_name": "Luz Inventada", "occupation": "costurera inventada"}


@pytest.fixture
def net() -> Net:
    return fresh()


def hears(net: Net, at: str, sender: str, body: wire.Body) -> None:
    """What a peer's hub says, past its own good manners."""
    net[at].run(lambda unit: handle(unit, unit.links.one(peer=sender), body))  # type: ignore[arg-type]


def signer(net: Net, who: str) -> SigningKey:
    return net[who].store.given.hand.signer


def proposal(net: Net, name: str, at: str = CEM) -> tuple[pw.Proposal, bytes, bytes]:
    def run(unit: Unit) -> tuple[pw.Proposal, bytes, bytes]:
        paper = unit.papers.get(name)
        assert paper is not None
        return pw.claimed_proposal(paper.statement), paper.statement, paper.document

    return net[at].run(run)


def word(net: Net, name: str, who: str, kind: str = pw.SIGNATURE, key: SigningKey | None = None, **more: Any) -> wire.ProtocolSays:
    made = pw.Word(institution=who, kind=kind, proposal=name, at=net.clock.now().replace(microsecond=0), **more)
    return wire.ProtocolSays(word=kind, statement=pw.sign_word(made, key or signer(net, who)))


def test_p07_nothing_is_disclosed_under_a_version_that_not_all_have_signed(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    case = opened(net[CEM], VALUES)
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    referral = taken(net, offered(net, case, HOGAR, "shelter"), HOGAR)
    given = net[CEM].run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert [(d.protocol_version, set(d.fields)) for d in given] == [(1, {"social_name"})]


def test_p07_a_row_that_says_signed_does_not_make_it_so(net: Net) -> None:
    """As a defect of ours would: the row says since when all have signed it, and a signature is missing."""
    name = propose(net)
    sign(net, name, RED, CEM)
    net[CEM].run(lambda unit: unit.proposals.put(replace(find_proposal(unit, name), signed_at=unit.now)))
    assert net[CEM].run(version_here, HOGAR) == 1


def test_p07_a_document_that_was_exchanged_under_the_signatures_does_not_count(net: Net) -> None:
    name = agree(net)
    _, statement, _ = proposal(net, name)
    other = ProtocolPaper(id=name, statement=statement, document=text_of(2, "hiv_status: release"))
    net[CEM].run(lambda unit: unit.papers.put(other))
    forget()
    assert net[CEM].run(version_here, HOGAR) != 2


@pytest.mark.parametrize("how", ["by a stranger", "by another party", "as a comment", "other proposal"])
def test_p07_a_signature_is_its_authors_and_for_these_bytes_alone(net: Net, how: str) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    forged = {
        "by a stranger": lambda: word(net, name, HOGAR, key=SigningKey.generate()),
        "by another party": lambda: word(net, name, HOGAR, key=signer(net, RED)),
        "as a comment": lambda: replace(word(net, name, HOGAR, pw.COMMENT, text="Sí."), word=pw.SIGNATURE),
        "other proposal": lambda: word(net, "0" * 64, HOGAR),
    }[how]()
    if how == "other proposal":
        hears(net, CEM, RED, forged)
    else:
        with pytest.raises(PeerFault, match="protocol_unsigned"):
            hears(net, CEM, RED, forged)
    assert stage(net[CEM], name) == "proposed"


def test_p07_a_proposer_cannot_tell_two_parties_two_documents(net: Net) -> None:
    made, _, _ = proposal(net, propose(net))
    other = text_of(2, "hiv_status: release")
    twin = replace(made, document=sha256(other).hex())
    hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(twin, signer(net, CEM)), document=other))
    assert {stage(net[HOGAR], made.id), stage(net[HOGAR], twin.id)} == {"contested"}
    for name in (made.id, twin.id):
        with pytest.raises(Refused, match=r"protocol\.contested"):
            net[HOGAR].run(protocols.sign, "ada", name)
    assert any(isinstance(e, Alarm) and e.code == "protocol_contested" for e in net.events[HOGAR])
    net[HOGAR].run(protocols.refuse, "ada", twin.id, "No es el que leímos.")
    assert stage(net[HOGAR], made.id) == "proposed"
    assert net[CEM].run(lambda unit: unit.links.count(frozen__not=None)) == 0  # people decide, no link is lost for it


def test_p07_a_contested_number_takes_nothing_from_what_all_signed(net: Net) -> None:
    name = agree(net)
    made, _, _ = proposal(net, name)
    other = text_of(2, "weapons: withhold")
    twin = replace(made, document=sha256(other).hex())
    hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(twin, signer(net, CEM)), document=other))
    assert (stage(net[HOGAR], name), stage(net[HOGAR], twin.id)) == ("active", "lapsed")


@pytest.mark.parametrize("how", ["document", "statement", "unsigned", "by another"])
def test_p07_what_is_altered_on_the_way_is_not_kept(net: Net, how: str) -> None:
    net.spoil = lambda parcel: []
    name = propose(net)
    made, statement, document = proposal(net, name)
    body = {
        "document": wire.ProposeProtocol(statement=statement, document=document + b"#"),
        "statement": wire.ProposeProtocol(statement=statement.replace(b"A", b"B", 1), document=document),
        "unsigned": wire.ProposeProtocol(statement=pw.sign_proposal(made, SigningKey.generate()), document=document),
        "by another": wire.ProposeProtocol(statement=pw.sign_proposal(made, signer(net, RED)), document=document),
    }[how]
    with pytest.raises(PeerFault):
        hears(net, HOGAR, RED, body)
    assert net[HOGAR].run(lambda unit: unit.proposals.count()) == 0


def test_p07_who_is_no_party_injects_nothing_and_learns_nothing(net: Net) -> None:
    name = propose(net, parties=(CEM, RED))
    _, statement, document = proposal(net, name)
    with pytest.raises(PeerFault, match="protocol_not_party"):
        hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=statement, document=document))
    with pytest.raises(PeerFault, match="protocol_not_party"):
        hears(net, CEM, HOGAR, word(net, name, RED))
    with pytest.raises(PeerFault, match="protocol_not_party"):
        hears(net, CEM, RED, word(net, name, HOGAR))
    hears(net, CEM, HOGAR, wire.AskProtocol(proposal=name, known=()))
    hears(net, CEM, HOGAR, wire.AskProtocol(proposal="", known=()))
    link = link_id(CEM, HOGAR)
    told = net[CEM].run(lambda unit: unit.outbox.count(link=link, kind__in=("protocol.propose", "protocol.word")))
    assert told == 0


def test_p07_an_old_proposal_said_again_changes_nothing(net: Net) -> None:
    first = agree(net)
    _, statement, document = proposal(net, first)
    second = agree(net, text_of(3, "occupation: presence"))
    before = net[HOGAR].run(lambda unit: unit.proposals.all())
    hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=statement, document=document))
    assert net[HOGAR].run(lambda unit: unit.proposals.all()) == before
    assert (stages(net, first), stages(net, second)) == ({"superseded"}, {"active"})


def test_p07_a_number_below_a_signed_one_is_never_taken_up(net: Net) -> None:
    name = agree(net, text_of(4))
    made, _, _ = proposal(net, name)
    other = text_of(3, "hiv_status: release")
    old = replace(made, version=3, document=sha256(other).hex())
    hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(old, signer(net, CEM)), document=other))
    assert stage(net[HOGAR], old.id) == "lapsed"
    with pytest.raises(Refused, match=r"protocol\.not_open"):
        net[HOGAR].run(protocols.sign, "ada", old.id)


def test_p07_another_vocabulary_or_kind_is_refused_in_our_name_with_the_reason(net: Net) -> None:
    made, _, document = proposal(net, propose(net))
    for other in (replace(made, vocabulary="0" * 64, version=5), replace(made, version=6), replace(made, version=7, seat=HOGAR)):
        text = document.replace(b"version: 2", f"version: {other.version if other.version != 6 else 9}".encode())
        sent = replace(other, document=sha256(text).hex())
        hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(sent, signer(net, CEM)), document=text))
        assert stage(net[HOGAR], sent.id) == "refused"


def test_p07_without_the_community_seat_nothing_is_proposed(net: Net) -> None:
    for seat in ("", HOGAR, "nadie"):
        with pytest.raises(Refused, match=r"protocol\.(no_seat|party_unknown)"):
            propose(net, seat=seat, parties=(CEM, HOGAR, *((seat,) if seat == "nadie" else ())))


def test_p07_a_signature_that_names_comments_nobody_knows_counts_nowhere(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    for at in (CEM, RED):
        hears(net, at, HOGAR, word(net, name, HOGAR, heard=("ab" * 32,)))
    assert {stage(net[at], name) for at in (CEM, RED)} == {"proposed"}


def test_p07_a_comment_after_the_seats_signature_enters_nowhere_and_blocks_nobody(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED)
    for at in (CEM, RED):
        hears(net, at, HOGAR, word(net, name, HOGAR, pw.COMMENT, text="Esperen."))
    assert [net[at].run(lambda unit: len(said_of(unit, name).comments)) for at in (CEM, RED)] == [0, 0]
    sign(net, name, CEM, HOGAR)
    assert stages(net, name) == {"active"}


def test_p07_a_comment_that_came_before_the_seats_signature_which_does_not_name_it_blocks_nobody(net: Net) -> None:
    """Whichever of the two comes first: hubs that know the same say the same."""
    name = propose(net)
    hears(net, CEM, HOGAR, word(net, name, HOGAR, pw.COMMENT, text="Esperen."))
    hears(net, CEM, RED, word(net, name, RED))
    assert net[CEM].run(protocols.may_sign, find_proposal_row(net, name)).id == name


def test_p07_a_signature_keeps_the_comments_that_it_names_even_if_the_seat_did_not_know_them(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED)
    late = word(net, name, HOGAR, pw.COMMENT, text="Firmamos si es con su permiso.")
    heard = pw.claimed_word(pw.COMMENT, late.statement).id
    hears(net, CEM, HOGAR, word(net, name, HOGAR, heard=(heard,)))
    assert HOGAR not in net[CEM].run(lambda unit: said_of(unit, name).signed)
    hears(net, CEM, HOGAR, late)
    net[CEM].run(protocols.answer, "ada", name, 1, "Así es.")
    assert HOGAR in net[CEM].run(lambda unit: said_of(unit, name).signed)


def find_proposal_row(net: Net, name: str) -> ProtocolProposal:
    """As the proposer's hub has it."""
    return net[CEM].run(lambda unit: find_proposal(unit, name))


def test_p07_a_party_does_not_flood_the_administrators(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hear_protocol, "MOST_OPEN", 4)
    made, _, _ = proposal(net, propose(net))

    def another(number: int) -> None:
        text = text_of(number)
        sent = replace(made, version=number, document=sha256(text).hex())
        hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(sent, signer(net, CEM)), document=text))

    for number in (3, 4, 5):
        another(number)
    with pytest.raises(PeerFault, match="protocol_too_many"):
        another(6)


def test_p07_a_peer_that_asks_without_end_is_not_answered_without_end(net: Net) -> None:
    propose(net)
    for _ in range(60):
        hears(net, CEM, RED, wire.AskProtocol(proposal="", known=()))
        net[CEM].run(_leaves)
    assert net[CEM].run(lambda unit: unit.outbox.count(kind="protocol.propose", state="cancelled")) <= hear_protocol.MOST_ASKED


def _leaves(unit: Unit) -> None:
    for row in unit.outbox.all(state="ready", kind="protocol.propose"):
        unit.outbox.put(replace(row, state="cancelled"))


def _behind(net: Net) -> str:
    """All have signed, and the shelter lacks one signature: the emergency centre is ahead of it."""
    name = propose(net)
    sign(net, name, RED, HOGAR)
    net.spoil = lambda parcel: [] if HOGAR in parcel.room else [parcel]
    net[CEM].run(protocols.sign, "ada", name)
    net.settle(3)
    return name


def test_p07_a_hub_that_lacks_a_signature_keeps_nothing_of_an_offer_and_both_read_why(net: Net) -> None:
    _behind(net)
    body = wire.Offer(
        referral="ref_" + "1" * 24, code="R-2M8PA", need="shelter", purpose="shelter_protection", protocol="shelter", version=2, urgency="urgent",
        territory="", languages=(), accessibility=(), opened_at=net.clock.now(), respond_by=net.clock.now() + timedelta(hours=1), key=b"k" * 32,
    )  # fmt: skip
    with pytest.raises(PeerFault, match="version_ahead"):
        hears(net, HOGAR, CEM, body)
    with pytest.raises(PeerFault, match="version_ahead"):
        hears(net, HOGAR, CEM, replace(body, version=3))
    assert net[HOGAR].run(lambda unit: unit.referrals.count()) == 0


def test_p07_a_disclosure_under_a_version_that_does_not_count_here_is_not_kept(net: Net) -> None:
    case = opened(net[CEM], VALUES)
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    referral = offered(net, case, HOGAR, "shelter")
    name = propose(net)
    sign(net, name, RED, HOGAR)
    net[CEM].run(protocols.sign, "ada", name)
    net[CEM].run(_forgets_its_words)
    net[RED].run(_link_is, CEM, {"frozen": "people"})  # nor does the other road bring it
    taken(net, referral, HOGAR)
    held = net[HOGAR].run(lambda unit: unit.held.all(referral=referral.id))
    assert (version_in(net, CEM), version_in(net, HOGAR)) == (2, 2), "it asked for what it lacked, and was told"
    assert held == []
    assert "NO guardó lo que se le entregó" in net[CEM].find("NO guardó").body
    assert "no rige aquí" in net[HOGAR].find("version_ahead").body
    net.clock.advance(timedelta(minutes=16))
    net.settle()
    assert {row.field for row in net[HOGAR].run(lambda unit: unit.held.all(referral=referral.id))} == {"social_name", "occupation"}
    assert there(net[HOGAR], referral).state == "accepted"


def _forgets_its_words(unit: Unit) -> None:
    for row in unit.outbox.all(state="ready", kind="protocol.word"):
        unit.outbox.delete(row.id)


def _link_is(unit: Unit, peer: str, changes: dict[str, Any]) -> None:
    link = unit.links.one(peer=peer)
    assert link is not None
    unit.links.put(replace(link, **changes))


def version_in(net: Net, hub: str) -> int:
    return net[hub].run(version_here, HOGAR if hub == CEM else CEM)


def test_p07_what_waited_on_the_road_is_held_only_as_both_versions_allow(net: Net) -> None:
    """Sent under version 1, which lets the name through; it arrives when version 2, which does not, counts here."""
    case = opened(net[CEM], VALUES | {"medication": "inventada"})
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=(*VALUES, "medication"))
    referral = offered(net, case, HOGAR, "shelter")
    name = propose(net, text_of(2, "medication: withhold"), starts=1)
    sign(net, name, RED, CEM, HOGAR)
    late: list[Any] = []
    net[HOGAR].run(lambda unit: protocols_accept(unit, referral.id))
    net.settle(1)
    net.spoil = lambda parcel: late.append(parcel) or []  # type: ignore[func-returns-value]
    net.settle(1)
    net.spoil = lambda parcel: [parcel]
    net.clock.advance(timedelta(days=1))
    net.settle()
    (disclosure,) = net[HOGAR].run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert disclosure.protocol_version == 1
    assert late
    assert set(disclosure.fields) == {"social_name"}


def protocols_accept(unit: Unit, referral: str) -> None:
    answer.accept(unit, f"@ana:{HOGAR}.example", referral)


def test_p07_nobody_lives_on_an_old_version(net: Net) -> None:
    agree(net)
    days(net, 20)
    body = wire.Offer(
        referral="ref_" + "1" * 24, code="R-2M8PA", need="shelter", purpose="shelter_protection", protocol="shelter", version=1, urgency="urgent",
        territory="", languages=(), accessibility=(), opened_at=net.clock.now(), respond_by=net.clock.now() + timedelta(hours=1), key=b"k" * 32,
    )  # fmt: skip
    with pytest.raises(PeerFault, match="version_over"):
        hears(net, HOGAR, CEM, body)


def test_p07_after_a_restore_what_was_signed_comes_back_before_anything_is_signed_anew(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED)
    kept = net._copy(net[HOGAR].store._database)
    sign(net, name, HOGAR, CEM)
    kept.backup(raw(net[HOGAR].store._database))  # the shelter lost its machine: its copy has not signed
    assert HOGAR not in net[HOGAR].run(lambda unit: said_of(unit, name).signed)
    net[HOGAR].run(_link_is, CEM, {"asking": 1})
    with pytest.raises(Refused, match="restore_unanswered"):
        net[HOGAR].run(protocols.sign, "ada", name)
    _, statement, document = proposal(net, name)
    for each in [wire.ProposeProtocol(statement=statement, document=document), *(
        wire.ProtocolSays(word=w.kind, statement=w.data) for w in net[CEM].run(lambda unit: unit.protocol_words.all())
    )]:  # fmt: skip
        hears(net, HOGAR, CEM, each)
    assert stage(net[HOGAR], name) == "active"


def test_p07_a_peer_that_came_back_from_a_copy_is_told_everything_again(net: Net) -> None:
    name = agree(net)
    words = net[CEM].run(lambda unit: unit.protocol_words.count(proposal=name))
    restored = wire.Restored(restore="rst_" + "1" * 24, made=net.clock.now(), epoch=1, heard=1, upto=0, part=1, parts=1, known={})
    hears(net, CEM, HOGAR, restored)
    told = net[CEM].run(lambda unit: [row.kind for row in unit.outbox.all(state="ready", kind__in=("protocol.propose", "protocol.word"))])
    assert sorted(told) == ["protocol.propose", *["protocol.word"] * words]
    assert {"protocol_papers", "protocol_proposals", "protocol_words", "voice_codes"} <= set(snapshot.tables())


CHANGES = {
    "stage": "UPDATE protocol_proposals SET signed_at = 1",
    "parties": "UPDATE protocol_proposals SET parties = '[\"cem-lima\"]'",
    "date": "UPDATE protocol_proposals SET starts = '2020-01-01'",
    "document": "UPDATE protocol_papers SET document = x'00'",
    "word": "UPDATE protocol_words SET kind = 'signature' WHERE kind = 'comment'",
    "code": "UPDATE voice_codes SET proposal = 'x'",
}


@pytest.mark.parametrize("change", CHANGES)
def test_c08_a_protocols_row_that_somebody_else_wrote_is_never_used(net: Net, change: str) -> None:
    name = propose(net)
    net[RED].run(protocols.comment, "ada", name, "Un comentario.")
    net[RED].run(protocols.hand_out, "ada", name, 1)
    net.settle(2)
    driver: sqlite3.Connection = raw(net[RED].store._database)
    assert driver.execute(CHANGES[change]).rowcount
    driver.commit()
    with pytest.raises(Forged, match=r"database\.row_forged"):
        net[RED].store.run_now(check_vouched)


def test_c08_a_signature_that_was_made_in_the_database_counts_for_nothing(net: Net) -> None:
    name = propose(net)
    sign(net, name, RED, CEM)
    made = word(net, name, HOGAR, key=SigningKey.generate())

    def plant(unit: Any) -> None:  # without the hub's seal
        row = ProtocolWord(id="1" * 64, proposal=name, institution=HOGAR, kind=pw.SIGNATURE, data=made.statement, at=unit.now)
        Rows(unit.connection, tables.PROTOCOL_WORDS).add(row)

    net[CEM].store.run_now(plant)
    with pytest.raises(Forged):
        net[CEM].run(lambda unit: said_of(unit, name))

