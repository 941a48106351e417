"""What the control commands answer, over the twin's own store: the actions' refusals and counts as the terminal gets them."""

from __future__ import annotations

import base64
import os
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions import coordination, staff
from hub.app.commands import handlers
from hub.base.errors import Refused
from hub.cli_words import sentence, shown_code
from hub.matrix import http
from hub.matrix.queries import has_account
from keys.statement import Statement
from tests.actions.road import CANARY, Net, opened, working
from tests.actions.test_peers import stranger
from tests.coordination.bench import key_of, pinned


async def nothing(*_: object) -> None:
    """A collaborator that needs do nothing here."""


def commands(net: Net, **matrix: Any) -> dict[str, Any]:
    """Every command, over a house that has a store and nothing else to say."""
    keeper = SimpleNamespace(poke=lambda: None, turn=nothing, trust=nothing, look_again=lambda _: None)
    house: Any = SimpleNamespace(
        store=net.cem.store, keeper=keeper, matrix=SimpleNamespace(leave=nothing, refresh=nothing, **matrix),
        servers=None, config=None, clock=net.clock, keyring=None,
    )  # fmt: skip
    return handlers(house)


def unsigned() -> bytes:
    """The stranger's manifest before its root signed: what lies in manifest-next.json."""
    return Statement(payload=Statement.from_bytes(stranger()).payload, signatures=()).to_bytes()


@pytest.mark.parametrize(("data", "es", "en"), [
    (b"{}", "no es un manifiesto", "no manifest"),
    (b"x" * 100, "no es un manifiesto", "no manifest"),
    (b"[" * 5000, "no es un manifiesto", "no manifest"),
    (b'{"payload": "eA==", "sigs": []}', "no es un manifiesto", "no manifest"),
    (os.urandom(4000), "no es un manifiesto", "no manifest"),
    (unsigned(), "le faltan firmas", "signatures are missing"),
])  # fmt: skip
async def test_whatever_is_handed_in_as_a_manifest_is_refused_in_words(net: Net, data: bytes, es: str, en: str) -> None:
    with pytest.raises(Refused) as refused:
        await commands(net)["peer.add"]({"manifest": base64.b64encode(data).decode()})
    code, params = refused.value.code, refused.value.params
    told = sentence(code, params)
    assert es in told[0]
    assert en in told[1]
    assert shown_code(code, params).startswith("peer_manifest_refused: ")


async def test_an_older_manifest_of_a_known_peer_says_so(net: Net) -> None:
    """The twins' own manifests are of version 1; another of the same version is another identity."""
    other = Net(("csmc-comas", "mental_health_centre")).csmc.manifest
    with pytest.raises(Refused) as refused:
        await commands(net)["peer.add"]({"manifest": base64.b64encode(other).decode()})
    told = sentence(refused.value.code, refused.value.params)
    assert "manifiesto" in told[0]
    assert "runbook" in told[2]


async def test_what_moves_when_somebody_leaves_is_in_the_answer_by_code_only(net: Net) -> None:
    case, _ = working(net)
    answer = await commands(net)["staff.remove"]({"user_id": net.cem.person("ana")})
    pending = net.cem.run(lambda unit: unit.checkins.count(case=case.id, state__in=("planned", "ringing")))
    assert answer["moved"] == {"to": net.cem.person("sara"), "cases": [case.code], "referrals": [], "check_ins": pending, "unnamed": 0}
    assert CANARY not in str(answer)
    assert "Marisol" not in str(answer)


