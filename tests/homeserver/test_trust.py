"""Verdicts over what a homeserver serves, without a homeserver: no forgery makes a device trusted."""

from __future__ import annotations

import copy
import secrets
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.matrix import signatures, trust
from hub.matrix.crosssigning import CrossSigningSeeds, fingerprint, key_object
from hub.matrix.ports import Device, PeerPin, StaffPin, TrustList
from keys import matrixjson
from keys.primitives import SigningKey

ROSA = "@rosa:localhost"
OWN = Device(user_id="@hub:localhost", device_id="HUBHUBHUBH", ed25519="e", curve25519="c")


def seeds() -> CrossSigningSeeds:
    return CrossSigningSeeds(master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32))


HERS, FORGED = seeds(), seeds()
PIN = StaffPin(user_id=ROSA, master_key=fingerprint(HERS), level="given")


def device(name: str, signer: CrossSigningSeeds | None, user: str = ROSA, seed: bytes | None = None) -> dict[str, Any]:
    own = SigningKey(seed or secrets.token_bytes(32))
    keys = {
        f"ed25519:{name}": matrixjson.unpadded(own.public.raw),
        f"curve25519:{name}": matrixjson.unpadded(secrets.token_bytes(32)),
    }
    value: dict[str, Any] = {"user_id": user, "device_id": name, "algorithms": [], "keys": keys}
    value = matrixjson.sign_json(value, user, f"ed25519:{name}", own)
    return value if signer is None else signatures.sign(value, user, signer.self_signing)


def answer(devices: list[dict[str, Any]], identity: CrossSigningSeeds = HERS, signed_by: CrossSigningSeeds | None = None) -> dict[str, Any]:
    lower = key_object(ROSA, "self_signing", identity.self_signing, signed_with=(signed_by or identity).master)
    return {
        "device_keys": {ROSA: {one["device_id"]: one for one in devices}},
        "master_keys": {ROSA: key_object(ROSA, "master", identity.master)},
        "self_signing_keys": {ROSA: lower},
    }


def judge(raw: dict[str, Any], pin: StaffPin = PIN) -> trust.Verdict:
    return trust.judge_staff(pin, trust.read_answer(raw, [ROSA])[ROSA])


def trusted(raw: dict[str, Any], pin: StaffPin = PIN) -> set[str]:
    return {one.device_id for one in judge(raw, pin).devices}


def test_the_chain_holds_for_signed_devices_only() -> None:
    raw = answer([device("ONE", HERS), device("TWO", HERS), device("GHOST", None), device("OTHER", FORGED)])
    verdict = judge(raw)
    assert {one.device_id for one in verdict.devices} == {"ONE", "TWO"}
    assert {(one.kind, one.device_id) for one in verdict.reports} == {
        ("unverified_device", "GHOST"),
        ("unverified_device", "OTHER"),
    }


def test_forged_identities_trust_nobody() -> None:
    devices = [device("ONE", FORGED)]
    assert judge(answer(devices, identity=FORGED)).reports[0].kind == "master_changed"
    half = CrossSigningSeeds(master=HERS.master, self_signing=FORGED.self_signing, user_signing=HERS.user_signing)
    assert trusted(answer(devices, identity=half, signed_by=FORGED)) == set()
    swapped = answer([device("ONE", HERS)])
    swapped["self_signing_keys"][ROSA]["usage"] = ["user_signing"]
    assert trusted(swapped) == set()
    unsigned = answer([device("ONE", HERS)])
    del unsigned["self_signing_keys"][ROSA]["signatures"]
    assert trusted(unsigned) == set()
    other = answer([device("ONE", HERS)])
    other["master_keys"][ROSA]["user_id"] = "@other:localhost"
    assert trusted(other) == set()


def test_verdicts_bind_keys_and_not_ids() -> None:
    real, ghost = device("SAME", HERS), device("SAME", None)
    before, after = judge(answer([real])).devices, judge(answer([ghost])).devices
    assert len(before) == 1
    assert after == frozenset()
    moved = {**real, "device_id": "MOVED"}
    assert trusted(answer([moved])) == set()
    exchanged = copy.deepcopy(real)
    exchanged["keys"]["curve25519:SAME"] = ghost["keys"]["curve25519:SAME"]
    assert trusted(answer([exchanged])) == set()


