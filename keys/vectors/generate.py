"""Make the published vectors from fixed seeds; `--check` only compares. See the package docstring."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from keys import devices, envelope, frame, ledger, manifest, network, protocolword, roster, shortcode, statement, strictjson
from keys.codec import b64
from keys.errors import KeysError
from keys.matrixjson import unpadded
from keys.primitives import OpeningKey, SigningKey, VerifyKey, sha256

FOLDER: Final = Path(__file__).parent
NOW: Final = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
Case = dict[str, Any]


def seed(name: str) -> bytes:
    """32 bytes that everybody can make again."""
    return sha256(b"TINKUY-v1 vector seed", name.encode("ascii"))


def signer(name: str) -> SigningKey:
    return SigningKey(seed(name))


def outcome(step: Callable[..., object], *arguments: Any) -> str:
    """`ok`, or the code of the error: what a vector's `expect` states."""
    try:
        step(*arguments)
    except KeysError as error:
        return error.code
    return "ok"


def sample_inner(**changes: Any) -> envelope.Inner:
    """An invented message from `cem-lima` to `csmc-comas`."""
    inner = envelope.Inner(
        message_id=seed("message")[:16],
        sender="cem-lima",
        recipient="csmc-comas",
        link="L3aY",
        epoch=1,
        sequence=7,
        previous=seed("previous"),
        manifest_version=2,
        kind="offer",
        body=b'{"need":"mental-health"}',
        sent_at=1_767_268_800_000,
        checkpoint=b"checkpoint",
        extensions=(("hek", b"\x01\x02"),),
    )
    return replace(inner, **changes)


def sample_profile(name: str = "cem-lima", **changes: Any) -> manifest.Profile:
    """An invented institution's first manifest."""
    profile = manifest.Profile(
        institution=name,
        kind="cem",
        display_name=f"Sample of {name}",
        version=1,
        issued=NOW,
        expires=NOW + timedelta(days=365),
        previous=None,
        roots=(signer(f"{name} root").public,),
        threshold=1,
        hub_signing=(signer(f"{name} hub").public,),
        opening=OpeningKey(seed(f"{name} opening")).public,
        matrix_user=f"@hub-{name}:sample.invalid",
        device_id=b32(seed(f"{name} device")),
        device_ed25519=unpadded(seed(f"{name} device ed25519")),
        device_curve25519=unpadded(seed(f"{name} device curve25519")),
        master_fingerprint=unpadded(seed(f"{name} master")),
        contact="admin@sample.invalid",
    )
    return replace(profile, **changes)


def b32(data: bytes) -> str:
    return "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31] for byte in data[:10])


def info_cases() -> list[Case]:
    roads = [("cem-lima", "csmc-comas", "L3aY"), ("a", "b", "0"), ("colectiva-miluska", "cem-lima", "aB-_9")]
    good = [{"from": a, "to": b, "link": c, "info": envelope.info_bytes(a, b, c).hex(), "expect": "ok"} for a, b, c in roads]
    bad = [("Cem-Lima", "b", "x"), ("a", "b|c", "x"), ("a", "", "x"), ("a", "b", "x y"), ("a\n", "b", "x")]
    return good + [
        {"from": a, "to": b, "link": c, "info": "", "expect": outcome(envelope.info_bytes, a, b, c)} for a, b, c in bad
    ]


def frame_cases() -> list[Case]:
    inners = {
        "usual": sample_inner(),
        "ack, unsequenced and empty": sample_inner(kind="ack", sequence=0, body=b"", checkpoint=b"", extensions=()),
        "extensions a newer hub added": sample_inner(extensions=(("a", b""), ("b", b"x"), ("zz.new-thing", b"y" * 300))),
        "largest numbers": sample_inner(epoch=2**32 - 1, sequence=2**53 - 1, manifest_version=2**32 - 1, sent_at=2**53 - 1),
    }
    good = [{"name": name, "frame": frame.frame(each).hex(), "fields": inner_fields(each)} for name, each in inners.items()]
    data = frame.frame(sample_inner())
    bad = {
        "cut short": data[:-1],
        "goes on": data + b"\0",
        "other version": b"TKF\x02" + data[4:],
        "empty": b"",
        "sender in capitals": data.replace(b"cem-lima", b"CEM-LIMA"),
        "sender not UTF-8": data.replace(b"cem-lima", b"cem-lim\xff"),
        "body longer than the frame": data.replace(b"\x00\x00\x00\x18{", b"\x00\x00\x70\x18{"),
        "extensions out of order": data[:-12] + bytes.fromhex("0002016200000000016100000000"),
        "extension twice": data[:-12] + bytes.fromhex("0002016100000000016100000000"),
        "too large": data + bytes(32 * 1024),
    }
    refused = [{"name": name, "frame": each.hex()} for name, each in bad.items()]
    return [{**case, "expect": outcome(frame.parse_frame, bytes.fromhex(str(case["frame"])))} for case in good + refused]


