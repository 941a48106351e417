"""P04, P13, P14, X12: consent that ends on the way, time that passes while nobody runs, peers that say nothing."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from hub.actions.dispatch import dispatch, mark_sent
from hub.actions.erase import shred
from hub.actions.ring import ring_due
from hub.app.posts import claim, mark
from keys.errors import KeyDestroyed
from keys.primitives import OpeningKey
from tests.attacks.twins.bench import CEM, SECOND, Road, alarms, link, parcels

NAMES = ("Luz Inventada", "insomnio inventado")


def accepted_but_not_dispatched(road: Road) -> None:
    """Bea accepted and Ana's hub knows it: the intent to disclose waits in the outbox, and nothing of it has left."""
    road.offer()
    road.csmc.type("bea", f"!tk aceptar {road.referral}")
    road.net.clock.advance(SECOND)
    road.net.deliver(road.csmc)
    assert road.cem.run(lambda unit: unit.outbox.count(kind="disclose", state="ready")) == 1


def nothing_left(road: Road) -> None:
    """No disclosure on either side, none in the ledger, and the intent is dead."""
    road.net.settle()
    assert road.holds() == 0
    assert road.cem.run(lambda unit: unit.disclosures.count()) == 0
    assert road.cem.run(lambda unit: [row.state for row in unit.outbox.all(kind="disclose")]) == ["cancelled"]
    assert road.cem.run(lambda unit: sum(b"disclose" in row.entry for row in unit.ledger.all())) == 0
    assert not [said for said in road.csmc.said for name in NAMES if name in said.body]


def test_p04_the_control_discloses() -> None:
    road = Road()
    accepted_but_not_dispatched(road)
    road.net.settle()
    assert road.holds() == 1
    assert road.cem.run(lambda unit: sum(b"disclose" in row.entry for row in unit.ledger.all())) == 1


def test_p04_withdrawn_while_the_message_waits() -> None:
    """She takes it back between the intent and its dispatch."""
    road = Road()
    accepted_but_not_dispatched(road)
    assert "retirado" in road.withdraw()
    nothing_left(road)


def test_p04_consent_alone_ends_while_the_message_waits() -> None:
    """The referral goes on, only the consent is gone: dispatch asks the consent itself, not the state of the referral."""
    road = Road()
    accepted_but_not_dispatched(road)

    def end(unit: Any) -> None:
        from dataclasses import replace

        for consent in unit.consents.all():
            unit.consents.put(replace(consent, withdrawn_at=unit.now))

    road.cem.run(end)
    nothing_left(road)


def test_p04_consent_runs_out_while_the_message_waits() -> None:
    road = Road()
    accepted_but_not_dispatched(road)
    road.net.clock.advance(timedelta(days=120))
    nothing_left(road)


def keys_of_disclosures(road: Road) -> list[bool]:
    return road.csmc.run(lambda unit: [unit.vault.exists(row.id) for row in unit.disclosures.all()])


def test_p13_retention_passes_while_the_hub_is_down() -> None:
    """Nobody is asked and nobody is there: at the next start the key dies, the owner gets a signed receipt, the card shows nobody."""
    road = Road()
    road.disclosed()
    assert keys_of_disclosures(road) == [True]
    (row,) = road.csmc.run(lambda unit: unit.held.all(field="mental_health_summary"))
    road.net.clock.advance(timedelta(days=120))
    road.csmc.run(ring_due)
    assert keys_of_disclosures(road) == [False]
    assert road.csmc.run(lambda unit: unit.held.count()) == 0
    with pytest.raises(KeyDestroyed):
        road.csmc.run(lambda unit: unit.vault.open(row.disclosure, f"held_values|{row.referral}|{row.field}", row.sealed))
    road.net.settle()
    (disclosure,) = road.cem.run(lambda unit: unit.disclosures.all())
    assert disclosure.state == "destroyed"
    assert disclosure.receipt
    assert not [said for said in road.csmc.said for name in NAMES if name in said.body], "a message still shows her"


