"""The whole road with matrix-js-sdk: she asks, an administrator compares, her pin rises; and everything that may go wrong on it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from datetime import timedelta
from typing import Any

import pytest

from deploy.demo.transcript import Message
from hub.actions import verify_staff
from hub.chat.emoji import EMOJI
from hub.matrix import CrossSigningSeeds, signatures
from tests.conftest import PASSWORD
from tests.jsclient.js_person import JsClientError, JsPerson
from tests.verifying.bench import WITHIN
from tests.verifying.conftest import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


def number(message: Message, option: str) -> str:
    found = re.search(rf"(\d+)\. {option}", message.body)
    assert found, message.body
    return found[1]


def name(scene: Scene) -> str:
    """Hers alone, so that no message of an earlier test is taken for one of this."""
    return scene.ana.user_id.partition(":")[0].lstrip("@")


def shown(message: Message) -> list[str]:
    """The English names of the emoji that the administrators see, in order."""
    symbols = re.findall(r"^• (\S+) ", message.body, re.M)
    table = {symbol.rstrip("\ufe0f"): english for symbol, _, english in EMOJI}
    return [table[one.rstrip("\ufe0f")] for one in symbols]


async def sees_hub_verified(scene: Scene) -> None:
    """Her client uploads its signature over the hub's identity and reads it back: that takes a moment."""
    for _ in range(int(WITHIN * 4)):
        if (await scene.ana.identity(scene.hub.user_id))["verified"]:
            return
        await asyncio.sleep(0.25)
    raise AssertionError("her client does not show the hub as verified")


async def begin(scene: Scene, room: str | None = None) -> int:
    """She asks in Element, an administrator says that they are together."""
    verification = await scene.ana.verify(scene.hub.user_id, room or scene.direct)
    asked = await scene.admin.expect(rf"{scene.ana.user_id}.* quiere que verifiquemos", room=scene.admins, within=WITHIN)
    await scene.admin.say(scene.admins, number(asked, "empezar"))
    return verification


async def look(scene: Scene, room: str | None = None) -> tuple[int, list[str], Message]:
    """Both sides see emoji: the number of her verification, what she sees, and what the administrators are asked."""
    verification = await begin(scene, room)
    hers = await scene.ana.emoji(verification, WITHIN)
    question = await scene.admin.expect(f"{name(scene)} Inventada debe ver estos siete", room=scene.admins, within=WITHIN)
    return verification, hers, question


async def too_late(scene: Scene, answer: str) -> None:
    """An administrator answers what is over: nothing comes of it. Her next words are heard after it."""
    await scene.admin.say(scene.admins, answer)
    await scene.admin.say(scene.admins, "!tk ayuda")
    await scene.admin.expect("Huella de este hub", room=scene.admins, within=WITHIN)


async def level(scene: Scene) -> str:
    return (await scene.hub.person(scene.ana.user_id)).level


async def test_the_same_emoji_on_both_sides_lift_the_pin(scene: Scene) -> None:
    verification, hers, question = await look(scene)
    assert shown(question) == hers
    assert len(hers) == 7

    await scene.ana.match(verification)
    await scene.ana.phase(verification, "Started")
    assert await level(scene) == "seen"
    await scene.admin.say(scene.admins, number(question, "son los mismos"))
    row = await scene.hub.until("done")
    await scene.ana.phase(verification, "Done")

    assert await level(scene) == "verified"
    assert row.master == scene.ana.fingerprint
    await sees_hub_verified(scene)
    await scene.ana.expect("verificada en persona", room=scene.direct)
    await scene.admin.expect(f"{scene.ana.user_id}.*llave verificada", room=scene.admins)


async def test_the_hub_signs_her_master_key(scene: Scene) -> None:
    verification, _, question = await look(scene)
    await scene.admin.say(scene.admins, number(question, "son los mismos"))  # before she has tapped
    await scene.hub.until("same")
    await scene.ana.match(verification)
    await scene.hub.until("done")

    served = await scene.hub.house.matrix.client.query_keys([scene.ana.user_id])
    key = signatures.public_key(scene.hub.house.identity.cross_user.reveal())
    assert signatures.verifies(served["master_keys"][scene.ana.user_id], user_id=scene.hub.user_id, key_id=key, key=key)
    assert isinstance(scene.hub.house.matrix._seeds, CrossSigningSeeds)