def inner_fields(inner: envelope.Inner) -> Case:
    return {
        "message_id": inner.message_id.hex(),
        "from": inner.sender,
        "to": inner.recipient,
        "link": inner.link,
        "epoch": inner.epoch,
        "sequence": inner.sequence,
        "previous": inner.previous.hex(),
        "manifest_version": inner.manifest_version,
        "kind": inner.kind,
        "body": inner.body.hex(),
        "sent_at": inner.sent_at,
        "checkpoint": inner.checkpoint.hex(),
        "extensions": [[key, value.hex()] for key, value in inner.extensions],
    }


def sealed_cases(old: list[Case]) -> list[Case]:
    """A stored ciphertext is kept while it opens to the same bytes; the rest derives from it."""
    hub, key = signer("cem-lima hub"), OpeningKey(seed("csmc-comas opening"))
    signed = envelope.sign_inner(sample_inner(), hub)
    info = envelope.info_bytes("cem-lima", "csmc-comas", "L3aY")
    sealed = next((bytes.fromhex(case["sealed"]) for case in old if case["expect"] == "ok"), b"")
    if outcome(envelope.unseal, sealed, key, info) != "ok" or envelope.unseal(sealed, key, info) != signed.data:
        sealed = envelope.seal(signed.data, key.public, info)
    other = envelope.info_bytes("cem-lima", "csmc-comas", "other")
    variants = {
        "opens": (sealed, info),
        "other link": (sealed, other),
        "suite byte changed": (b"\x02" + sealed[1:], info),
        "hint changed": (sealed[:1] + bytes([sealed[1] ^ 1]) + sealed[2:], info),
        "encapsulated key changed": (sealed[:9] + bytes([sealed[9] ^ 1]) + sealed[10:], info),
        "top bit of X25519 share changed": (sealed[:1128] + bytes([sealed[1128] ^ 0x80]) + sealed[1129:], info),
        "last byte changed": (sealed[:-1] + bytes([sealed[-1] ^ 1]), info),
        "cut short": (sealed[:-1], info),
    }
    return [
        {
            "name": name,
            "opening_seed": key.reveal().hex(),
            "signer": hub.public.raw.hex(),
            "info": road.hex(),
            "sealed": data.hex(),
            "signed": signed.data.hex(),
            "digest": signed.digest.hex(),
            "expect": outcome(envelope.unseal, data, key, road),
        }
        for name, (data, road) in variants.items()
    ]


def statement_cases() -> list[Case]:
    a, b = signer("a"), signer("b")
    good = statement.sign("receipt", b"payload", a, b)
    both = (a.public, b.public)
    twice = {"payload": b64(b"payload"), "sigs": [{"keyid": a.public.keyid, "sig": b64(a.sign(b""))}] * 2}
    rows: list[tuple[str, str, bytes, int, tuple[Any, ...]]] = [
        ("two of two", "receipt", good.to_bytes(), 2, both),
        ("one of two", "receipt", statement.sign("receipt", b"payload", a).to_bytes(), 1, both),
        ("one where two are needed", "receipt", statement.sign("receipt", b"payload", a).to_bytes(), 2, both),
        ("shown as another kind", "manifest", good.to_bytes(), 1, both),
        ("by a stranger", "receipt", statement.sign("receipt", b"payload", signer("c")).to_bytes(), 1, both),
        ("other payload", "receipt", statement.Statement(payload=b"other", signatures=good.signatures).to_bytes(), 1, both),
        ("one key twice", "receipt", strictjson.dumps(twice), 2, both),
        ("threshold of none", "receipt", good.to_bytes(), 0, both),
        ("second spelling of base64", "receipt", good.to_bytes().replace(b'"cGF5bG9hZA=="', b'"cGF5bG9hZB=="'), 1, both),
        ("extra key in the wrapper", "receipt", good.to_bytes()[:-1] + b',"x":1}', 1, both),
    ]
    return [
        {
            "name": name,
            "kind": kind,
            "statement": data.decode("ascii"),
            "threshold": least,
            "keys": [key.raw.hex() for key in keys],
            "expect": outcome(check_statement, kind, data, least, keys),
        }
        for name, kind, data, least, keys in rows
    ]


