"""The protocol by itself: `hub.matrix.sas` against a starter written from the specification, honest and not."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import vodozemac
from hypothesis import given
from hypothesis import strategies as st
from nio.crypto import Sas

from hub.chat.emoji import EMOJI
from hub.matrix import sas
from hub.matrix.sas import Broken, Exchange, Party
from keys import matrixjson

HUB = Party(user_id="@hub:uno.example", device_id="HUBDEVICE", ed25519="A" * 42 + "g", master="B" * 42 + "g")
ANA = Party(user_id="@ana:uno.example", device_id="ANADEVICE", ed25519="C" * 42 + "g", master="D" * 42 + "g")
TXN = "$pregunta"
START = {
    "from_device": ANA.device_id, "method": "m.sas.v1", "key_agreement_protocols": ["curve25519-hkdf-sha256"], "hashes": ["sha256"],
    "message_authentication_codes": ["hkdf-hmac-sha256", "hkdf-hmac-sha256.v2"], "short_authentication_string": ["decimal", "emoji"],
}  # fmt: skip


class Her:
    """The side that starts."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.sas = vodozemac.Sas()
        self.key = self.sas.public_key.to_base64()
        self.emoji: tuple[int, ...] = ()

    def up_to_keys(self) -> None:
        """start → accept → key → key, with the check of the commitment."""
        [(_, accept)] = self.exchange.take("start", START)
        [(_, answer)] = self.exchange.take("key", {"key": self.key})
        content = {**START, "m.relates_to": {"rel_type": "m.reference", "event_id": TXN}}
        digest = hashlib.sha256(answer["key"].encode() + matrixjson.canonical(content)).digest()
        assert accept["commitment"] == matrixjson.unpadded(digest)
        self.agreed = self.sas.diffie_hellman(vodozemac.Curve25519PublicKey.from_base64(answer["key"]))
        info = f"MATRIX_KEY_VERIFICATION_SAS|{ANA.user_id}|{ANA.device_id}|{self.key}|{HUB.user_id}|{HUB.device_id}|{answer['key']}|{TXN}"
        self.emoji = tuple(self.agreed.bytes(info).emoji_indices)

    def mac(self, keys: dict[str, str], *, listed: str | None = None, receiver: Party = HUB) -> dict[str, Any]:
        base = f"MATRIX_KEY_VERIFICATION_MAC{ANA.user_id}{ANA.device_id}{receiver.user_id}{receiver.device_id}{TXN}"
        macs = {name: self.agreed.calculate_mac(key, base + name) for name, key in keys.items()}
        return {"mac": macs, "keys": self.agreed.calculate_mac(listed or ",".join(sorted(keys)), base + "KEY_IDS")}


HERS = {f"ed25519:{ANA.device_id}": ANA.ed25519, f"ed25519:{ANA.master}": ANA.master}


@pytest.fixture
def her() -> Her:
    return Her(Exchange(transaction=TXN, own=HUB, theirs=ANA))


def test_both_see_the_same_and_prove_their_master_keys(her: Her) -> None:
    her.up_to_keys()
    assert her.emoji == her.exchange.emoji
    assert her.exchange.take("mac", her.mac(HERS)) == []
    assert her.exchange.proven
    [(kind, content)] = her.exchange.confirm()
    base = f"MATRIX_KEY_VERIFICATION_MAC{HUB.user_id}{HUB.device_id}{ANA.user_id}{ANA.device_id}{TXN}"
    assert kind == "mac"
    assert set(content["mac"]) == {f"ed25519:{HUB.device_id}", f"ed25519:{HUB.master}"}
    her.agreed.verify_mac(HUB.master, f"{base}ed25519:{HUB.master}", content["mac"][f"ed25519:{HUB.master}"])
    her.agreed.verify_mac(",".join(sorted(content["mac"])), f"{base}KEY_IDS", content["keys"])
    assert her.exchange.confirm() == []
    assert her.exchange.take("done", {}) == []


@pytest.mark.parametrize(
    "keys",
    [
        {f"ed25519:{ANA.device_id}": ANA.ed25519},  # the device alone
        {f"ed25519:{ANA.master}": HUB.master},  # another key under her name
        {**HERS, f"ed25519:{ANA.device_id}": HUB.ed25519},  # another device key
        {f"ed25519:{HUB.master}": HUB.master},  # a master key that is not hers
    ],
)
def test_a_mac_over_other_keys_proves_nothing(her: Her, keys: dict[str, str]) -> None:
    her.up_to_keys()
    with pytest.raises(Broken, match=r"m\.key_mismatch"):
        her.exchange.take("mac", her.mac(keys))
    assert not her.exchange.proven