async def test_before_she_goes_the_hub_says_where_she_is_and_what_would_move_and_changes_nothing(net: Net) -> None:
    """A coordination room goes by the code that one can type, never by our id."""
    case, _ = working(net)
    ana, sara = net.cem.person("ana"), net.cem.person("sara")
    net.cem.run(lambda unit: staff.pin_first_sight(unit, ana, key_of(ana)))
    table = net.cem.run(lambda unit: coordination.open_table(unit, ana, "Mesa Lima Norte", ("csmc-comas",)))
    net.cem.make_rooms()
    answer = await commands(net)["staff.show"]({"user_id": ana})
    assert (answer["user_id"], answer["role"], answer["removed"]) == (ana, "caseworker", False)
    called = {row["room"]: row["called"] for row in answer["rooms"]}
    assert called["desk"] == "desk"
    assert called.get(f"coordination:{table.id}") == f"coordination:{table.code}", called
    assert (answer["would_move"]["to"], answer["would_move"]["cases"]) == (sara, [case.code])
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == ana
    assert CANARY not in str(answer)


async def test_an_account_that_shows_no_key_is_looked_for_once(net: Net) -> None:
    """And one whose key is there is not asked about."""
    asked: list[str] = []

    async def has_account(user: str) -> bool:
        asked.append(user)
        return False

    given = commands(net, has_account=has_account)["staff.add"]
    answer = await given({"user_id": "@nueva:cem-lima.example", "fingerprint": ""})
    assert (answer["pin"], answer["account"], asked) == ("unseen", False, ["@nueva:cem-lima.example"])
    answer = await given({"user_id": "@otra:cem-lima.example", "fingerprint": key_of("@otra:cem-lima.example")})
    assert (answer["pin"], "account" in answer, len(asked)) == ("given", False, 1)


@pytest.mark.parametrize(("status", "body", "known"), [
    (200, {"displayname": "Rosa"}, True), (200, {}, True), (404, {"errcode": "M_NOT_FOUND"}, False),
    (404, {"errcode": "M_UNKNOWN"}, False), (404, {"errcode": "M_UNRECOGNIZED"}, None),
    (403, {"errcode": "M_FORBIDDEN"}, None), (500, {}, None),
])  # fmt: skip
async def test_only_our_own_homeserver_is_asked_for_an_account(
    monkeypatch: pytest.MonkeyPatch, status: int, body: dict[str, str], known: bool | None
) -> None:
    paths: list[str] = []

    async def fetch(_: object, method: str, path: str, *__: object, **___: object) -> tuple[int, dict[str, str]]:
        paths.append(f"{method} {path}")
        return status, body

    monkeypatch.setattr(http, "fetch", fetch)
    client: Any = SimpleNamespace(user_id="@tinkuy:cem-lima.example")
    assert await has_account(client, "@rosa:cem-lima.example") is known
    assert paths == ["GET /_matrix/client/v3/profile/%40rosa%3Acem-lima.example"]
    assert await has_account(client, "@rosa:otro.example") is None
    assert len(paths) == 1, "another server would learn whom we mean to enrol"


async def test_who_would_stay_is_counted_before_and_after_somebody_goes(net: Net) -> None:
    pinned(net)
    net.cem.enrol("mistyped", role="supervisor")  # no key of hers was ever seen: nobody works under that name
    here, sara = 3, {"user_id": net.cem.person("sara")}
    assert (await commands(net)["staff.show"](sara))["stay"] == {"staff": here - 1, "supervisors": 0}
    assert (await commands(net)["staff.show"]({"user_id": net.cem.person("ana")}))["stay"]["supervisors"] == 1
    assert (await commands(net)["staff.remove"](sara))["stay"] == {"staff": here - 1, "supervisors": 0}


async def test_nobody_left_is_told_as_nobody(net: Net) -> None:
    case = opened(net.cem)
    remove = commands(net)["staff.remove"]
    for name in ("sara", "berta"):
        await remove({"user_id": net.cem.person(name)})
    rest = [p.id for p in net.cem.run(lambda unit: unit.staff.all(removed_at=None)) if p.id != net.cem.person("ana")]
    for user in rest:
        await remove({"user_id": user})
    moved = (await remove({"user_id": net.cem.person("ana")}))["moved"]
    assert (moved["to"], moved["cases"], moved["check_ins"] > 0) == (None, [case.code], True)