def test_first_sight_pins_once_and_later_changes_are_seen() -> None:
    book = trust.TrustBook(OWN, TrustList(staff=(StaffPin(user_id=ROSA, master_key=None),)))
    assert book.pending == {ROSA, OWN.user_id}
    assert judge(answer([device("GHOST", None)]), StaffPin(user_id=ROSA, master_key=None)).first_sight is None
    served = trust.read_answer(answer([device("ONE", HERS)]), [ROSA])
    assert book.judge(served)[ROSA].first_sight == fingerprint(HERS)
    book.apply(served)
    other = trust.read_answer(answer([device("ONE", FORGED)], identity=FORGED), [ROSA])
    assert [report.kind for report in book.apply(other)] == ["master_changed", "hidden_device"] or book.devices(ROSA) == frozenset()
    # A list that does not know the pin yet does not unmake it; an administrator can.
    book.set_trust(TrustList(staff=(StaffPin(user_id=ROSA, master_key=None),)))
    assert book.devices(ROSA) == frozenset()
    book.forget_pin(ROSA)
    book.apply(other)
    assert {one.device_id for one in book.devices(ROSA)} == {"ONE"}


def test_a_device_that_is_not_served_any_more_is_told_and_revived() -> None:
    book = trust.TrustBook(OWN, TrustList(staff=(PIN,)))
    full = trust.read_answer(answer([device("ONE", HERS), device("TWO", HERS)]), [ROSA])
    part = {ROSA: trust.Served(devices={"ONE": full[ROSA].devices["ONE"]}, master=full[ROSA].master, self_signing=full[ROSA].self_signing)}
    assert book.apply(full) == []
    assert [(one.kind, one.device_id) for one in book.apply(part)] == [("hidden_device", "TWO")]
    assert book.apply(full) == []
    assert {one.device_id for one in book.devices(ROSA)} == {"ONE", "TWO"}


def test_a_silent_server_changes_nothing_and_an_empty_answer_does() -> None:
    raw = answer([device("ONE", HERS)])
    assert trust.read_answer({"failures": {"localhost": {}}, "device_keys": {}}, [ROSA]) == {}
    assert trust.read_answer({"device_keys": {}}, [ROSA])[ROSA].devices == {}
    assert trust.read_answer({**raw, "failures": {"localhost": {}}}, [ROSA])[ROSA].devices


def test_peers_are_what_their_manifest_says() -> None:
    peer = "@peer:other"
    shown = device("PEERPEERPE", None, user=peer)
    keys = shown["keys"]
    pin = PeerPin(user_id=peer, device_id="PEERPEERPE", ed25519=keys["ed25519:PEERPEERPE"], curve25519=keys["curve25519:PEERPEERPE"])
    book = trust.TrustBook(OWN, TrustList(peers=(pin,)))
    assert book.devices(peer) == {pin.device}, "before any answer"
    assert book.apply({peer: trust.Served(devices={"PEERPEERPE": shown})}) == []
    ghost = {"PEERPEERPE": shown, "GHOSTGHOST": device("GHOSTGHOST", None, user=peer)}
    assert [one.kind for one in book.apply({peer: trust.Served(devices=ghost)})] == ["peer_differs"]
    other = {"PEERPEERPE": device("PEERPEERPE", None, user=peer)}
    assert [one.kind for one in book.apply({peer: trust.Served(devices=other)})] == ["peer_differs"]
    assert [one.kind for one in book.apply({peer: trust.Served(devices={})})] == ["hidden_device"]
    assert book.devices(peer) == {pin.device}


