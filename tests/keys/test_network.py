"""Network lists: whose signatures count, who keeps the gate, and drafts on their way. Accept and refuse rows stand in vectors/network.json."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.drafts import awaited, draft_list, joined_lists, next_roll, read_list_draft, sign_list
from keys.errors import BadSignature, KeysError, Malformed, NetworkRefused
from keys.network import Member, NetworkList, Roll, Steward, accept, check_signed, gatekeepers, make_list, roots_digest
from keys.primitives import SigningKey
from keys.shortcode import network_code
from keys.statement import Statement
from keys.vectors.generate import NOW, sample_profile, sample_roll, signer

STEWARDS = ("cem-lima", "colectiva-miluska", "csmc-comas")


def roots(*names: str) -> list[SigningKey]:
    return [signer(f"{name} root") for name in names]


def first() -> NetworkList:
    return NetworkList.from_bytes(make_list(sample_roll(), roots("cem-lima", "colectiva-miluska")))


@given(st.sets(st.sampled_from(STEWARDS)), st.integers(1, 3), st.booleans())
def test_a_list_holds_exactly_when_enough_stewards_and_a_seat_if_asked_for_signed(names: set[str], threshold: int, seat: bool) -> None:
    roll = sample_roll(threshold=threshold, community_signs=seat)
    statement = Statement(payload=roll.to_payload(), signatures=())
    for name in sorted(names):
        statement = Statement.from_bytes(sign_list(statement.to_bytes(), signer(f"{name} root")))
    enough = len(names) >= threshold and ("colectiva-miluska" in names or not seat)
    try:
        check_signed(statement, roll)
    except BadSignature:
        assert not enough
    else:
        assert enough
    assert enough == (not awaited(None, statement))


def test_a_steward_has_signed_only_when_its_own_threshold_of_roots_has() -> None:
    """One thief of one root of a two-of-three institution speaks for nobody."""
    three = tuple(signer(f"cem root {n}") for n in "abc")
    stewards = (Steward(institution="cem-lima", roots=tuple(k.public for k in three), threshold=2), *sample_roll().stewards[1:])
    roll = sample_roll(stewards=stewards)
    with pytest.raises(BadSignature):
        make_list(roll, [three[0], *roots("colectiva-miluska")])
    assert make_list(roll, [three[0], three[2], *roots("colectiva-miluska")])


def test_one_key_of_two_stewards_does_not_sign_for_both_unless_both_named_it() -> None:
    with pytest.raises(BadSignature):
        make_list(sample_roll(), roots("colectiva-miluska"))


@given(st.integers(1, 3), st.sets(st.sampled_from(STEWARDS)), st.booleans())
def test_a_gatekeeper_is_who_alone_changes_everything_or_without_whom_nothing_changes(threshold: int, seats: set[str], asked: bool) -> None:
    """Against the definition, by trying every set of stewards (R105)."""
    stewards = tuple(replace(s, community=s.institution in seats) for s in sample_roll().stewards)
    if asked and not seats:
        return
    roll = sample_roll(stewards=stewards, threshold=threshold, community_signs=asked)

    def passes(names: tuple[str, ...]) -> bool:
        try:
            make_list(roll, roots(*names))
        except BadSignature:
            return False
        return True

    every = [set(names) for names in chain.from_iterable(combinations(STEWARDS, n) for n in range(4)) if passes(names)]
    keepers = {name for name in STEWARDS if {name} in every or all(name in names for names in every)}
    assert set(gatekeepers(roll)) == keepers


def test_several_community_organisations_and_nobody_keeps_the_gate() -> None:
    extra = Member(institution="red-trabajo-sexual", kind="community_organisation", display_name="Red", territory="Lima")
    steward = Steward(institution=extra.institution, roots=(signer("red root").public,), threshold=1, community=True)
    roll = sample_roll()
    assert gatekeepers(roll) == ("colectiva-miluska",)  # the only seat, and it always signs
    assert gatekeepers(replace(roll, members=(*roll.members, extra), stewards=(*roll.stewards, steward))) == ()


def test_the_next_version_needs_the_stewards_of_the_one_before() -> None:
    one = first()
    alone = next_roll(one, NOW + timedelta(days=1), stewards=one.roll.stewards[:1], threshold=1, community_signs=False)
    taken = make_list(alone, roots("cem-lima"))
    with pytest.raises(NetworkRefused) as caught:
        accept(one, taken, NOW + timedelta(days=1))
    assert caught.value.code == "network.stewards"
    gaps = awaited(one, Statement.from_bytes(taken))
    assert [(gap.whose, gap.count, gap.seat) for gap in gaps] == [("previous", 1, True)]
    agreed = sign_list(taken, signer("colectiva-miluska root"))
    assert accept(one, agreed, NOW + timedelta(days=1)).version == 2


def test_signatures_from_several_machines_are_joined() -> None:
    blank = draft_list(sample_roll())
    one, two = sign_list(blank, signer("cem-lima root")), sign_list(blank, signer("colectiva-miluska root"))
    with pytest.raises(BadSignature):
        NetworkList.from_bytes(one)
    assert NetworkList.from_bytes(joined_lists([one, two])) == NetworkList.from_bytes(joined_lists([two, one]))
    with pytest.raises(NetworkRefused):
        joined_lists([one, draft_list(sample_roll(name="Otra"))])
    with pytest.raises(NetworkRefused):
        joined_lists([])


def test_the_code_is_one_for_all_who_hold_the_list_whoever_signed_their_copy() -> None:
    more = NetworkList.from_bytes(make_list(sample_roll(), roots(*STEWARDS)))
    assert network_code(first()) == network_code(more)
    assert network_code(first()) != network_code(NetworkList.from_bytes(make_list(sample_roll(name="Otra"), roots(*STEWARDS))))


def test_roots_are_the_same_through_every_turn_of_a_hubs_keys_and_others_when_they_change() -> None:
    profile = sample_profile("cem-lima")
    turned = replace(profile, hub_signing=(signer("next hub").public,), version=2, previous=b"x" * 32)
    assert roots_digest(profile) == roots_digest(turned)
    assert roots_digest(profile) != roots_digest(replace(profile, roots=(signer("another root").public,)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"threshold": 4}, "network.threshold"),
        ({"members": sample_roll().members[:2]}, "network.people"),
        ({"members": (*sample_roll().members, sample_roll().members[0])}, "network.people"),
        ({"stewards": tuple(replace(s, community=False) for s in sample_roll().stewards)}, "network.no_seat"),
        ({"expires": NOW + timedelta(days=401)}, "network.life"),
        ({"name": "con\nsalto"}, "network.text"),
    ],
)
def test_what_makes_no_list(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        sample_roll(**changes)
    assert caught.value.code == code


@given(st.binary(max_size=400))
def test_bytes_of_anybody_are_refused_by_an_error_of_ours(data: bytes) -> None:
    with pytest.raises(KeysError):
        NetworkList.from_bytes(data)


@given(st.integers(0, 2000), st.integers(0, 255))
def test_one_changed_byte_is_never_another_list(at: int, value: int) -> None:
    raw = bytearray(first().raw)
    raw[at % len(raw)] = value
    try:
        found = NetworkList.from_bytes(bytes(raw))
    except KeysError:
        return
    assert found.digest == first().digest


def test_ends_are_told_in_time() -> None:
    one = first()
    assert [one.warning(one.roll.expires - timedelta(days=d)) for d in (31, 29, 13, 6)] == [None, 30, 14, 7]
    assert one.warning(one.roll.expires) == 0
    assert read_list_draft(one.raw)[1] == replace(one.roll, members=tuple(sorted(one.roll.members, key=lambda m: m.institution)))
    assert isinstance(one.roll, Roll)
