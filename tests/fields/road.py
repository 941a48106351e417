"""Three hubs whose protocols all allow what the shipped ones allow here and there: passing on by grant, and breaking the glass."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from hub.cases.records import Case, Referral
from hub.testing import Twin
from policies import document, engine, packs
from policies.packs import Pack
from tests.actions import road
from tests.actions.road import HOGAR, Net
from tests.desk.test_words import code_in, pick

__all__ = ["VALUES", "Net", "begun", "code_in", "fresh", "give", "pack", "pick", "sees", "thread", "typed"]

GLASS = "break_glass: {fields: [address, phone], roles: [caseworker, supervisor], risk: [high, critical], lasts: PT8H, %s}\n"
VALUES = {
    "social_name": "Marisol Ejemplo", "phone": "900000123", "address": "Calle Inventada 5", "safe_contact": "de 9 a 12, por su hermana",
    "district": "Comas", "risk_level": "high", "legal_name": "Nombrelegal Inventado", "account": "RELATO-INVENTADO",
    "medication": "MEDI-INVENTADA",
}  # fmt: skip


@cache
def pack(onward: bool = True, glass: str = "second_person: true") -> Pack:
    """The shipped pack with those two keys in each protocol."""
    base = packs.load("pe")
    protocols = {}
    for name in base.protocols:
        text = packs.protocol_text("pe", name)
        text = re.sub(r"^(onward|break_glass): .*\n", "", text, flags=re.MULTILINE) + ("onward: grant\n" if onward else "")
        protocols[name] = document.parse(text + (GLASS % glass if glass else ""), base.vocabulary)
    compiled = {name: engine.compile(protocol) for name, protocol in protocols.items()}
    return replace(base, protocols=MappingProxyType(protocols), compiled=MappingProxyType(compiled))


def give(twin: Twin, chosen: Pack) -> None:
    """This hub follows these protocols from now on."""
    twin.store.given = replace(twin.store.given, pack=chosen)


@cache
def _network() -> Net:
    return Net(*road.HUBS)


def fresh(onward: bool = True, glass: str = "second_person: true") -> Net:
    """cem-lima (owner), csmc-comas (holder), hogar-luz (third), at their beginning."""
    net = _network().again()
    for twin in net.twins.values():
        give(twin, pack(onward, glass))
    return net


def begun(net: Net, values: dict[str, str] | None = None, shelter: bool = True) -> tuple[Case, Referral]:
    """Her case, her consent to the holder and (with `shelter`) to the third, and the referral accepted by the holder."""
    case = road.opened(net.cem, VALUES if values is None else values)
    net.cem.post()
    road.consented(net.cem, case)
    if shelter:
        road.consented(net.cem, case, recipients=(HOGAR,), purposes=("shelter_protection",))
    return case, road.taken(net, road.offered(net, case))


def thread(twin: Twin, words: str) -> str:
    """The first message with these words: the card, as the root of its thread."""
    twin.post()
    return next(s for s in twin.said if words in s.body).event


def typed(twin: Twin, words: str, card: str | None, name: str = "ana") -> str:
    return twin.type(name, words, thread=card)


def sees(twin: Twin) -> str:
    """Everything that this hub's rooms show now, but for the direct chats."""
    twin.post()
    return "\n".join(s.body for s in twin.said if ".direct:" not in s.room)
