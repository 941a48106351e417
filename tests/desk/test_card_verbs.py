"""The line of words on the card of what was taken: what its protocol speaks of, and nothing that it does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from hub.chat.cards import _if_allowed, referral_card
from policies import packs
from tests.desk.test_words import open_desk

PROTOCOL = packs.load("pe").protocols["mental-health"]


def test_the_card_names_an_emergency_before_the_way_back() -> None:
    desk = open_desk()
    desk.accepted()
    said = desk.csmc.run(lambda unit: referral_card(unit, unit.referrals.all()[0], "es")).body.splitlines()[-1]
    assert said == "En este hilo puede escribir: ver · decir: … · pedir … para … · avance · resultado · emergencia · devolver"


@pytest.mark.parametrize(("glass", "onward", "owners", "named"), [
    (True, False, (), ["emergencia"]), (False, False, (), []), (False, True, ("",), ["compartir"]), (True, True, (), ["compartir", "emergencia"]),
    (False, True, ("cem-lima",), []),
])  # fmt: skip
def test_only_what_the_protocol_speaks_of_is_named(glass: bool, onward: bool, owners: tuple[str, ...], named: list[str]) -> None:
    """And nobody passes on what somebody else owns."""
    protocol = replace(PROTOCOL, break_glass=PROTOCOL.break_glass if glass else None, onward=onward)
    pack = SimpleNamespace(between=lambda _: SimpleNamespace(protocols={"mental-health": protocol}))
    held = SimpleNamespace(all=lambda **_: [SimpleNamespace(owner=owner) for owner in owners])
    unit: Any = SimpleNamespace(pack=pack, disclosures=held, me=SimpleNamespace(kind="mental_health_centre"))
    referral: Any = SimpleNamespace(id="ref", peer="cem-lima", protocol="mental-health", purpose="mental_health_care", need="mental_health")
    assert list(_if_allowed(unit, referral)) == named