def check_statement(kind: str, data: bytes, least: int, keys: Any) -> bytes:
    return statement.verify(kind, statement.Statement.from_bytes(data), keys, threshold=least)


def stated_device(name: str) -> devices.StatedDevice:
    """An invented Matrix device."""
    return devices.StatedDevice(
        device_id=b32(seed(f"{name} device")), ed25519=unpadded(seed(f"{name} ed25519")), curve25519=unpadded(seed(f"{name} curve25519"))
    )


def sample_devices(*names: str, **changes: Any) -> devices.DeviceStatement:
    """The invented institution's statement of these devices."""
    stated = devices.DeviceStatement(
        institution="cem-lima",
        number=devices.next_number(NOW),
        issued=NOW,
        user="@hub-cem-lima:sample.invalid",
        devices=tuple(stated_device(name) for name in names or ("one",)),
    )
    return replace(stated, **changes)


def device_cases() -> list[Case]:
    hub, later = signer("cem-lima hub"), NOW + timedelta(hours=1)
    held = manifest.Manifest.from_bytes(manifest.make_manifest(sample_profile(), [signer("cem-lima root")]))
    kept = devices.sign_devices(sample_devices("one"), hub)
    next_ = sample_devices("two", "three", number=devices.next_number(later), issued=later)
    ahead = NOW + timedelta(days=2)
    fifth = {"institution": "cem-lima", "number": 1, "issued": "2026-01-01T12:00:00Z", "user": next_.user, "devices": []}
    rows: list[tuple[str, bytes, bytes]] = [
        ("the first, after a restore", b"", kept),
        ("the same bytes again", kept, kept),
        ("the next, two servers", kept, devices.sign_devices(next_, hub)),
        ("an older one sent again", devices.sign_devices(next_, hub), kept),
        ("another one of the same number", kept, devices.sign_devices(replace(next_, number=sample_devices().number), hub)),
        ("signed by the root", kept, devices.sign_devices(next_, signer("cem-lima root"))),
        ("signed by a stranger", kept, devices.sign_devices(next_, signer("stranger"))),
        ("of another institution", kept, devices.sign_devices(replace(next_, institution="csmc-comas"), hub)),
        ("of another Matrix user", kept, devices.sign_devices(replace(next_, user="@other:sample.invalid"), hub)),
        ("issued two days ahead", kept, devices.sign_devices(replace(next_, issued=ahead), hub)),
        ("numbered two days ahead", kept, devices.sign_devices(replace(next_, number=devices.next_number(ahead)), hub)),
        ("no device", kept, statement.sign(devices.KIND, strictjson.dumps(fifth), hub).to_bytes()),
        ("shown as another kind", kept, statement.sign("freshness", strictjson.dumps(fifth), hub).to_bytes()),
        ("not a statement", kept, b"{}"),
    ]
    return [
        {
            "name": name,
            "manifest": held.raw.decode("ascii"),
            "kept": old.decode("ascii"),
            "candidate": new.decode("ascii"),
            "now": later.isoformat(),
            "expect": outcome(devices.accept_devices, old, new, held, later),
        }
        for name, old, new in rows
    ]