async def test_at_the_terminal_in_the_desk_room(scene: Scene) -> None:
    desk = await scene.hub.room("desk")
    process = await asyncio.create_subprocess_exec(
        *scene.hub.terminal("staff", "verify", scene.ana.user_id), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin and process.stderr and process.stdout  # noqa: PT018 - for the type checker
    await process.stderr.readline()  # it waits
    verification = await scene.ana.verify(scene.hub.user_id, desk)
    hers = await scene.ana.emoji(verification, WITHIN)
    await scene.ana.match(verification)
    said = b""
    while "¿Son los mismos?".encode() not in said:
        said += await asyncio.wait_for(process.stderr.read(4096), WITHIN)
    table = {spanish: english for _, spanish, english in EMOJI}
    assert [table[one] for one in re.findall(r"^  \S+  (.+)$", said.decode(), re.M)] == hers
    process.stdin.write(b"quizas\ns\n")
    out, rest = await asyncio.wait_for(process.communicate(), WITHIN)
    assert process.returncode == 0, rest
    assert "quedó verificada" in out.decode()
    assert await level(scene) == "verified"
    assert f"{scene.ana.user_id}\t" in await scene.hub.tinkuy("staff", "list")
    assert re.search(rf"{scene.ana.user_id}.*verificada en persona", await scene.hub.tinkuy("staff", "list"))


async def test_a_no_of_the_administrator_cancels_and_alarms(scene: Scene) -> None:
    verification, _, question = await look(scene)
    await scene.ana.match(verification)
    await scene.admin.say(scene.admins, number(question, "NO son los mismos"))
    assert await scene.ana.phase(verification, "Cancelled", WITHIN) == "Cancelled m.mismatched_sas"
    await scene.admin.expect(f"ALERTA: los dibujos de {scene.ana.user_id}", room=scene.admins, within=WITHIN)
    await scene.ana.expect("NO eran los mismos", room=scene.direct)
    assert (await scene.hub.until("ended")).why == "differs"
    assert await level(scene) == "seen"


async def test_a_no_of_hers_cancels_and_alarms(scene: Scene) -> None:
    verification, _, question = await look(scene)
    await scene.ana.mismatch(verification)
    await scene.admin.expect(f"ALERTA: los dibujos de {scene.ana.user_id}", room=scene.admins, within=WITHIN)
    await too_late(scene, number(question, "son los mismos"))
    assert (await scene.hub.until("ended")).why == "differs"
    assert await level(scene) == "seen"


async def test_without_an_answer_it_ends_and_both_are_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_staff, "LIFE", timedelta(seconds=8))
    verification, _, question = await look(scene)
    await scene.ana.match(verification)
    assert await scene.ana.phase(verification, "Cancelled", WITHIN) == "Cancelled m.timeout"
    await scene.ana.expect("Se acabó el tiempo", room=scene.direct)
    await scene.admin.expect(rf"{scene.ana.user_id}.*no se verificó.*\[timeout\]", room=scene.admins)
    await too_late(scene, number(question, "son los mismos"))
    assert await level(scene) == "seen"


async def test_a_restart_in_the_middle_ends_it_kindly(scene: Scene) -> None:
    verification, _, question = await look(scene)
    await scene.ana.match(verification)
    await scene.hub.close()
    await scene.hub.open()
    assert await scene.ana.phase(verification, "Cancelled", WITHIN) == "Cancelled m.user"
    await scene.ana.expect("Me reiniciaron", room=scene.direct)
    await scene.admin.expect(rf"{scene.ana.user_id}.*no se verificó.*\[restart\]", room=scene.admins)
    await too_late(scene, number(question, "son los mismos"))
    assert await level(scene) == "seen"


async def test_a_restart_before_the_emoji_loses_nothing(scene: Scene) -> None:
    verification = await scene.ana.verify(scene.hub.user_id, scene.direct)
    await scene.hub.until("asked")
    await scene.hub.close()
    await scene.hub.open()
    asked = await scene.admin.expect(f"{scene.ana.user_id}.* quiere que verifiquemos", room=scene.admins, within=WITHIN)
    await scene.admin.say(scene.admins, number(asked, "empezar"))
    assert len(await scene.ana.emoji(verification, WITHIN)) == 7
    await scene.ana.call("cancel", id=verification)
    assert (await scene.hub.until("ended")).why == "hers"