def test_keys_taken_from_the_list_are_noticed(her: Her) -> None:
    her.up_to_keys()
    with pytest.raises(Broken, match=r"m\.key_mismatch"):
        her.exchange.take("mac", her.mac(HERS, listed=f"ed25519:{ANA.master}"))


def test_a_mac_for_somebody_else_proves_nothing(her: Her) -> None:
    her.up_to_keys()
    with pytest.raises(Broken, match=r"m\.key_mismatch"):
        her.exchange.take("mac", her.mac(HERS, receiver=ANA))


def test_our_own_mac_sent_back_proves_nothing(her: Her) -> None:
    her.up_to_keys()
    [(_, ours)] = her.exchange.confirm()
    with pytest.raises(Broken, match=r"m\.key_mismatch"):
        her.exchange.take("mac", ours)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "m.reciprocate.v1"}, {"key_agreement_protocols": ["curve25519"]}, {"hashes": []}, {"from_device": "OTHER"},
        {"message_authentication_codes": ["hkdf-hmac-sha256"]}, {"short_authentication_string": ["decimal"]}, {"hashes": "sha256"},
    ],
)  # fmt: skip
def test_a_start_that_offers_less_is_refused(her: Her, change: dict[str, Any]) -> None:
    with pytest.raises(Broken):
        her.exchange.take("start", {**START, **change})


@pytest.mark.parametrize("key", ["", "A" * 43, "A" * 42 + "h", "B" * 42 + "g=", "é" * 43, 7, None, "A" * 5000])
def test_a_key_that_is_none_is_refused(her: Her, key: object) -> None:
    """Also the one of order one, and a second spelling of a good one."""
    her.exchange.take("start", START)
    with pytest.raises(Broken, match=r"m\.invalid_message"):
        her.exchange.take("key", {"key": key})


def test_every_message_has_its_place(her: Her) -> None:
    for kind in ("key", "mac", "done", "accept", "ready", "request", "anything"):
        with pytest.raises(Broken, match=r"m\.unexpected_message"):
            her.exchange.take(kind, {})
    with pytest.raises(Broken):
        her.exchange.confirm()


def test_the_same_again_is_nothing_and_another_ends_it(her: Her) -> None:
    her.up_to_keys()
    before = her.exchange.emoji
    assert her.exchange.take("start", START) == []
    assert her.exchange.take("key", {"key": her.key}) == []
    assert her.exchange.emoji == before
    with pytest.raises(Broken, match=r"m\.unexpected_message"):
        her.exchange.take("key", {"key": vodozemac.Sas().public_key.to_base64()})


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(stage=st.integers(0, 2), kind=st.sampled_from(["start", "key", "mac", "done"]), junk=st.dictionaries(st.text(max_size=8), json), field=json)
def test_no_content_does_more_than_end_it(stage: int, kind: str, junk: dict[str, Any], field: Any) -> None:
    her = Her(Exchange(transaction=TXN, own=HUB, theirs=ANA))
    if stage == 1:
        her.exchange.take("start", START)
    if stage == 2:
        her.up_to_keys()
    names = {"start": [*START], "key": ["key"], "mac": ["mac", "keys"], "done": ["done"]}[kind]
    for name in names:
        with pytest.raises(Broken):
            her.exchange.take(kind, {**(START if kind == "start" else {}), **junk, name: field, "from_device": field})
    assert not her.exchange.proven


def test_the_table_of_emoji_is_the_specifications() -> None:
    spelled = {"Spanner": "Wrench", "Thumbs Up": "Thumbs up", "Aeroplane": "Airplane"}
    assert [(symbol, spelled.get(english, english)) for symbol, _, english in EMOJI] == list(Sas.emoji)
    assert len({spanish for _, spanish, _ in EMOJI}) == 64


def test_what_belongs_to_a_verification() -> None:
    assert sas.is_verification("m.key.verification.mac", {})
    assert sas.is_verification("m.room.message", {"msgtype": "m.key.verification.request"})
    assert not sas.is_verification("m.room.message", {"msgtype": "m.text"})
    assert not sas.is_verification("m.key.verification.request", {}), "the to-device form has no place in a room"
    assert not sas.offers_sas({"methods": "m.sas.v1"})
