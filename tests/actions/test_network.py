"""Network lists between hubs: a first one waits for people, the next come over the links, and nobody is cut off by a list."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import draft_list, network, peers
from hub.actions.draft_list import Founding, Outside
from hub.actions.homeserver import wanted
from hub.actions.share_list import hear_list, share_with
from hub.base.errors import Refused
from hub.exchange import wire
from hub.testing.twin import Twin, TwinNetwork
from keys import shortcode
from keys.drafts import sign_list
from keys.network import NetworkList
from keys.primitives import sha256

CEM, COL, CSMC = "cem-lima", "colectiva-miluska", "csmc-comas"
TABLE = "mesa-lima"


@pytest.fixture
def hubs(monkeypatch: pytest.MonkeyPatch) -> TwinNetwork:
    """Three institutions, linked, with an admin room each. Their codes are made quickly: how slowly they should be is proven elsewhere."""
    monkeypatch.setattr(shortcode, "argon2id", lambda data, *, salt, length, **_: sha256(salt, data)[:length])
    net = TwinNetwork((CEM, "emergency_centre"), (COL, "community_organisation"), (CSMC, "mental_health_centre"))
    for name in (CEM, COL, CSMC):
        net[name].enrol("ana", role="administrator")
    return net


def signed(net: TwinNetwork, draft: bytes, *names: str) -> bytes:
    for name in names or (CEM, COL):
        draft = sign_list(draft, net[name].root)
    return draft


def founding(**changes: Any) -> Founding:
    given: dict[str, Any] = {"table": TABLE, "name": "Mesa", "members": (), "stewards": (CEM, COL, CSMC), "threshold": 2, "community_signs": True}
    return Founding(**(given | changes))


def confirmed(net: TwinNetwork, *names: str, data: bytes | None = None) -> NetworkList:
    """These have taken the first list, each after comparing its code."""
    data = data or signed(net, net[CEM].run(draft_list.found_table, founding()))
    for name in names:
        net[name].run(network.import_list, [data])
        net[name].run(network.confirm_list, "administrator", TABLE, net[name].run(network.list_code, TABLE))
    net.settle()
    return NetworkList.from_bytes(data)


def held(twin: Twin) -> int:
    found = twin.run(network.held_list, TABLE)
    return found.version if found else 0


def refusal(twin: Twin, fn: Any, *given: Any) -> tuple[str, Any]:
    with pytest.raises(Refused) as caught:
        twin.run(fn, *given)
    return caught.value.code, caught.value.params.get("why")


def said(twin: Twin) -> str:
    twin.post()
    return "\n".join(s.body for s in twin.said if s.room == f"!{twin.id}.admin")


def next_list(net: TwinNetwork, by: str, make: Any, *given: Any, signers: tuple[str, ...] = (CEM, COL), **more: Any) -> bytes:
    data = signed(net, net[by].run(lambda unit: make(unit, TABLE, *given, **more)), *signers)
    net[by].run(network.import_list, [data])
    net.settle()
    return data


def test_a_first_list_counts_only_once_people_compared_its_code(hubs: TwinNetwork) -> None:
    data = signed(hubs, hubs[CEM].run(draft_list.found_table, founding()))
    for name in (CEM, CSMC):
        assert hubs[name].run(network.import_list, [data])[1] == network.OFFERED
        assert held(hubs[name]) == 0
    assert hubs[CEM].run(network.list_code, TABLE) == hubs[CSMC].run(network.list_code, TABLE)
    assert refusal(hubs[CSMC], network.confirm_list, "administrator", TABLE, "AAAA-BBBB-CCCC-DDDD")[0] == "wrong_list_code"
    assert held(hubs[CSMC]) == 0
    hubs[CSMC].run(network.confirm_list, "administrator", TABLE, hubs[CEM].run(network.list_code, TABLE).lower())
    assert held(hubs[CSMC]) == 1


def test_a_list_that_a_peer_brings_waits_and_never_replaces_what_people_brought(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM)
    assert held(hubs[COL]) == 0
    assert "no vale hasta que comparen el código" in said(hubs[COL]).lower()
    forged = signed(hubs, hubs[CSMC].run(draft_list.found_table, founding(name="Otra mesa")), CSMC, COL)
    hubs[COL].run(network.import_list, [forged])
    code = hubs[COL].run(network.list_code, TABLE)
    hubs[CEM].run(lambda unit: share_with(unit, COL))
    hubs.settle()
    assert hubs[COL].run(network.list_code, TABLE) == code  # what people brought stays in its place
    assert code != hubs[CEM].run(network.list_code, TABLE)


def test_the_next_version_comes_over_the_links_and_tells_who_came_and_went(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM, COL, CSMC)
    outside = Outside(kind="community_organisation", name="Red vecinal", territory="Comas")
    next_list(hubs, COL, draft_list.with_member, "red-vecinal", outside)
    assert [held(hubs[name]) for name in (CEM, COL, CSMC)] == [2, 2, 2]
    assert "+red-vecinal" in said(hubs[CSMC])
    assert hubs[CEM].run(network.held_list, TABLE).roll.member("red-vecinal").matrix_user == ""


@pytest.mark.parametrize("signers", [(CEM,), (CEM, CSMC)])
def test_too_few_stewards_or_no_community_seat_change_nothing(hubs: TwinNetwork, signers: tuple[str, ...]) -> None:
    """R105: authorities alone never change who belongs."""
    confirmed(hubs, CEM, COL, CSMC)
    draft = hubs[CEM].run(draft_list.without_member, TABLE, CSMC)
    assert refusal(hubs[CEM], network.import_list, [signed(hubs, draft, *signers)]) == ("network_refused", "network.signature")
    assert held(hubs[CEM]) == 1


def test_two_stewards_sign_on_two_machines_and_the_files_are_joined(hubs: TwinNetwork) -> None:
    draft = hubs[CEM].run(draft_list.found_table, founding())
    apart = [signed(hubs, draft, CEM), signed(hubs, draft, COL)]
    assert hubs[CSMC].run(network.import_list, apart)[0].version == 1


def test_whoever_missed_versions_asks_for_them_and_gets_them_in_order(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM, COL, CSMC)
    hubs.mute = {COL, CEM}
    outside = Outside(kind="community_organisation", name="Red", territory="")
    for name in ("red-uno", "red-dos"):
        next_list(hubs, CEM, draft_list.with_member, name, outside)
    third = hubs[CEM].run(network.held_list, TABLE)
    assert (third.version, held(hubs[CSMC])) == (3, 1)
    hubs.mute = set()
    hubs.settle(20)
    assert [held(hubs[name]) for name in (CEM, COL, CSMC)] == [3, 3, 3]


def test_a_gap_is_asked_for_by_its_table(hubs: TwinNetwork) -> None:
    """A newer list out of order: nothing is believed, and what comes between is asked for once."""
    confirmed(hubs, CEM, COL, CSMC)
    outside = Outside(kind="community_organisation", name="Red", territory="")
    for number, name in enumerate(("red-uno", "red-dos")):
        data = signed(hubs, hubs[CEM].run(draft_list.with_member, TABLE, name, outside))
        hubs[CEM].run(network.import_list, [data])
        if not number:
            hubs[CEM].run(_forget_intents)
    hubs.settle(20)
    assert [held(hubs[name]) for name in (CEM, COL, CSMC)] == [3, 3, 3]


def _forget_intents(unit: Any) -> None:
    for row in unit.outbox.all(kind="network", state="ready"):
        unit.outbox.delete(row.id)


def test_two_lists_of_one_version_are_refused_and_told(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM, COL, CSMC)
    draft = hubs[CEM].run(draft_list.without_member, TABLE, CSMC)
    other = signed(hubs, hubs[COL].run(lambda unit: draft_list.renewed(unit, TABLE)), COL, CSMC)
    hubs.mute = {CEM}
    hubs[CEM].run(network.import_list, [signed(hubs, draft, CEM, COL)])
    hubs[COL].run(network.import_list, [other])
    hubs.mute = set()
    hubs.settle(12)
    assert "network.equivocation" in said(hubs[COL])
    assert hubs[COL].run(network.held_list, TABLE).raw == other


def test_who_is_off_the_list_stays_linked_until_people_stop_the_link(hubs: TwinNetwork) -> None:
    """A list takes nobody's withdrawals away: the homeserver's servers keep her hub, and people are told what it means."""
    confirmed(hubs, CEM, COL, CSMC)
    next_list(hubs, CEM, draft_list.without_member, CSMC)
    assert "Nada se cortó" in said(hubs[CEM])
    assert "ya no nombra a esta institución" in said(hubs[CSMC])  # she is told by the list itself
    assert hubs[CEM].run(lambda unit: unit.links.one(peer=CSMC)).frozen is None
    kept = hubs[CEM].run(wanted)
    assert kept.kept == (CSMC,)
    assert f"{CSMC}.example" in kept.servers
    assert f"@hub:{CSMC}.example" in kept.hubs
    hubs[CEM].run(peers.stop_link, "administrator", CSMC)
    gone = hubs[CEM].run(wanted)
    assert gone.kept == ()
    assert f"{CSMC}.example" not in gone.servers
    assert f"@hub:{CSMC}.example" not in gone.hubs


def test_without_a_list_everything_is_as_before(hubs: TwinNetwork) -> None:
    told = hubs[CEM].run(wanted)
    assert told.lists == ()
    assert set(told.servers) == {f"{name}.example" for name in (CEM, COL, CSMC)}
    assert hubs[CEM].run(lambda unit: network.standing_on(unit, unit.peers.get(COL))) == "none"


def test_an_expired_list_lets_nobody_new_in_and_cuts_nobody(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM, COL, CSMC)
    hubs[CEM].run(lambda unit: draft_list.renewed(unit, TABLE))
    hubs.clock.advance(timedelta(days=340))
    hubs[CEM].ring()
    assert "vence en 24 días" in said(hubs[CEM])
    hubs.clock.advance(timedelta(days=26))
    hubs[CEM].ring()
    assert "venció" in said(hubs[CEM])
    told = hubs[CEM].run(wanted)
    assert told.lists == ()
    assert f"{CSMC}.example" in told.servers


def test_a_peer_that_is_listed_with_other_roots_is_named(hubs: TwinNetwork) -> None:
    one = hubs[CEM].run(draft_list.found_table, founding())
    roll = NetworkList.from_bytes(signed(hubs, one)).roll
    members = tuple(replace(m, roots="0" * 64) if m.institution == CSMC else m for m in roll.members)
    confirmed(hubs, CEM, data=signed(hubs, draft_list.draft_list(replace(roll, members=members))))
    standing = {name: hubs[CEM].run(lambda unit, name=name: network.standing_on(unit, unit.peers.get(name))) for name in (COL, CSMC)}
    assert standing == {COL: "listed", CSMC: "differs"}


def test_only_institutions_whose_code_people_compared_are_drafted_in(hubs: TwinNetwork) -> None:
    assert refusal(hubs[CEM], draft_list.found_table, founding(members=("ministerio",)))[0] == "not_paired"
    assert refusal(hubs[CEM], draft_list.found_table, founding(threshold=4)) == ("network_draft", "network.threshold")
    assert refusal(hubs[CEM], draft_list.found_table, founding(stewards=(CEM, CSMC))) == ("network_draft", "network.no_seat")
    assert refusal(hubs[CEM], draft_list.found_table, founding(table="Mesa Lima")) == ("network_draft", "network.text")
    assert refusal(hubs[CEM], draft_list.without_member, TABLE, CSMC)[0] == "no_network_list"


def test_a_peer_whose_code_nobody_compared_is_not_drafted_in(hubs: TwinNetwork) -> None:
    hubs[CEM].run(lambda unit: unit.peers.put(replace(unit.peers.get(CSMC), state="added", confirmed_at=None)))
    assert refusal(hubs[CEM], draft_list.found_table, founding(members=(CSMC,), stewards=(CEM, COL)))[0] == "not_paired"


def test_leaving_a_table_is_people_s_and_cuts_no_link(hubs: TwinNetwork) -> None:
    confirmed(hubs, CEM, COL)
    hubs[CEM].run(network.drop_list, "administrator", TABLE)
    assert held(hubs[CEM]) == 0
    assert hubs[CEM].run(lambda unit: unit.links.one(peer=COL)).frozen is None
    assert refusal(hubs[CEM], network.drop_list, "administrator", TABLE)[0] == "no_network_list"


def test_a_peer_fills_nothing_with_tables_that_it_invents(hubs: TwinNetwork) -> None:
    for number in range(network.MAX_TABLES + 3):
        table = f"mesa-{number:02d}"
        data = signed(hubs, hubs[CSMC].run(draft_list.found_table, founding(table=table)))
        body = wire.NewList(table=table, version=1, parts=(base64.b64encode(data).decode(),))
        hubs[CEM].run(lambda unit, body=body: _hear(unit, body))
    assert hubs[CEM].run(lambda unit: len(unit.lists.all())) == network.MAX_TABLES


def _hear(unit: Any, body: wire.NewList) -> None:
    hear_list(unit, unit.links.one(peer=CSMC), body)
