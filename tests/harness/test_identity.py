"""A device is trusted only through an unbroken chain from the pinned master key; each way to break it is refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from deploy.demo.identity import Identity, master_in, trusted_devices

ROSA = "@rosa:localhost:1"
Answer = dict[str, Any]


def device(name: str, key: str) -> dict[str, Any]:
    return {
        "user_id": ROSA,
        "device_id": name,
        "algorithms": [],
        "keys": {f"ed25519:{name}": key, f"curve25519:{name}": f"c{key}"},
    }


def answer_for(identity: Identity) -> Answer:
    published = identity.publication(ROSA)
    return {
        "master_keys": {ROSA: published["master_key"]},
        "self_signing_keys": {ROSA: published["self_signing_key"]},
        "device_keys": {ROSA: {"PHONE": identity.sign_device(device("PHONE", "one")), "GHOST": device("GHOST", "two")}},
    }


def test_only_the_signed_device_is_trusted() -> None:
    identity = Identity()
    answer = answer_for(identity)
    assert trusted_devices(answer, ROSA, identity.fingerprint) == {"PHONE": "one"}
    assert master_in(answer, ROSA) == identity.fingerprint


def another_master(answer: Answer) -> None:
    answer["master_keys"][ROSA] = Identity().publication(ROSA)["master_key"]


def another_self_signing_key(answer: Answer) -> None:
    answer["self_signing_keys"][ROSA] = Identity().publication(ROSA)["self_signing_key"]


def changed_device_key(answer: Answer) -> None:
    answer["device_keys"][ROSA]["PHONE"]["keys"]["ed25519:PHONE"] = "three"


def signature_copied_to_a_ghost(answer: Answer) -> None:
    devices = answer["device_keys"][ROSA]
    devices["GHOST"]["signatures"] = devices.pop("PHONE")["signatures"]


def listed_under_another_id(answer: Answer) -> None:
    devices = answer["device_keys"][ROSA]
    devices["TABLET"] = devices.pop("PHONE")


def somebody_elses_name(answer: Answer) -> None:
    answer["self_signing_keys"][ROSA]["user_id"] = "@mallory:localhost:1"


def wrong_use(answer: Answer) -> None:
    answer["self_signing_keys"][ROSA]["usage"] = ["user_signing"]


def two_keys(answer: Answer) -> None:
    answer["self_signing_keys"][ROSA]["keys"]["ed25519:x"] = "x"


def no_self_signing_key(answer: Answer) -> None:
    del answer["self_signing_keys"]


def nonsense(answer: Answer) -> None:
    answer["self_signing_keys"][ROSA] = ["nonsense"]


FORGERIES = [
    another_master,
    another_self_signing_key,
    changed_device_key,
    signature_copied_to_a_ghost,
    listed_under_another_id,
    somebody_elses_name,
    wrong_use,
    two_keys,
    no_self_signing_key,
    nonsense,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_answer_trusts_nobody(forge: Callable[[Answer], None]) -> None:
    identity = Identity()
    answer = copy.deepcopy(answer_for(identity))
    forge(answer)
    assert trusted_devices(answer, ROSA, identity.fingerprint) == {}
