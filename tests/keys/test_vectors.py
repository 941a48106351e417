"""The published vectors are re-checked here case by case, and are what the generator makes."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from keys import devices, envelope, ledger, manifest, network, roster, shortcode, statement, strictjson
from keys.errors import KeysError
from keys.primitives import OpeningKey, VerifyKey
from keys.vectors import generate

FOLDER = Path(generate.__file__).parent
FILES = {path.stem: json.loads(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
CASES = [(name, case) for name, content in FILES.items() for case in content["cases"]]


def test_no_corpus_is_empty() -> None:
    assert set(FILES) == set(generate.ABOUT)
    for name, content in FILES.items():
        outcomes = [case["expect"] for case in content["cases"]]
        assert outcomes.count("ok") > 0, name
        assert name == "short_code" or len(outcomes) > outcomes.count("ok"), name
        assert content["about"]


def test_the_generator_makes_the_same_files() -> None:
    for name, content in FILES.items():
        assert generate.build(name, content["cases"]) == (FOLDER / f"{name}.json").read_bytes(), name


def devices_(case: dict[str, Any]) -> None:
    held = manifest.Manifest.from_bytes(case["manifest"].encode())
    found = devices.accept_devices(case["kept"].encode(), case["candidate"].encode(), held, datetime.fromisoformat(case["now"]))
    assert found.user == held.profile.matrix_user
    assert 1 <= len(found.devices) <= devices.MAX_DEVICES


def roster_(case: dict[str, Any]) -> None:
    held = manifest.Manifest.from_bytes(case["manifest"].encode())
    found = roster.accept_roster(case["last"], case["candidate"].encode(), held, case["room"], datetime.fromisoformat(case["now"]))
    assert (found.institution, found.room) == (held.institution, case["room"])
    assert len({one.master for one in found.members}) == len(found.members)


def envelope_info(case: dict[str, Any]) -> None:
    assert envelope.info_bytes(case["from"], case["to"], case["link"]).hex() == case["info"]


def envelope_sealed(case: dict[str, Any]) -> None:
    raw = {name: bytes.fromhex(case[name]) for name in ("opening_seed", "signer", "info", "sealed", "signed", "digest")}
    signed = envelope.unseal(raw["sealed"], OpeningKey(raw["opening_seed"]), raw["info"])
    read = envelope.read_signed(signed, [VerifyKey(raw["signer"])])
    assert (signed, read.digest) == (raw["signed"], raw["digest"])
    assert read.inner == generate.sample_inner()


def frame(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["frame"])
    inner = envelope.parse_frame(data)
    assert envelope.frame(inner) == data
    assert generate.inner_fields(inner) == case["fields"]


def ledger_(case: dict[str, Any]) -> None:
    rows = [
        ledger.Row(seq=seq, previous=bytes.fromhex(previous), entry=entry.encode(), hash=bytes.fromhex(own))
        for seq, previous, entry, own in case["rows"]
    ]
    head = ledger.verify(rows, ledger.genesis(case["institution"]))
    assert head.size == len(rows)
    for row in rows:
        assert ledger.Entry.from_bytes(row.entry).to_bytes() == row.entry


def manifest_(case: dict[str, Any]) -> None:
    previous = None if case["previous"] is None else manifest.Manifest.from_bytes(case["previous"].encode())
    found = manifest.accept(previous, case["candidate"].encode(), datetime.fromisoformat(case["now"]))
    assert found.raw == case["candidate"].encode()


def short_code(case: dict[str, Any]) -> None:
    assert shortcode.short_code(bytes.fromhex(case["a"]), bytes.fromhex(case["b"])) == case["code"]


def protocol_word_(case: dict[str, Any]) -> None:
    found = generate.check_word(case["kind"], case["statement"].encode(), VerifyKey(bytes.fromhex(case["key"])))
    assert found.id == case["id"]
    assert found.to_payload() == statement.Statement.from_bytes(case["statement"].encode()).payload


def statement_(case: dict[str, Any]) -> None:
    keys = [VerifyKey(bytes.fromhex(key)) for key in case["keys"]]
    read = statement.Statement.from_bytes(case["statement"].encode())
    statement.verify(case["kind"], read, keys, threshold=case["threshold"])
    assert read.to_bytes() == case["statement"].encode()


def strictjson_(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["json"])
    assert strictjson.loads(data) == json.loads(data)


def network_(case: dict[str, Any]) -> None:
    previous = None if case["previous"] is None else network.NetworkList.from_bytes(case["previous"].encode())
    found = network.accept(previous, case["candidate"].encode(), datetime.fromisoformat(case["now"]))
    assert found.raw == case["candidate"].encode()
    assert found.roll.to_payload() == network.parse_roll(found.roll.to_payload()).to_payload()


CHECKS = {
    "devices": devices_,
    "envelope_info": envelope_info,
    "envelope_sealed": envelope_sealed,
    "frame": frame,
    "ledger": ledger_,
    "manifest": manifest_,
    "network": network_,
    "roster": roster_,
    "short_code": short_code,
    "protocol_word": protocol_word_,
    "statement": statement_,
    "strictjson": strictjson_,
}


@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{name}: {case.get('name', n)}" for n, (name, case) in enumerate(CASES)])
def test_vector(name: str, case: dict[str, Any]) -> None:
    outcome = "ok"
    try:
        CHECKS[name](case)
    except KeysError as error:
        outcome = error.code
    assert outcome == case["expect"]