def sample_roster(**changes: Any) -> roster.Roster:
    """Two invented people of the invented institution in one room."""
    since = NOW - timedelta(days=1)
    members = tuple(
        roster.Member(user=f"@{name}:sample.invalid", master=unpadded(seed(f"{name} master")), role="caseworker", since=since)
        for name in ("ana", "bea")
    )
    made = roster.Roster(institution="cem-lima", room="coo_" + "0a" * 12, number=int(NOW.timestamp() * 1000), issued=NOW, members=members)
    return replace(made, **changes)


def roster_cases() -> list[Case]:
    hub, later = signer("cem-lima hub"), NOW + timedelta(hours=1)
    held = manifest.Manifest.from_bytes(manifest.make_manifest(sample_profile(), [signer("cem-lima root")]))
    one, ahead = sample_roster(), NOW + timedelta(days=2)
    twice = {
        "institution": "cem-lima", "room": one.room, "number": one.number, "issued": "2026-01-01T12:00:00Z",
        "members": [{"user": m.user, "master": one.members[0].master, "role": m.role, "since": "2026-01-01T12:00:00Z"} for m in one.members],
    }  # fmt: skip
    rows: list[tuple[str, int, bytes]] = [
        ("the first", 0, roster.sign_roster(one, hub)),
        ("the next", one.number - 1, roster.sign_roster(one, hub)),
        ("nobody is left", one.number - 1, roster.sign_roster(replace(one, members=()), hub)),
        ("the same number again", one.number, roster.sign_roster(one, hub)),
        ("an older one", one.number + 1, roster.sign_roster(one, hub)),
        ("signed by the root", 0, roster.sign_roster(one, signer("cem-lima root"))),
        ("signed by a stranger", 0, roster.sign_roster(one, signer("stranger"))),
        ("of another institution", 0, roster.sign_roster(replace(one, institution="csmc-comas"), hub)),
        ("of another room", 0, roster.sign_roster(replace(one, room="coo_" + "0b" * 12), hub)),
        ("issued two days ahead", 0, roster.sign_roster(replace(one, issued=ahead), hub)),
        ("numbered two days ahead", 0, roster.sign_roster(replace(one, number=int(ahead.timestamp() * 1000)), hub)),
        ("one key for two people", 0, statement.sign(roster.KIND, strictjson.dumps(twice), hub).to_bytes()),
        ("shown as another kind", 0, statement.sign("devices", strictjson.dumps(twice), hub).to_bytes()),
        ("not a statement", 0, b"{}"),
    ]
    return [
        {
            "name": name,
            "manifest": held.raw.decode("ascii"),
            "last": last,
            "room": one.room,
            "candidate": new.decode("ascii"),
            "now": later.isoformat(),
            "expect": outcome(roster.accept_roster, last, new, held, one.room, later),
        }
        for name, last, new in rows
    ]


def manifest_cases() -> list[Case]:
    root, new, hub = signer("cem-lima root"), signer("cem-lima root 2"), signer("cem-lima hub")
    one = sample_profile()
    first = manifest.make_manifest(one, [root])
    held = manifest.Manifest.from_bytes(first)
    two = replace(one, version=2, previous=held.digest, issued=NOW + timedelta(days=30), expires=NOW + timedelta(days=395))
    second = manifest.make_manifest(two, [root])
    turned = replace(two, roots=(new.public,))
    later = NOW + timedelta(days=31)
    third = replace(two, version=3, previous=manifest.Manifest.from_bytes(second).digest)
    wide = replace(one, roots=tuple(signer(f"root {n}").public for n in "abc"), threshold=2)
    unsigned = statement.sign("manifest", one.to_payload(), hub).to_bytes()
    rows: list[tuple[str, bytes | None, bytes, datetime]] = [
        ("first meeting", None, first, NOW),
        ("first meeting, two of three roots", None, manifest.make_manifest(wide, [signer("root a"), signer("root c")]), NOW),
        ("two of three, only one signed", None, statement.sign("manifest", wide.to_payload(), signer("root a")).to_bytes(), NOW),
        ("next version", first, second, later),
        ("the same again", first, first, later),
        ("root changed, both signed", first, manifest.make_manifest(turned, [root, new]), later),
        ("root changed, only the new one signed", first, manifest.make_manifest(turned, [new]), later),
        ("older version", second, first, later),
        ("a version left out", first, manifest.make_manifest(third, [root]), later),
        ("second one of the same version", first, manifest.make_manifest(replace(one, contact="x"), [root]), later),
        ("does not continue ours", first, manifest.make_manifest(replace(two, previous=seed("x")), [root]), later),
        ("another institution", first, manifest.make_manifest(sample_profile("other"), [signer("other root")]), later),
        ("signed by the hub key", None, unsigned, NOW),
        ("expired at first meeting", None, first, NOW + timedelta(days=365)),
        ("expired update", first, second, NOW + timedelta(days=400)),
        ("dated in the future", None, first, NOW - timedelta(days=2)),
        ("lives 401 days", None, long_lived(one, root), NOW),
        ("back to an older protocol", *downgrade(one, root), later),
        ("a field is missing", None, without_field(one, root, "opening"), NOW),
        ("unknown field of a newer hub", None, with_field(one, root, "later", {"a": 1}), NOW),
        ("duplicate key in the payload", None, signed_payload(one.to_payload()[:-1] + b',"version":2}', root), NOW),
    ]
    return [
        {
            "name": name,
            "previous": None if before is None else before.decode("ascii"),
            "candidate": data.decode("ascii"),
            "now": now.isoformat(),
            "expect": outcome(check_manifest, before, data, now),
        }
        for name, before, data, now in rows
    ]