def test_p14_a_silent_peer_is_overdue_on_the_senders_list() -> None:
    """It was asked to destroy and says nothing: after a day that is visible, and the supervisor is rung. Nobody claims it was destroyed."""
    road = Road()
    road.disclosed()
    road.net.spoil = lambda parcel: [] if parcel.room == link(road.csmc, CEM).room else [parcel]
    road.withdraw()
    road.net.settle()
    road.cem.ring()
    assert "overdue" not in states(road)
    road.net.clock.advance(timedelta(days=1, seconds=1))
    road.cem.ring()
    assert states(road) == ["overdue"]
    line = road.cem.find("NO ha confirmado")
    assert road.cem.person("sofia") in line.ring
    known = road.cem.type("ana", f"!tk quién sabe {road.code}")
    assert "confirmado con firma" not in known.lower().replace("no confirmado con firma", "")
    road.net.spoil = lambda parcel: [parcel]
    road.net.clock.advance(timedelta(minutes=31))
    road.net.settle()
    assert states(road) == ["destroyed"], "late is better than never"


def states(road: Road) -> list[str]:
    return road.cem.run(lambda unit: [row.state for row in unit.disclosures.all()])


def test_x12_withheld_acks_are_retried_with_patience_and_never_double() -> None:
    """A homeserver keeps every acknowledgement: the message goes again at growing intervals, has one effect, and is never believed done."""
    road = Road()
    road.disclosed()
    road.cem.type("ana", f"!tk decir {road.referral} hola")
    sent: list[float] = []
    began = road.net.clock.now()
    for _ in range(60 * 60):
        for parcel in road.cem.run(dispatch):
            if parcel.rows:
                sent.append((road.net.clock.now() - began).total_seconds())
            road.net.hand(road.cem, parcel)
            road.cem.run(mark_sent, parcel)
        road.csmc.run(dispatch)  # its acknowledgements are put, and kept by the homeserver
        road.net.clock.advance(SECOND)
        if len(sent) == 5:
            break
    pauses = [round(b - a) for a, b in itertools.pairwise(sent)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= 10
    assert pauses[-1] >= 300, pauses
    road.csmc.post()
    assert len([said for said in road.csmc.said if "> hola" in said.body]) == 1
    assert road.cem.run(lambda unit: unit.outbox.count(state="dispatched")) == 1


def test_x12_a_peer_that_never_acknowledges_is_an_alarm_after_fifteen_minutes() -> None:
    road = Road()
    road.disclosed()
    road.net.spoil = lambda parcel: []
    road.cem.type("ana", f"!tk decir {road.referral} hola")
    road.net.settle()
    road.net.clock.advance(timedelta(minutes=14))
    road.cem.ring()
    assert "peer_silent" not in alarms(road.cem)
    road.net.clock.advance(timedelta(minutes=1, seconds=30))
    road.cem.ring()
    assert alarms(road.cem).count("peer_silent") == 1
    road.net.clock.advance(timedelta(minutes=20))
    road.cem.ring()
    assert alarms(road.cem).count("peer_silent") == 1, "said once, not every quarter of an hour"


def test_x12_acks_in_time_are_no_alarm() -> None:
    road = Road()
    road.disclosed()
    road.net.clock.advance(timedelta(hours=1))
    for twin in road.net.twins.values():
        twin.ring()
    assert "peer_silent" not in alarms(road.cem) + alarms(road.csmc)


def test_d02_a_post_condemned_between_its_sending_and_its_mark_is_redacted_all_the_same() -> None:
    """The process dies when the homeserver has the message and we do not know its id yet; before it is sent again she withdraws.

    The message must be redacted, and what stands behind it in the room must not wait for ever.
    """
    road = Road()
    road.disclosed()
    road.csmc.type("bea", f"!tk decir {road.referral} hola")
    road.net.settle()
    (disclosure,) = road.csmc.run(lambda unit: unit.disclosures.all())
    road.csmc.store.run_now(lambda unit: _show_her(unit, disclosure.id))
    lost = road.csmc.run(claim)
    assert lost is not None
    # It was sent here, and the process died. At the next start the withdrawal is handled first.
    road.csmc.run(lambda unit: shred(unit, disclosure.id, "withdrawn"))
    again = road.csmc.run(claim)
    assert again is not None
    assert (again.post, again.redacts) == (lost.post, None), "the same transaction id brings the event's id"
    assert "Luz" not in str(again.content)
    road.csmc.run(lambda unit: mark(unit, again, "$lost"))
    redacted = []
    while (errand := road.csmc.run(claim)) is not None:
        redacted.append(errand.redacts)
        road.csmc.run(mark, errand, "$x")
    assert "$lost" in redacted
    assert road.csmc.run(lambda unit: unit.posts.count(state__in=("ready", "sending"))) == 0


def _show_her(unit: Any, disclosure: str) -> None:
    from hub.chat.plain import message, paragraph
    from hub.chat.posting import Place, put

    put(unit, Place(purpose="desk"), message(paragraph("Luz Inventada")), owner=disclosure)


def test_d01_acks_that_died_with_their_process_are_said_again() -> None:
    """An acknowledgement is not kept in the outbox: the next start owes it anew, so that the peer need not wait for its own patience."""
    from hub.actions.receive import owe_acks

    road = Road()
    road.disclosed()
    kept = parcels(road.net)
    road.cem.type("ana", f"!tk decir {road.referral} hola")
    road.net.deliver(road.cem)
    road.net.clock.advance(SECOND)
    road.csmc.run(dispatch)  # made, never put: the process died
    assert link(road.csmc, CEM).ack_due_at is None
    road.csmc.run(owe_acks)
    kept.clear()
    road.net.settle(turns=2)
    assert [place for place, parcel in kept if not parcel.rows and place == link(road.csmc, CEM).room]
    assert road.cem.run(lambda unit: unit.outbox.count(state="dispatched")) == 0


def test_p12_x32_envelopes_kept_by_a_homeserver_open_for_nobody_after_a_withdrawal() -> None:
    """X32: both hubs' opening keys, both stores and every envelope that ever travelled: what was said of her opens no more."""
    road = Road()
    kept = parcels(road.net)
    road.disclosed()
    road.csmc.type("bea", f"!tk decir {road.referral} ¿le sirve el martes?")
    road.net.settle()
    assert readable(road, kept) >= {"disclose", "accept", "say"}, "while the keys live the same thief reads all of it"
    road.withdraw()
    road.net.settle()
    (disclosure,) = road.cem.run(lambda unit: unit.disclosures.all())
    assert disclosure.state == "destroyed"
    assert readable(road, kept) & {"disclose"} == set()
    assert readable(road, kept, at=road.csmc.id) == set()


def _key_named(unit: Any, hint: bytes) -> OpeningKey:
    key, _long = unit.daily.by_hint(hint, unit.now)
    return key


def _secret(unit: Any, owner: str) -> bytes:
    return unit.vault.secret(owner)


def readable(road: Road, kept: list[tuple[str, Any]], at: str | None = None) -> set[str]:
    """The kinds of boxed bodies among all envelopes that the living keys (of one hub, or of both) can open."""
    from hub.actions.handle import is_boxed
    from hub.exchange.wire import unbox, unpack
    from keys import envelope
    from keys.envelope import open_body
    from keys.errors import KeysError

    found = set()
    for a, b in ((road.cem, road.csmc), (road.csmc, road.cem)):
        if at not in (None, b.id):
            continue
        line = link(b, a.id)
        for _, parcel in kept:
            try:
                key = b.run(_key_named, envelope.hint_of(parcel.sealed))
                records = unpack(envelope.unseal(parcel.sealed, key, envelope.info_bytes(a.id, b.id, line.id)))
            except KeysError:
                continue
            for raw in records:
                inner = envelope.read_signed(raw, a.store.given.hand.manifest.profile.hub_signing).inner
                if not is_boxed(inner.kind):
                    continue
                referral, sealed = unbox(inner.body)
                try:
                    secret = b.run(_secret, referral)
                    open_body(OpeningKey(secret), (referral, a.id, inner.kind), sealed)
                except KeysError:
                    continue
                found.add(inner.kind)
    return found
