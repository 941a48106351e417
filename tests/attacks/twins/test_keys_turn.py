"""X32, R11, R12, T6: keys that turn. Whole hubs in memory, their real road, and a clock that is moved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import peers
from hub.actions.dispatch import Parcel, dispatch
from hub.actions.keep_ledger import verify_ledger
from hub.actions.manifest_versions import keys_ever
from hub.actions.opening_keys import turn_keys
from hub.actions.receive import receive
from hub.base.errors import PeerFault
from hub.exchange.wire import encode, unpack
from hub.testing import Twin
from keys import envelope
from keys.dailykeys import LONG_KEY_KINDS
from keys.errors import KeysError, ProviderError
from keys.ledger import verify_checkpoint
from keys.manifest import Manifest, make_manifest
from keys.primitives import OpeningKey, SigningKey
from keys.providers.memory import MemoryKek
from keys.succession import successor
from tests.attacks.twins.bench import CEM, CSMC, Road, alarms, craft, link, parcels

WEEK = timedelta(days=8)


def opened(kept: list[tuple[str, Parcel]], ends: tuple[Twin, Twin]) -> dict[str, int]:
    """Kinds of records, and how many, that living keys of these two hubs open among all that went between them: Megolm counts as broken."""
    found: dict[str, int] = {}
    for sender, to in (ends, ends[::-1]):
        line = link(to, sender.id)
        info = envelope.info_bytes(sender.id, to.id, line.id)
        keys = [OpeningKey(to.run(_secret, secret)) for secret in _secrets(to)]
        for _, parcel in kept:
            for key in (*keys, to.store.given.hand.opening, *to.store.given.hand.older_openings):
                try:
                    records = unpack(envelope.unseal(parcel.sealed, key, info))
                except KeysError:
                    continue
                for raw in records:
                    kind = envelope.read_signed(raw, sender.run(keys_ever, sender.id)).inner.kind
                    found[kind] = found.get(kind, 0) + 1
    return found


def _secret(unit: Any, owner: str) -> bytes:
    return unit.vault.secret(owner)


def _secrets(twin: Twin) -> list[str]:
    """Every owner in the key store whose key is a private opening key: days and referrals."""
    days = [owner for owner in twin.store.given.keys.owners() if owner.startswith("hek/")]
    return days + [owner for owner in twin.store.given.keys.owners() if owner.startswith("ref_")]


def turned(twin: Twin, **changes: Any) -> Manifest:
    """The next version in force at this hub; `roots` sign it (its own from the start, unless `by` says who)."""
    by = changes.pop("by", [twin.root])
    hand = twin.store.given.hand
    signer = changes.pop("signer", hand.signer)
    profile = successor(hand.manifest, twin.clock.now(), **changes)
    manifest = Manifest.from_bytes(make_manifest(profile, by))
    older = hand.older if signer is hand.signer else (hand.signer, *hand.older)
    twin.store.given = replace(twin.store.given, hand=replace(hand, manifest=manifest, signer=signer, older=older))
    return manifest


def rotated(twin: Twin) -> SigningKey:
    """A new signing key, the one before still listed."""
    fresh = SigningKey.generate()
    turned(twin, hub_signing=(fresh.public, twin.store.given.hand.signer.public), signer=fresh)
    return fresh


def revoked(twin: Twin) -> SigningKey:
    """The present signing key was stolen: returned, it is the thief's."""
    stolen, fresh = twin.store.given.hand.signer, SigningKey.generate()
    turned(twin, hub_signing=(fresh.public,), signer=fresh)
    return stolen


def version_at(twin: Twin, institution: str) -> int:
    return twin.run(lambda unit: peers.manifest_of(unit, institution).version)


# ---- X32: what a homeserver kept -------------------------------------------------------------------------------------------


def test_x32_eight_days_later_no_stored_ciphertext_opens_with_any_living_key() -> None:
    road = Road()
    kept = parcels(road.net)
    road.disclosed()
    say_and_settle(road)
    road.withdraw()
    road.net.settle()
    stored = list(kept)
    assert opened(stored, (road.cem, road.csmc)).keys() >= {"offer", "accept", "disclose", "say", "withdraw", "erased"}, "today they open"
    road.net.clock.advance(WEEK)
    road.net.settle()
    assert set(opened(stored, (road.cem, road.csmc))) <= LONG_KEY_KINDS
    assert not opened([(room, p) for room, p in stored if p.rows], (road.cem, road.csmc)), "of what had a number, nothing opens"