def check_manifest(before: bytes | None, data: bytes, now: datetime) -> manifest.Manifest:
    return manifest.accept(None if before is None else manifest.Manifest.from_bytes(before), data, now)


def sample_roll(**changes: Any) -> network.Roll:
    """An invented table: three institutions with a hub, one without; two of three stewards sign, a community seat among them."""
    hubs = (("cem-lima", "emergency_centre"), ("colectiva-miluska", "community_organisation"), ("csmc-comas", "mental_health_centre"))
    members = [
        network.Member(
            institution=name, kind=kind, display_name=f"{name} (invented)", territory="Lima", server=f"{name}.example",
            matrix_user=f"@tinkuy:{name}.example", roots=seed(f"{name} roots").hex(),
        )
        for name, kind in hubs
    ]  # fmt: skip
    without = network.Member(institution="red-vecinal", kind="community_organisation", display_name="Red vecinal (invented)", territory="Comas")
    stewards = tuple(
        network.Steward(institution=name, roots=(signer(f"{name} root").public,), threshold=1, community=kind == "community_organisation")
        for name, kind in hubs
    )
    roll = network.Roll(
        table="mesa-lima", name="Mesa de Lima (invented)", version=1, issued=NOW, expires=NOW + timedelta(days=365), previous=None,
        members=(*members, without), stewards=stewards, threshold=2, community_signs=True,
    )  # fmt: skip
    return replace(roll, **changes)


def signed_list(roll: network.Roll, *names: str) -> bytes:
    """A list signed by the invented roots of these institutions, whether they suffice or not."""
    return statement.sign(network.KIND, roll.to_payload(), *(signer(f"{name} root") for name in names)).to_bytes()


