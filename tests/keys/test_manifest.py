"""Manifests under attack (C08, R11, R12), codes, freshness, expiry. Accept and refuse rows stand in vectors/manifest.json."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import freshness, manifest, statement, strictjson
from keys.errors import BadSignature, KeysError, Malformed, ManifestRefused
from keys.manifest import Manifest, accept, accept_chain, make_manifest
from keys.primitives import OpeningKey, SigningKey
from keys.shortcode import ALPHABET, pairing_code, same_code, short_code
from keys.vectors.generate import NOW, sample_profile, signer

ROOT = signer("cem-lima root")
FIRST = Manifest.from_bytes(make_manifest(sample_profile(), [ROOT]))


def following(held: Manifest, **changes: Any) -> manifest.Profile:
    issued = held.profile.issued + timedelta(days=1)
    base = replace(held.profile, version=held.version + 1, previous=held.digest, issued=issued)
    return replace(base, **{"expires": issued + timedelta(days=100), **changes})


def refused(held: Manifest | None, data: bytes, now: datetime = NOW) -> str:
    with pytest.raises(ManifestRefused) as caught:
        accept(held, data, now)
    return caught.value.code


def test_round_trip_keeps_the_bytes() -> None:
    raw = make_manifest(sample_profile(), [ROOT])
    found = Manifest.from_bytes(raw)
    assert found.raw == raw
    assert found.profile == sample_profile()
    assert found.profile.to_payload() == statement.Statement.from_bytes(raw).payload


def test_every_changed_byte_of_a_manifest_is_refused() -> None:
    for at in range(0, len(FIRST.raw)):
        changed = FIRST.raw[:at] + bytes([FIRST.raw[at] ^ 1]) + FIRST.raw[at + 1 :]
        with pytest.raises(KeysError):
            accept(None, changed, NOW)


def test_r11_a_stolen_hub_key_leaves_with_the_next_version() -> None:
    fresh = SigningKey.generate()
    found = accept(FIRST, make_manifest(following(FIRST, hub_signing=(fresh.public,)), [ROOT]), NOW + timedelta(days=1))
    assert found.profile.hub_signing == (fresh.public,)
    assert refused(found, FIRST.raw, NOW + timedelta(days=1)) == "manifest.rollback"


def test_r11_the_hub_key_cannot_sign_manifests() -> None:
    hub = signer("cem-lima hub")
    stolen = statement.sign("manifest", following(FIRST).to_payload(), hub).to_bytes()
    assert refused(FIRST, stolen, NOW + timedelta(days=2)) == "manifest.signature"


def test_r12_new_roots_alone_do_not_take_over() -> None:
    thief = SigningKey.generate()
    taken = make_manifest(following(FIRST, roots=(thief.public,)), [thief])
    assert refused(FIRST, taken, NOW + timedelta(days=2)) == "manifest.roots"


def test_roots_turn_when_old_and_new_sign() -> None:
    new = [SigningKey.generate() for _ in range(3)]
    turned = following(FIRST, roots=tuple(key.public for key in new), threshold=2)
    found = accept(FIRST, make_manifest(turned, [ROOT, new[0], new[2]]), NOW + timedelta(days=2))
    assert found.profile.threshold == 2
    with pytest.raises(BadSignature):
        make_manifest(turned, [ROOT, new[1]])
    after = make_manifest(following(found), [new[0], new[1]])
    assert accept(found, after, NOW + timedelta(days=3)).version == 3
    only_old = statement.sign("manifest", following(found).to_payload(), ROOT, new[0]).to_bytes()
    assert refused(found, only_old, NOW + timedelta(days=3)) == "manifest.signature"


def test_a_chain_catches_up_over_expired_versions() -> None:
    second = Manifest.from_bytes(make_manifest(following(FIRST), [ROOT]))
    third = make_manifest(following(second, issued=NOW + timedelta(days=600), expires=NOW + timedelta(days=900)), [ROOT])
    now = NOW + timedelta(days=610)
    assert accept_chain(FIRST, [second.raw, third], now).version == 3
    with pytest.raises(ManifestRefused):
        accept_chain(FIRST, [second.raw], now)
    with pytest.raises(ManifestRefused):
        accept_chain(FIRST, [third, second.raw], now)
    with pytest.raises(ManifestRefused):
        accept_chain(FIRST, [], now)


@pytest.mark.parametrize(
    ("days_left", "warned"),
    [(365, None), (30.01, None), (30, 30), (15, 30), (14, 14), (8, 14), (7, 7), (0.1, 7), (0, 0), (-5, 0)],
)
def test_warnings_narrow_to_expiry(days_left: float, warned: int | None) -> None:
    now = FIRST.profile.expires - timedelta(days=days_left)
    assert FIRST.warning(now) == warned
    assert FIRST.expired(now) == (days_left <= 0)


@pytest.mark.parametrize(
    "change",
    [
        {"institution": "Cem"},
        {"kind": ""},
        {"display_name": ""},
        {"display_name": "a\nb"},
        {"contact": "x" * 301},
        {"version": 0},
        {"version": True},
        {"version": 2},
        {"threshold": 2},
        {"threshold": 0},
        {"roots": ()},
        {"hub_signing": ()},
        {"hub_signing": (ROOT.public,)},
        {"expires": NOW},
        {"expires": NOW + timedelta(days=401)},
        {"issued": NOW.replace(tzinfo=None)},
        {"matrix_user": "hub"},
        {"device_id": "ABCDEFGHI1"},
        {"device_id": "ABCDEFGHIJK"},
        {"device_ed25519": "A" * 44},
        {"master_fingerprint": "A" * 42 + "="},
        {"minimum_protocol": 0},
    ],
)
def test_impossible_profiles_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        replace(sample_profile(), **change)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1], True])
@pytest.mark.parametrize("name", sorted(strictjson.loads(sample_profile().to_payload())))
def test_wrong_types_in_a_signed_payload_stay_in_the_family(name: str, value: Any) -> None:
    found = strictjson.loads(sample_profile().to_payload())
    data = statement.sign("manifest", strictjson.dumps({**found, name: value}), ROOT).to_bytes()
    try:
        accept(None, data, NOW)
    except ManifestRefused:
        return
    assert (name, value) in {("previous", None), ("version", 1), ("minimum_protocol", 1), ("kind", "x")} or isinstance(value, str)


def test_signatures_added_to_a_file_do_not_change_its_digest_or_code() -> None:
    more = Manifest.from_bytes(
        statement.add_signature("manifest", statement.Statement.from_bytes(FIRST.raw), signer("x")).to_bytes()
    )
    other = Manifest.from_bytes(make_manifest(sample_profile("csmc"), [signer("csmc root")]))
    assert more.raw != FIRST.raw
    assert more.digest == FIRST.digest
    assert pairing_code(FIRST, other) == pairing_code(other, more)


@pytest.mark.parametrize(("a", "b"), [(b"a", b"b"), (b"", b"x" * 5000)])
def test_code_is_symmetric_and_readable(a: bytes, b: bytes) -> None:
    code = short_code(a, b)
    assert code == short_code(b, a)
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert set(code) <= {*ALPHABET, "-"}
    assert code != short_code(a, b + b"x")
    assert code != short_code(a + b[:1], b[1:] or b"y")


@given(st.text(alphabet=ALPHABET, min_size=16, max_size=16), st.sampled_from(["", " ", "-", " - "]))
def test_codes_compare_as_people_type_them(code: str, gap: str) -> None:
    typed = gap.join(code[at : at + 4] for at in range(0, 16, 4)).lower().replace("0", "o").replace("1", "l")
    assert same_code(code, typed)
    other = "7" if code[3] != "7" else "8"
    assert not same_code(code, code[:3] + other + code[4:])
    assert not same_code(code, code[:15])
    assert not same_code("", "")


def test_freshness_names_the_current_version() -> None:
    data = freshness.sign_freshness(FIRST, NOW, signer("cem-lima hub"))
    found = freshness.verify_freshness(data, FIRST)
    assert (found.version, found.digest, found.issued) == (1, FIRST.digest, NOW)


def test_freshness_of_another_or_by_another_is_refused() -> None:
    other = Manifest.from_bytes(
        make_manifest(sample_profile("other", hub_signing=FIRST.profile.hub_signing), [signer("other root")])
    )
    with pytest.raises(BadSignature):
        freshness.verify_freshness(freshness.sign_freshness(FIRST, NOW, ROOT), FIRST)
    with pytest.raises(Malformed):
        freshness.verify_freshness(freshness.sign_freshness(other, NOW, signer("cem-lima hub")), FIRST)


def test_opening_key_of_the_day_is_stated_and_read() -> None:
    key, hub = OpeningKey.generate().public, signer("cem-lima hub")
    data = freshness.state_opening_key("cem-lima", key, NOW, hub)
    found = freshness.read_opening_key(data, "cem-lima", [hub.public])
    assert (found.key, found.starts, found.ends) == (key, NOW, NOW + timedelta(days=7))
    assert found.usable(NOW + timedelta(days=5))
    assert not found.usable(NOW + timedelta(days=6))
    for bad in (
        data[:-1],
        data + b"x",
        b"",
        bytes(len(data)),
        data[:-1] + bytes([data[-1] ^ 1]),
        data[:30] + b"\xff" + data[31:],
    ):
        with pytest.raises(KeysError):
            freshness.read_opening_key(bad, "cem-lima", [hub.public])
    with pytest.raises(KeysError):
        freshness.read_opening_key(data, "other", [hub.public])
