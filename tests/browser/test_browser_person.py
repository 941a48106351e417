"""A conversation is readable in a browser, on a desktop and on a phone, and what is typed there is read by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.browser_person import BrowserPerson
from tests.conftest import NewPerson

pytestmark = pytest.mark.browser


async def test_a_conversation_is_readable_in_hydrogen(new_person: NewPerson, tmp_path: Path) -> None:
    rosa = await new_person("rosa")
    bea = await new_person("bea", server=1, hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])
    async with BrowserPerson(rosa) as screen:
        await screen.open_room(room)
        await bea.trusts(rosa.user_id, screen.device_id)
        first = await bea.say(room, "Derivación ABC-7 recibida.\n1. aceptar\n2. rechazar")
        await screen.see("Derivación ABC-7 recibida.")
        await bea.say(room, "¿Puede venir el lunes a las 10?", thread=first)
        await screen.see("¿Puede venir el lunes")
        await screen.say("Sí, el lunes a las 10")

        answer = await bea.expect("Sí, el lunes", room=room)

        assert answer.shield is None
        assert screen.outside == []
        for size in ("desktop", "phone"):
            await screen.picture(tmp_path / f"{size}.png", size=size)
            assert await screen.overflow() == 0
            await screen.see("¿Puede venir el lunes")
