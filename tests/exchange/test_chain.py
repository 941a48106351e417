"""The hash chain of a link: a record that does not name the one before it as we have it freezes the link (X13, D08)."""

from __future__ import annotations

from tests.actions.road import fresh
from tests.exchange.test_fuzz import Liar, take


def test_a_record_that_names_another_predecessor_freezes_the_link() -> None:
    net = fresh(("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))
    liar = Liar(net, "cem-lima", "csmc-comas")
    honest = liar.record("cancel", b'{"referral": "ref_000000000000000000000000"}')
    forked = liar.record("cancel", b'{"referral": "ref_000000000000000000000000"}', previous=b"\1" * 32)
    take(net["csmc-comas"], [honest, forked], "cem-lima")
    link = net["csmc-comas"].run(lambda unit: unit.links.one(peer="cem-lima"))
    assert link.frozen == "chain_broken"
    assert link.next_in == honest.inner.sequence + 1, "the honest record took its place, the forked one did not"