# ---- a hostile homeserver ------------------------------------------------------------------------------------------------


def of_hers(scene: Scene, kind: str, edit: Any) -> Any:
    """An edit of sync answers: her verification events of this kind, as the hub gets them."""

    def events(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            for event in room["timeline"]["events"]:
                if event["type"] == f"m.key.verification.{kind}" and event["sender"] == scene.ana.user_id:
                    event["content"] = edit(dict(event["content"]))
        return body

    return events


async def test_exchanged_keys_show_other_emoji(scene: Scene) -> None:
    """The homeserver in the middle: its own ephemeral key to each side. What people see then differs."""
    theirs = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo"
    scene.proxy.on_answer("/sync", of_hers(scene, "key", lambda content: {**content, "key": theirs}))
    verification, hers, question = await look(scene)
    assert shown(question) != hers
    await scene.ana.match(verification)  # she does not look
    await scene.admin.expect(rf"{scene.ana.user_id}.*no se verificó.*\[mac\]", room=scene.admins, within=WITHIN)
    await too_late(scene, number(question, "son los mismos"))  # and neither does she
    assert await level(scene) == "seen"


async def test_a_wrong_mac_proves_nothing(scene: Scene) -> None:
    def without_master(content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "mac": {name: mac for name, mac in content["mac"].items() if scene.ana.fingerprint not in name}}

    scene.proxy.on_answer("/sync", of_hers(scene, "mac", without_master))
    verification, _, question = await look(scene)
    await scene.admin.say(scene.admins, number(question, "son los mismos"))
    await scene.hub.until("same")
    await scene.ana.match(verification)
    assert await scene.ana.phase(verification, "Cancelled", WITHIN) == "Cancelled m.key_mismatch"
    await scene.admin.expect(f"ALERTA: en la verificación de {scene.ana.user_id}", room=scene.admins, within=WITHIN)
    assert (await scene.hub.until("ended")).why == "mac"
    assert await level(scene) == "seen"


async def test_x03_a_master_key_exchanged_meanwhile_is_not_verified(scene: Scene) -> None:
    other = "pZBXcmiNvGKk8cOQqGf0CpBCaHQdTMaMcTcMZCVYGfs"

    def swapped(body: Any) -> Any:
        if scene.ana.user_id in body.get("master_keys", {}):
            body["master_keys"][scene.ana.user_id] = {
                "user_id": scene.ana.user_id, "usage": ["master"], "keys": {f"ed25519:{other}": other},
            }  # fmt: skip
        return body

    verification, _, question = await look(scene)
    scene.proxy.on_answer("/keys/query", swapped)
    await scene.ana.match(verification)
    await scene.admin.say(scene.admins, number(question, "son los mismos"))
    await scene.admin.expect(f"ALERTA: en la verificación de {scene.ana.user_id}", room=scene.admins, within=WITHIN)
    for _ in range(100):
        if (await scene.hub.person(scene.ana.user_id)).refused_master == other:
            break
        await asyncio.sleep(0.1)
    person = await scene.hub.person(scene.ana.user_id)
    assert (person.level, person.master, person.refused_master) == ("seen", scene.ana.fingerprint, other)
    assert [row.why for row in await scene.hub.rows() if row.user == scene.ana.user_id] == ["served"]
    scene.proxy.honest()
    await scene.hub.tinkuy("staff", "remove", scene.ana.user_id, "--yes")


async def test_the_same_message_again_changes_nothing(scene: Scene) -> None:
    """Her events repeated under other ids while it runs; and a key of somebody else's making afterwards."""

    def doubled(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            events = room["timeline"]["events"]
            events += [{**event, "event_id": event["event_id"][:-4] + "aaaa"} for event in events if "verification" in event["type"]]
        return body

    scene.proxy.on_answer("/sync", doubled)
    verification, hers, question = await look(scene)
    assert shown(question) == hers
    await scene.ana.match(verification)
    await scene.admin.say(scene.admins, number(question, "son los mismos"))
    await scene.hub.until("done")
    await scene.ana.phase(verification, "Done")
    assert await level(scene) == "verified"


async def test_many_requests_are_bounded(scene: Scene) -> None:
    """Made up in her name by the homeserver: one lives at a time, few are looked at, the admin room is not filled."""
    request = {
        "msgtype": "m.key.verification.request", "body": "…", "to": scene.hub.user_id, "from_device": scene.ana.device_id, "methods": ["m.sas.v1"],
    }  # fmt: skip
    before = len(await scene.hub.rows())
    for _ in range(30):
        await scene.ana.call("raw", room=scene.direct, type="m.room.message", content=request)
    await scene.ana.say(scene.direct, "ayuda")
    await scene.ana.expect("ver C-", room=scene.direct, within=WITHIN)  # it still listens
    rows = (await scene.hub.rows())[before:]
    assert len(rows) == verify_staff.MOST_EACH
    assert [row.state for row in rows if row.state in verify_staff.LIVE] == ["asked"]
    asked = [m for m in await scene.admin.transcript(scene.admins) if f"({scene.ana.user_id}) quiere" in m.body]
    assert 1 <= len(asked) <= verify_staff.MOST_EACH


# ---- who may, and where --------------------------------------------------------------------------------------------------


async def test_from_an_unverified_device_it_is_refused_and_said(scene: Scene) -> None:
    async with JsPerson(url=scene.hub.person_url, user_id=scene.ana.user_id, password=PASSWORD, strict=False, unsigned=True) as ghost:
        await ghost.in_room(scene.direct)
        await ghost.verify(scene.hub.user_id, scene.direct)
        await scene.ana.expect("desde un dispositivo que su propia cuenta no ha confirmado", room=scene.direct, within=WITHIN)
        await scene.admin.expect(rf"{scene.ana.user_id}.*no se verificó.*\[device\]", room=scene.admins, within=WITHIN)
        assert (await scene.hub.until("ended")).why == "device"
        await ghost.log_out()
    assert await level(scene) == "seen"


async def test_colleagues_verify_each_other_without_the_hub(scene: Scene) -> None:
    desk = await scene.hub.room("desk")
    before = len(await scene.hub.rows())
    await scene.ana.in_room(desk, with_members=[scene.admin.user_id])
    await scene.ana.identity(scene.admin.user_id)
    await scene.ana.verify(scene.admin.user_id, desk)
    await scene.ana.say(desk, "!tk ayuda")
    await scene.ana.expect("derivar", room=desk, within=WITHIN)
    assert len(await scene.hub.rows()) == before


async def test_x02_a_second_device_of_the_hub_is_never_verified(scene: Scene) -> None:
    """Whoever has the hub's account asks its device by to-device messages, in clear: there is no answer, and no row."""
    before = len(await scene.hub.rows())
    async with JsPerson(url=scene.hub.person_url, user_id=scene.hub.user_id, password=PASSWORD, strict=False, unsigned=True) as ghost:
        await ghost.identity(scene.hub.user_id)
        asked = await ghost.call("verify_device", user=scene.hub.user_id, device=scene.hub.house.matrix.device.device_id)
        await scene.admin.expect("own_ghost", room=scene.admins, within=WITHIN)
        with pytest.raises(JsClientError):
            await ghost.phase(asked, "Ready", 5)
        assert await ghost.phase(asked) == "Requested"
        with contextlib.suppress(JsClientError):
            await ghost.log_out()
    assert len(await scene.hub.rows()) == before


async def test_nobody_vouches_for_herself_nor_on_first_sight(scene: Scene) -> None:
    other = await scene.hub.enrol(scene.stack, await scene.account("otra-admin"), "administrator")
    direct = await scene.hub.room(f"direct:{other.user_id}")
    await other.verify(scene.hub.user_id, direct)
    asked = await other.expect(f"{other.user_id}.* quiere que verifiquemos", room=scene.admins, within=WITHIN)
    await other.say(scene.admins, number(asked, "empezar"))
    await other.expect("Nadie se verifica a sí misma", room=scene.admins, within=WITHIN)
    await scene.admin.say(scene.admins, number(asked, "ahora no"))
    await other.expect(r"no se verificó.*\[not_now\]", room=scene.admins, within=WITHIN)

    await scene.ana.verify(scene.hub.user_id, scene.direct)
    asked = await other.expect(f"{scene.ana.user_id}.* quiere que verifiquemos", room=scene.admins, within=WITHIN)
    await other.say(scene.admins, number(asked, "empezar"))
    await other.expect("se fijó a primera vista", room=scene.admins, within=WITHIN)
    assert (await scene.hub.rows())[-1].state == "asked"
    await scene.hub.tinkuy("staff", "remove", other.user_id, "--yes")