def test_x32_a_first_look_of_the_day_that_rolls_back_keeps_no_old_key_alive() -> None:
    """Today's key stays in the key store, the tombstones of the old ones do not: they are retired by the next look."""
    road = Road()
    owners = road.cem.store.given.keys.owners

    def fails(unit: Any) -> None:
        turn_keys(unit)
        raise ProviderError("killed before the commit")

    eldest = min(owner for owner in owners() if owner.startswith("hek/"))
    for _ in range(6):
        road.net.clock.advance(timedelta(days=1))
        road.net.settle(3)
    road.net.clock.advance(timedelta(days=1))
    with pytest.raises(ProviderError):
        road.cem.run(fails)
    assert eldest in owners()
    road.net.settle(3)
    assert eldest not in owners()


def test_x32_the_long_key_opens_chores_only() -> None:
    """Whatever else a peer seals to it is refused whole: it would lie readable for years."""
    road = Road()
    road.offer()
    room, line = str(link(road.csmc, CEM).room), link(road.csmc, CEM).id
    for kind, refused in (("profile", True), ("ack", True), ("resend", False)):
        record = craft(road.cem, CSMC, kind, b'{"epoch":1,"first":1,"last":1}')
        sealed = envelope.seal(
            len(record.data).to_bytes(4, "big") + record.data, road.csmc.store.given.hand.opening.public, envelope.info_bytes(CEM, CSMC, line)
        )  # fmt: skip
        if refused:
            with pytest.raises(PeerFault, match="long_key"):
                road.csmc.run(receive, room, road.cem.user, sealed)
        else:
            assert road.csmc.run(receive, room, road.cem.user, sealed) == 0


def say_and_settle(road: Road) -> None:
    road.cem.type("ana", f"!tk mensaje {road.referral} mensaje inventado")
    road.net.settle()


# ---- a peer that was away ----------------------------------------------------------------------------------------------------


def _offered_after_a_week_away() -> tuple[Road, list[tuple[str, Parcel]]]:
    """Everybody's keys of the day are dead when she confirms; the peer hears nothing yet. What was kept back from it grows."""
    road = Road()
    road.open()
    away = _away(road.net, CSMC)
    road.net.clock.advance(WEEK)
    road.referral = _confirmed(road)
    road.net.settle()
    return road, away


def test_a_peer_away_for_eight_days_gets_everything_and_nothing_under_a_dead_key() -> None:
    road, away = _offered_after_a_week_away()
    sent = [parcel for _, parcel in away]
    assert sent, "it was asked for its key"
    assert all(not parcel.rows for parcel in sent), "and nothing but questions left: offers wait"
    assert road.cem.run(lambda unit: unit.outbox.count(kind="offer", state="ready")) == 1
    assert set(opened(away, (road.cem, road.csmc))) == {"hek"}
    _back(road.net, away)
    road.net.settle()
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 1
    road.accept()
    assert road.holds() == 1


def test_what_waits_for_a_key_is_decided_again_when_it_goes() -> None:
    """She takes her consent back while the offer waits for the peer's key: it never goes."""
    road, away = _offered_after_a_week_away()
    road.withdraw()
    _back(road.net, away)
    road.net.settle()
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 0


def test_an_envelope_under_a_retired_key_is_asked_for_again_and_has_one_effect() -> None:
    """Held for eight days by a homeserver and then delivered: it cannot be opened any more, and is sealed anew."""
    road = Road()
    road.open()
    held = _away(road.net, CSMC)
    road.referral = _confirmed(road)
    road.net.settle()
    offers = [(room, parcel) for room, parcel in held if parcel.rows]
    assert offers
    road.net.spoil = lambda parcel: [parcel]
    road.net.clock.advance(WEEK)
    road.csmc.run(dispatch)  # a new day there; what it says is lost
    for _, parcel in offers:
        road.net.hand(road.cem, parcel)
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 0
    assert link(road.csmc, CEM).gone
    assert road.csmc.refused == []
    road.net.settle()
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 1
    assert not link(road.csmc, CEM).gone
    assert road.cem.run(lambda unit: unit.outbox.count(state="dispatched")) == 0


def test_every_day_has_its_key_and_a_week_of_them_lives() -> None:
    road = Road()
    for _ in range(12):
        road.net.clock.advance(timedelta(days=1))
        road.net.settle(2)
    for twin in (road.cem, road.csmc):
        days = [owner for owner in twin.store.given.keys.owners() if owner.startswith("hek/")]
        assert len(days) == 7
        newest = twin.run(lambda unit: unit.peers.get(CSMC if unit.me.id == CEM else CEM)).opening
        assert newest
    assert alarms(road.cem) == ""


