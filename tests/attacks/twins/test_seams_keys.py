"""R11 on the seams: what a stolen signing key may still do to protocols, and what a turned one must not undo in rooms."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import onward_holder, protocols
from hub.actions.peers import manifest_of
from hub.actions.rosters import trusted_guests
from hub.base.errors import PeerFault
from keys.errors import KeysError
from tests.actions.road import CSMC, Net
from tests.attacks.twins.test_keys_turn import revoked
from tests.attacks.twins.test_protocols import hears, word
from tests.coordination.bench import meeting
from tests.fields import road as fields
from tests.fields.test_onward import granted
from tests.governance.agreement import CEM, HOGAR, RED, days, fresh, propose, sign, stage


def _heard(net: Net, count: int) -> None:
    """The new manifest travels."""

    def owed(unit: Any) -> None:
        for link in unit.links.all():
            unit.links.put(replace(link, owes_key=True))

    for _ in range(count):
        for twin in net.twins.values():
            twin.run(owed)
        net.clock.advance(timedelta(hours=25))
        for twin in net.twins.values():
            twin.ring()
        net.settle(6)


def test_r11_a_stolen_key_signs_no_protocol() -> None:
    net = fresh()
    stolen = revoked(net[HOGAR])
    _heard(net, 3)
    assert {net[h].run(lambda unit: manifest_of(unit, HOGAR).version) for h in (CEM, RED)} == {2}
    name = propose(net)
    sign(net, name, RED, CEM)
    with contextlib.suppress(PeerFault):
        hears(net, CEM, RED, word(net, name, HOGAR, key=stolen))
    net.settle(4)
    assert stage(net[CEM], name) == "proposed"


def test_r11_a_key_that_is_withdrawn_takes_no_honest_word_with_it() -> None:
    """The shelter signed, then lost its key: whoever had not heard its signature hears it again, under the new key."""
    net = fresh()
    name = propose(net)
    sign(net, name, RED)
    net.mute.add(HOGAR)
    net[HOGAR].run(protocols.sign, "admin", name)
    old = net[HOGAR].store.given.hand.signer
    net.mute.clear()
    stale = word_kept(net, name)
    revoked(net[HOGAR])
    _heard(net, 3)
    sign(net, name, CEM)
    days(net, 2)
    assert net[HOGAR].store.given.hand.signer != old
    assert {stage(net[h], name) for h in (CEM, RED, HOGAR)} == {"active"}
    kept = net[CEM].run(lambda unit: [w.data for w in unit.protocol_words.all(proposal=name, institution=HOGAR)])
    assert len(kept) == 1
    assert stale not in kept


def word_kept(net: Net, name: str) -> bytes:
    """The shelter's signature as its old key made it."""
    (row,) = net[HOGAR].run(lambda unit: unit.protocol_words.all(proposal=name, institution=HOGAR))
    return bytes(row.data)


def test_r11_an_old_key_signs_no_grant() -> None:
    """The owner's key was stolen and withdrawn: a grant that the thief signs opens nothing, neither at the holder nor at the third."""
    net = fields.fresh()
    _, referral = fields.begun(net)
    onward, _child = granted(net, referral)
    revoked(net.cem)
    _heard(net, 3)
    parent, mine = net.csmc.run(lambda unit: (unit.referrals.get(referral.id), unit.onwards.get(onward.id)))
    with pytest.raises(KeysError):
        net.csmc.run(lambda unit: onward_holder._verified(unit, parent, mine, mine.grant))


def test_r11_a_guests_roster_follows_its_keys() -> None:
    m = meeting(opened_with=(CSMC, "hogar-luz"))
    before = m.cem.run(trusted_guests)
    revoked(m.csmc)
    _heard(m.net, 4)
    assert m.cem.run(lambda unit: manifest_of(unit, CSMC).version) == 2
    assert m.cem.run(trusted_guests) == before