def network_cases() -> list[Case]:
    """Lists that a holder of `previous` (null: none) accepts or refuses at `now`."""
    cem, col, csmc = "cem-lima", "colectiva-miluska", "csmc-comas"
    one = sample_roll()
    first = signed_list(one, cem, col)
    later = NOW + timedelta(days=31)
    two = replace(one, version=2, previous=network.NetworkList.from_bytes(first).digest, issued=NOW + timedelta(days=30), members=one.members[:3])
    second = signed_list(two, col, csmc)
    three = replace(two, version=3, previous=network.NetworkList.from_bytes(second).digest)
    new = network.Steward(institution=cem, roots=(signer("new root").public,), threshold=1)
    turned = replace(two, stewards=(new, *two.stewards[1:]))
    handed_over = replace(two, stewards=(new,), threshold=1, community_signs=False)
    bad_user = one.to_payload().replace(b"@tinkuy:csmc-comas.example", b"@tinkuy:elsewhere.example.")
    no_seat = replace(one, stewards=tuple(replace(s, community=False) for s in one.stewards), community_signs=False)
    rows: list[tuple[str, bytes | None, bytes, datetime]] = [
        ("first list", None, first, NOW),
        ("first list, all stewards", None, signed_list(one, cem, col, csmc), NOW),
        ("one of two stewards", None, signed_list(one, col), NOW),
        ("two stewards, none of them a community seat", None, signed_list(one, cem, csmc), NOW),
        ("no community seat asked for", None, signed_list(no_seat, cem, csmc), NOW),
        ("signed as a manifest", None, statement.sign("manifest", one.to_payload(), *(signer(f"{n} root") for n in (cem, col))).to_bytes(), NOW),
        ("next version", first, second, later),
        ("the same again", first, first, later),
        ("older version", second, first, later),
        ("a version left out", first, signed_list(three, col, csmc), later),
        ("second one of the same version", first, signed_list(replace(one, name="Otra mesa"), cem, col), later),
        ("does not continue ours", first, signed_list(replace(two, previous=seed("x")), cem, col), later),
        ("another table", first, signed_list(replace(one, table="otra-mesa"), cem, col), later),
        ("a steward's root changed, the old ones signed", first, signed_list(turned, col, csmc), later),
        ("taken over by one steward alone", first, statement.sign(network.KIND, handed_over.to_payload(), signer("new root")).to_bytes(), later),
        ("expired at first sight", None, first, NOW + timedelta(days=365)),
        ("dated in the future", None, first, NOW - timedelta(days=2)),
        ("a hub's account on another server", None, statement.sign(network.KIND, bad_user, signer(f"{cem} root")).to_bytes(), NOW),
        ("duplicate key in the payload", None, raw_list(one.to_payload()[:-1] + b',"version":2}', cem, col), NOW),
        ("unknown field of a newer hub", None, raw_list(one.to_payload()[:-1] + b',"later":{"a":1}}', cem, col), NOW),
    ]
    return [
        {
            "name": name,
            "previous": None if before is None else before.decode("ascii"),
            "candidate": data.decode("ascii"),
            "now": now.isoformat(),
            "expect": outcome(check_network, before, data, now),
        }
        for name, before, data, now in rows
    ]


def raw_list(payload: bytes, *names: str) -> bytes:
    return statement.sign(network.KIND, payload, *(signer(f"{name} root") for name in names)).to_bytes()


def check_network(before: bytes | None, data: bytes, now: datetime) -> network.NetworkList:
    return network.accept(None if before is None else network.NetworkList.from_bytes(before), data, now)


def signed_payload(payload: bytes, root: SigningKey) -> bytes:
    return statement.sign("manifest", payload, root).to_bytes()


def with_field(profile: manifest.Profile, root: SigningKey, name: str, value: Any) -> bytes:
    return signed_payload(strictjson.dumps({**strictjson.loads(profile.to_payload()), name: value}), root)


def without_field(profile: manifest.Profile, root: SigningKey, name: str) -> bytes:
    found = strictjson.loads(profile.to_payload())
    del found[name]
    return signed_payload(strictjson.dumps(found), root)


def long_lived(profile: manifest.Profile, root: SigningKey) -> bytes:
    return with_field(profile, root, "expires", "2027-02-06T12:00:00Z")


def downgrade(one: manifest.Profile, root: SigningKey) -> tuple[bytes, bytes]:
    before = manifest.make_manifest(replace(one, minimum_protocol=2), [root])
    digest = manifest.Manifest.from_bytes(before).digest
    return before, manifest.make_manifest(replace(one, version=2, previous=digest), [root])


def ledger_cases() -> list[Case]:
    rows, head = [], ledger.genesis("cem-lima")
    for number in range(4):
        rows.append(ledger.append(head, sample_entry(number)))
        head = rows[-1].head
    changed = replace(rows[1], entry=rows[1].entry.replace(b"csmc-comas", b"csmc-other"))
    chains = {
        "whole": rows,
        "empty": [],
        "an entry changed": [rows[0], changed, *rows[2:]],
        "a row left out": [rows[0], *rows[2:]],
        "first row left out": rows[1:],
        "two rows exchanged": [rows[1], rows[0], *rows[2:]],
        "a row twice": [rows[0], rows[0], *rows[1:]],
    }
    return [
        {
            "name": name,
            "institution": "cem-lima",
            "rows": [[row.seq, row.previous.hex(), row.entry.decode("utf-8"), row.hash.hex()] for row in chain],
            "expect": outcome(ledger.verify, chain, ledger.genesis("cem-lima")),
        }
        for name, chain in chains.items()
    ]