def test_x25_who_is_ours_is_nobodys_peer() -> None:
    """A peer's manifest that names one of our people, or ourselves, as its hub moves nothing: she keeps her devices, and it gets none."""
    theirs = PeerPin(user_id=ROSA, device_id="PEERPEERPE", ed25519="p", curve25519="q")
    book = trust.TrustBook(OWN, TrustList(staff=(PIN,)))
    book.apply(trust.read_answer(answer([device("ONE", HERS)]), [ROSA]))
    book.set_trust(TrustList(staff=(PIN,), peers=(theirs, PeerPin(user_id=OWN.user_id, device_id="PEERPEERPE", ed25519="p", curve25519="q"))))
    assert book.standing(ROSA) == "staff"
    assert {one.device_id for one in book.devices(ROSA)} == {"ONE"}
    assert book.devices(OWN.user_id) == frozenset()
    # Who was a peer before she became one of ours keeps nothing of it.
    late = trust.TrustBook(OWN, TrustList(peers=(theirs,)))
    assert late.devices(ROSA) == {theirs.device}
    late.set_trust(TrustList(staff=(PIN,), peers=(theirs,)))
    assert late.devices(ROSA) == frozenset()
    assert ROSA in late.pending


def test_x25_whose_account_showed_a_key_first_is_known_while_it_shows_it() -> None:
    """Of what came in one answer, as after a start, nobody is the first."""
    ours, theirs = "@hub:one.example", "@hub:two.example"
    pins = tuple(PeerPin(user_id=user, device_id="OLD", ed25519=user, curve25519=user) for user in (ours, theirs))
    book = trust.TrustBook(OWN, TrustList(peers=pins))

    def shows(**keys: str) -> None:
        served = {user: [copied(user, keys[name])] if keys[name] else [] for name, user in (("one", ours), ("two", theirs)) if name in keys}
        book.apply({user: trust.Served(devices={each["device_id"]: each for each in devices}) for user, devices in served.items()})

    def copied(user: str, key: str) -> dict[str, Any]:
        own, name = SigningKey.generate(), "NEW"
        keys = {f"ed25519:{name}": matrixjson.unpadded(own.public.raw), f"curve25519:{name}": key}
        return matrixjson.sign_json({"user_id": user, "device_id": name, "algorithms": [], "keys": keys}, user, f"ed25519:{name}", own)

    shows(one="k")
    shows(two="k")
    assert book.shown_first() == {"k": ours}
    shows(one="k", two="k")
    assert book.shown_first() == {"k": ours}
    shows(one="")
    assert book.shown_first() == {"k": theirs}
    shows(one="k")
    assert book.shown_first() == {"k": theirs}
    shows(one="m", two="m")
    assert book.shown_first() == {}
    book.set_trust(TrustList(peers=pins[:1]))
    assert book.shown_first() == {"m": ours}


def test_off_boarded_people_are_nobody() -> None:
    book = trust.TrustBook(OWN, TrustList(staff=(PIN,)))
    book.apply(trust.read_answer(answer([device("ONE", HERS)]), [ROSA]))
    one = next(iter(book.devices(ROSA)))
    assert book.device(ROSA, one.curve25519, one.ed25519) == one
    book.set_trust(TrustList())
    assert book.standing(ROSA) is None
    assert book.device(ROSA, one.curve25519, one.ed25519) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A good answer with one value somewhere replaced by anything."""
    raw = copy.deepcopy(GOOD)
    place: Any = raw
    for _ in range(draw(st.integers(1, 7))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = draw(st.sampled_from(keys))
        below = place[key]
        if not isinstance(below, dict | list) or not below or draw(st.booleans()):
            place[key] = draw(JSON)
            break
        place = below
    return raw


GOOD = answer([device("ONE", HERS), device("GHOST", None)])
ONE = judge(GOOD).devices


@settings(max_examples=300, deadline=None)
@given(raw=spoiled())
def test_no_change_of_an_answer_makes_anything_new_trusted(raw: dict[str, Any]) -> None:
    served = trust.read_answer(raw, [ROSA]).get(ROSA)
    if served is not None:
        assert judge(raw).devices <= ONE
        trust.judge_self(OWN, served)
        trust.judge_peer(frozenset({OWN}), served)
