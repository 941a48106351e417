"""The whole road with matrix-js-sdk: she asks, an administrator compares, her pin rises; and everything that may go wrong on it."""

from __future__ import annotations

import asyncio
import re

from deploy.demo.transcript import Message
from hub.chat.emoji import EMOJI
from tests.verifying.bench import WITHIN
from tests.verifying.conftest import Scene


def number(message: Message, option: str) -> str:
    found = re.search(rf"(\d+)\. {option}", message.body)
    assert found, message.body
    return found[1]


def shown(message: Message) -> list[str]:
    """The English names of the emoji that the administrators see, in order."""
    symbols = re.findall(r"^\d+\. (\S+) ", message.body, re.M)
    table = {symbol.rstrip("\ufe0f"): english for symbol, _, english in EMOJI}
    return [table[one.rstrip("\ufe0f")] for one in symbols if one.rstrip("\ufe0f") in table]


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
    asked = await scene.admin.expect("quiere que verifiquemos", room=scene.admins, within=WITHIN)
    await scene.admin.say(scene.admins, number(asked, "empezar"))
    return verification


async def test_the_same_emoji_on_both_sides_lift_the_pin(scene: Scene) -> None:
    verification = await begin(scene)
    hers = await scene.ana.emoji(verification, WITHIN)
    question = await scene.admin.expect("estos siete dibujos", room=scene.admins, within=WITHIN)
    assert shown(question) == hers
    assert len(hers) == 7

    await scene.ana.match(verification)
    assert (await scene.hub.person(scene.ana.user_id)).level == "seen"
    await scene.admin.say(scene.admins, number(question, "son los mismos"))
    row = await scene.hub.until("done")
    await scene.ana.phase(verification, "Done")

    assert (await scene.hub.person(scene.ana.user_id)).level == "verified"
    assert row.master == scene.ana.fingerprint
    await sees_hub_verified(scene)
    for room, who in ((scene.direct, scene.ana), (scene.admins, scene.admin)):
        print(f"--- {room}")
        print("\n\n".join(f"[{m.sender[:6]}] {m.body}" for m in await who.transcript(room)))