def sample_entry(number: int) -> ledger.Entry:
    return ledger.Entry(
        case_ref=ledger.case_reference(seed(f"case {number}"), "C-7QK4"),
        action="disclose",
        recipient="csmc-comas",
        purpose="mental-health",
        protocol="pe-mental-health/1",
        ground=f"consent-{number}",
        fields=("social_name", "need"),
        message=ledger.message_reference(seed(f"case {number}"), seed("digest")),
        at=NOW + timedelta(minutes=number),
    )


def code_cases() -> list[Case]:
    pairs = [(b"a", b"b"), (b"b", b"a"), (b"a", b"c"), (b"", b""), (seed("one"), seed("two"))]
    return [{"a": a.hex(), "b": b.hex(), "code": shortcode.short_code(a, b), "expect": "ok"} for a, b in pairs]


def json_cases() -> list[Case]:
    texts: dict[str, bytes] = {
        "object": b'{"a":[1,-2,1.5,true,null,"\xc3\xb1"]}',
        "escapes": rb'"\u00f1\ud83d\ude00\n"',
        "duplicate key": b'{"a":1,"a":2}',
        "duplicate key by escape": rb'{"a":1,"\u0061":2}',
        "duplicate key deep inside": b'[{"b":{"a":1,"a":1}}]',
        "NaN": b"NaN",
        "infinity": b"-Infinity",
        "infinity by overflow": b"1e999",
        "largest integer": b"9007199254740991",
        "integer too large": b"9007199254740992",
        "integer of a thousand digits": b"1" * 1000,
        "lone surrogate": rb'"\ud800"',
        "lone surrogate in a key": rb'{"\udc00":1}',
        "surrogate in UTF-8": b'"\xed\xa0\x80"',
        "not UTF-8": b'"\xff"',
        "NUL": rb'"\u0000"',
        "32 levels": b"[" * 32 + b"]" * 32,
        "33 levels": b"[" * 33 + b"]" * 33,
        "5,000 levels": b"[" * 5_000,
        "brackets in text": b'"' + b"[" * 100 + b'"',
        "byte order mark": b"\xef\xbb\xbf{}",
        "text after the value": b"{} x",
        "single quotes": b"{'a':1}",
        "trailing comma": b"[1,]",
        "empty": b"",
        "control character in text": b'"\x01"',
        "leading zero": b"01",
    }
    return [{"name": name, "json": d.hex(), "expect": outcome(strictjson.loads, d)} for name, d in texts.items()]


def sample_proposal(**changes: Any) -> protocolword.Proposal:
    """An invented version of an invented protocol."""
    made = protocolword.Proposal(
        proposer="cem-lima", protocol="shelter", version=2, document=sha256(b"document").hex(), vocabulary=sha256(b"vocabulary").hex(),
        parties=("cem-lima", "hogar-luz", "red-apoyo"), seat="red-apoyo", starts=date(2026, 2, 1), consulted=date(2026, 1, 20),
        closes=date(2026, 3, 3), why="Lo pidió la red.", at=NOW,
    )  # fmt: skip
    return replace(made, **changes)