# ---- manifests travel ----------------------------------------------------------------------------------------------------------


def test_r11_a_turned_signing_key_loses_nothing_that_is_under_way() -> None:
    """Offered under the old key, turned while the answer and a message are on the road, disclosed under the new one."""
    road = Road()
    road.offer()
    hold = _away(road.net, CSMC)
    road.cem.type("ana", f"!tk mensaje {road.referral} antes del cambio")
    road.cem.run(dispatch)
    rotated(road.cem)
    _back(road.net, hold)
    road.net.settle()
    assert version_at(road.csmc, CEM) == 2
    road.accept()
    assert road.holds() == 1
    assert road.cem.refused == road.csmc.refused == []
    assert "versión 2" in alarms(road.csmc)
    assert road.cem.run(verify_ledger).size > 0
    last = craft(road.cem, CSMC, "profile", b"{}")
    assert last.keyid == road.cem.store.given.hand.signer.public.keyid


def test_r11_a_stolen_signing_key_is_refused_from_that_version_on_and_the_old_log_still_verifies() -> None:
    road = Road()
    road.disclosed()
    before = link(road.csmc, CEM).checkpoint
    receipt_key = road.cem.store.given.hand.signer
    stolen = revoked(road.cem)
    road.net.settle()
    assert version_at(road.csmc, CEM) == 2
    thief = replace(road.cem.store.given, hand=replace(road.cem.store.given.hand, signer=stolen))
    honest, road.cem.store.given = road.cem.store.given, thief
    forged = craft(road.cem, CSMC, "profile", encode(_profile(road.cem)))
    road.cem.store.given = honest
    with pytest.raises(PeerFault) as refused:
        _hand_over(road, forged)
    assert refused.value.params["why"] == "keys.unknown_signer"
    ever = road.csmc.run(lambda unit: keys_ever(unit, CEM))
    assert receipt_key.public in ever
    assert verify_checkpoint(before, CEM, ever).institution == CEM
    assert road.cem.run(verify_ledger).size > 0
    road.withdraw()
    road.net.settle()
    assert road.holds() == 0, "and what she asks for goes on, under the new key"


def test_r11_what_waits_unacknowledged_is_signed_again_and_has_one_effect() -> None:
    """The peer had it and the acknowledgement was lost, or never had it: with the withdrawn key's signature neither freezes nor doubles."""
    for lost in ("acknowledgement", "message"):
        road = Road()
        road.disclosed()
        road.cem.type("ana", f"!tk mensaje {road.referral} dicho una vez")
        if lost == "message":
            road.net.spoil = lambda parcel: []
            road.net.deliver(road.cem)
        else:
            road.net.deliver(road.cem)  # it arrives; nothing of the answer is delivered yet
        revoked(road.cem)
        road.net.spoil = lambda parcel: [parcel]
        road.net.settle()
        road.net.clock.advance(timedelta(minutes=2))
        road.net.settle()
        assert link(road.csmc, CEM).frozen is None
        assert sum("dicho una vez" in said.body for said in road.csmc.said) == 1, lost
        assert road.cem.run(lambda unit: unit.outbox.count(state="dispatched")) == 0


def test_r11_a_key_of_the_day_that_the_stolen_key_stated_is_forgotten() -> None:
    """The thief states an opening key of his own, so that all offers can be read by him: with the new manifest it dies."""
    road = Road()
    road.offer()
    thief = OpeningKey.generate()
    from keys.freshness import state_opening_key

    stolen = road.cem.store.given.hand.signer
    forged = state_opening_key(CEM, thief.public, road.net.clock.now() + timedelta(hours=6), stolen)
    road.csmc.run(lambda unit: unit.peers.put(replace(unit.peers.get(CEM), opening=forged)))
    revoked(road.cem)
    road.net.deliver(road.cem)
    assert road.csmc.run(lambda unit: unit.peers.get(CEM)).opening != forged
    road.net.settle()
    road.accept()
    assert road.holds() == 1


def test_r11_a_peer_that_missed_two_versions_catches_up_in_order() -> None:
    road = Road()
    road.offer()
    _away(road.net, CSMC)
    for _ in range(2):
        rotated(road.cem)
        road.net.settle(2)
    road.net.spoil = lambda parcel: [parcel]
    road.net.clock.advance(timedelta(days=1))
    road.net.settle()
    assert version_at(road.csmc, CEM) == 3
    assert [row.version for row in road.csmc.run(lambda unit: unit.manifests.all(institution=CEM, order="version"))] == [1, 2, 3]
    road.accept()
    assert road.holds() == 1