def word_cases() -> list[Case]:
    """Proposals and words, each with the key that it is held against."""
    a, b, name = signer("a"), signer("b"), sample_proposal().id
    word = protocolword.Word(institution="hogar-luz", kind="signature", proposal=name, at=NOW, heard=(sha256(b"comment").hex(),))
    comment = protocolword.Word(institution="red-apoyo", kind="comment", proposal=name, at=NOW, text="Con su permiso.", voice="V-7QK4M2")
    reply = protocolword.Word(institution="cem-lima", kind="answer", proposal=name, at=NOW, text="Así es.", to=comment.id)
    spelt = statement.sign("protocol-signature", word.to_payload().replace(b'"to":""', b'"to": ""'), a).to_bytes()
    rows: list[tuple[str, str, bytes, SigningKey]] = [
        ("a proposal", "proposal", protocolword.sign_proposal(sample_proposal(), a), a),
        ("a proposal by another key", "proposal", protocolword.sign_proposal(sample_proposal(), a), b),
        ("a signature", "signature", protocolword.sign_word(word, a), a),
        ("a signature by another key", "signature", protocolword.sign_word(word, a), b),
        ("a comment with a voice", "comment", protocolword.sign_word(comment, a), a),
        ("a comment shown as a signature", "signature", protocolword.sign_word(comment, a), a),
        ("an answer", "answer", protocolword.sign_word(reply, a), a),
        ("a refusal", "refusal", protocolword.sign_word(replace(word, kind="refusal", heard=(), text="No."), a), a),
        ("a second spelling", "signature", spelt, a),
        ("a kind that is none", "vote", protocolword.sign_word(word, a), a),
    ]
    return [
        {
            "name": told, "kind": kind, "statement": data.decode("ascii"), "key": key.public.raw.hex(),
            "expect": outcome(check_word, kind, data, key.public), "id": _id_of(kind, data),
        }
        for told, kind, data, key in rows
    ]  # fmt: skip


def check_word(kind: str, data: bytes, key: VerifyKey) -> protocolword.Proposal | protocolword.Word:
    """What a statement of this kind says, once this key signed it."""
    return protocolword.verify_proposal(data, [key]) if kind == "proposal" else protocolword.verify_word(kind, data, [key])


def _id_of(kind: str, data: bytes) -> str:
    """The name of what it says, whoever signed it; empty for what says nothing."""
    try:
        return (protocolword.claimed_proposal(data) if kind == "proposal" else protocolword.claimed_word(kind, data)).id
    except KeysError:
        return ""


ABOUT: Final[dict[str, str]] = {
    "devices": "statements of a hub's Matrix devices that a holder of `manifest` and of the statement `kept` accepts or refuses at `now`",
    "envelope_info": "info of an envelope: join('TINKUY-v1 envelope', from, to, link), each part behind a 4-byte length",
    "envelope_sealed": "HPKE-sealed envelopes; opening_seed opens them or must refuse them",
    "frame": "message frames (keys/frame.py); those that parse must print back identically",
    "ledger": "ledger chains (keys/ledger.py)",
    "manifest": "manifests a holder of `previous` accepts or refuses at `now`",
    "network": "network lists a holder of `previous` accepts or refuses at `now`",
    "roster": "rosters of one coordination room that a holder of `manifest` and of the number `last` accepts or refuses at `now`",
    "protocol_word": "proposals of a protocol's version and words on them (keys/protocolword.py): the signing key, and the id of what is said",
    "short_code": "the code two people compare, over two byte strings in either order",
    "statement": "signed statements with the keys and threshold they are checked against",
    "strictjson": "what the one JSON parser reads and refuses",
}


def build(name: str, old: list[Case]) -> bytes:
    """The bytes of one vector file."""
    makers: dict[str, Callable[[], list[Case]]] = {
        "devices": device_cases,
        "envelope_info": info_cases,
        "envelope_sealed": lambda: sealed_cases(old),
        "frame": frame_cases,
        "ledger": ledger_cases,
        "manifest": manifest_cases,
        "network": network_cases,
        "roster": roster_cases,
        "protocol_word": word_cases,
        "short_code": code_cases,
        "statement": statement_cases,
        "strictjson": json_cases,
    }
    content = {"about": ABOUT[name], "version": 1, "cases": makers[name]()}
    return json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"


def main(arguments: list[str]) -> int:
    """Write all files, or with `--check` report those that would change. 0 when nothing differs or all were written."""
    changed = []
    for name in ABOUT:
        path = FOLDER / f"{name}.json"
        before = path.read_bytes() if path.exists() else b""
        after = build(name, json.loads(before)["cases"] if before else [])
        if after != before:
            changed.append(name)
            if "--check" not in arguments:
                path.write_bytes(after)
    print(f"{len(changed)} of {len(ABOUT)} vector files differ: {', '.join(changed) or 'none'}")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