def hear_hek(road: Road, day: OpeningKey, issued: timedelta, signer: SigningKey) -> None:
    """CEM's key of today, with a word on its manifest that was given `issued` from now."""
    from hub.actions.opening_keys import hear_key
    from hub.exchange.wire import Hek
    from keys.freshness import sign_freshness, state_opening_key

    now = road.net.clock.now()
    manifest = road.cem.store.given.hand.manifest
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    fresh = sign_freshness(manifest, now + issued, signer)
    body = Hek(statement=state_opening_key(CEM, day.public, midnight, signer), fresh=fresh, holds=1, want=False)
    road.csmc.run(lambda unit: hear_key(unit, unit.links.one(peer=CEM), body))


def peer_of(road: Road) -> Any:
    return road.csmc.run(lambda unit: unit.peers.get(CEM))


def test_r11_a_word_of_some_far_day_is_refused_and_every_true_one_after_it_counts() -> None:
    """With the stolen key the thief says that it is 2100. Kept, no true word would ever be the newest, and no offer would come to us again."""
    road = Road()
    signer, before = road.cem.store.given.hand.signer, peer_of(road)
    with pytest.raises(PeerFault) as refused:
        hear_hek(road, OpeningKey.generate(), timedelta(days=27000), signer)
    assert refused.value.code == "key_ahead"
    assert peer_of(road) == before


def test_r11_with_a_new_manifest_the_words_of_the_stolen_key_do_not_count_any_more() -> None:
    """A hub that had believed it, or a thief who stays within the clock's slack: the next manifest begins anew."""
    road = Road()
    far = road.net.clock.now() + timedelta(days=27000)
    road.csmc.run(lambda unit: unit.peers.put(replace(unit.peers.get(CEM), fresh_issued=far)))
    revoked(road.cem)
    for _ in range(9):
        road.net.clock.advance(timedelta(days=1))
        road.net.settle(4)
    assert version_at(road.csmc, CEM) == 2
    assert road.net.clock.now() - peer_of(road).fresh_at < timedelta(days=1)
    assert peer_of(road).fresh_issued < far


def test_x32_of_two_keys_of_one_day_the_later_word_counts_and_a_replay_changes_nothing() -> None:
    road = Road()
    signer, first, second = road.cem.store.given.hand.signer, OpeningKey.generate(), OpeningKey.generate()
    hear_hek(road, first, timedelta(minutes=1), signer)
    hear_hek(road, second, timedelta(minutes=2), signer)
    later = peer_of(road).opening
    hear_hek(road, first, timedelta(minutes=1), signer)
    assert peer_of(road).opening == later, "the homeserver says the older word again"


@pytest.mark.parametrize("forged", ["roots", "gap", "twin"])
def test_r12_a_manifest_that_the_previous_roots_did_not_sign_is_refused_and_told(forged: str) -> None:
    road = Road()
    road.offer()
    robber = SigningKey.generate()
    mine = road.cem.store.given.hand.manifest
    given: dict[str, Any] = {"roots": (robber.public,), "hub_signing": (SigningKey.generate().public,)}
    profile = successor(mine, road.net.clock.now(), **given)
    if forged == "gap":
        profile = replace(profile, version=5)
    if forged == "twin":
        turned(road.cem)
        road.net.settle()
        profile = replace(successor(mine, road.net.clock.now()), contact="otra vez")
    data = make_manifest(profile, [road.cem.root if forged == "twin" else robber])
    _hand_over(road, craft(road.cem, CSMC, "manifest", encode(_manifest(data))))
    assert version_at(road.csmc, CEM) == (2 if forged == "twin" else 1)
    road.csmc.post()
    if forged == "roots":
        assert "[manifest_refused]" in _admin(road.csmc)
    if forged == "gap":
        assert link(road.csmc, CEM).behind
    if forged == "twin":
        assert link(road.csmc, CEM).frozen == "two_manifests"


def test_r12_roots_two_of_three_change_hands_and_one_stolen_root_moves_nothing() -> None:
    road = Road()
    roots = [SigningKey.generate() for _ in range(3)]
    turned(road.cem, roots=tuple(r.public for r in roots), threshold=2, by=[road.cem.root, *roots[:2]])
    road.net.settle()
    assert version_at(road.csmc, CEM) == 2
    thief = SigningKey.generate()
    profile = successor(road.cem.store.given.hand.manifest, road.net.clock.now(), roots=(thief.public,), threshold=1)
    _hand_over(road, craft(road.cem, CSMC, "manifest", encode(_manifest(make_manifest(profile, [thief, roots[2]])))))
    assert version_at(road.csmc, CEM) == 2
    turned(road.cem, roots=tuple(r.public for r in roots[:2]), threshold=2, by=roots[:2])
    road.net.settle()
    assert version_at(road.csmc, CEM) == 3


def test_missing_freshness_keeps_new_offers_home_and_nothing_else() -> None:
    """The peer's key of the day comes, its word that the manifest is current does not."""
    road = Road()
    road.disclosed()
    road.cem.run(lambda unit: unit.peers.put(replace(unit.peers.get(CSMC), fresh_at=unit.now - timedelta(days=7))))
    road.cem.type("ana", f"!tk mensaje {road.referral} esto sí sale")
    road.open("Mar Inventada")
    road.cem.type("ana", road.preview()[0])
    road.net.settle()
    assert "esto sí sale" in "\n".join(said.body for said in road.csmc.said)
    assert road.cem.run(lambda unit: unit.outbox.count(kind="offer", state="ready")) == 1
    road.net.clock.advance(timedelta(days=1))
    road.net.settle()
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 2


def test_r10_while_the_kek_is_away_nothing_is_taken_and_nothing_is_lost() -> None:
    """At the sender a disclosure is due, at the recipient it comes: each waits for its own key, and happens once."""
    road = Road()
    road.offer()
    road.csmc.type("bea", f"!tk aceptar {road.referral}")
    road.net.deliver(road.csmc)
    with _without_kek(road.cem):
        with pytest.raises(ProviderError):
            road.cem.run(dispatch)
        assert road.cem.run(lambda unit: unit.outbox.count(kind="disclose", state="ready")) == 1
    with _without_kek(road.csmc):
        with pytest.raises(ProviderError):
            road.net.deliver(road.cem)
        assert (road.holds(), road.csmc.run(lambda unit: unit.log.count(what="record.refused"))) == (0, 0)
    road.net.clock.advance(timedelta(minutes=2))
    road.net.settle()
    assert road.holds() == 1


@contextlib.contextmanager
def _without_kek(twin: Twin) -> Iterator[None]:
    """Pulled out, and put back: what was unwrapped before may still be used, what is new cannot be wrapped."""
    kek = twin.store.given.keys._kek
    assert isinstance(kek, MemoryKek)
    kek.close()
    yield
    kek._open = True


def test_administrators_of_both_sides_are_told_30_14_and_7_days_before_a_manifest_ends() -> None:
    road = Road()
    for twin in (road.cem, road.csmc):
        twin.enrol("jefa", role="administrator")
    ends = road.cem.store.given.hand.manifest.profile.expires
    for left in (31, 30, 20, 14, 10, 7, 3, 0):
        road.net.clock.advance(ends - timedelta(days=left) + timedelta(minutes=1) - road.net.clock.now())
        for twin in (road.cem, road.csmc):
            twin.ring()
    for twin in (road.cem, road.csmc):
        said = alarms(twin)
        assert (said.count("own_manifest_ends"), said.count("peer_manifest_ends")) == (3, 6), "two peers"
        assert said.count("manifest_expired") == 3


def _profile(twin: Twin) -> Any:
    from hub.actions.compose import profile

    return twin.run(profile)


def _manifest(data: bytes) -> Any:
    from hub.exchange.wire import NewManifest

    return NewManifest(data=data)


def _hand_over(road: Road, record: Any) -> None:
    """As the peer's hub would seal it, to today's key."""
    from tests.attacks.twins.bench import send

    send(road.cem, road.csmc, record)


def _admin(twin: Twin) -> str:
    twin.enrol("jefa", role="administrator")
    twin.post()
    return alarms(twin)


def _confirmed(road: Road) -> str:
    import re

    found = re.search(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
    assert found
    return found[0]


def _away(net: Any, name: str) -> list[tuple[str, Parcel]]:
    """From here on nothing reaches or leaves this hub; what is put waits in its rooms."""
    waiting: list[tuple[str, Parcel]] = []

    def hold(parcel: Parcel) -> list[Parcel]:
        if name in parcel.room:
            waiting.append((parcel.room, parcel))
            return []
        return [parcel]

    net.spoil = hold
    return waiting


def _back(net: Any, waiting: list[tuple[str, Parcel]]) -> None:
    """It is there again, and reads what waited, oldest first: of the emergency centre's."""
    net.spoil = lambda parcel: [parcel]
    for _, parcel in list(waiting):
        net.hand(net[CEM], parcel)
